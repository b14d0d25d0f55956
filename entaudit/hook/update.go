package hook

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"slices"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqlgraph"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// Update puts a scope around the update that spec describes, which must be complete
// but for what ent itself adds.
func Update(ctx context.Context, c Client, in *Intent, s *Schema, spec *sqlgraph.UpdateSpec, one bool) {
	switch {
	case in == nil:
		*c.Driver = txdriver.New(*c.Driver, unguardedScope{s}, 0, unguardedScope{s})
	case in.pass:
	case in.skipped:
		*c.Driver = in.arm(*c.Driver, s.Graph, &skipScope{newScope(c, in, s), "update"})
	default:
		if u := newUpdate(ctx, c, in, s, spec, one); u != nil {
			*c.Driver = in.arm(*c.Driver, s.Graph, u)
		}
	}
}

// updateScope records an update of one or many rows.
type updateScope struct {
	scope
	ctx      context.Context
	spec     *sqlgraph.UpdateSpec
	one      bool
	key      bool // a column of a unique index is written
	edges    []entaudit.EdgeChange
	old, new rows
	writes   bool // the first Exec is the UPDATE of the rows themselves
	wrote    bool // and it has run
	beyond   bool // a statement on other tables was begun
	known    bool // new holds every row that was written
	affected int64
}

