package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/refusal"
)

// rescan is how often a spool is asked although nothing was put into it: it may have
// found entries that another process left.
const rescan = time.Minute

// batch is what goes to the writer at once. It stays where it is until it is settled.
type batch struct {
	entries []entaudit.Entry
	spooled bool      // it is in the spool, else in memory
	err     error     // the spool cannot be read
	taken   time.Time // when the queue turned to it
	more    bool      // was in the spool then
}

// run is the queue's goroutine. It ends when the queue is closed and empty, or
// when Close has given up.
func (q *Queue) run() {
	defer close(q.done)
	for {
		b, ok := q.next()
		if !ok {
			break
		}
		q.tell()
		if !q.deliver(b) {
			break
		}
	}
	q.tell()
	q.abandon()
}

// next waits for the next batch, which is empty where there is a gap to tell of. It
// reports false when there is none to come.
func (q *Queue) next() (batch, bool) {
	for {
		q.mu.Lock()
		waits := q.waits()
		now := time.Now()
		wait := q.due.Sub(now)
		switch {
		case q.ctx.Err() != nil, q.closed && !waits && q.spilling == 0:
			q.mu.Unlock()
			return batch{}, false
		case q.cfg.Spool != nil && !now.Before(q.rescanDue):
			q.rescanDue = now.Add(rescan)
			q.mu.Unlock()
			q.fetch(batch{})
			continue
		case waits && (q.closed || q.failures > 0 || wait <= 0 || q.ready()):
			if q.spoolFirst() {
				q.mu.Unlock()
				return q.fetch(batch{spooled: true, taken: now}), true
			}
			b := batch{entries: q.mem.batch(), taken: now}
			q.mu.Unlock()
			return b, true
		case q.untold() > 0 && !now.Before(q.gapDue):
			q.mu.Unlock()
			return batch{}, true
		}
		if !waits {
			wait = rescan
		}
		if q.cfg.Spool != nil {
			wait = min(wait, q.rescanDue.Sub(now))
		}
		if q.untold() > 0 {
			wait = min(wait, q.gapDue.Sub(now))
		}
		q.alarm = now.Add(wait)
		q.mu.Unlock()
		q.sleep(wait)
	}
}

// waits reports whether entries wait to be written.
func (q *Queue) waits() bool { return q.mem.count > 0 || q.spooled() > 0 }

// ready reports whether there is a whole batch.
func (q *Queue) ready() bool {
	if q.spoolFirst() {
		return q.spooled() >= q.cfg.BatchSize
	}
	return q.mem.ready()
}

// spoolFirst reports whether the oldest entries are in the spool. Those that went there for
// want of room are younger than what is in memory, others are of a process before this one.
// A spool that cannot be read holds up nothing else.
func (q *Queue) spoolFirst() bool {
	return q.mem.count == 0 || q.cfg.OnFull != Spill && q.readErr == nil && q.spooled() > 0
}

// sleep waits until something happens, for d at most.
func (q *Queue) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-q.wake:
	case <-timer.C:
	case <-q.ctx.Done():
	}
}

// fetch reads the batch from the spool.
func (q *Queue) fetch(b batch) batch {
	var err error
	b.entries, err = q.read()
	b.more = q.spooled() > len(b.entries)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.readErr, b.err = err, err
	if len(b.entries) > 0 {
		q.oldest = b.entries[0].OccurredAt
	}
	if err != nil {
		q.stats.LastError = err
	}
	return b
}

// deliver hands a batch to the writer. A failure counts as an outage, during which the
// batch stays where it is, until the writer is seen to take something else. It reports
// false when there is no point in going on.
func (q *Queue) deliver(b batch) bool {
	switch {
	case b.err != nil:
		q.log.Warn("queue: the spool cannot be read", "error", b.err)
		return q.pause(true, 0)
	case len(b.entries) == 0:
		return !b.spooled || q.pause(false, 0)
	}
	q.mu.Lock()
	outage := q.failures > q.cfg.Retries
	q.mu.Unlock()
	if outage && !q.judge.Works(b.entries[0].Service) { // a circuit breaker may let one call through
		q.failed()
		return q.pause(true, 0)
	}
	err := q.judge.Try(b.entries)
	if err == nil {
		q.settle(b, len(b.entries), stored)
		return true
	}
	failures, wait := q.failed(), entaudit.RetryAfter(err)
	outage = outage || failures > q.cfg.Retries
	if outage && wait == 0 && q.divide(b, err) {
		return true
	}
	q.log.Warn("queue: writing fails", "writer", q.String(), "code", entaudit.ErrorCode(err), "failures", failures)
	return q.pause(outage, wait)
}

