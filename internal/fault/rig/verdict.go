package main

import (
	"fmt"
	"slices"
)

// verdict is what came of a fault: how many of what, and each violation of an
// invariant.
type verdict struct {
	runs                                       int
	ops, accepted, stored, spooled, deadLetter int
	dropped, counted, unknown                  int
	violations                                 []string
}

func (v *verdict) violate(format string, args ...any) {
	v.violations = append(v.violations, fmt.Sprintf(format, args...))
}

// add sums up two verdicts on different runs.
func (v *verdict) add(w verdict) {
	v.runs += w.runs
	v.ops += w.ops
	v.accepted += w.accepted
	v.stored += w.stored
	v.spooled += w.spooled
	v.deadLetter += w.deadLetter
	v.dropped += w.dropped
	v.counted += w.counted
	v.unknown += w.unknown
	v.violations = append(v.violations, w.violations...)
}

// String is the verdict as it is printed.
func (v *verdict) String() string {
	return fmt.Sprintf("runs=%d ops=%d unknown=%d accepted=%d stored=%d spooled=%d dead=%d dropped=%d counted=%d violations=%d",
		v.runs, v.ops, v.unknown, v.accepted, v.stored, v.spooled, v.deadLetter, v.dropped, v.counted, len(v.violations))
}

// judge compares what the journal says with what is stored, once nothing is left to be
// delivered. A durable delivery may lose nothing that it has accepted, told of or not.
func judge(records []*record, c *content, durable bool) *verdict {
	v := &verdict{ops: len(records)}
	for _, r := range records {
		if r.outcome == unknown {
			v.unknown++
		}
	}
	v.atomic(c)
	v.truthful(records, c)
	v.delivered(records, c, durable)
	v.ordered(records, c)
	return v
}

// atomic is I1, as sets: a row is there if and only if the entry of its creation is and
// none of its removal, and it was updated as often as entries say so.
func (v *verdict) atomic(c *content) {
	created, removed, updates := map[string]string{}, map[string]bool{}, map[string]int{}
	for _, t := range c.changes {
		switch t.operation {
		case "create":
			if _, twice := created[t.row]; twice {
				v.violate("I1: row %s has two entries of its creation", t.row)
			}
			created[t.row] = t.number
		case "delete":
			if removed[t.row] {
				v.violate("I1: row %s has two entries of its removal", t.row)
			}
			removed[t.row] = true
		case "update":
			updates[t.row]++
		default:
			v.violate("I1: row %s has an entry of operation %q", t.row, t.operation)
		}
	}
	there := map[string]bool{}
	for number, r := range c.rows {
		there[r.id] = true
		switch {
		case created[r.id] != number:
			v.violate("I1: row %s (%s) has no entry of its creation", r.id, number)
		case removed[r.id]:
			v.violate("I1: row %s (%s) is there, and an entry of its removal", r.id, number)
		case updates[r.id] != r.quantity:
			v.violate("I1: row %s (%s) was updated %d times and has %d entries of updates", r.id, number, r.quantity, updates[r.id])
		}
	}
	for id, number := range created {
		if !there[id] && !removed[id] {
			v.violate("I1: row %s (%s) has an entry of its creation and is not there", id, number)
		}
	}
}

// truthful compares outcomes of mutations with what they left: all of it, none of it, or
// where nobody knows, either.
func (v *verdict) truthful(records []*record, c *content) {
	creates, updates, removals := map[int]int{}, map[int]int{}, map[string]bool{}
	numbers := map[string]string{}
	for _, t := range c.changes {
		switch t.operation {
		case "create":
			creates[t.op]++
			numbers[t.row] = t.number
		case "update":
			updates[t.op]++
		}
	}
	for _, t := range c.changes {
		if t.operation == "delete" {
			removals[numbers[t.row]] = true
		}
	}
	for _, r := range records {
		want := left(r.kind)
		if r.kind.delivered() {
			continue
		}
		have := traces{creates[r.n], updates[r.n], 0}
		if r.kind == remove && removals[rowName(r.target, 0)] {
			have.removals = 1
		}
		switch {
		case r.outcome == ok && have != want:
			v.violate("op %d (%s) was done and left %v instead of %v", r.n, r.kind, have, want)
		case r.outcome == failed && have != traces{}:
			v.violate("op %d (%s) had failed and left %v", r.n, r.kind, have)
		case have != want && have != traces{}:
			v.violate("op %d (%s) left %v, a third state beside nothing and %v", r.n, r.kind, have, want)
		}
	}
}

