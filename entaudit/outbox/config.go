package outbox

import (
	"cmp"
	"fmt"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/store"
)

// Defaults of [Config].
const (
	DefaultBatch      = 500
	DefaultPoll       = time.Second
	DefaultTimeout    = 10 * time.Second
	DefaultLease      = time.Minute
	DefaultBackoff    = 200 * time.Millisecond
	DefaultMaxBackoff = 30 * time.Second
	DefaultAttempts   = 10
	DefaultLate       = 5 * time.Minute
)

// maxBatch is what one statement can name the ids of.
const maxBatch = 1000

// Config holds the settings of a [Relay]. The zero value is usable.
type Config struct {
	// Table is the name of the outbox, optionally with a schema in front. Empty
	// means [store.OutboxTable].
	Table string
	// Batch is how many entries are moved at once at most, up to 1000; they are fewer while
	// the writer has no time for so many. Zero means DefaultBatch.
	Batch int
	// Poll is how often an empty outbox is looked at. [Relay.Notify] makes it be
	// looked at now. Zero means DefaultPoll.
	Poll time.Duration
	// Timeout bounds each call of the writer and of the database, which have to
	// honour it. Zero means DefaultTimeout.
	Timeout time.Duration
	// Lease is for how long a batch belongs to the relay that took it. Entries of a
	// relay that was killed are taken by others when it is over. It must be longer
	// than Timeout. Zero means DefaultLease, or three times Timeout where that is more.
	Lease time.Duration
	// Backoff is the wait after the first failure. It doubles with every further one
	// up to MaxBackoff, and is shortened at random by up to a half. Zero means
	// DefaultBackoff.
	Backoff time.Duration
	// MaxBackoff bounds the wait. Zero means DefaultMaxBackoff, or Backoff where that
	// is more.
	MaxBackoff time.Duration
	// Attempts is how often an entry is refused by itself, while others are taken,
	// before it goes to DeadLetter. Zero means DefaultAttempts.
	Attempts int
	// DeadLetter gets the entries that the writer refuses. Nil leaves them in the
	// outbox, where they are tried again at growing intervals, up to an hour.
	DeadLetter entaudit.Writer
	// Late is how long an entry may wait until [Relay.Health] reports it. Zero means
	// DefaultLate.
	Late time.Duration
}

func (c Config) withDefaults() Config {
	c.Table = cmp.Or(c.Table, store.OutboxTable)
	c.Batch = cmp.Or(c.Batch, DefaultBatch)
	c.Poll = cmp.Or(c.Poll, DefaultPoll)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Lease = cmp.Or(c.Lease, max(DefaultLease, 3*c.Timeout))
	c.Backoff = cmp.Or(c.Backoff, DefaultBackoff)
	c.MaxBackoff = cmp.Or(c.MaxBackoff, max(DefaultMaxBackoff, c.Backoff))
	c.Attempts = cmp.Or(c.Attempts, DefaultAttempts)
	c.Late = cmp.Or(c.Late, DefaultLate)
	return c
}

// Validate returns an error that names the field that is wrong, as New does.
func (c Config) Validate() error { return c.withDefaults().validate() }

// validate checks settings with defaults filled in.
func (c Config) validate() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"Poll", c.Poll}, {"Timeout", c.Timeout}, {"Backoff", c.Backoff}, {"Late", c.Late}} {
		if d.value < 0 {
			return fmt.Errorf("outbox: Config.%s: %v is negative", d.name, d.value)
		}
	}
	switch {
	case !entaudit.ValidTable(c.Table):
		return fmt.Errorf("outbox: Config.Table: %q is not a table name", c.Table)
	case c.Batch < 0 || c.Batch > maxBatch:
		return fmt.Errorf("outbox: Config.Batch: %d is not between 1 and %d", c.Batch, maxBatch)
	case c.Lease <= c.Timeout:
		return fmt.Errorf("outbox: Config.Lease: %v is not longer than the timeout of %v", c.Lease, c.Timeout)
	case c.MaxBackoff < c.Backoff:
		return fmt.Errorf("outbox: Config.MaxBackoff: %v is less than the backoff of %v", c.MaxBackoff, c.Backoff)
	case c.Attempts < 0:
		return fmt.Errorf("outbox: Config.Attempts: %d is negative", c.Attempts)
	}
	return nil
}
