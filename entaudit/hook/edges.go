package hook

import (
	"cmp"
	stdsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqlgraph"

	"github.com/entaudit/audit/entaudit/txdriver"
)

// edges follows the statements that ent makes for the edges of a mutation, after the
// one that writes the mutation's own rows. There is one for each table of links and each
// foreign key in another table, in an order that ent keeps to.
type edges struct {
	s       *scope
	fresh   bool // the owners have just come into being: nothing is linked with them
	old     rows // what the owners were first, where their own statement writes them
	steps   []edgeStep
	skipped map[string]bool // owners that are left out on purpose, by id
}

// edgeStep is one statement of ent's.
type edgeStep interface {
	// begins reports whether query is the statement.
	begins(query string) bool
	// statement says how it is run.
	statement(query string) txdriver.Statement
}

// ownedEdge is an edge that is written, with the rows that own it once they are known.
type ownedEdge struct {
	*sqlgraph.EdgeSpec
	owners  func() []driver.Value
	skipped bool
}

var errOddEdge = errors.New("ent made a statement for an edge that this version of entaudit does not know")

// ownColumn reports whether the edge is a column of the row that is written.
func ownColumn(e *sqlgraph.EdgeSpec) bool {
	return e.Rel == sqlgraph.M2O || e.Rel == sqlgraph.O2O && (e.Inverse || e.Bidi)
}

// farKey reports whether the edge is a column of rows that it leads to.
func farKey(e *sqlgraph.EdgeSpec) bool {
	return e.Rel == sqlgraph.O2M || e.Rel == sqlgraph.O2O && !e.Inverse
}

// beyond reports whether ent makes statements of their own for some of the edges.
func beyond(edges []*sqlgraph.EdgeSpec) bool {
	return slices.ContainsFunc(edges, func(e *sqlgraph.EdgeSpec) bool { return e.Rel == sqlgraph.M2M || farKey(e) })
}

// plan notes the statements that ent will make: rows of tables of links are deleted and
// inserted, then foreign keys cleared and set. Those of each list of add are set
// together.
func (e *edges) plan(remove []ownedEdge, add ...[]ownedEdge) error {
	if err := e.planLinks(remove, false); err != nil {
		return err
	}
	if err := e.planLinks(slices.Concat(add...), true); err != nil {
		return err
	}
	if err := e.planKeys(remove, false); err != nil {
		return err
	}
	for _, list := range add {
		if err := e.planKeys(list, true); err != nil {
			return err
		}
	}
	return nil
}

// planLinks notes a statement for each table of links.
func (e *edges) planLinks(list []ownedEdge, came bool) error {
	byTable := make(map[string]*links)
	var order []string
	for _, edge := range list {
		if edge.Rel != sqlgraph.M2M {
			continue
		}
		l := byTable[edge.Table]
		if l == nil {
			d, err := e.describe(edge.EdgeSpec)
			if err != nil {
				return err
			}
			l = newLinks(e, d.far, edge.Schema, came)
			byTable[edge.Table] = l
			order = append(order, edge.Table)
		}
		l.edges = append(l.edges, edge)
	}
	slices.Sort(order)
	for _, table := range order {
		e.steps = append(e.steps, byTable[table])
	}
	return nil
}

// planKeys notes a statement for each edge whose key is a column of another table.
func (e *edges) planKeys(list []ownedEdge, came bool) error {
	for _, rel := range []sqlgraph.Rel{sqlgraph.O2M, sqlgraph.O2O} {
		for _, edge := range list {
			if edge.Rel != rel || !farKey(edge.EdgeSpec) {
				continue
			}
			d, err := e.describe(edge.EdgeSpec)
			if err != nil {
				return err
			}
			e.steps = append(e.steps, newFarKeys(e, edge, d, came))
		}
	}
	return nil
}

// describe returns what is known of the edge.
func (e *edges) describe(spec *sqlgraph.EdgeSpec) (Edge, error) {
	for _, d := range e.s.p.Edges {
		if d.is(spec) {
			return d, nil
		}
	}
	return Edge{}, fmt.Errorf("edge in table %s: generate the code again: %w", spec.Table, errOddEdge)
}

// statement says how the next statement is run.
func (e *edges) statement(query string) txdriver.Statement {
	if len(e.steps) == 0 || !e.steps[0].begins(query) {
		return e.odd(query, errOddEdge)
	}
	st := e.steps[0].statement(query)
	e.steps = e.steps[1:]
	return st
}

