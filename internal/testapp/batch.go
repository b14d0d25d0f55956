package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testapp/ent"
	"github.com/entaudit/audit/internal/testapp/ent/invoice"
)

// closeOverdue closes all open invoices that were due before today, in one
// statement. Each of them gets an entry with its own old values.
func (a *app) closeOverdue(w http.ResponseWriter, r *http.Request) error {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	n, err := a.client.Invoice.Update().
		Where(
			invoice.OrganisationID(tenant(r.Context())),
			invoice.StatusEQ(invoice.StatusOpen),
			invoice.DueOnLT(today),
		).
		SetStatus(invoice.StatusClosed).
		AddReminders(1).
		AddVersion(1).
		Save(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, map[string]int{"closed": n})
	return nil
}

// importInvoices makes all of the given invoices or, if one of them cannot be made,
// none.
func (a *app) importInvoices(w http.ResponseWriter, r *http.Request) error {
	var rows []invoiceBody
	if err := decode(w, r, &rows); err != nil {
		return err
	}
	err := a.inTx(r.Context(), func(ctx context.Context, tx *ent.Tx) error {
		for n, row := range rows {
			if _, err := newInvoice(ctx, tx, row); err != nil {
				return inRow(n+1, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusCreated, map[string]int{"imported": len(rows)})
	return nil
}

// inRow says which row could not be imported.
func inRow(n int, err error) error {
	var p problem
	switch {
	case errors.As(err, &p):
		return problem{p.status, fmt.Sprintf("row %d: %s", n, p.text)}
	case ent.IsConstraintError(err):
		return problem{http.StatusConflict, fmt.Sprintf("row %d: its number is taken", n)}
	case ent.IsValidationError(err):
		return problem{http.StatusUnprocessableEntity, fmt.Sprintf("row %d: %v", n, err)}
	}
	return fmt.Errorf("row %d: %w", n, err)
}

// resetReminders sets the counters of all tenants back. That is no change of
// business data: one entry says that it was left out, and why.
func (a *app) resetReminders(w http.ResponseWriter, r *http.Request) error {
	ctx := entaudit.Skip(r.Context(), "yearly reset of reminder counters")
	n, err := a.client.Invoice.Update().Where(invoice.RemindersGT(0)).SetReminders(0).Save(ctx)
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, map[string]int{"reset": n})
	return nil
}
