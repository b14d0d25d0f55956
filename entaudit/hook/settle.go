package hook

import (
	"context"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// settle finds out which rows have gone, once the DELETE has run.
func (c *cascade) settle(ctx context.Context, tx dialect.ExecQuerier) error {
	if err := c.look(ctx, tx); err != nil {
		return err
	}
	for _, v := range c.own {
		if v.gone {
			c.gone = append(c.gone, v)
		}
	}
	for i := 0; i < len(c.gone); i++ {
		v := c.gone[i]
		for _, l := range v.links {
			if w := l.row; !w.gone && l.took() {
				w.gone, w.because = true, v.teller()
				c.gone = append(c.gone, w)
			}
		}
	}
	return nil
}

// took reports whether the row went with the one that it refers to, which has gone.
func (l link) took() bool {
	if l.key.Action != Cascade && l.row.pulls > 0 {
		return false // if it went, then by another key
	}
	if l.row.looked {
		return l.row.left == nil
	}
	return l.key.Action == Cascade
}

// look reads again the rows of which it is not certain what became of them.
func (c *cascade) look(ctx context.Context, tx dialect.ExecQuerier) error {
	byTable := make(map[*Schema][]*victim)
	var order []*Schema
	for _, v := range slices.Concat(c.own, c.found) {
		if v.gone || !v.doubt {
			continue
		}
		if byTable[v.s] == nil {
			order = append(order, v.s)
		}
		byTable[v.s] = append(byTable[v.s], v)
	}
	for _, s := range order {
		for part := range slices.Chunk(byTable[s], s.chunk()) {
			if err := c.lookAt(ctx, tx, s, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cascade) lookAt(ctx context.Context, tx dialect.ExecQuerier, s *Schema, part []*victim) error {
	ids := make([][]any, len(part))
	for i, v := range part {
		ids[i], v.looked = v.ids, true
	}
	columns := append(s.columns(nil), c.columns[s]...)
	sel := sql.Dialect(c.s.dialect).Select(columns...).From(c.s.tableOf(s)).Where(matchIDs(s, ids))
	if c.s.dialect == dialect.MySQL {
		lockRow.on(sel, s) // see rows.readNow
	}
	return query(ctx, tx, sel, func(values []any) {
		n := len(s.ID)
		if v := c.byRow[rowKey{s, idOf(s, values[:n])}]; v != nil {
			v.left = values[n:]
		}
	})
}

// tell notes everything but the rows that the delete names in the reach of the
// mutation.
func (c *cascade) tell(ctx context.Context) {
	for _, v := range c.gone {
		if !v.named {
			c.tellGone(v)
		}
		for _, l := range v.links {
			w := l.row
			if w.looked {
				l.key.learn(ctx, c.place(l.key), w.left != nil, c.value(w.s, w.left, l.key.Column), w.pulls == 0 || w.pulls == 1 && l.key.Action == Cascade)
			}
			if !w.gone {
				c.tellChanged(l, v.teller())
			}
		}
	}
}

// tellGone notes a row that has gone, and the links that it held.
func (c *cascade) tellGone(v *victim) {
	r := &c.s.reach
	if v.s.Audited {
		r.remove(v.key(), v.because, v.fields, v.values)
	}
	if len(v.s.Ends) != 2 {
		return
	}
	var ids [2]any
	for i, end := range v.s.Ends {
		ids[i] = c.value(v.s, v.columns, end.Column)
	}
	if !v.s.Audited {
		r.link(v.s, v.because, ids[:], false)
		return
	}
	// The row has an entry of its own: those that the link connected say so where they
	// go with it, and are otherwise as they were.
	for i, end := range v.s.Ends {
		key := rowKey{end.of, idText(end.of.ID[0].Kind, ids[i])}
		other := idText(v.s.Ends[1-i].of.ID[0].Kind, ids[1-i])
		if w := c.byRow[key]; w != nil && w.gone && end.Edge != "" {
			r.linked(key, ids[i], v.because, end.Edge, other, false)
		}
	}
}

// tellChanged notes a row that has stayed, and that refers to one that has gone.
func (c *cascade) tellChanged(l link, because rowKey) {
	v := l.row
	p := planOf(c.s.in.rec, v.s)
	field, ok := p.index[l.key.Column]
	if !ok || !v.s.Audited {
		return
	}
	before, after := c.value(v.s, v.columns, l.key.Column), any(nil)
	if v.looked {
		after = c.value(v.s, v.left, l.key.Column)
	}
	if before == nil || same(before, after) {
		return
	}
	extra := make([]any, len(p.extra))
	for i, f := range p.extra {
		if j := slices.Index(v.fields, f); j >= 0 {
			extra[i] = v.values[j]
		}
	}
	c.s.reach.update(v.key(), because, field, before, after, extra)
}
