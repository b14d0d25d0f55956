package hook

import (
	"context"
	stdsql "database/sql"
	"errors"
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
	if !s.Audited {
		if !c.records() || len(foreignKeys(c.Recorder, s)) == 0 {
			return
		}
		in = in.witness(c.Recorder)
	}
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
	ctx     context.Context
	spec    *sqlgraph.DeleteSpec
	old     rows
	cascade *cascade        // nil where the rows take nothing along
	done    bool            // the DELETE has run
	deleted int64           // MySQL: how many rows it says it deleted
	left    map[string]bool // MySQL: the rows that are still there, by id
	sum     *summary        // in place of an entry for each row
}

// Begin implements txdriver.Scope.
func (d *deleteScope) Begin(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending) error {
	d.begun, d.done, d.left, d.cascade, d.reach = true, false, nil, nil, reach{}
	if err := d.old.drop(); err != nil {
		return d.fail("delete", err)
	}
	d.old, d.sum = rows{fields: d.p.all}, nil
	d.schema = d.spec.Node.Schema
	keys := foreignKeys(d.in.rec, d.p.Schema)
	if len(keys) == 0 {
		d.old.flat(d.p)
	}
	if d.returns() && len(keys) == 0 {
		return nil // the statement gives the rows back
	}
	if err := p.(*ledger).takeLock(ctx, tx, d.quoted()); err != nil {
		return d.fail("lock", err)
	}
	database, err := d.readNamed(ctx, tx, d.p.Schema, d.table(), d.match(), &d.old)
	if err != nil {
		return d.fail("read", err)
	}
	if len(keys) == 0 {
		return nil
	}
	d.cascade = newCascade(&d.scope, text(plainValue(database)), d.p.Schema, d.old)
	if database == nil {
		if len(d.old.list) > 0 {
			keys[0].warn(ctx)
		}
		return nil
	}
	if err := d.cascade.follow(ctx, tx); err != nil {
		return d.fail("read what goes with", err)
	}
	return nil
}

// match returns the predicate of the rows that ent deletes.
func (d *deleteScope) match() *sql.Predicate {
	if d.spec.Predicate == nil {
		return nil
	}
	sel := sql.Dialect(d.dialect).Select().From(d.table()).WithContext(d.ctx) // the caller's, for his predicates
	d.spec.Predicate(sel)
	return sel.P()
}

// Statement implements txdriver.Scope.
func (d *deleteScope) Statement(query string, exec bool) txdriver.Statement {
	st := txdriver.Statement{Query: query}
	switch {
	case !exec || d.done:
	case d.returns() && d.cascade != nil:
		st.Query += d.returning(nil)
		st.Row = d.returned
	case d.returns():
		st.Query += d.returning(d.old.fields)
		st.Row = func(_ []string, values []any) error {
			d.done = true
			d.old.add(d.p.Schema, values)
			return nil
		}
	default:
		st.Result, st.After = d.counted, d.counts
	}
	return st
}

// returned takes the id of a row that the DELETE gave back.
func (d *deleteScope) returned(_ []string, id []any) error {
	d.done = true
	v := d.cascade.byRow[rowKey{d.p.Schema, idOf(d.p.Schema, id)}]
	if v == nil || !v.named {
		return d.fail("delete", fmt.Errorf("row %s: %w", idOf(d.p.Schema, id), errStale))
	}
	v.gone = true
	return nil
}

// counted takes the number of deleted rows where that is all that the database tells.
func (d *deleteScope) counted(res stdsql.Result) (err error) {
	d.done = true
	d.deleted, err = res.RowsAffected()
	return err
}

// counts makes sure that the deleted rows are those that were read. They may be fewer:
// rows go by a foreign key of the table to itself, and others match no longer.
func (d *deleteScope) counts(ctx context.Context, tx dialect.ExecQuerier) error {
	read := int64(d.old.count())
	if d.deleted < read {
		if err := d.look(ctx, tx); err != nil {
			return d.fail("read", err)
		}
	}
	if gone := read - int64(len(d.left)); d.deleted > gone {
		return d.fail("delete", fmt.Errorf("%d rows read, %d of them gone, %d deleted: %w", read, gone, d.deleted, errStale))
	}
	if d.cascade != nil {
		for _, v := range d.cascade.own {
			v.gone = !d.left[v.id]
		}
	}
	return nil
}

// look reads which of the rows are still there.
func (d *deleteScope) look(ctx context.Context, tx dialect.ExecQuerier) error {
	d.left = make(map[string]bool)
	for page, err := range d.old.pages(d.p.Schema) {
		if err != nil {
			return err
		}
		var there rows
		if err := there.readNow(ctx, tx, d.p.Schema, d.table, idsOf(page), lockRow); err != nil {
			return err
		}
		for _, w := range there.list {
			d.left[w.id] = true
		}
	}
	return nil
}

// End implements txdriver.Scope.
func (d *deleteScope) End(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending, _ error) error {
	if !d.done {
		return nil
	}
	if d.cascade != nil {
		if err := d.cascade.settle(ctx, tx); err != nil {
			return d.fail("read what went with", err)
		}
		d.cascade.tell(ctx)
	}
	if !d.p.Audited {
		return d.hand(ctx, tx, p)
	}
	if d.summarize(d.old.count()) {
		d.sum = &summary{}
	}
	for page, err := range d.old.pages(d.p.Schema) {
		if err != nil {
			return errors.Join(d.fail("delete", err), d.old.drop())
		}
		d.gone(page)
		if d.cascade != nil {
			break // there is but one page
		}
		if err := d.hand(ctx, tx, p); err != nil {
			return errors.Join(err, d.old.drop())
		}
	}
	d.endSummary()
	if err := d.emitReach(ctx, tx); err != nil {
		return err
	}
	return errors.Join(d.hand(ctx, tx, p), d.old.drop())
}

// gone makes the entries of those of list that are gone.
func (d *deleteScope) gone(list []row) {
	diff := d.differ()
	for i, w := range list {
		if d.left[w.id] || d.cascade != nil && !d.cascade.own[i].gone {
			continue
		}
		if d.sum != nil {
			d.sum.add(w.id)
			_ = d.reach.edges(rowKey{d.p.Schema, w.id}) // told at their other ends
			continue
		}
		e := d.entry(d.in, entaudit.OpDelete, w.id)
		diff.whole(&e, d.old.fields, w.values, false)
		diff.describe(&e, d.old.fields, w.values)
		key := rowKey{d.p.Schema, w.id}
		if e.Edges = d.reach.edges(key); d.cascade != nil {
			d.reach.caused(key, e.ID, d.in)
		}
		d.emit(d.in, e)
	}
}

func withMark(marks map[string]entaudit.Mark, path string, m entaudit.Mark) map[string]entaudit.Mark {
	if marks == nil {
		marks = make(map[string]entaudit.Mark)
	}
	marks[path] = m
	return marks
}
