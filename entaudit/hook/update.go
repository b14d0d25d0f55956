package hook

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"errors"
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
	if !s.Audited {
		if !c.records() || !s.touches(c.Recorder, spec.Edges.Clear, false) && !s.touches(c.Recorder, spec.Edges.Add, true) {
			return
		}
		in = in.witness(c.Recorder)
	}
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
	edges    edges
	ids      []driver.Value // of many rows, as ent read them
	unread   [][]any        // those of them that Begin did not read
	old, new rows
	writes   bool   // the first Exec is the UPDATE of the rows themselves
	wrote    bool   // and it was begun
	known    bool   // new holds every row that was written
	stranger string // a row that was written and not read
	affected int64
	sum      *summary // in place of an entry for each row
}

// newUpdate returns the scope for spec, or nil where it writes nothing.
func newUpdate(ctx context.Context, c Client, in *Intent, s *Schema, spec *sqlgraph.UpdateSpec, one bool) *updateScope {
	u := &updateScope{scope: newScope(c, in, s), ctx: ctx, spec: spec, one: one}
	u.schema = spec.Node.Schema
	fields := u.columns()
	if len(fields) == 0 && !beyond(spec.Edges.Clear) && !beyond(spec.Edges.Add) {
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
		if u.writes = !b.Empty(); u.writes && s.Audited {
			b.Returning(columns...) // no effect on MySQL
		}
	})
	return u
}

// columns returns the fields that the update may write.
func (u *updateScope) columns() []int {
	if len(u.spec.Modifiers) > 0 || u.p.WholeRows {
		// A modifier may write any column, and so may the database.
		u.key = true
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
	for _, e := range slices.Concat(u.spec.Edges.Clear, u.spec.Edges.Add) {
		if ownColumn(e) {
			add(e.Columns[0])
		}
	}
	slices.Sort(fields)
	return fields
}

// planEdges notes what ent will do for edges that are no columns of the rows. It does
// nothing where the id is composite.
func (u *updateScope) planEdges() error {
	u.edges = edges{s: &u.scope}
	if u.spec.Node.ID == nil {
		return nil
	}
	owners := func() []driver.Value { return u.ids }
	if u.one {
		owners = func() []driver.Value { return []driver.Value{u.spec.Node.ID.Value} }
	}
	owned := func(specs []*sqlgraph.EdgeSpec) (list []ownedEdge) {
		for _, e := range specs {
			list = append(list, ownedEdge{EdgeSpec: e, owners: owners})
		}
		return list
	}
	return u.edges.plan(owned(u.spec.Edges.Clear), owned(u.spec.Edges.Add))
}

// Begin implements txdriver.Scope.
func (u *updateScope) Begin(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending) error {
	if err := p.(*ledger).takeLock(ctx, tx, u.quoted()); err != nil {
		return u.fail("lock", err)
	}
	if err := u.old.drop(); err != nil {
		return u.fail("update", err)
	}
	u.old, u.new = rows{fields: u.old.fields}, rows{fields: u.new.fields}
	u.ids, u.unread, u.reach, u.wrote, u.known, u.stranger = nil, nil, reach{}, false, false, ""
	if err := u.planEdges(); err != nil {
		return u.fail("update", err)
	}
	apart := !u.one && len(u.edges.steps) == 0 // nothing needs a row by its id
	if apart {
		u.old.flat(u.p)
	}
	if u.p.Audited {
		if err := u.old.read(ctx, tx, u.p.Schema, u.table(), u.match(), u.lock()); err != nil {
			return u.fail("read", err)
		}
	}
	u.edges.old, u.begun, u.sum, u.affected = u.old, true, nil, 0
	if apart && u.summarize(u.old.count()) {
		u.sum = &summary{}
	}
	return nil
}

// lock returns how ent's UPDATE locks the rows.
func (u *updateScope) lock() lock {
	if u.key {
		return lockKey
	}
	return lockRow
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
		st = u.edges.statement(query)
	case !u.p.Audited:
		u.wrote = true
	case u.returns():
		u.wrote = true
		st.Row = u.written
		st.After = func(ctx context.Context, tx dialect.ExecQuerier) error {
			u.known = true
			return u.strange(ctx, tx)
		}
	default:
		u.wrote = true
		st.Result = func(res stdsql.Result) (err error) {
			u.affected, err = res.RowsAffected()
			return err
		}
	}
	if len(u.unread) > 0 {
		before := st.Before
		st.Before = func(ctx context.Context, tx dialect.ExecQuerier) error {
			if err := u.readUnread(ctx, tx); err != nil || before == nil {
				return err
			}
			return before(ctx, tx)
		}
	}
	return st
}

