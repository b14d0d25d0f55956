package queue

import (
	"cmp"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/refusal"
)

// Reasons of the entries about gaps.
const (
	ReasonFull    = "queue_full"         // there was no room
	ReasonRefused = "write_refused"      // the writer refused an entry while it took others
	ReasonSpool   = "spool_failed"       // the spool could not store it, and Write said so
	ReasonDamaged = "spool_damaged"      // the spool could not return it
	ReasonOutage  = refusal.ReasonOutage // the writer took nothing for a while; nothing is missing
)

// gap is what is missing since the last entry that told of something missing.
type gap struct {
	count, rejected, dead int
	reasons               map[string]int
	reason                string // the first
	service               string
	since                 time.Time // OccurredAt of the first
	first, last           uuid.UUID
}

// add notes that n entries are missing, of which some may be known.
func (g *gap) add(reason string, n int, entries []entaudit.Entry) {
	if g.reasons == nil {
		g.reasons = make(map[string]int)
	}
	g.reason = cmp.Or(g.reason, reason)
	g.reasons[reason] += n
	g.count += n
	if len(entries) == 0 {
		return
	}
	if g.first == uuid.Nil {
		g.first, g.since, g.service = entries[0].ID, entries[0].OccurredAt, entries[0].Service
	}
	g.last = entries[len(entries)-1].ID
}

// entry returns the entry that tells of the gap. Its count is an upper limit: a
// write that failed may have stored entries all the same.
func (g *gap) entry() entaudit.Entry {
	metadata := map[string]any{
		"count":         g.count,
		"rejected":      g.rejected,
		"dead_lettered": g.dead,
	}
	for reason, n := range g.reasons {
		metadata[reason] = n
	}
	if g.first != uuid.Nil {
		metadata["since"] = g.since.UTC().Format(time.RFC3339Nano)
		metadata["first_id"], metadata["last_id"] = g.first.String(), g.last.String()
	}
	return refusal.Told("audit.gap", g.reason, g.service, metadata)
}

// addGap notes what is missing, to be told of soon. It is called with q.mu held.
func (q *Queue) addGap(reason string, n int, entries []entaudit.Entry) {
	if q.gap.count == 0 && q.notice == nil {
		q.gapDue = time.Now().Add(q.cfg.Delay)
		q.signal()
	}
	q.gap.add(reason, n, entries)
}

// untold returns how many missing entries no entry tells of.
func (q *Queue) untold() int { return q.noticed + q.gap.count }

// tell writes the entry about the gap, if there is one and it is time. The entry keeps
// its id until it is stored: a write that failed may have stored it.
func (q *Queue) tell() {
	q.mu.Lock()
	due := q.untold() > 0 && q.ctx.Err() == nil &&
		(q.closed || (q.failures == 0 || !q.waits()) && !time.Now().Before(q.gapDue))
	if due && q.notice == nil {
		q.notice, q.noticed = []entaudit.Entry{q.gap.entry()}, q.gap.count
		q.gap = gap{}
	}
	notice := q.notice
	q.mu.Unlock()
	if !due {
		return
	}
	err := q.judge.Try(notice)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.gapDue = time.Now().Add(q.cfg.MaxBackoff)
		return
	}
	q.notice, q.noticed = nil, 0
	if q.gap.count > 0 {
		q.gapDue = time.Now().Add(q.cfg.Delay)
	}
}
