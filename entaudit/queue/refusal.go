package queue

import "github.com/entaudit/audit/entaudit"

// divide hands over the entries of b, which have failed as a whole with err, down to those
// that the writer refuses. It reports false when it is an outage after all.
func (q *Queue) divide(b batch, err error) bool {
	left := b.entries
	return q.judge.Divide(b.entries, err, func(n int, refused error) bool {
		some := left[:n:n]
		left = left[n:]
		if refused != nil {
			return q.bury(b, some, refused)
		}
		q.settle(b, n, stored)
		return true
	})
}

// bury puts an entry away that the writer refuses. It reports false where Close has given
// up meanwhile, which leaves the entry where it is.
func (q *Queue) bury(b batch, entry []entaudit.Entry, err error) bool {
	f := dropped
	if q.cfg.DeadLetter != nil {
		deadErr := q.call(q.cfg.DeadLetter, entry)
		if deadErr != nil && q.ctx.Err() != nil {
			return false
		}
		q.mu.Lock()
		if q.deadErr.note(deadErr); deadErr == nil {
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
		return true
	}
	q.log.Warn("queue: an entry is refused and kept as a dead letter", "id", entry[0].ID, "code", entaudit.ErrorCode(err))
	return true
}
