package hook

// givers are the rows beyond the mutation's own that held a value of a unique key before,
// by table, and column and value in place of the id. A row that gives up such a value comes
// before the one that takes it: the entries can be applied in their order. Two rows that
// take each other's value have no such order.
type givers map[rowKey]*farRow

// givers returns those of r.
func (r *reach) givers() givers {
	var g givers
	for _, w := range r.rows {
		eachKey(w.key.s, w.fields, w.before, func(k rowKey) {
			if g == nil {
				g = make(givers)
			}
			g[k] = w
		})
	}
	return g
}

// eachKey calls f with the values of unique keys among those of a row.
func eachKey(s *Schema, fields []int, values []any, f func(rowKey)) {
	for i, v := range values {
		if d := s.Fields[fields[i]]; d.Key && v != nil {
			f(rowKey{s, d.Column + "\x00" + idText(d.Kind, v)})
		}
	}
}

// of returns the rows that held what a row with the given values takes.
func (g givers) of(s *Schema, fields []int, values []any) (list []*farRow) {
	if len(g) > 0 {
		eachKey(s, fields, values, func(k rowKey) {
			if w := g[k]; w != nil {
				list = append(list, w)
			}
		})
	}
	return list
}

// first returns rows in their order, but givers before those that take from them.
func (g givers) first(rows []*farRow) []*farRow {
	if len(g) == 0 || len(rows) == 0 {
		return rows
	}
	list, seen := make([]*farRow, 0, len(rows)), make(map[*farRow]bool, len(rows))
	var visit func(w *farRow)
	visit = func(w *farRow) {
		if seen[w] {
			return
		}
		seen[w] = true
		for _, h := range g.of(w.key.s, w.fields, w.after) {
			visit(h)
		}
		list = append(list, w)
	}
	for _, w := range rows {
		visit(w)
	}
	return list
}

// giveWay makes the entries of what gives up a key that a row of the mutation's own, with
// the given values, takes. It returns how many they are.
func (u *updateScope) giveWay(g givers, fields []int, values []any) int {
	before := len(u.entries)
	for _, w := range g.first(g.of(u.p.Schema, fields, values)) {
		if _, own := u.old.get(w.key.id); own && w.key.s == u.p.Schema {
			continue
		}
		if u.reach.take(w.key) != nil && w.key.s.Audited {
			u.emitFar(w)
		}
	}
	return len(u.entries) - before
}
