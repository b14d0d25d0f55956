package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/ent"
	"github.com/entaudit/audit/internal/bench/ent/invoice"
	_ "github.com/entaudit/audit/internal/bench/ent/runtime" // hooks of the audited client
)

var errUndone = errors.New("rolled back on purpose")

// do does one op.
func (c *child) do(ctx context.Context, o op) error {
	switch o.kind {
	case create:
		return row(c.client, rowName(o.n, 0)).Exec(ctx)
	case bulk:
		rows := make([]*ent.InvoiceCreate, bulkRows)
		for i := range rows {
			rows[i] = row(c.client, rowName(o.n, i+1))
		}
		return c.client.Invoice.CreateBulk(rows...).Exec(ctx)
	case update:
		return change(ctx, c.client, o)
	case remove:
		_, err := c.client.Invoice.Delete().Where(invoice.Number(rowName(o.target, 0))).Exec(ctx)
		return err
	case inTx, undone:
		return c.together(ctx, o)
	case manual:
		return c.rec.Record(ctx, entaudit.Entry{
			Action: "op.manual", Resource: entaudit.Resource{Type: "op", ID: fmt.Sprintf("m-%d", o.n)},
			Metadata: map[string]any{"password": c.plan.canary, "note": "Bearer " + c.plan.token(), "ballast": strings.Repeat("x ", c.plan.ballast/2)},
		})
	case request:
		return c.ask(ctx, o)
	}
	return fmt.Errorf("unknown kind %q", o.kind)
}

// row is a row whose number says which op made it. Its quantity counts its updates.
func row(c *ent.Client, number string) *ent.InvoiceCreate {
	return c.Invoice.Create().SetNumber(number).SetCustomer("Initech").SetQuantity(0).SetPaid(false).
		SetStatus(invoice.StatusOpen).SetReference(uuid.New()).SetDueAt(time.Now())
}

func change(ctx context.Context, c *ent.Client, o op) error {
	n, err := c.Invoice.Update().Where(invoice.Number(rowName(o.target, 0))).AddQuantity(1).SetNote(noteOf(o.n)).Save(ctx)
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows updated", n)
	}
	return err
}

func (c *child) together(ctx context.Context, o op) error {
	tx, err := c.client.Tx(ctx)
	if err != nil {
		return err
	}
	if err := row(tx.Client(), rowName(o.n, 0)).Exec(ctx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := change(ctx, tx.Client(), o); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if o.kind == undone {
		return errors.Join(errUndone, tx.Rollback())
	}
	return tx.Commit()
}

// ask sends a request through the middleware, without a network.
func (c *child) ask(ctx context.Context, o op) error {
	body := strings.NewReader(fmt.Sprintf(`{"password":%q}`, c.plan.canary))
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("/q/q-%d?token=%s", o.n, c.plan.canary), body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.plan.token())
	w := httptest.NewRecorder()
	c.router.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return fmt.Errorf("status %d", w.Code)
	}
	return nil
}

// routes are those of a service behind the middleware.
func (c *child) routes() http.Handler {
	audited := chiaudit.Handler(c.rec, chiaudit.Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /q/{op}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	return audited(mux)
}
