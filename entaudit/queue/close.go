package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// LeftError is the error of a [Queue.Close] that did not write everything.
type LeftError struct {
	Lost    int   // entries that are dropped
	Spooled int   // entries in the spool, which are written after the next start
	Err     error // why
}

func (e *LeftError) Error() string {
	var parts []string
	if e.Lost > 0 {
		parts = append(parts, fmt.Sprintf("%d entries left", e.Lost))
	}
	if e.Spooled > 0 {
		parts = append(parts, fmt.Sprintf("%d entries left in the spool", e.Spooled))
	}
	return fmt.Sprintf("queue: close: %s: %v", strings.Join(parts, ", "), e.Err)
}

func (e *LeftError) Unwrap() error { return e.Err }

// Close refuses further entries and waits until those accepted are written. Once ctx
// is done it gives up, and a ctx that never is makes it give up when the writer takes
// nothing. What is left then goes into the spool, before what is there already; without
// one it is dropped, although a writer that ignores its context may still take the batch
// that it is busy with; it is waited for for a second. The
// error is then a [*LeftError]. Writer, dead letters and spool are closed, as far as
// they are an [entaudit.Closer]. It is idempotent and safe for concurrent use: later calls
// wait for the same end and return the same error.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	if _, ok := ctx.Deadline(); !ok {
		q.hasty = true
	}
	q.free()
	q.mu.Unlock()
	q.signal()
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	q.closing.Do(func() { q.closeErr = q.finish(ctx) })
	return q.closeErr
}

// lastGrace is how long a writer whose context has been ended is waited for.
const lastGrace = time.Second

// finish ends the goroutine, where it has not ended, and closes the others.
func (q *Queue) finish(ctx context.Context) error {
	q.cancel()
	timer := time.NewTimer(lastGrace)
	defer timer.Stop()
	select {
	case <-q.done:
	case <-timer.C:
	}
	var errs []error
	if err := q.left(ctx); err != nil {
		errs = append(errs, err)
	}
	for _, w := range []any{q.w, q.cfg.DeadLetter, q.cfg.Spool} {
		if c, ok := w.(entaudit.Closer); ok {
			errs = append(errs, c.Close(ctx))
		}
	}
	return errors.Join(errs...)
}

// left puts away what is left, and returns an error about it.
func (q *Queue) left(ctx context.Context) error {
	spoolErr := q.keep() //nolint:contextcheck // ctx may have ended, and disks take their time
	q.mu.Lock()
	defer q.mu.Unlock()
	e := &LeftError{Lost: q.lost, Spooled: q.spooled(), Err: q.stats.LastError}
	if !q.abandoned {
		e.Lost += q.mem.count // the goroutine drops them as soon as the writer returns
	}
	if err := ctx.Err(); err != nil {
		e.Err = err
	}
	if spoolErr != nil {
		e.Err = errors.Join(e.Err, spoolErr)
	}
	var untold error
	if n := q.untold(); n > 0 {
		untold = fmt.Errorf("queue: close: no entry tells of a gap of %d entries: %w", n, e.Err)
	}
	if e.Lost == 0 && e.Spooled == 0 {
		return untold
	}
	return errors.Join(untold, e)
}

// keepGrace is how long the disk has to take what is left, whatever Close was given.
const keepGrace = 10 * time.Second

// keep moves what is in memory into the spool, if there is one.
func (q *Queue) keep() error {
	if q.cfg.Spool == nil {
		return nil
	}
	q.mu.Lock()
	entries := q.mem.clear()
	if q.notice == nil && q.gap.count > 0 {
		q.notice = []entaudit.Entry{q.gap.entry()}
	}
	notice, untold := q.notice, q.untold()
	q.notice, q.noticed, q.gap, q.abandoned = nil, 0, gap{}, true
	q.mu.Unlock()
	if len(entries)+len(notice) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepGrace)
	defer cancel()
	err := q.cfg.Spool.Prepend(ctx, append(notice, entries...))
	q.mu.Lock()
	if err == nil {
		q.appended += uint64(len(entries))
		q.mu.Unlock()
		return nil
	}
	q.notice, q.noticed = notice, untold
	q.stats.Dropped += uint64(len(entries))
	q.lost += len(entries)
	q.mu.Unlock()
	err = fmt.Errorf("queue: spool: %w", err)
	if len(entries) > 0 {
		q.dropped(entries, err)
	}
	return err
}

// abandon drops what is left in memory when Close has given up and there is no spool.
func (q *Queue) abandon() {
	q.mu.Lock()
	if q.cfg.Spool != nil || q.mem.count == 0 {
		q.mu.Unlock()
		return
	}
	left := q.mem.clear()
	q.abandoned = true
	q.stats.Dropped += uint64(len(left))
	q.lost += len(left)
	q.mu.Unlock()
	q.dropped(left, ErrClosed)
}
