package main

import (
	"context"
	"errors"

	"github.com/entaudit/audit/internal/bench/plain"
	"github.com/entaudit/audit/internal/bench/plain/group"
	"github.com/entaudit/audit/internal/bench/plain/invoice"
)

// unaudited makes the changes through a client that knows nothing of auditing.
type unaudited struct{ client *plain.Client }

var _ side = unaudited{}

func (u unaudited) of(c *plain.Client, i int) *plain.InvoiceCreate {
	r := recordOf(i)
	return c.Invoice.Create().
		SetNumber(r.number).SetCustomer(r.customer).SetQuantity(r.quantity).SetPaid(r.paid).
		SetStatus(invoice.Status(r.status)).SetReference(r.reference).SetDueAt(r.dueAt).SetNillableNote(r.note)
}

func (u unaudited) create(ctx context.Context, i int) error {
	return u.of(u.client, i).Exec(ctx)
}

func (u unaudited) createBulk(ctx context.Context, i, n int) error {
	rows := make([]*plain.InvoiceCreate, n)
	for k := range rows {
		rows[k] = u.of(u.client, i+k)
	}
	return u.client.Invoice.CreateBulk(rows...).Exec(ctx)
}

func (u unaudited) createTx(ctx context.Context, i, n int) error {
	tx, err := u.client.Tx(ctx)
	if err != nil {
		return err
	}
	for k := range n {
		if err := u.of(tx.Client(), i+k).Exec(ctx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (u unaudited) updateOne(ctx context.Context, id, i int) error {
	return u.client.Invoice.UpdateOneID(id).
		SetQuantity(i).SetStatus(invoice.Status(statusOf(i))).SetPaid(i%2 == 0).Exec(ctx)
}

func (u unaudited) update(ctx context.Context, id, n, i int) error {
	return u.client.Invoice.Update().Where(invoice.IDGTE(id), invoice.IDLT(id+n)).
		SetQuantity(i).SetStatus(invoice.Status(statusOf(i))).Exec(ctx)
}

func (u unaudited) delete(ctx context.Context, id int) error {
	_, err := u.client.Invoice.Delete().Where(invoice.IDGT(id)).Exec(ctx)
	return err
}

func (u unaudited) link(ctx context.Context, member, group, n int) error {
	return u.client.Member.UpdateOneID(member).AddGroupIDs(idsFrom(group, n)...).Exec(ctx)
}

func (u unaudited) unlink(ctx context.Context, member int) error {
	return u.client.Member.UpdateOneID(member).ClearGroups().Exec(ctx)
}

func (u unaudited) release(ctx context.Context, ledger int) error {
	return u.client.Ledger.UpdateOneID(ledger).ClearLines().Exec(ctx)
}

func (u unaudited) upsert(ctx context.Context, id, n, i int) error {
	rows := make([]*plain.GroupCreate, n)
	for k := range rows {
		g := upsertOf(id, i, k)
		rows[k] = u.client.Group.Create().SetCode(g.code).SetName(g.name).SetSeats(g.seats)
	}
	return u.client.Group.CreateBulk(rows...).OnConflictColumns(group.FieldCode).UpdateNewValues().Exec(ctx)
}

func (u unaudited) deleteLedger(ctx context.Context, id int) error {
	return u.client.Ledger.DeleteOneID(id).Exec(ctx)
}