// odd returns a statement of which it cannot be told what it changes.
func (e *edges) odd(query string, err error) txdriver.Statement {
	return txdriver.Statement{Query: query, Result: func(stdsql.Result) error { return e.s.fail("write", err) }}
}

// own returns the key of an owner.
func (e *edges) own(id any) rowKey {
	return rowKey{e.s.p.Schema, idText(e.s.p.ID[0].Kind, id)}
}

// first returns what a field of a row was at first, where the row is one of the owners and
// the field one that is written with them.
func (e *edges) first(key rowKey, field int) (any, bool) {
	i := slices.Index(e.old.fields, field)
	if key.s != e.s.p.Schema || i < 0 {
		return nil, false
	}
	w, ok := e.old.get(key.id)
	if !ok {
		return nil, false
	}
	return w.values[i], true
}

// ownersOf returns the owners of an edge, and notes those that are left out.
func (e *edges) ownersOf(edge ownedEdge) []driver.Value {
	owners := edge.owners()
	if edge.skipped {
		if e.skipped == nil {
			e.skipped = make(map[string]bool)
		}
		for _, id := range owners {
			e.skipped[e.own(id).id] = true
		}
	}
	return owners
}

// table returns a table of the schema s in the given schema of the database.
func (e *edges) table(s *Schema, space string) *sql.SelectTable {
	return sql.Dialect(e.s.dialect).Table(s.Table).Schema(space)
}

// quoted returns a table as it stands in ent's statements.
func (e *edges) quoted(table, space string) string {
	query, _ := sql.Dialect(e.s.dialect).Delete(table).Schema(space).Query()
	return strings.TrimPrefix(query, "DELETE FROM ")
}

// returning returns the clause that makes a statement give back what columns names.
func (e *edges) returning(s *Schema, fields []int) string {
	columns := s.columns(fields)
	for i, c := range columns {
		columns[i] = e.s.quote(c)
	}
	return " RETURNING " + strings.Join(columns, ", ")
}

// stale returns the error of a statement that changed other rows than were read.
func (e *edges) stale(s *Schema, read, changed any) error {
	return e.s.fail("write", fmt.Errorf("table %s: %v rows read, %v changed: %w", s.Table, read, changed, errStale))
}

// byID orders rows, those with decimal ids by number. Databases give them back in any
// order, and entries are to have one.
func byID(a, b row) int { return cmp.Or(cmp.Compare(len(a.id), len(b.id)), cmp.Compare(a.id, b.id)) }

// matchAny returns the predicate for a column that has one of the values.
func matchAny(column string, values []driver.Value) *sql.Predicate {
	if len(values) == 1 {
		return sql.EQ(column, values[0])
	}
	return sql.InValues(column, values...)
}

// edgeStatement says how a statement after the INSERT is run.
func (c *createScope) edgeStatement(query string) txdriver.Statement {
	if c.edges == nil {
		c.edges = &edges{s: &c.scope, fresh: len(*c.conflict) == 0}
		if err := c.edges.plan(nil, c.ownedEdges()...); err != nil {
			return c.edges.odd(query, err)
		}
	}
	return c.edges.statement(query)
}

// ownedEdges returns the edges of each row.
func (c *createScope) ownedEdges() [][]ownedEdge {
	lists := make([][]ownedEdge, len(c.specs()))
	for i, spec := range c.specs() {
		owners := func() []driver.Value { return []driver.Value{spec.ID.Value} }
		for _, e := range spec.Edges {
			lists[i] = append(lists[i], ownedEdge{EdgeSpec: e, owners: owners, skipped: c.intent(i).skipped})
		}
	}
	return lists
}

// net adds to the values of one of the mutation's own rows, before and after it was
// written, what ent then did to it for edges.
func (s *scope) net(key rowKey, fields []int, before, after []any) (all []int, was, is []any) {
	far := s.reach.take(key)
	if far == nil {
		return fields, before, after
	}
	all, was, is = slices.Clone(fields), slices.Clone(before), slices.Clone(after)
	for i, f := range far.fields {
		if j := slices.Index(all, f); j >= 0 {
			is[j] = far.after[i]
			continue
		}
		all = append(all, f)
		was, is = append(was, far.before[i]), append(is, far.after[i])
	}
	return all, was, is
}
