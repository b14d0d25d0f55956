package queue

import (
	"cmp"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Reasons of the entries about gaps.
const (
	ReasonFull   = "queue_full"   // there was no room, and Write said so
	ReasonFailed = "write_failed" // the writer failed until there was no more retry
)

// gap is what is missing since the last entry that told of something missing.
type gap struct {
	count, rejected int
	service         string
	since           time.Time // OccurredAt of the first
	first, last     uuid.UUID
}

// add notes that entries are missing.
func (g *gap) add(entries []entaudit.Entry, rejected bool) {
	if g.count == 0 {
		g.first, g.since, g.service = entries[0].ID, entries[0].OccurredAt, entries[0].Service
	}
	g.last = entries[len(entries)-1].ID
	g.count += len(entries)
	if rejected {
		g.rejected += len(entries)
	}
}

// before returns the two gaps as one, g being the earlier.
func (g gap) before(later gap) gap {
	switch {
	case g.count == 0:
		return later
	case later.count == 0:
		return g
	}
	g.count += later.count
	g.rejected += later.rejected
	g.last = later.last
	g.service = cmp.Or(g.service, later.service)
	return g
}

// entry returns the entry that tells of the gap. Its count is an upper limit: a
// write that failed may have stored entries all the same.
func (g gap) entry() entaudit.Entry {
	reason := ReasonFailed
	if g.rejected == g.count {
		reason = ReasonFull
	}
	return entaudit.Entry{
		ID:            uuid.Must(uuid.NewV7()),
		SchemaVersion: entaudit.SchemaVersion,
		Service:       g.service,
		Kind:          entaudit.KindSystem,
		Action:        "audit.gap",
		Operation:     entaudit.OpGap,
		Outcome:       entaudit.Failure,
		Reason:        reason,
		OccurredAt:    time.Now().UTC().Truncate(time.Microsecond),
		Actor:         entaudit.Actor{Type: entaudit.ActorSystem},
		Metadata: map[string]any{
			"count":    g.count,
			"rejected": g.rejected,
			"since":    g.since.UTC().Format(time.RFC3339Nano),
			"first_id": g.first.String(),
			"last_id":  g.last.String(),
		},
	}
}