// newUpdate returns the scope for spec, or nil where it writes nothing.
func newUpdate(ctx context.Context, c Client, in *Intent, s *Schema, spec *sqlgraph.UpdateSpec, one bool) *updateScope {
	u := &updateScope{scope: newScope(c, in, s), ctx: ctx, spec: spec, one: one}
	u.schema = spec.Node.Schema
	fields := u.columns()
	if len(fields) == 0 && len(u.edges) == 0 {
		return nil
	}
	for _, f := range u.p.extra {
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	u.old.fields, u.new.fields = fields, fields
	columns := s.columns(fields)
	spec.AddModifier(func(b *sql.UpdateBuilder) {
		if u.writes = !b.Empty(); u.writes {
			b.Returning(columns...) // no effect on MySQL
		}
	})
	return u
}

// columns returns the fields that the update may write and notes the edges whose
// links lie in other tables.
func (u *updateScope) columns() []int {
	if len(u.spec.Modifiers) > 0 || u.p.WholeRows {
		// A modifier may write any column, and so may the database.
		u.key = true
		u.externalEdges()
		if u.returns() {
			return slices.Clone(u.p.all)
		}
		return u.p.every()
	}
	var fields []int
	add := func(column string) {
		i, ok := u.p.index[column]
		if !ok || slices.Contains(fields, i) {
			return
		}
		u.key = u.key || u.p.Fields[i].Key
		if !u.p.Fields[i].Ignore || !u.returns() {
			fields = append(fields, i)
		}
	}
	for _, set := range [][]*sqlgraph.FieldSpec{u.spec.Fields.Set, u.spec.Fields.Add, u.spec.Fields.Clear} {
		for _, f := range set {
			add(f.Column)
		}
	}
	for _, e := range u.externalEdges() {
		add(e.Columns[0])
	}
	slices.Sort(fields)
	return fields
}

// externalEdges notes the edges whose links lie in other tables and returns those
// that are columns of the row itself.
func (u *updateScope) externalEdges() (own []*sqlgraph.EdgeSpec) {
	for _, e := range slices.Concat(u.spec.Edges.Clear, u.spec.Edges.Add) {
		if ownColumn(e) {
			own = append(own, e)
		}
		if !ownColumn(e) || e.Bidi {
			u.edges = addUnknown(u.edges, u.p.Schema, e)
		}
	}
	return own
}

// ownColumn reports whether the edge is a column of the row that is written.
func ownColumn(e *sqlgraph.EdgeSpec) bool {
	return e.Rel == sqlgraph.M2O || e.Rel == sqlgraph.O2O && (e.Inverse || e.Bidi)
}

// addUnknown notes that links of e were written.
func addUnknown(edges []entaudit.EdgeChange, s *Schema, e *sqlgraph.EdgeSpec) []entaudit.EdgeChange {
	for _, d := range s.Edges {
		if d.Table != e.Table || d.Inverse != e.Inverse || d.Column != e.Columns[0] {
			continue
		}
		if !d.Ignore && !slices.ContainsFunc(edges, func(c entaudit.EdgeChange) bool { return c.Edge == d.Name }) {
			edges = append(edges, entaudit.EdgeChange{Edge: d.Name, Unknown: true})
		}
	}
	return edges
}

// Begin implements txdriver.Scope.
func (u *updateScope) Begin(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending) error {
	if err := p.(*ledger).takeLock(ctx, tx, u.quoted()); err != nil {
		return u.fail("lock", err)
	}
	l := lockRow
	if u.key {
		l = lockKey
	}
	u.old, u.new = rows{fields: u.old.fields}, rows{fields: u.new.fields}
	u.wrote, u.known = false, false
	if err := u.old.read(ctx, tx, u.p.Schema, u.table(), u.match(), l); err != nil {
		return u.fail("read", err)
	}
	u.begun = true
	return nil
}

// match returns the predicate of the rows that ent may update. For one row it is the id
// alone: ent does not ask a predicate when it writes nothing but other tables.
func (u *updateScope) match() *sql.Predicate {
	n := u.spec.Node
	switch {
	case u.one && n.ID != nil:
		return sql.EQ(n.ID.Column, n.ID.Value)
	case u.one:
		return sql.And(
			sql.EQ(n.CompositeID[0].Column, n.CompositeID[0].Value),
			sql.EQ(n.CompositeID[1].Column, n.CompositeID[1].Value),
		)
	case u.spec.Predicate == nil:
		return nil
	}
	sel := sql.Dialect(u.dialect).Select().From(u.table()).WithContext(u.ctx)
	u.spec.Predicate(sel)
	return sel.P()
}

// Statement implements txdriver.Scope.
func (u *updateScope) Statement(query string, exec bool) txdriver.Statement {
	st := txdriver.Statement{Query: query}
	switch {
	case !exec:
		st.Row = u.read
	case !u.writes, u.wrote:
		u.beyond = true
	case u.returns():
		u.wrote, u.known = true, true
		st.Row = u.written
	default:
		u.wrote = true
		st.Result = func(res stdsql.Result) (err error) {
			u.affected, err = res.RowsAffected()
			return err
		}
	}
	return st
}

// written takes a row that the UPDATE gave back.
func (u *updateScope) written(_ []string, values []any) error {
	u.new.add(u.p.Schema, values)
	id := u.new.list[len(u.new.list)-1].id
	if _, ok := u.old.get(id); !ok {
		return u.fail("update", fmt.Errorf("row %s: %w", id, errStale))
	}
	return nil
}

// read sees a row that ent reads for itself.
func (u *updateScope) read(columns []string, values []any) error {
	switch {
	case !u.one && len(columns) == 1 && len(u.p.ID) == 1:
		// The ids of rows whose edges lie in other tables.
		id := idOf(u.p.Schema, values)
		if _, ok := u.old.get(id); !ok {
			return u.fail("update", fmt.Errorf("row %s: %w", id, errStale))
		}
	case u.one && !u.returns():
		// The row that ent returns: the new values, if all columns are there.
		return u.overhear(columns, values)
	}
	return nil
}

// overhear takes a row that ent reads for itself as the new one.
func (u *updateScope) overhear(columns []string, values []any) error {
	want := u.p.columns(u.new.fields)
	got := make([]any, len(want))
	for i, c := range want {
		j := slices.Index(columns, c)
		if j < 0 {
			return nil
		}
		got[i] = values[j]
	}
	u.new.add(u.p.Schema, got)
	u.known = true
	return nil
}

// errStale is both what the driver looks for and what callers can.
var errStale = fmt.Errorf("%w: %w", entaudit.ErrConcurrent, txdriver.ErrStale)

// End implements txdriver.Scope.
func (u *updateScope) End(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending, failed error) error {
	if !u.begun {
		return nil
	}
	if !u.known && !u.returns() {
		ids := make([][]any, len(u.old.list))
		for i, w := range u.old.list {
			ids[i] = w.ids
		}
		if err := u.new.readIDs(ctx, tx, u.p.Schema, u.table, ids); err != nil {
			return u.fail("read", err)
		}
	}
	if u.wrote && !u.one && !u.returns() {
		if err := u.reconcile(ctx, tx); err != nil {
			return u.fail("update", err)
		}
	}
	u.compare(failed)
	return u.hand(ctx, tx, p)
}

// compare makes the entries of the rows that differ.
func (u *updateScope) compare(failed error) {
	op := entaudit.OpUpdate
	if u.in.asked.Is(ent.OpDelete | ent.OpDeleteOne) {
		op = entaudit.OpSoftDelete
	}
	d := u.differ()
	for _, before := range u.old.list {
		after, ok := u.new.get(before.id)
		if !ok {
			after = before
		}
		e := u.entry(u.in, op, before.id)
		more := d.between(&e, u.old.fields, before.values, after.values)
		if !more && u.p.IgnoreTouch {
			e.Changes = nil
		}
		if failed == nil || u.beyond {
			e.Edges = u.edges
		}
		if len(e.Changes) == 0 && len(e.Edges) == 0 {
			continue
		}
		d.describe(&e, u.new.fields, after.values)
		u.emit(u.in, e)
	}
}