// traces is how many entries of each operation an op left.
type traces struct{ creates, updates, removals int }

// left is what an op of a kind leaves when it succeeds.
func left(k kind) traces {
	switch k {
	case create:
		return traces{creates: 1}
	case bulk:
		return traces{creates: bulkRows}
	case update:
		return traces{updates: 1}
	case remove:
		return traces{removals: 1}
	case inTx:
		return traces{creates: 1, updates: 1}
	}
	return traces{}
}

// delivered is I2 and I3: what was accepted is stored once or, where the delivery is not
// durable, told of by a gap; what was refused is not there, and told of. The two are counted
// apart: gaps tell of ops too of which nobody knows what became of them, and one of those
// must not make up for an entry that was accepted and lost.
func (v *verdict) delivered(records []*record, c *content, durable bool) {
	times, ids := map[int]int{}, map[string]bool{}
	for _, t := range slices.Concat(c.changes, c.entries) {
		if ids[t.id] {
			v.violate("I3: entry %s is stored twice", t.id)
		}
		ids[t.id] = true
	}
	for _, t := range c.entries {
		times[t.op]++
		v.stored++
	}
	refused, lost := 0, 0
	for _, r := range records {
		if !r.kind.delivered() {
			continue
		}
		n := times[r.n]
		delete(times, r.n)
		switch {
		case n > 1:
			v.violate("I3: op %d (%s) has %d entries", r.n, r.kind, n)
		case r.outcome == ok:
			v.accepted++
			if n > 0 {
				continue
			}
			if lost++; durable {
				v.violate("I2: op %d (%s) was accepted and is not there", r.n, r.kind)
			}
		case r.outcome == failed && n > 0:
			v.violate("I2: op %d (%s) was refused and is stored", r.n, r.kind)
		case r.outcome == failed:
			refused++
		}
	}
	for n, k := range times {
		v.violate("I2: %d entries are of op %d, which nobody did", k, n)
	}
	rejected := 0
	for _, g := range c.gaps {
		v.counted += g.count
		rejected += g.rejected
	}
	v.dropped = lost + refused
	if told := v.counted - rejected; lost > told {
		v.violate("I2: %d accepted entries are missing, and gaps tell of %d", lost, told)
	}
	if refused > rejected {
		v.violate("I2: %d entries were refused, and gaps tell of %d", refused, rejected)
	}
}

// ordered is the order of I7: of two entries that one process accepted one after the
// other, the first was not written later.
func (v *verdict) ordered(records []*record, c *content) {
	byOp := map[int]*record{}
	for _, r := range records {
		byOp[r.n] = r
	}
	entries := slices.Clone(c.entries)
	slices.SortFunc(entries, func(a, b trail) int { return int(a.rank - b.rank) })
	latest, pending := map[int]*record{}, []*record(nil) // latest beginning among lower ranks, by process
	for i, t := range entries {
		if i > 0 && entries[i-1].rank != t.rank {
			for _, r := range pending {
				if l := latest[r.process]; l == nil || r.began > l.began {
					latest[r.process] = r
				}
			}
			pending = pending[:0]
		}
		r := byOp[t.op]
		if r == nil {
			continue
		}
		if l := latest[r.process]; l != nil && r.outcome == ok && r.ended < l.began {
			v.violate("I7: op %d was accepted before op %d began, and stored after it", r.n, l.n)
		}
		pending = append(pending, r)
	}
}
