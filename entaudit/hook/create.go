package hook

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqlgraph"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// Create puts a scope around the insert that spec describes, which is still empty. added
// are the names of the edges that it will have, where the type is not audited.
func Create(c Client, in *Intent, s *Schema, spec *sqlgraph.CreateSpec, added ...string) {
	if !s.Audited {
		if !c.records() || !s.tells(added) {
			return
		}
		in = in.witness(c.Recorder)
	}
	create(c, in, s, &createScope{
		one:      [1]*sqlgraph.CreateSpec{spec},
		conflict: &spec.OnConflict,
	})
}

// CreateBulk puts a scope around the insert of many rows that spec describes.
// intent returns the Intent of the i-th of them.
func CreateBulk(c Client, intent func(i int) *Intent, s *Schema, spec *sqlgraph.BatchCreateSpec) {
	if len(spec.Nodes) == 0 {
		return
	}
	if !s.Audited {
		touched := func(n *sqlgraph.CreateSpec) bool { return s.touches(c.Recorder, n.Edges, true) }
		if !c.records() || !slices.ContainsFunc(spec.Nodes, touched) {
			return
		}
		of := intent
		intent = func(i int) *Intent { return of(i).witness(c.Recorder) }
	}
	// The last one's hooks are those that surround the statement. It is skipped as a
	// whole when all rows are.
	in := intent(len(spec.Nodes) - 1)
	for i := range spec.Nodes {
		if other := intent(i); in != nil && in.skipped && other != nil && !other.skipped {
			in = other
		}
	}
	create(c, in, s, &createScope{
		many:     spec.Nodes,
		conflict: &spec.OnConflict,
		intents:  intent,
	})
}

func create(on Client, in *Intent, s *Schema, c *createScope) {
	switch {
	case in == nil:
		*on.Driver = txdriver.New(*on.Driver, unguardedScope{s}, 0, unguardedScope{s})
	case in.pass:
	case in.skipped:
		*on.Driver = in.arm(*on.Driver, s.Graph, &skipScope{newScope(on, in, s), "create"})
	case len(*c.conflict) > 0 && s.Audited:
		c.scope = newScope(on, in, s)
		*on.Driver = in.arm(*on.Driver, s.Graph, &upsertScope{createScope: *c})
	default:
		c.scope = newScope(on, in, s)
		*on.Driver = in.arm(*on.Driver, s.Graph, c)
	}
}

// createScope records an insert of one or many rows.
type createScope struct {
	scope
	one      [1]*sqlgraph.CreateSpec
	many     []*sqlgraph.CreateSpec // nil for one
	conflict *[]sql.ConflictOption
	intents  func(int) *Intent // nil for one
	givenOne [1]any
	knownOne [1][]any
	given    []any   // ids that the caller chose, nil where the database does
	known    [][]any // by row and field, what the database holds for certain
	set      []bool  // by field: in the statement
	need     []int   // fields that have to be read back
	got      rows
	asked    bool  // the INSERT has been seen
	ran      bool  // and has succeeded
	odd      error // it is not what this package knows
	first    int64 // MySQL: id of the first row
	edges    *edges
}

func (c *createScope) specs() []*sqlgraph.CreateSpec {
	if c.many != nil {
		return c.many
	}
	return c.one[:]
}

func (c *createScope) intent(i int) *Intent {
	if c.intents != nil {
		return c.intents(i)
	}
	return c.in
}

// Begin implements txdriver.Scope.
func (c *createScope) Begin(context.Context, dialect.ExecQuerier, txdriver.Pending) error {
	sure := c.prepare()
	if !c.p.Audited {
		return nil // what the rows are, and by which ids, is not told
	}
	for _, f := range c.p.all {
		switch {
		case !sure[f], c.p.WholeRows:
			c.need = append(c.need, f)
		case !c.set[f] && (c.returns() || c.p.Fields[f].Default):
			c.need = append(c.need, f)
		}
	}
	c.got.fields = c.need
	return c.countable()
}

// prepare notes what the specifications say about the rows. It returns by field whether
// the database stores what they say for certain.
func (c *createScope) prepare() (sure []bool) {
	specs := c.specs()
	c.schema, c.begun = specs[0].Schema, true
	if c.many == nil {
		c.given, c.known = c.givenOne[:], c.knownOne[:]
	} else {
		c.given = make([]any, len(specs))
		c.known = make([][]any, len(specs))
	}
	values := make([]any, len(specs)*len(c.p.Fields))
	c.set = make([]bool, len(c.p.Fields))
	sure = make([]bool, len(c.p.Fields))
	for i := range sure {
		sure[i] = true
	}
	for i, spec := range specs {
		// ent overwrites some given ids later on.
		if spec.ID != nil && spec.ID.Value != nil {
			c.given[i] = plainValue(spec.ID.Value)
		}
		c.known[i], values = values[:len(c.p.Fields)], values[len(c.p.Fields):]
		c.take(spec, c.known[i], sure)
	}
	return sure
}

