package outbox

import "github.com/google/uuid"

// head is what is known about the first entries of the outbox while the writer does
// not take them: whether the writer is out of order, so that all have to wait, or they
// are refused, so that none behind them may.
//
// As long as nothing arrives, the first entry is tried alone, and in turn with it one
// from behind the batch that failed, each time a batch further on. When that one
// arrives, the writer is in order, and each entry of the next batch that it does not
// take by itself is refused. An entry overtakes others in no other way.
type head struct {
	failures int       // rounds in which nothing arrived, since something did
	edge     uuid.UUID // the last entry that was tried behind others
	certain  bool      // the writer takes entries behind the edge
}

// where returns how many entries to take next, behind which.
func (h *head) where(batch int) (after uuid.UUID, limit int) {
	if h.failures > 0 && h.failures%2 == 0 {
		return h.edge, batch
	}
	if h.failures > 0 {
		return uuid.Nil, 1
	}
	return uuid.Nil, batch
}

// judge notes what became of letters, which were taken behind after.
func (h *head) judge(d *delivery, after uuid.UUID, letters []letter) {
	if len(d.arrived)+len(d.refused) > 0 {
		h.failures, h.certain = 0, after != uuid.Nil
		return
	}
	if h.failures == 0 || after != uuid.Nil {
		h.edge = letters[len(letters)-1].ID
	}
	h.failures++
	h.certain = false
}
