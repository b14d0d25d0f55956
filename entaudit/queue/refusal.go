package queue

import (
	"time"

	"github.com/entaudit/audit/entaudit"
)

const (
	// proofs is how often an entry has to fail alone, right before the writer takes
	// another, until it counts as refused.
	proofs = 2
	// knownFor is how long an entry that was stored serves as the other one. It may have
	// been deleted on purpose since then and must not come back.
	knownFor = 10 * time.Minute
)

// works reports whether the writer takes anything, a batch having failed: an entry that it
// has taken before or, where none is known, one that tells of the outage. No entry of the
// batch serves for it, which would overtake those before it.
func (q *Queue) works(service string) bool {
	if time.Since(q.knownAt) >= knownFor {
		q.mu.Lock()
		since := q.failing
		q.mu.Unlock()
		q.known, q.knownAt = []entaudit.Entry{outage(service, since)}, time.Now()
	}
	return q.attempt(q.known) == nil
}

// divide hands over the entries of b in halves, down to those that the writer refuses,
// from left to right. The entries as a whole have failed with err. It reports false when
// it is an outage after all.
func (q *Queue) divide(b batch, entries []entaudit.Entry, err error) bool {
	if len(entries) == 1 {
		return q.judge(b, entries, err)
	}
	half := len(entries) / 2
	for _, part := range [][]entaudit.Entry{entries[:half:half], entries[half:]} {
		if q.ctx.Err() != nil {
			return false
		}
		err := q.attempt(part)
		if err == nil {
			q.settle(b, len(part), stored)
		} else if !q.divide(b, part, err) {
			return false
		}
	}
	return true
}

// judge decides about an entry that has failed alone with err.
func (q *Queue) judge(b batch, entry []entaudit.Entry, err error) bool {
	for n := 1; ; n++ {
		if q.attempt(q.known) != nil || q.ctx.Err() != nil {
			return false
		}
		if n == proofs {
			q.bury(b, entry, err)
			return true
		}
		if err = q.attempt(entry); err == nil {
			q.settle(b, 1, stored)
			return true
		}
	}
}

// bury puts an entry away that the writer refuses.
func (q *Queue) bury(b batch, entry []entaudit.Entry, err error) {
	f := dropped
	if q.cfg.DeadLetter != nil {
		deadErr := q.call(q.cfg.DeadLetter, entry)
		q.mu.Lock()
		if q.deadErr = deadErr; deadErr == nil {
			f = buried
		}
		q.mu.Unlock()
	}
	q.mu.Lock()
	q.addGap(ReasonRefused, 1, entry)
	if f == buried {
		q.gap.dead++
	}
	q.mu.Unlock()
	q.settle(b, 1, f)
	if f == dropped {
		q.dropped(entry, err)
		return
	}
	q.warn("queue: an entry is refused and kept as a dead letter", "id", entry[0].ID, "code", entaudit.ErrorCode(err))
}
