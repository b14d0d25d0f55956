package hook

import (
	"context"
	stdsql "database/sql"
	"fmt"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqlgraph"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// Delete puts a scope around the delete that spec describes. Its predicate may still
// be missing.
func Delete(ctx context.Context, c Client, in *Intent, s *Schema, spec *sqlgraph.DeleteSpec) {
	switch {
	case in == nil:
		*c.Driver = txdriver.New(*c.Driver, unguardedScope{s}, 0, unguardedScope{s})
	case in.pass:
	case in.skipped:
		*c.Driver = in.arm(*c.Driver, s.Graph, &skipScope{newScope(c, in, s), "delete"})
	default:
		d := &deleteScope{scope: newScope(c, in, s), ctx: ctx, spec: spec}
		d.old.fields = d.p.all
		*c.Driver = in.arm(*c.Driver, s.Graph, d)
	}
}

// deleteScope records a delete of one or many rows.
type deleteScope struct {
	scope
	ctx  context.Context
	spec *sqlgraph.DeleteSpec
	old  rows
	done bool // the DELETE has run
}

// Begin implements txdriver.Scope.
func (d *deleteScope) Begin(ctx context.Context, tx dialect.ExecQuerier, _ txdriver.Pending) error {
	d.begun, d.done = true, false
	d.old = rows{fields: d.p.all}
	d.schema = d.spec.Node.Schema
	if d.returns() {
		return nil // the statement gives the rows back
	}
	var p *sql.Predicate
	if pred := d.spec.Predicate; pred != nil {
		sel := sql.Dialect(d.dialect).Select().From(d.table()).WithContext(d.ctx) //nolint:contextcheck // the caller's, for his predicates
		pred(sel)
		p = sel.P()
	}
	if err := d.old.read(ctx, tx, d.p.Schema, d.table(), p, lockKey); err != nil {
		return d.fail("read", err)
	}
	return nil
}

// Statement implements txdriver.Scope.
func (d *deleteScope) Statement(query string, exec bool) txdriver.Statement {
	st := txdriver.Statement{Query: query}
	if !exec || d.done {
		return st
	}
	if d.returns() {
		st.Query += d.returning(d.old.fields)
		st.Row = func(_ []string, values []any) error {
			d.done = true
			d.old.add(d.p.Schema, values)
			return nil
		}
		return st
	}
	st.Result = func(res stdsql.Result) error {
		d.done = true
		n, err := res.RowsAffected()
		if err == nil && n > int64(len(d.old.list)) {
			// It may be fewer: rows that went by a foreign key of the table to itself.
			err = d.fail("delete", fmt.Errorf("%d rows read, %d deleted: %w", len(d.old.list), n, errStale))
		}
		return err
	}
	return st
}

// End implements txdriver.Scope.
func (d *deleteScope) End(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending, _ error) error {
	if !d.done {
		return nil
	}
	diff := d.differ()
	for _, w := range d.old.list {
		e := d.entry(d.in, entaudit.OpDelete, w.id)
		diff.whole(&e, d.old.fields, w.values, false)
		diff.describe(&e, d.old.fields, w.values)
		if len(d.p.Refs) > 0 {
			e.Marks = withMark(e.Marks, "cascade", entaudit.MarkUnknown)
		}
		d.emit(d.in, e)
	}
	return d.hand(ctx, tx, p)
}

func withMark(marks map[string]entaudit.Mark, path string, m entaudit.Mark) map[string]entaudit.Mark {
	if marks == nil {
		marks = make(map[string]entaudit.Mark)
	}
	marks[path] = m
	return marks
}
