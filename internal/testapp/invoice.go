package main

import (
	"context"
	"net/http"
	"time"

	"github.com/entaudit/audit/internal/testapp/ent"
	"github.com/entaudit/audit/internal/testapp/ent/invoice"
	"github.com/entaudit/audit/internal/testapp/ent/line"
	"github.com/entaudit/audit/internal/testapp/ent/project"
	"github.com/entaudit/audit/internal/testapp/money"
)

// invoiceBody is what clients send of an invoice. Blank fields of an update stay as
// they are; lines, where given, replace those it has.
type invoiceBody struct {
	Number    *string         `json:"number"`
	Customer  *string         `json:"customer"`
	ProjectID *int            `json:"project_id"`
	Status    *invoice.Status `json:"status"`
	DueOn     *string         `json:"due_on"` // 2026-01-31
	Note      *string         `json:"note"`
	Lines     []lineBody      `json:"lines"`
}

type lineBody struct {
	Text     string       `json:"text"`
	Quantity uint16       `json:"quantity"`
	Price    money.Amount `json:"price"`
}

func (a *app) listInvoices(w http.ResponseWriter, r *http.Request) error {
	list, err := a.client.Invoice.Query().
		Where(invoice.OrganisationID(tenant(r.Context()))).
		Order(invoice.ByID()).
		All(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, list)
	return nil
}

func (a *app) showInvoice(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	i, err := a.client.Invoice.Query().
		Where(invoice.ID(id), invoice.OrganisationID(tenant(r.Context()))).
		WithLines().WithComments().WithDocuments().
		Only(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, i)
	return nil
}

// createInvoice makes an invoice and its lines in one transaction. With the header
// Idempotency-Key it does so once, however often it is asked.
func (a *app) createInvoice(w http.ResponseWriter, r *http.Request) error {
	var b invoiceBody
	if err := decode(w, r, &b); err != nil {
		return err
	}
	var i *ent.Invoice
	err := a.inTx(r.Context(), func(ctx context.Context, tx *ent.Tx) (err error) {
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			err := tx.Receipt.Create().SetOrganisationID(tenant(ctx)).SetKey(key).Exec(ctx)
			if err != nil {
				return err
			}
		}
		i, err = newInvoice(ctx, tx, b)
		return err
	})
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusCreated, i)
	return nil
}

func newInvoice(ctx context.Context, tx *ent.Tx, b invoiceBody) (*ent.Invoice, error) {
	if b.Number == nil || b.Customer == nil || b.DueOn == nil || len(b.Lines) == 0 {
		return nil, badRequest("number, customer, due_on and lines are needed")
	}
	due, err := parseDay(*b.DueOn)
	if err != nil {
		return nil, err
	}
	if err := checkProject(ctx, tx, b.ProjectID); err != nil {
		return nil, err
	}
	i, err := tx.Invoice.Create().
		SetOrganisationID(tenant(ctx)).
		SetNumber(*b.Number).
		SetCustomer(*b.Customer).
		SetNillableProjectID(b.ProjectID).
		SetNillableStatus(b.Status).
		SetDueOn(due).
		SetTotal(total(b.Lines)).
		SetNillableNote(b.Note).
		Save(ctx)
	if err != nil {
		return nil, err
	}
	return i, addLines(ctx, tx, i.ID, b.Lines)
}

// checkProject refuses projects of other tenants.
func checkProject(ctx context.Context, tx *ent.Tx, id *int) error {
	if id == nil {
		return nil
	}
	ok, err := tx.Project.Query().Where(project.ID(*id), project.OrganisationID(tenant(ctx))).Exist(ctx)
	if err == nil && !ok {
		err = badRequest("there is no project %d", *id)
	}
	return err
}

func addLines(ctx context.Context, tx *ent.Tx, invoiceID int, lines []lineBody) error {
	return tx.Line.MapCreateBulk(lines, func(c *ent.LineCreate, n int) {
		l := lines[n]
		c.SetInvoiceID(invoiceID).
			SetText(l.Text).
			SetQuantity(max(l.Quantity, 1)).
			SetPrice(l.Price).
			SetPosition(int16(n + 1)) //nolint:gosec // the body's size limits the number of lines
	}).Exec(ctx)
}

func total(lines []lineBody) (sum money.Amount) {
	for _, l := range lines {
		sum = sum.Add(l.Price.Times(int64(max(l.Quantity, 1))))
	}
	return sum
}

func parseDay(s string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, badRequest("due_on: %q is not a day such as 2026-01-31", s)
	}
	return t, nil
}

func (a *app) updateInvoice(w http.ResponseWriter, r *http.Request) error {
	var b invoiceBody
	id, err := pathID(r)
	if err == nil {
		err = decode(w, r, &b)
	}
	if err != nil {
		return err
	}
	var i *ent.Invoice
	err = a.inTx(r.Context(), func(ctx context.Context, tx *ent.Tx) error {
		i, err = saveInvoice(ctx, tx, id, b)
		return err
	})
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, i)
	return nil
}

func saveInvoice(ctx context.Context, tx *ent.Tx, id int, b invoiceBody) (*ent.Invoice, error) {
	if b.Number != nil {
		return nil, badRequest("the number of an invoice stays")
	}
	if err := checkProject(ctx, tx, b.ProjectID); err != nil {
		return nil, err
	}
	update := tx.Invoice.UpdateOneID(id).
		Where(invoice.OrganisationID(tenant(ctx))).
		SetNillableCustomer(b.Customer).
		SetNillableProjectID(b.ProjectID).
		SetNillableStatus(b.Status).
		SetNillableNote(b.Note).
		AddVersion(1)
	if b.DueOn != nil {
		due, err := parseDay(*b.DueOn)
		if err != nil {
			return nil, err
		}
		update.SetDueOn(due)
	}
	if b.Status != nil {
		if *b.Status == invoice.StatusPaid {
			update.SetPaidAt(time.Now())
		} else {
			update.ClearPaidAt()
		}
	}
	if b.Lines == nil {
		return update.Save(ctx)
	}
	// The update comes first: it tells whether the invoice is the tenant's.
	i, err := update.SetTotal(total(b.Lines)).Save(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Line.Delete().Where(line.InvoiceID(id)).Exec(ctx); err != nil {
		return nil, err
	}
	return i, addLines(ctx, tx, id, b.Lines)
}

// deleteInvoice removes an invoice. The database removes its lines and comments
// with it and takes its documents off it.
func (a *app) deleteInvoice(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	err = a.client.Invoice.DeleteOneID(id).Where(invoice.OrganisationID(tenant(r.Context()))).Exec(r.Context())
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
