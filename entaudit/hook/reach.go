package hook

import (
	"context"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// reach gathers what a mutation changes beyond its own rows: rows of other tables, and
// links. What happens to one row several times counts once, as the difference between
// what it was first and what it is last.
type reach struct {
	rows   []*farRow
	byRow  map[rowKey]*farRow
	ends   []*linkedRow
	byEnd  map[rowKey]*linkedRow
	causes map[rowKey]cause
	rest   cause // of what follows from rows that have no entry of their own
}

// rowKey names a row of the graph.
type rowKey struct {
	s  *Schema
	id string
}

// cause is the entry that tells of a row, for those that tell of what followed.
type cause struct {
	id uuid.UUID
	in *Intent
}

// farRow is a row beyond those of the mutation itself that has changed.
type farRow struct {
	key    rowKey
	cause  rowKey
	born   bool
	gone   bool
	fields []int
	before []any // by position in fields
	after  []any
	extra  []any // tenant and label, by position in plan.extra; nil where not read
}

// linkedRow is a row with links that came or went. The row itself is as it was.
type linkedRow struct {
	key   rowKey
	value any // its id
	cause rowKey
	edges []linkedEdge
	extra []any
}

// linkedEdge is an edge of a row with the links that came (1) or went (-1), by the other
// row's id and in order.
type linkedEdge struct {
	name string
	ids  []string
	net  map[string]int
}

// empty reports whether nothing was changed beyond the mutation's own rows.
func (r *reach) empty() bool { return len(r.rows) == 0 && len(r.ends) == 0 }

// row returns the row of key, which is noted from now on.
func (r *reach) row(key, because rowKey) *farRow {
	w, ok := r.byRow[key]
	if !ok {
		if r.byRow == nil {
			r.byRow = make(map[rowKey]*farRow)
		}
		w = &farRow{key: key, cause: because}
		r.byRow[key] = w
		r.rows = append(r.rows, w)
	}
	return w
}

// update notes that a field of a row has changed. extra are the row's tenant and label,
// if they were read.
func (r *reach) update(key, because rowKey, field int, before, after any, extra []any) {
	w := r.row(key, because)
	if extra != nil {
		w.extra = extra
	}
	if i := slices.Index(w.fields, field); i >= 0 {
		w.after[i] = after
		return
	}
	w.fields = append(w.fields, field)
	w.before, w.after = append(w.before, before), append(w.after, after)
}

// insert notes that a row came into being with the given values.
func (r *reach) insert(key, because rowKey, fields []int, values []any) {
	w := r.row(key, because)
	w.born, w.gone = !w.gone, false
	if !w.born {
		// It had been there before, and was deleted by the same mutation.
		w.after = values
		return
	}
	w.fields, w.before, w.after = fields, make([]any, len(fields)), values
}

// remove notes that a row with the given values is gone.
func (r *reach) remove(key, because rowKey, fields []int, values []any) {
	w := r.row(key, because)
	if w.born {
		w.born = false
		w.fields, w.before, w.after = nil, nil, nil
		return
	}
	values = slices.Clone(values)
	for i, f := range w.fields {
		if j := slices.Index(fields, f); j >= 0 {
			values[j] = w.before[i]
		}
	}
	w.gone = true
	w.fields, w.before, w.after = fields, values, make([]any, len(fields))
}

// link notes that a link of the table join came or went. ids are the values of its
// columns in the order of join.Ends. because is the row whose mutation did it.
func (r *reach) link(join *Schema, because rowKey, ids []any, came bool) {
	var keys [2]rowKey
	for i, end := range join.Ends {
		keys[i] = rowKey{end.of, idText(join.columnKind(end.Column), ids[i])}
	}
	for i, end := range join.Ends {
		if end.Edge != "" {
			r.linked(keys[i], ids[i], because, end.Edge, keys[1-i].id, came)
		}
	}
}

// linked notes that an edge of the row of key was linked with, or no longer is with,
// the row that has the given id. value is the id of the first as a value.
func (r *reach) linked(key rowKey, value any, because rowKey, edge, id string, came bool) {
	e := r.edge(key, value, because, edge, id)
	if came {
		e.net[id]++
	} else {
		e.net[id]--
	}
}

// edge returns the edge of the row of key, on which a link with the row that has the
// given id is noted from now on.
func (r *reach) edge(key rowKey, value any, because rowKey, edge, id string) *linkedEdge {
	w, ok := r.byEnd[key]
	if !ok {
		if r.byEnd == nil {
			r.byEnd = make(map[rowKey]*linkedRow)
		}
		w = &linkedRow{key: key, value: value, cause: because}
		r.byEnd[key] = w
		r.ends = append(r.ends, w)
	}
	i := slices.IndexFunc(w.edges, func(e linkedEdge) bool { return e.name == edge })
	if i < 0 {
		i = len(w.edges)
		w.edges = append(w.edges, linkedEdge{name: edge, net: make(map[string]int)})
	}
	e := &w.edges[i]
	if _, ok := e.net[id]; !ok {
		e.ids, e.net[id] = append(e.ids, id), 0
	}
	return e
}

// columnKind returns the kind of one of the columns.
func (s *Schema) columnKind(column string) (kind field.Type) {
	for _, all := range [][]Field{s.ID, s.Fields} {
		for _, f := range all {
			if f.Column == column {
				return f.Kind
			}
		}
	}
	return kind
}

// edges returns the changes of the edges of a row, which is then done with.
func (r *reach) edges(key rowKey) []entaudit.EdgeChange {
	w, ok := r.byEnd[key]
	if !ok {
		return nil
	}
	delete(r.byEnd, key)
	var changes []entaudit.EdgeChange
	for _, e := range w.edges {
		c := entaudit.EdgeChange{Edge: e.name}
		for _, id := range e.ids {
			switch {
			case e.net[id] > 0:
				c.Added = append(c.Added, id)
			case e.net[id] < 0:
				c.Removed = append(c.Removed, id)
			}
		}
		if len(c.Added)+len(c.Removed) > 0 {
			changes = append(changes, c)
		}
	}
	return changes
}

// take returns the row of key, which is then done with, or nil.
func (r *reach) take(key rowKey) *farRow {
	w := r.byRow[key]
	delete(r.byRow, key)
	return w
}

// caused notes that the entry with the given id tells of the row of key.
func (r *reach) caused(key rowKey, id uuid.UUID, in *Intent) {
	if r.causes == nil {
		r.causes = make(map[rowKey]cause)
	}
	if _, ok := r.causes[key]; !ok {
		r.causes[key] = cause{id, in}
	}
}

// emitReach makes the entries of what the mutation has changed beyond its own rows,
// which have theirs already. It reads the tenants and labels of rows that are linked.
func (s *scope) emitReach(ctx context.Context, tx dialect.ExecQuerier) error {
	r := &s.reach
	for _, w := range r.givers().first(r.rows) {
		if r.byRow[w.key] == w && w.key.s.Audited {
			s.emitFar(w)
		}
	}
	var rest []*linkedRow
	for _, w := range r.ends {
		if r.byEnd[w.key] == w && w.key.s.Audited {
			rest = append(rest, w)
		}
	}
	if err := s.readExtra(ctx, tx, rest); err != nil {
		return err
	}
	for _, w := range rest {
		if edges := r.edges(w.key); len(edges) > 0 {
			e, d := s.farEntry(w.key, w.cause, entaudit.OpUpdate)
			e.Edges = edges
			if w.extra != nil {
				d.describe(&e, d.p.extra, w.extra)
			}
			s.emit(s.in, e)
		}
	}
	*r = reach{}
	return nil
}

// emitFar makes the entry of a row that has changed.
func (s *scope) emitFar(w *farRow) {
	op := entaudit.OpUpdate
	switch {
	case w.born:
		op = entaudit.OpCreate
	case w.gone:
		op = entaudit.OpDelete
	}
	e, d := s.farEntry(w.key, w.cause, op)
	switch values := w.after; {
	case w.born, w.gone:
		if w.gone {
			values = w.before
		}
		d.whole(&e, w.fields, values, w.born)
		d.describe(&e, w.fields, values)
	default:
		if more := d.between(&e, w.fields, w.before, w.after); !more && d.p.IgnoreTouch {
			e.Changes = nil
		}
		if w.extra != nil {
			d.describe(&e, d.p.extra, w.extra)
		}
		d.describe(&e, w.fields, w.after)
	}
	e.Edges = s.reach.edges(w.key)
	if op == entaudit.OpUpdate && len(e.Changes) == 0 && len(e.Edges) == 0 {
		return
	}
	s.reach.caused(w.key, e.ID, s.in)
	s.emit(s.in, e)
}

// farEntry returns a new entry for a row that is not of the mutation's own type, and
// what encodes its values.
func (s *scope) farEntry(key, because rowKey, op entaudit.Operation) (entaudit.Entry, *differ) {
	in := s.in
	by, ok := s.reach.causes[because]
	if !ok {
		by, ok = s.reach.rest, s.reach.rest.in != nil
	}
	if ok {
		in = by.in
	}
	far := scope{in: in, p: planOf(in.rec, key.s), dialect: s.dialect, schema: s.schemaOf(key.s)}
	e := far.entry(in, op, key.id)
	if ok {
		e.CauseID = by.id
	}
	return e, far.differ()
}

// readExtra reads tenants and labels of rows, in one query for each type and about a
// thousand rows.
func (s *scope) readExtra(ctx context.Context, tx dialect.ExecQuerier, list []*linkedRow) error {
	byType := make(map[*Schema][]*linkedRow)
	var order []*Schema
	for _, w := range list {
		if w.extra != nil || len(planOf(s.in.rec, w.key.s).extra) == 0 {
			continue
		}
		if byType[w.key.s] == nil {
			order = append(order, w.key.s)
		}
		byType[w.key.s] = append(byType[w.key.s], w)
	}
	for _, t := range order {
		if err := s.readExtraOf(ctx, tx, t, byType[t]); err != nil {
			return s.fail("read", err)
		}
	}
	return nil
}

func (s *scope) readExtraOf(ctx context.Context, tx dialect.ExecQuerier, t *Schema, list []*linkedRow) error {
	got := rows{fields: planOf(s.in.rec, t).extra}
	ids := make([][]any, len(list))
	for i, w := range list {
		ids[i] = []any{w.value}
	}
	if err := got.readIDs(ctx, tx, t, func() *sql.SelectTable { return s.tableOf(t) }, ids); err != nil {
		return err
	}
	for _, w := range list {
		if row, ok := got.get(w.key.id); ok {
			w.extra = row.values
		}
	}
	return nil
}
