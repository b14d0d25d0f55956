package queue

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// batch is what goes to the writer at once.
type batch struct {
	entries []entaudit.Entry // callers' entries, behind the one about the gap
	gap     gap              // what the first entry tells of, if it tells of a gap
	own     int              // 1 with such an entry, else 0
}

// callers returns the entries that callers wrote.
func (b batch) callers() []entaudit.Entry { return b.entries[b.own:] }

// run is the queue's goroutine. It ends when the queue is closed and empty, or
// when Close has given up.
func (q *Queue) run() {
	defer close(q.done)
	for {
		b, ok := q.next()
		if !ok {
			break
		}
		lost, err := q.deliver(b)
		q.settle(b, lost)
		if len(lost.callers()) > 0 {
			q.dropped(lost.callers(), err)
		}
		if b.gap.count > 0 && len(b.callers()) == 0 && lost.own > 0 && q.over() {
			break // closed, and not even that can be written
		}
	}
	q.abandon()
}

// next waits for the next batch. It reports false when there is none to come.
func (q *Queue) next() (batch, bool) {
	for {
		q.mu.Lock()
		waits := q.waiting > 0 || q.gap.count > 0
		wait := time.Until(q.due)
		switch {
		case q.ctx.Err() != nil, q.closed && !waits:
			q.mu.Unlock()
			return batch{}, false
		case waits && (q.closed || q.waiting >= q.cfg.BatchSize || wait <= 0):
			b := q.take()
			q.mu.Unlock()
			return b, true
		}
		q.mu.Unlock()
		q.sleep(waits, wait)
	}
}

// sleep waits until something happens, or for d where something is waiting.
func (q *Queue) sleep(waits bool, d time.Duration) {
	var expired <-chan time.Time
	if waits {
		timer := time.NewTimer(d)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-q.wake:
	case <-expired:
	case <-q.ctx.Done():
	}
}

// take removes the next batch from the queue. The entry about a gap goes first:
// what is missing is older than what waits.
func (q *Queue) take() batch {
	b := batch{gap: q.gap}
	if len(q.pending) > 0 {
		b.entries = q.pending[0]
		q.pending[0] = nil
		q.pending = q.pending[1:]
	}
	q.writing = len(b.entries)
	q.waiting -= q.writing
	if q.gap.count > 0 {
		b.own = 1
		b.entries = append([]entaudit.Entry{q.gap.entry()}, b.entries...)
		q.gap = gap{}
	}
	q.due = time.Time{}
	if q.waiting > 0 {
		q.schedule(q.cfg.Delay)
	}
	return b
}

// deliver hands a batch to the writer, and returns what it does not take, with the
// last error. What it does not take together it may take one by one: an entry that
// the store refuses does not take the others with it.
func (q *Queue) deliver(b batch) (lost batch, err error) {
	if err = q.insist(b.entries); err == nil {
		return batch{}, nil
	}
	if len(b.entries) == 1 {
		return b, err
	}
	for i, e := range b.entries {
		if q.ctx.Err() == nil {
			alone := q.attempt(b.entries[i : i+1 : i+1])
			if alone == nil {
				continue
			}
			err = alone
		}
		if i < b.own {
			lost.gap, lost.own = b.gap, b.own
		}
		lost.entries = append(lost.entries, e)
	}
	return lost, err
}

// insist hands entries to the writer until it takes them or there is no more
// retry.
func (q *Queue) insist(entries []entaudit.Entry) error {
	backoff := q.cfg.Backoff
	for retry := 0; ; retry++ {
		err := q.attempt(entries)
		if err == nil {
			return nil
		}
		if retry == q.cfg.Retries || q.ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(backoff/2 + rand.N(backoff/2+1)) //nolint:gosec // chance, not secrecy
		select {
		case <-timer.C:
		case <-q.ctx.Done():
			timer.Stop()
			return err
		}
		backoff = min(2*backoff, q.cfg.MaxBackoff)
		q.mu.Lock()
		q.stats.Retried++
		q.mu.Unlock()
	}
}

// attempt is one call of the writer. A writer that panics has failed.
func (q *Queue) attempt(entries []entaudit.Entry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("queue: the writer panicked with %T", p) // the value may hold what was written
		}
		if err != nil {
			q.mu.Lock()
			q.stats.LastError = err
			q.mu.Unlock()
		}
	}()
	ctx, cancel := context.WithTimeout(q.ctx, q.cfg.Timeout)
	defer cancel()
	return q.w.Write(ctx, entries)
}

// settle counts what became of a batch and makes room.
func (q *Queue) settle(b, lost batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	dropped := lost.callers()
	q.writing = 0
	q.free()
	q.stats.Stored += uint64(len(b.callers())) - uint64(len(dropped))
	if len(lost.entries) == 0 {
		return
	}
	missing := lost.gap
	if len(dropped) > 0 {
		q.stats.Dropped += uint64(len(dropped))
		if q.closed {
			q.lost += len(dropped)
		}
		missing.add(dropped, false)
	}
	q.gap = missing.before(q.gap)
	q.due = time.Time{} // the next try of an entry about a gap alone can wait
	q.schedule(q.cfg.MaxBackoff)
	if q.waiting > 0 {
		q.schedule(q.cfg.Delay)
	}
}

func (q *Queue) over() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && q.waiting == 0
}

// abandon drops what is left when Close has given up.
func (q *Queue) abandon() {
	q.mu.Lock()
	left := slices.Concat(q.pending...)
	q.pending, q.waiting = nil, 0
	q.stats.Dropped += uint64(len(left))
	q.mu.Unlock()
	if len(left) > 0 {
		q.dropped(left, ErrClosed)
	}
}

// dropped tells of entries that are given up.
func (q *Queue) dropped(entries []entaudit.Entry, err error) {
	if q.cfg.OnDrop == nil {
		slog.Error("queue: entries dropped", "entries", len(entries), "writer", q.String(), "error", err)
		return
	}
	defer func() {
		if p := recover(); p != nil {
			slog.Error("queue: OnDrop panicked", "entries", len(entries), "type", fmt.Sprintf("%T", p), "error", err)
		}
	}()
	q.cfg.OnDrop(entries, err)
}
