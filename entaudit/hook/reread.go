package hook

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// reread makes the entries where the INSERT gives nothing back, which is on MySQL:
// the ids are those that were given or counted from the first, and what the database
// may have altered is read.
func (c *createScope) reread(ctx context.Context, tx dialect.ExecQuerier) error {
	if len(c.known) > 1 && c.given[0] == nil && c.numeric() {
		return c.rereadCounted(ctx, tx)
	}
	ids := make([][]any, len(c.known))
	var read [][]any
	for i := range ids {
		if ids[i] = c.idOfRow(i); ids[i] != nil && len(c.need) > 0 {
			read = append(read, ids[i])
		}
	}
	if err := c.got.readIDs(ctx, tx, c.p.Schema, c.table, read); err != nil {
		return err
	}
	d := c.differ()
	for i, id := range ids {
		switch {
		case id == nil:
			c.emitUnknown(d, i)
			continue
		case len(c.need) == 0:
			c.emitRow(d, i, row{id: idOf(c.p.Schema, id)})
			continue
		}
		w, ok := c.got.get(idOf(c.p.Schema, id))
		if !ok {
			return fmt.Errorf("row %s is not there", idOf(c.p.Schema, id))
		}
		c.emitRow(d, i, w)
	}
	return nil
}

// idOfRow returns the values of the id columns of the i-th row, or nil where they
// cannot be told.
func (c *createScope) idOfRow(i int) []any {
	switch {
	case len(c.p.ID) > 1:
		id := make([]any, len(c.p.ID))
		for j, f := range c.p.ID {
			id[j] = c.known[i][c.p.index[f.Column]]
		}
		return id
	case c.given[i] != nil:
		return []any{c.given[i]}
	case c.numeric():
		return []any{c.first}
	}
	return nil
}

func (c *createScope) numeric() bool { return len(c.p.ID) == 1 && c.p.ID[0].Kind.Integer() }

// rereadCounted makes the entries of a bulk whose ids the server has counted.
func (c *createScope) rereadCounted(ctx context.Context, tx dialect.ExecQuerier) error {
	if err := c.readCounted(ctx, tx, &c.got); err != nil {
		return err
	}
	if n := len(c.known); len(c.got.list) != n {
		return fmt.Errorf("%d rows were inserted and %d are there", n, len(c.got.list))
	}
	d := c.differ()
	for i, w := range c.got.list {
		c.emitRow(d, i, w)
	}
	return nil
}

// readCounted reads the rows of a bulk whose ids the server has counted, in order. It
// counts in steps that a cluster changes as nodes come and go, so they are left to the
// server.
func (c *createScope) readCounted(ctx context.Context, tx dialect.ExecQuerier, to *rows) error {
	n := len(c.known)
	err := to.read(ctx, tx, c.p.Schema, c.table(), sql.P(func(b *sql.Builder) {
		id := c.p.ID[0].Column
		b.Ident(id).WriteString(" BETWEEN ").Arg(c.first).WriteString(" AND ").Arg(c.first).WriteString(" + ").Arg(n - 1)
		b.WriteString(" * @@auto_increment_increment AND (").Ident(id).WriteString(" - ").Arg(c.first)
		b.WriteString(") % @@auto_increment_increment = 0")
	}), noLock)
	slices.SortFunc(to.list, func(a, b row) int {
		return cmp.Or(cmp.Compare(len(a.id), len(b.id)), cmp.Compare(a.id, b.id)) // decimal
	})
	return err
}

// emitUnknown makes the entry of a row whose id cannot be told, nor what only
// reading it would tell.
func (c *createScope) emitUnknown(d *differ, i int) {
	for _, f := range c.need {
		c.known[i][f] = nil
	}
	c.emitRow(d, i, row{})
}