// pause waits before the next try, as long as the writer has said at least. It reports
// false where Close does not wait for the end of an outage.
func (q *Queue) pause(outage bool, least time.Duration) bool {
	q.mu.Lock()
	failures, hasty := q.failures, q.closed && q.hasty
	q.mu.Unlock()
	if q.ctx.Err() != nil || hasty && outage {
		return false
	}
	timer := time.NewTimer(refusal.Wait(q.cfg.Backoff, q.cfg.MaxBackoff, failures-1, least))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-q.ctx.Done():
		return false
	}
}

// attempt is one call of the writer.
func (q *Queue) attempt(entries []entaudit.Entry) error {
	err := q.call(q.w, entries)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failures > 0 {
		q.stats.Retried++
	}
	switch {
	case err != nil:
		q.stats.LastError = err
		if q.failing.IsZero() {
			q.failing = time.Now()
		}
	default:
		q.failures, q.failing = 0, time.Time{}
	}
	return err
}

// failed counts a batch that was not taken.
func (q *Queue) failed() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failures++
	return q.failures
}

// call hands entries to w, for as long as one call may take.
func (q *Queue) call(w entaudit.Writer, entries []entaudit.Entry) error {
	ctx, cancel := context.WithTimeout(q.ctx, q.cfg.Timeout)
	defer cancel()
	return entaudit.CallWriter(ctx, w, entries)
}

// fate is what became of entries.
type fate int

const (
	stored fate = iota
	buried
	dropped
)

// settle counts what became of the oldest n entries, and takes them out. Where they are
// taken out last, a crash leads to their being written again, and not to their loss.
func (q *Queue) settle(b batch, n int, f fate) {
	q.mu.Lock()
	if !b.spooled && q.abandoned {
		q.mu.Unlock()
		return // Close has put them away
	}
	u := uint64(n) //nolint:gosec // not negative
	switch f {
	case stored:
		q.stats.Stored += u
	case buried:
		q.stats.DeadLettered += u
	case dropped:
		q.stats.Dropped += u
		if q.closed {
			q.lost += n
		}
	}
	if b.spooled {
		q.removed += u
	} else {
		q.mem.remove(n)
	}
	q.mu.Unlock()
	if b.spooled {
		if err := q.cfg.Spool.Ack(n); err != nil {
			q.log.Warn("queue: entries of the spool may be written again", "entries", n, "error", err)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free()
	if errors.Is(q.spoolErr.err, ErrFull) {
		q.spoolErr.note(nil) // there is room again
	}
	switch {
	case q.mem.count > 0:
		q.due = q.mem.chunks[0].since.Add(q.cfg.Delay)
	case q.spooled() == 0:
		q.due = time.Time{}
	case b.more || !b.spooled: // what is left may have come before it was taken
		q.due = b.taken
	default: // what is left came after it was taken
		q.due = b.taken.Add(q.cfg.Delay)
	}
}

// dropped tells of entries that are given up.
func (q *Queue) dropped(entries []entaudit.Entry, err error) {
	if q.cfg.OnDrop == nil {
		q.log.Error("queue: entries dropped", "entries", len(entries), "writer", q.String(), "code", entaudit.ErrorCode(err))
		return
	}
	defer func() {
		if p := recover(); p != nil {
			q.log.Error("queue: OnDrop panicked", "entries", len(entries), "type", fmt.Sprintf("%T", p), "code", entaudit.ErrorCode(err))
		}
	}()
	q.cfg.OnDrop(entries, err)
}
