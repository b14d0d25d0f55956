package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/entaudit/audit/entaudit"
)

// Spool keeps entries on disk, in order, until they are acknowledged. Package spool
// has one. Append may be called from many goroutines at once, Len too; the other
// methods are called by one at a time. Entries must not be modified or kept mutable.
// Where it is an [entaudit.Closer] the queue closes it; Len goes on to tell what is
// left.
type Spool interface {
	// Append stores entries behind all others, all or none. Once it has returned nil
	// they survive a crash. An error that wraps [ErrFull] means that there is no room;
	// after any error none of them is there, except where ctx ended meanwhile or
	// the disk failed so that it cannot be told.
	Append(ctx context.Context, entries []entaudit.Entry) error
	// Prepend stores entries in front of all others, as Append does. It is not subject
	// to limits.
	Prepend(ctx context.Context, entries []entaudit.Entry) error
	// Read returns the oldest entries, at most n, and leaves them there: another call
	// returns them again. A [LostError] says, once, that entries are gone.
	Read(ctx context.Context, n int) ([]entaudit.Entry, error)
	// Ack removes the oldest n entries, which Read has returned. Where it fails some may
	// be read again after a restart.
	Ack(n int) error
	// Len returns how many entries there are.
	Len() int
}

// LostError tells of entries that a [Spool] had taken and cannot return.
type LostError struct {
	Entries int   // how many there were, as far as that can be told
	Err     error // what was found in their place
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%d entries of the spool are lost: %v", e.Entries, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// spooled returns how many entries are in the spool.
func (q *Queue) spooled() int {
	if q.cfg.Spool == nil {
		return 0
	}
	return q.cfg.Spool.Len()
}

// spools reports whether entries of so many bytes go to the spool. Once one is there all
// that follow go there too, until it is empty: what is in memory is always older.
func (q *Queue) spools(n, bytes int) bool {
	return q.cfg.Durable ||
		q.cfg.OnFull == Spill && (q.spilling > 0 || q.spooled() > 0 || !q.fits(n, bytes))
}

// spill stores entries in the spool. It is called without q.mu, q.spilling having been
// increased.
func (q *Queue) spill(ctx context.Context, entries []entaudit.Entry) error {
	err := q.cfg.Spool.Append(ctx, entries)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spilling--
	if err == nil || ctx.Err() == nil { // else it is the caller who has left
		q.spoolErr.note(err)
	}
	if err == nil {
		q.stats.Accepted += uint64(len(entries))
		q.appended += uint64(len(entries))
		q.schedule()
	}
	q.stir()
	if err != nil && !errors.Is(err, ErrFull) {
		return fmt.Errorf("queue: spool: %w", err)
	}
	return err
}

// read returns the oldest entries of the spool.
func (q *Queue) read() ([]entaudit.Entry, error) {
	entries, err := q.cfg.Spool.Read(q.ctx, q.cfg.BatchSize)
	var lost *LostError
	if errors.As(err, &lost) {
		n := uint64(lost.Entries) //nolint:gosec // not negative
		q.mu.Lock()
		q.removed += n
		q.stats.Dropped += n
		q.stats.LastError = err
		q.addGap(ReasonDamaged, lost.Entries, nil)
		q.mu.Unlock()
		q.log.Warn("queue: entries of the spool are lost", "entries", lost.Entries, "error", lost.Err)
		return nil, nil
	}
	n := 0
	for i := range entries {
		if n += size(&entries[i]); n > q.cfg.BatchBytes && i > 0 {
			return entries[:i:i], err
		}
	}
	return entries, err
}
