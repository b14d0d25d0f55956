package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/quiet"
)

// Stats are the numbers of a [Queue] since it was made. Accepted plus Recovered is
// always Stored plus DeadLettered plus Dropped plus Depth plus Spooled. Entries about
// gaps are not counted.
type Stats struct {
	Accepted     uint64 // entries that Write took
	Recovered    uint64 // entries that the spool had from before, or from a Write that did not wait for it
	Stored       uint64 // entries that the writer took
	DeadLettered uint64 // entries that it refused and Config.DeadLetter took
	Dropped      uint64 // entries that were accepted and then given up
	Rejected     uint64 // entries that Write did not take
	Retried      uint64 // writes that were tried again

	Depth     int           // entries in memory, those being written included
	Bytes     int           // what they take, by the estimate of Config.MaxBytes
	Spooled   int           // entries in the spool
	OldestAge time.Duration // how long the oldest of all these has been waiting
	Failing   time.Duration // for how long the writer has been taking nothing
	LastError error         // of the last write that failed; stays after the next success
}

// Stats returns the numbers of now.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Depth, s.Bytes = q.mem.count, q.mem.bytes
	s.Spooled = q.spooled()
	if in := uint64(s.Spooled) + q.removed; in > q.appended { //nolint:gosec // not negative
		s.Recovered = in - q.appended // an entry may be out of the spool and not yet counted as removed
	}
	now := time.Now()
	switch {
	case s.Depth > 0:
		s.OldestAge = now.Sub(q.mem.chunks[0].since)
	case s.Spooled > 0 && !q.oldest.IsZero():
		s.OldestAge = max(now.Sub(q.oldest), 0) // the clock may have been set back
	}
	if !q.failing.IsZero() {
		s.Failing = now.Sub(q.failing)
	}
	return s
}

// Var returns the numbers of now as package expvar publishes them. Nothing in them
// comes out of entries:
//
//	expvar.Publish("audit_queue", expvar.Func(q.Var))
func (q *Queue) Var() any {
	s := q.Stats()
	return map[string]any{
		"accepted": s.Accepted, "recovered": s.Recovered, "stored": s.Stored, "dead_lettered": s.DeadLettered,
		"dropped": s.Dropped, "rejected": s.Rejected, "retried": s.Retried, "depth": s.Depth, "bytes": s.Bytes,
		"spooled": s.Spooled, "oldest_age_seconds": s.OldestAge.Seconds(), "failing_seconds": s.Failing.Seconds(),
		"last_error": entaudit.ErrorCode(s.LastError),
	}
}

// Health returns nil while entries can be taken and the writer takes them, else why
// not, for a readiness probe. A single failure is none. It asks the writer too, if that
// has such a method. Its errors name codes and hold nothing out of entries, as far as
// they are this package's.
func (q *Queue) Health(ctx context.Context) error {
	q.mu.Lock()
	var errs []error
	if q.closed {
		errs = append(errs, ErrClosed)
	}
	if q.failures > q.cfg.Retries {
		errs = append(errs, fmt.Errorf("queue: writing fails since %s: %s",
			q.failing.UTC().Format(time.RFC3339), entaudit.ErrorCode(q.stats.LastError)))
	}
	if !q.cfg.Durable && !q.fits(1, 1) && q.cfg.OnFull != Spill {
		errs = append(errs, fmt.Errorf("%w: %d entries, %d bytes", ErrFull, q.mem.count, q.mem.bytes))
	}
	switch err := q.spoolErr.recent(); {
	case errors.Is(err, ErrFull):
		errs = append(errs, errors.New("queue: the spool is full"))
	case err != nil:
		errs = append(errs, fmt.Errorf("queue: the spool fails: %s", entaudit.ErrorCode(err)))
	}
	if q.readErr != nil {
		errs = append(errs, fmt.Errorf("queue: the spool cannot be read: %s", entaudit.ErrorCode(q.readErr)))
	}
	if err := q.deadErr.recent(); err != nil {
		errs = append(errs, fmt.Errorf("queue: dead letters cannot be written: %s", entaudit.ErrorCode(err)))
	}
	q.mu.Unlock()
	return errors.Join(append(errs, entaudit.ProbeWriter(ctx, q.w))...)
}

// trouble is an error that nothing may come to disprove: a probe that fails takes the
// traffic away.
type trouble struct {
	err error
	at  time.Time
}

func (t *trouble) note(err error) { *t = trouble{err, time.Now()} }

// recent returns the error for as long as it counts.
func (t *trouble) recent() error {
	if time.Since(t.at) >= quiet.For {
		return nil
	}
	return t.err
}
