package main

import (
	"context"
	"errors"

	"github.com/entaudit/audit/internal/bench/ent"
	"github.com/entaudit/audit/internal/bench/ent/group"
	"github.com/entaudit/audit/internal/bench/ent/invoice"
	_ "github.com/entaudit/audit/internal/bench/ent/runtime" // hooks of the audited client
)

// audited makes the changes through an audited client.
type audited struct{ client *ent.Client }

var _ side = audited{}

func (a audited) of(c *ent.Client, i int) *ent.InvoiceCreate {
	r := recordOf(i)
	return c.Invoice.Create().
		SetNumber(r.number).SetCustomer(r.customer).SetQuantity(r.quantity).SetPaid(r.paid).
		SetStatus(invoice.Status(r.status)).SetReference(r.reference).SetDueAt(r.dueAt).SetNillableNote(r.note)
}

func (a audited) create(ctx context.Context, i int) error {
	return a.of(a.client, i).Exec(ctx)
}

func (a audited) createBulk(ctx context.Context, i, n int) error {
	rows := make([]*ent.InvoiceCreate, n)
	for k := range rows {
		rows[k] = a.of(a.client, i+k)
	}
	return a.client.Invoice.CreateBulk(rows...).Exec(ctx)
}

func (a audited) createTx(ctx context.Context, i, n int) error {
	tx, err := a.client.Tx(ctx)
	if err != nil {
		return err
	}
	for k := range n {
		if err := a.of(tx.Client(), i+k).Exec(ctx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (a audited) updateOne(ctx context.Context, id, i int) error {
	return a.client.Invoice.UpdateOneID(id).
		SetQuantity(i).SetStatus(invoice.Status(statusOf(i))).SetPaid(i%2 == 0).Exec(ctx)
}

func (a audited) update(ctx context.Context, id, n, i int) error {
	return a.client.Invoice.Update().Where(invoice.IDGTE(id), invoice.IDLT(id+n)).
		SetQuantity(i).SetStatus(invoice.Status(statusOf(i))).Exec(ctx)
}

func (a audited) delete(ctx context.Context, id int) error {
	_, err := a.client.Invoice.Delete().Where(invoice.IDGT(id)).Exec(ctx)
	return err
}

func (a audited) link(ctx context.Context, member, group, n int) error {
	return a.client.Member.UpdateOneID(member).AddGroupIDs(idsFrom(group, n)...).Exec(ctx)
}

func (a audited) unlink(ctx context.Context, member int) error {
	return a.client.Member.UpdateOneID(member).ClearGroups().Exec(ctx)
}

func (a audited) release(ctx context.Context, ledger int) error {
	return a.client.Ledger.UpdateOneID(ledger).ClearLines().Exec(ctx)
}

func (a audited) upsert(ctx context.Context, id, n, i int) error {
	rows := make([]*ent.GroupCreate, n)
	for k := range rows {
		g := upsertOf(id, i, k)
		rows[k] = a.client.Group.Create().SetCode(g.code).SetName(g.name).SetSeats(g.seats)
	}
	return a.client.Group.CreateBulk(rows...).OnConflictColumns(group.FieldCode).UpdateNewValues().Exec(ctx)
}

func (a audited) deleteLedger(ctx context.Context, id int) error {
	return a.client.Ledger.DeleteOneID(id).Exec(ctx)
}
