package main

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/internal/bench/plain"
	"github.com/entaudit/audit/internal/bench/plain/invoice"
	"github.com/entaudit/audit/internal/bench/plain/member"
)

// The rows that are always there, with the ids from 1 on: so many invoices, groups and
// lines without a ledger, members and ledgers.
const (
	baseRows    = 1000
	baseMembers = 100
	baseLedgers = 10
)

// fill makes the rows that are always there.
func (d *database) fill(ctx context.Context) error {
	for i := 0; i < baseRows; i += batch {
		if err := d.unaudited.createBulk(ctx, i, batch); err != nil {
			return err
		}
	}
	client := d.unaudited.(unaudited).client
	groups := func(c *plain.GroupCreate, i int) {
		g := groupOf(i, i)
		c.SetCode(g.code).SetName(g.name).SetSeats(g.seats)
	}
	if err := client.Group.MapCreateBulk(make([]struct{}, baseRows), groups).Exec(ctx); err != nil {
		return err
	}
	members := func(c *plain.MemberCreate, i int) { c.SetName(recordOf(i).customer) }
	if err := client.Member.MapCreateBulk(make([]struct{}, baseMembers), members).Exec(ctx); err != nil {
		return err
	}
	ledgers := func(c *plain.LedgerCreate, i int) { c.SetID(i + 1).SetName(recordOf(i).number) }
	if err := client.Ledger.MapCreateBulk(make([]struct{}, baseLedgers), ledgers).Exec(ctx); err != nil {
		return err
	}
	return d.fillLines(ctx, nil, baseRows)
}

// fillLines makes n lines of a ledger.
func (d *database) fillLines(ctx context.Context, ledger *int, n int) error {
	lines := func(c *plain.LineCreate, i int) {
		c.SetText(recordOf(i).customer).SetAmount(i).SetNillableLedgerID(ledger)
	}
	return d.unaudited.(unaudited).client.Line.MapCreateBulk(make([]struct{}, n), lines).Exec(ctx)
}

// open makes a ledger with n lines of its own.
func (d *database) open(ctx context.Context, ledger, n int) error {
	client := d.unaudited.(unaudited).client
	if err := client.Ledger.Create().SetID(ledger).SetName(recordOf(ledger).number).Exec(ctx); err != nil {
		return err
	}
	return d.fillLines(ctx, &ledger, n)
}

// assign puts the first n lines into a ledger.
func (d *database) assign(ctx context.Context, ledger, n int) error {
	client := d.unaudited.(unaudited).client
	return client.Ledger.UpdateOneID(ledger).AddLineIDs(idsFrom(1, n)...).Exec(ctx)
}

// trim deletes the rows of a table that an operation has left behind.
func (d *database) trim(ctx context.Context, table string) error {
	statement := sql.Dialect(d.dialect).Delete(table)
	if table != member.GroupsTable {
		statement.Where(sql.GT(invoice.FieldID, baseRows))
	}
	query, args := statement.Query()
	_, err := d.pool.ExecContext(ctx, query, args...)
	return err
}