// readUnread reads the rows that have come to match between the reading of Begin and
// ent's own. Nothing is written yet, and they are no fewer than those that ent will write.
func (u *updateScope) readUnread(ctx context.Context, tx dialect.ExecQuerier) error {
	if err := u.old.readNow(ctx, tx, u.p.Schema, u.table, u.unread, u.lock()); err != nil {
		return u.fail("read", err)
	}
	u.unread, u.edges.old = nil, u.old
	return nil
}

// written takes a row that the UPDATE gave back.
func (u *updateScope) written(_ []string, values []any) error {
	if u.affected++; u.old.large() {
		return nil
	}
	u.new.add(u.p.Schema, values)
	id := u.new.list[len(u.new.list)-1].id
	if _, ok := u.old.get(id); !ok {
		u.stranger = id
	}
	return nil
}

// read sees a row that ent reads for itself.
func (u *updateScope) read(columns []string, values []any) error {
	switch {
	case !u.one && len(columns) == 1 && len(u.p.ID) == 1:
		// The ids of rows whose edges lie in other tables.
		id := idOf(u.p.Schema, values)
		if _, ok := u.old.get(id); !ok && u.p.Audited {
			u.unread = append(u.unread, values)
		}
		u.ids = append(u.ids, values[0])
	case u.one && !u.returns() && u.p.Audited:
		// The row that ent returns: the new values, if all columns are there.
		u.overhear(columns, values)
	}
	return nil
}

// overhear takes a row that ent reads for itself as the new one. Where nothing was
// written ent may see an older one than was read, as its transaction began: the row that
// was read is still what is there.
func (u *updateScope) overhear(columns []string, values []any) {
	if u.known = u.affected == 0; u.known {
		u.new.list = u.old.list
		return
	}
	want := u.p.columns(u.new.fields)
	got := make([]any, len(want))
	for i, c := range want {
		j := slices.Index(columns, c)
		if j < 0 {
			return
		}
		got[i] = values[j]
	}
	u.new.add(u.p.Schema, got)
	u.known = true
}

// errStale is both what the driver looks for and what callers can.
var errStale = fmt.Errorf("%w: %w", entaudit.ErrConcurrent, txdriver.ErrStale)

// End implements txdriver.Scope.
func (u *updateScope) End(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending, failed error) error {
	switch {
	case !u.begun:
		return nil
	case !u.p.Audited:
		return u.hand(ctx, tx, p)
	}
	if u.old.large() {
		return errors.Join(u.endLarge(ctx, tx, p), u.old.drop())
	}
	if u.wrote && !u.known && !u.returns() {
		if err := u.new.readNow(ctx, tx, u.p.Schema, u.table, idsOf(u.old.list), lockRow); err != nil {
			return u.fail("read", err)
		}
		if err := u.missing(u.old.list); err != nil {
			return err
		}
	}
	if u.wrote && !u.one && !u.returns() {
		if err := u.reconcile(ctx, tx); err != nil {
			return u.fail("update", err)
		}
	}
	u.compare(u.old.list)
	if err := u.hand(ctx, tx, p); err != nil {
		return err
	}
	return u.endSummary(ctx, tx, p)
}

// operation returns what the update is to the caller.
func (u *updateScope) operation() entaudit.Operation {
	if u.in.asked.Is(ent.OpDelete | ent.OpDeleteOne) {
		return entaudit.OpSoftDelete
	}
	return entaudit.OpUpdate
}

// compare makes the entries of those of list that differ.
func (u *updateScope) compare(list []row) {
	op := u.operation()
	d, giving := u.differ(), u.reach.givers()
	for _, before := range list {
		after, ok := u.new.get(before.id)
		if !ok || u.returns() && !u.known {
			after = before // it is gone, or the statement has failed
		}
		key := rowKey{u.p.Schema, before.id}
		fields, was, is := u.net(key, u.old.fields, before.values, after.values)
		ahead := u.giveWay(giving, fields, is)
		e := u.entry(u.in, op, before.id)
		more := d.between(&e, fields, was, is)
		if !more && u.p.IgnoreTouch {
			e.Changes = nil
		}
		e.Edges = u.reach.edges(key)
		if len(e.Changes) == 0 && len(e.Edges) == 0 {
			continue
		}
		if u.sum != nil {
			u.sum.add(before.id)
			continue
		}
		d.describe(&e, fields, is)
		for i := range ahead {
			u.entries[len(u.entries)-1-i].CauseID = e.ID
		}
		if !u.old.large() {
			u.reach.caused(key, e.ID, u.in)
		}
		u.emit(u.in, e)
	}
}
