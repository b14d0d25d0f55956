package oracle

import (
	"maps"
	"slices"
)

// silent adds to the records of triggers what foreign keys did without firing one: it
// follows each row from what it was when the log began, and where a record does not
// begin at what is known, or the row is not what it became, something happened between.
func (o *Oracle) silent(records []record, now Content) []record {
	state := make(Content, len(o.base))
	for table, rows := range o.base {
		state[table] = maps.Clone(rows)
	}
	var all []record
	missed := func(table string, before, after Row) {
		op := Update
		if after == nil {
			op = Delete
		}
		all = append(all, record{table: table, op: op, silent: true, old: before, new: after})
	}
	for _, r := range records {
		if state[r.table] == nil {
			state[r.table] = make(map[string]Row)
		}
		row := r.old
		if r.op == Insert {
			row = r.new
		}
		rows, id := state[r.table], row.id(o.byName[r.table])
		known, ok := rows[id]
		switch {
		case ok && r.op == Insert:
			missed(r.table, known, nil)
		case ok && !maps.Equal(known, r.old):
			missed(r.table, known, r.old)
		}
		all = append(all, r)
		delete(rows, id)
		if r.op != Delete {
			rows[r.new.id(o.byName[r.table])] = r.new
		}
	}
	for _, table := range slices.Sorted(maps.Keys(state)) {
		for _, id := range slices.Sorted(maps.Keys(state[table])) {
			known := state[table][id]
			if row := now[table][id]; !maps.Equal(known, row) {
				missed(table, known, row)
			}
		}
	}
	return all
}
