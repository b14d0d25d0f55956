package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Stats are the numbers of a [Relay] since it was made, and those of its outbox now.
type Stats struct {
	Relayed      uint64 // entries that the writer took
	Retried      uint64 // times that entries were given back, to be tried again
	Refused      uint64 // times that an entry was not taken by itself, while others were, or could not be read
	DeadLettered uint64 // entries that went to Config.DeadLetter
	LastError    error  // stays after the next success

	// Pending is how many entries are in the outbox, whatever relay has taken them.
	Pending int
	// Oldest is when the first of these was made; zero where there is none.
	Oldest time.Time
}

// Stats returns the numbers of now. It counts what is in the outbox, which [Relay.Recent]
// does not; the error is that of counting, and the other numbers are right all the same.
func (r *Relay) Stats(ctx context.Context) (Stats, error) {
	s := r.Recent()
	seen := r.see(ctx)
	return s.with(seen), seen.err
}

// made returns when an id was made, to the millisecond.
func made(id uuid.UUID) time.Time {
	ms := int64(0)
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

// Check reports whether the outbox can be read and written, and whether the writer is
// ready, where that can tell. It changes nothing and is meant for start-up.
func (r *Relay) Check(ctx context.Context) error {
	if err := r.rows.check(ctx); err != nil {
		return fmt.Errorf("outbox: check: table %s: %w; call store.MigrateOutbox", r.rows.table, err)
	}
	for _, w := range []entaudit.Writer{r.w, r.cfg.DeadLetter} {
		if w == nil {
			continue
		}
		if err := entaudit.CheckWriter(ctx, w); err != nil {
			return fmt.Errorf("outbox: check: %w", err)
		}
	}
	return nil
}

// count adds what became of a batch.
func (r *Relay) count(d *delivery, dead int) {
	r.mu.Lock()
	r.stats.Relayed += uint64(len(d.arrived))
	r.stats.Refused += uint64(len(d.refused))
	r.stats.DeadLettered += uint64(dead) //nolint:gosec // it is not negative
	if len(d.left) > 0 {
		r.stats.Retried++
	}
	if d.err != nil {
		r.stats.LastError = d.err
	}
	r.mu.Unlock()
	if len(d.refused) > 0 {
		slog.Warn("outbox: entries refused", "relay", r.String(), "entries", len(d.refused), "dead", dead,
			"first_id", d.refused[0].ID, "error", entaudit.ErrorCode(d.err))
	}
}

// damaged tells of an entry that cannot be read. What stands in it is not told.
func (r *Relay) damaged(l letter, postponed error) {
	err := errors.Join(fmt.Errorf("outbox: entry %s cannot be read: %w", l.ID, l.damage), postponed)
	r.mu.Lock()
	r.stats.Refused++
	r.stats.LastError = err
	r.mu.Unlock()
	slog.Error("outbox: an entry cannot be read", "relay", r.String(), "id", l.ID, "error", entaudit.ErrorCode(err))
}

// note remembers an error of a round, and logs it where the one before had none.
func (r *Relay) note(err error) {
	r.mu.Lock()
	began := err != nil && !r.failing
	r.failing = err != nil
	if err != nil {
		r.stats.LastError = err
	}
	r.mu.Unlock()
	if began {
		slog.Warn("outbox: entries wait", "relay", r.String(), "error", entaudit.ErrorCode(err))
	}
}
