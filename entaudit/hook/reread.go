package hook

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/entaudit"
)

// reread makes the entries where the INSERT gives nothing back, which is on MySQL:
// the ids are those that were given or counted from the first, and what the database
// may have altered is read.
func (c *createScope) reread(ctx context.Context, tx dialect.ExecQuerier) error {
	if len(c.known) > 1 && c.counted() == len(c.known) {
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
	case c.given[i] != nil && (!c.made(i) || c.gave(c.first)):
		return []any{c.given[i]}
	case c.numeric():
		return []any{c.first}
	}
	return nil
}

// made reports whether the database makes the id of the i-th row. MySQL does so where 0 is
// given, unless it is set not to.
func (c *createScope) made(i int) bool {
	v := c.given[i]
	return v == nil || !c.returns() && c.numeric() && (v == int64(0) || v == uint64(0))
}

// counted returns how many of the ids the server counts.
func (c *createScope) counted() (n int) {
	for i := range c.given {
		if c.numeric() && c.made(i) {
			n++
		}
	}
	return n
}

// gave reports whether id is one that the caller chose: the server names the last of those
// where it has counted none.
func (c *createScope) gave(id int64) bool {
	return slices.ContainsFunc(c.given, func(v any) bool { return v != nil && text(v) == text(id) })
}

// countable makes sure that the ids will be known. The server names the first that it has
// counted, and the others follow it only where it counts them all.
func (c *createScope) countable() error {
	if n := c.counted(); c.returns() || n < 2 || n == len(c.known) {
		return nil
	}
	return &entaudit.UnsupportedError{
		Type: c.p.Type, Operation: "create", Problem: "some of the rows have the id 0, for which MySQL makes others that it does not tell",
		Hint: "give all of them ids, or none",
	}
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
