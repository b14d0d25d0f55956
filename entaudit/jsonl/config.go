package jsonl

import (
	"cmp"
	"fmt"
	"time"
)

// Defaults of [Config].
const (
	DefaultMaxSize  = 100 << 20
	DefaultInterval = time.Second
)

// Sync says when what was written is forced to the disk.
type Sync int

// Ways of syncing.
const (
	SyncEach     Sync = iota // before Write returns: what it took outlives a power cut
	SyncInterval             // every Config.Interval: a power cut loses that much, the end of the process nothing
	SyncNever                // when the operating system sees fit
)

// Config holds the settings of a [Writer]. The zero value is usable: it syncs each write,
// rotates at 100 MiB and deletes nothing.
type Config struct {
	// Sync says when what was written is forced to the disk.
	Sync Sync
	// Interval is how long entries wait to be synced at most, with SyncInterval. Zero means
	// DefaultInterval.
	Interval time.Duration
	// MaxSize is the size in bytes that a file does not grow beyond: it is rotated before.
	// A single write that is larger has a file of its own. Zero means DefaultMaxSize, less
	// than zero no limit.
	MaxSize int64
	// MaxAge is how long after its first entry a file is rotated, by the next write. Zero
	// means never.
	MaxAge time.Duration
	// Keep is how many rotated files are kept; older ones are deleted, entries and
	// all. Zero keeps all.
	Keep int
}

func (c Config) withDefaults() Config {
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.MaxSize = cmp.Or(c.MaxSize, DefaultMaxSize)
	return c
}

// Validate returns an error that names the field that is wrong, without touching the disk.
func (c Config) Validate() error { return c.withDefaults().validate() }

// validate checks settings with defaults filled in.
func (c Config) validate() error {
	switch {
	case c.Sync < SyncEach || c.Sync > SyncNever:
		return fmt.Errorf("jsonl: Config.Sync: %d is not a way of syncing", c.Sync)
	case c.Interval < 0:
		return fmt.Errorf("jsonl: Config.Interval: %v is negative", c.Interval)
	case c.MaxAge < 0:
		return fmt.Errorf("jsonl: Config.MaxAge: %v is negative", c.MaxAge)
	case c.Keep < 0:
		return fmt.Errorf("jsonl: Config.Keep: %d is negative", c.Keep)
	}
	return nil
}
