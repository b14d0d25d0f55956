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
	DefaultBatchSize  = 100
	DefaultDelay      = 100 * time.Millisecond
	DefaultTimeout    = 10 * time.Second
	DefaultRetries    = 30
	DefaultBackoff    = 100 * time.Millisecond
	DefaultMaxBackoff = 5 * time.Second
)

// Config holds the settings of a [Queue]. The zero value is usable: it holds
// 10,000 entries and bridges an outage of the store of at least a minute.
type Config struct {
	// Capacity is how many entries the queue holds at most, those being written
	// included. An entry takes about a kilobyte. Zero means DefaultCapacity.
	Capacity int
	// BatchSize is how many entries are written at once at most. Zero means
	// DefaultBatchSize, or Capacity where that is less.
	BatchSize int
	// Delay is how long an entry waits at most for others to be written with.
	// Zero means DefaultDelay.
	Delay time.Duration
	// Timeout bounds each call of the writer, which has to honour it. Zero means
	// DefaultTimeout.
	Timeout time.Duration
	// Retries is how often a failed write is tried again. Then its entries are
	// written one by one, once, and those that fail alone are dropped. Zero means
	// DefaultRetries, less than zero none.
	Retries int
	// Backoff is the wait before the first retry. It doubles with every further
	// one up to MaxBackoff, and is shortened at random by up to a half. Zero means
	// DefaultBackoff.
	Backoff time.Duration
	// MaxBackoff bounds the wait. Zero means DefaultMaxBackoff, or Backoff where
	// that is more.
	MaxBackoff time.Duration
	// Block is how long Write waits for room in a full queue. Zero means not at
	// all.
	Block time.Duration
	// OnDrop is told of entries that were accepted and could not be written,
	// with the last error. They must not be modified. It is called by the
	// queue's own goroutine, one call at a time, and holds up the queue while it
	// runs. Nil logs the number of entries and the error through slog.
	OnDrop func(entries []entaudit.Entry, err error)
}

func (c Config) withDefaults() Config {
	c.Capacity = cmp.Or(c.Capacity, DefaultCapacity)
	c.BatchSize = cmp.Or(c.BatchSize, min(DefaultBatchSize, c.Capacity))
	c.Delay = cmp.Or(c.Delay, DefaultDelay)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Retries = max(cmp.Or(c.Retries, DefaultRetries), 0)
	c.Backoff = cmp.Or(c.Backoff, DefaultBackoff)
	c.MaxBackoff = cmp.Or(c.MaxBackoff, max(DefaultMaxBackoff, c.Backoff))
	return c
}

// validate checks settings with defaults filled in.
func (c Config) validate() error {
	switch {
	case c.Capacity < 0:
		return fmt.Errorf("queue: Config.Capacity: %d is negative", c.Capacity)
	case c.BatchSize < 0 || c.BatchSize > c.Capacity:
		return fmt.Errorf("queue: Config.BatchSize: %d is not between 1 and the capacity of %d", c.BatchSize, c.Capacity)
	case c.Delay < 0:
		return fmt.Errorf("queue: Config.Delay: %v is negative", c.Delay)
	case c.Timeout < 0:
		return fmt.Errorf("queue: Config.Timeout: %v is negative", c.Timeout)
	case c.Backoff < 0:
		return fmt.Errorf("queue: Config.Backoff: %v is negative", c.Backoff)
	case c.MaxBackoff < c.Backoff:
		return fmt.Errorf("queue: Config.MaxBackoff: %v is less than the backoff of %v", c.MaxBackoff, c.Backoff)
	case c.Block < 0:
		return fmt.Errorf("queue: Config.Block: %v is negative", c.Block)
	}
	return nil
}
