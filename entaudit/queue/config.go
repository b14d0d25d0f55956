package queue

import (
	"cmp"
	"fmt"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// Defaults of [Config].
const (
	DefaultCapacity   = 10_000
	DefaultMaxBytes   = 64 << 20
	DefaultBatchSize  = 100
	DefaultBatchBytes = 1 << 20
	DefaultDelay      = 100 * time.Millisecond
	DefaultTimeout    = 10 * time.Second
	DefaultRetries    = 3
	DefaultBackoff    = 100 * time.Millisecond
	DefaultMaxBackoff = 5 * time.Second
)

// Policy says what becomes of entries that there is no room for.
type Policy string

// Policies of [Config].OnFull.
const (
	Refuse Policy = "refuse" // Write returns ErrFull at once
	Block  Policy = "block"  // Write waits for room as long as Config.Block, then returns ErrFull
	Spill  Policy = "spill"  // Write stores them in Config.Spool
	Drop   Policy = "drop"   // Write returns nil; the entries are lost, counted, and told of by an entry about the gap
)

// Config holds the settings of a [Queue]. The zero value is usable: it holds
// 10,000 entries or 64 MiB in memory, waits for a store that is away for as long
// as it takes, and refuses entries meanwhile once it is full.
type Config struct {
	// Capacity is how many entries the queue holds in memory at most, those being
	// written included. Zero means DefaultCapacity.
	Capacity int
	// MaxBytes is how many bytes they take at most, by an estimate: the struct, the
	// texts it refers to, and what maps and slices cost. Zero means DefaultMaxBytes.
	MaxBytes int
	// BatchSize is how many entries are written at once at most. Zero means
	// DefaultBatchSize, or Capacity where that is less.
	BatchSize int
	// BatchBytes is how many bytes a batch takes at most, by the same estimate; a
	// larger entry is written alone. Zero means DefaultBatchBytes, or MaxBytes where that
	// is less.
	BatchBytes int
	// Delay is how long an entry waits at most for others to be written with.
	// Zero means DefaultDelay.
	Delay time.Duration
	// Timeout bounds each call of the writer, which has to honour it. Zero means
	// DefaultTimeout.
	Timeout time.Duration
	// Retries is how often a batch that failed is tried again before the queue looks
	// whether single entries are at fault. It is then an outage, which is waited for,
	// unless the writer takes another entry: it is handed the last one that it took
	// once more, which has no effect because of its id, or one of the queue's own that
	// tells of the outage, where it has taken none in the last ten minutes. Zero means
	// DefaultRetries, less than zero none.
	Retries int
	// Backoff is the wait before the first retry. It doubles with every further
	// one up to MaxBackoff, and is shortened at random by up to a half. Zero means
	// DefaultBackoff.
	Backoff time.Duration
	// MaxBackoff bounds the wait. Zero means DefaultMaxBackoff, or Backoff where
	// that is more.
	MaxBackoff time.Duration
	// OnFull says what becomes of entries that there is no room for. Empty means
	// Spill with a Spool that is not Durable, Block where Block is set, else Refuse.
	OnFull Policy
	// Block is how long Write waits for room under the policy Block.
	Block time.Duration
	// Spool keeps entries on disk: those that memory has no room for, those left at
	// Close and, with Durable, all. The queue closes it. Nil means that no disk is used.
	Spool Spool
	// Durable has every entry pass through Spool: Write returns once it is stored
	// there, and it survives a crash from then on. Without it a crash loses what is in
	// memory.
	Durable bool
	// DeadLetter receives the entries that the writer refuses while it takes others. The
	// queue closes it. Nil, or one that fails, means that they are dropped.
	DeadLetter entaudit.Writer
	// OnDrop is told of entries that were accepted and are given up, with the last
	// error; under the policy Drop only of those that it did not concern. They must not
	// be modified. It is called from one goroutine at a time, and holds up the queue
	// while it runs. Nil logs the number of entries and a code of the error through
	// slog.
	OnDrop func(entries []entaudit.Entry, err error)
}

func (c Config) withDefaults() Config {
	c.Capacity = cmp.Or(c.Capacity, DefaultCapacity)
	c.MaxBytes = cmp.Or(c.MaxBytes, DefaultMaxBytes)
	c.BatchSize = cmp.Or(c.BatchSize, min(DefaultBatchSize, c.Capacity))
	c.BatchBytes = cmp.Or(c.BatchBytes, min(DefaultBatchBytes, c.MaxBytes))
	c.Delay = cmp.Or(c.Delay, DefaultDelay)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Retries = max(cmp.Or(c.Retries, DefaultRetries), 0)
	c.Backoff = cmp.Or(c.Backoff, DefaultBackoff)
	c.MaxBackoff = cmp.Or(c.MaxBackoff, max(DefaultMaxBackoff, c.Backoff))
	switch {
	case c.OnFull != "":
	case c.Spool != nil && !c.Durable:
		c.OnFull = Spill
	case c.Block != 0:
		c.OnFull = Block
	default:
		c.OnFull = Refuse
	}
	return c
}

// Validate returns an error that names the field that is wrong, as New does.
func (c Config) Validate() error { return c.withDefaults().validate() }

// validate checks settings with defaults filled in.
func (c Config) validate() error {
	switch {
	case c.Capacity < 0:
		return fmt.Errorf("queue: Config.Capacity: %d is negative", c.Capacity)
	case c.MaxBytes < 0:
		return fmt.Errorf("queue: Config.MaxBytes: %d is negative", c.MaxBytes)
	case c.BatchSize < 0 || c.BatchSize > c.Capacity:
		return fmt.Errorf("queue: Config.BatchSize: %d is not between 1 and the capacity of %d", c.BatchSize, c.Capacity)
	case c.BatchBytes < 0 || c.BatchBytes > c.MaxBytes:
		return fmt.Errorf("queue: Config.BatchBytes: %d is not between 1 and the limit of %d", c.BatchBytes, c.MaxBytes)
	case c.Delay < 0:
		return fmt.Errorf("queue: Config.Delay: %v is negative", c.Delay)
	case c.Timeout < 0:
		return fmt.Errorf("queue: Config.Timeout: %v is negative", c.Timeout)
	case c.Backoff < 0:
		return fmt.Errorf("queue: Config.Backoff: %v is negative", c.Backoff)
	case c.MaxBackoff < c.Backoff:
		return fmt.Errorf("queue: Config.MaxBackoff: %v is less than the backoff of %v", c.MaxBackoff, c.Backoff)
	case c.Durable && c.Spool == nil:
		return fmt.Errorf("queue: Config.Durable: needs a Spool")
	}
	return c.validatePolicy()
}

func (c Config) validatePolicy() error {
	switch c.OnFull {
	case Refuse, Block, Drop:
	case Spill:
		if c.Spool == nil || c.Durable {
			return fmt.Errorf("queue: Config.OnFull: %s needs a Spool that is not used for every entry anyway", Spill)
		}
	default:
		return fmt.Errorf("queue: Config.OnFull: %q is not %s, %s, %s or %s", c.OnFull, Refuse, Block, Spill, Drop)
	}
	switch {
	case c.Block < 0:
		return fmt.Errorf("queue: Config.Block: %v is negative", c.Block)
	case c.Block == 0 && c.OnFull == Block:
		return fmt.Errorf("queue: Config.Block: says how long to wait for room, which OnFull asks for")
	case c.Block > 0 && c.OnFull != Block:
		return fmt.Errorf("queue: Config.Block: has no meaning where OnFull is %s", c.OnFull)
	}
	return nil
}