// take notes what one row's specification says about its columns.
func (c *createScope) take(spec *sqlgraph.CreateSpec, known []any, sure []bool) {
	note := func(column string, v any) {
		if f, ok := c.p.index[column]; ok {
			known[f], c.set[f] = v, true
			sure[f] = sure[f] && (c.p.Fields[f].Plain || v == nil)
		}
	}
	for _, f := range spec.Fields {
		note(f.Column, f.Value)
	}
	for _, e := range spec.Edges {
		if ownColumn(e) {
			note(e.Columns[0], e.Target.Nodes[0])
		}
	}
}

// Statement implements txdriver.Scope. The first statement is the INSERT.
func (c *createScope) Statement(query string, exec bool) txdriver.Statement {
	st := txdriver.Statement{Query: query}
	if c.asked {
		return c.edgeStatement(query)
	}
	if c.asked = true; !c.p.Audited {
		return st
	}
	row := func(_ []string, values []any) error {
		c.ran = true
		c.got.add(c.p.Schema, values)
		return nil
	}
	switch {
	case !c.returns():
		st.Result = c.lastID
	case exec:
		st.Query, st.Row = query+c.returning(c.need), row
	default:
		// ent asks for the id: the rest is added to what it asks for.
		asked := c.returning(nil)
		if !strings.HasSuffix(query, asked) {
			c.odd = errOddInsert
			return st
		}
		st.Query = strings.TrimSuffix(query, asked) + c.returning(c.need)
		st.Row, st.Extra = row, len(c.need)
	}
	return st
}

var errOddInsert = errors.New("ent's INSERT does not ask for the id as this version of entaudit knows it")

// lastID notes the id that MySQL made for the first row.
func (c *createScope) lastID(res stdsql.Result) (err error) {
	c.ran = true
	c.first, err = res.LastInsertId()
	return err
}

// End implements txdriver.Scope.
func (c *createScope) End(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending, _ error) error {
	switch {
	case c.odd != nil:
		return c.fail("create", c.odd)
	case !c.p.Audited:
		return c.hand(ctx, tx, p)
	case !c.ran:
		return nil
	}
	var err error
	if c.returns() {
		err = c.returned()
	} else {
		err = c.reread(ctx, tx)
	}
	if err != nil {
		return c.fail("create", err)
	}
	return c.hand(ctx, tx, p)
}

// returned makes the entries from the rows that the INSERT gave back.
func (c *createScope) returned() error {
	if len(c.got.list) != len(c.known) {
		return fmt.Errorf("%d rows were inserted and %d came back", len(c.known), len(c.got.list))
	}
	d := c.differ()
	c.entries = slices.Grow(c.entries, len(c.got.list))
	d.buf = make([]byte, 0, 32*len(c.p.all)*len(c.got.list))
	for i, w := range c.got.list {
		at, err := c.specOf(i, w)
		if err != nil {
			return err
		}
		c.emitRow(d, at, w)
	}
	return nil
}

// specOf returns the specification that the i-th row that came back belongs to.
func (c *createScope) specOf(i int, w row) (int, error) {
	if c.given[i] == nil || idText(c.p.ID[0].Kind, c.given[i]) == w.id {
		return i, nil
	}
	for at, v := range c.given {
		if v != nil && idText(c.p.ID[0].Kind, v) == w.id {
			return at, nil
		}
	}
	return 0, fmt.Errorf("id %s was not given", w.id)
}

// emitRow makes the entry of the row of the i-th specification, read back as w.
func (c *createScope) emitRow(d *differ, i int, w row) {
	in := c.intent(i)
	if in.skipped {
		c.emitSkip(in, "create")
		return
	}
	e := c.entry(in, entaudit.OpCreate, w.id)
	values := c.known[i]
	for j, v := range w.values {
		values[c.got.fields[j]] = v
	}
	_, _, values = c.net(rowKey{c.p.Schema, w.id}, c.p.every(), values, values)
	fields := c.p.all
	d.whole(&e, fields, pick(values, fields), true)
	d.describe(&e, fields, pick(values, fields))
	if w.id == "" {
		e.Marks = withMark(e.Marks, "resource_id", entaudit.MarkUnknown)
	}
	c.noteEdges(&e, i)
	c.emit(in, e)
}

// noteEdges adds the links of the row of the i-th specification that were written.
func (c *createScope) noteEdges(e *entaudit.Entry, i int) {
	key := rowKey{c.p.Schema, e.Resource.ID}
	e.Edges = c.reach.edges(key)
	c.reach.caused(key, e.ID, c.intent(i))
}

func pick(values []any, fields []int) []any {
	if len(fields) == len(values) {
		return values
	}
	out := make([]any, len(fields))
	for i, f := range fields {
		out[i] = values[f]
	}
	return out
}
