package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// finding is one thing that the demonstration has checked in what was recorded.
type finding struct {
	what string
	err  error
}

// expected are the entries that the story leaves, by action and outcome.
func expected() map[string]int {
	return map[string]int{
		"organisation.create success": 2, "user.create success": 4, "user.update success": 1,
		"project.create success": 1, "tag.create success": 2, "tag.update success": 2,
		"invoice.create success": 3, "invoice_line.create success": 4, "invoice.update success": 5, "invoice.delete success": 1,
		"invoice.skip success": 1,

		"POST /projects success": 1, "POST /invoices success": 3, "GET /invoices/{id} failure": 1,
		"PATCH /invoices/{id} success": 2, "GET /invoices denied": 1, "POST /users success": 1, "PATCH /users/{id} success": 1,
		"POST /invoices/close-overdue success": 1, "POST /invoices/import failure": 1, "DELETE /invoices/{id} success": 1,
		"DELETE /invoices/{id} denied": 2, "POST /admin/reminders/reset denied": 1, "POST /admin/reminders/reset success": 1,
		"GET /debug/panic failure": 1,

		"PATCH /projects/{id} success": 1, "project.update success": 1, "GET /projects success": 1, "GET /users success": 1,
		"GET /projects/{id} success": 1,
	}
}

// check compares what was recorded with what the story did.
func (t *trace) check() []finding {
	return []finding{
		{"every request and every changed row has its entry, and nothing else has", t.checkCounts()},
		{"the bulk update has one entry per row, in one transaction", t.checkBulk()},
		{"the transaction that failed left no entry of a change", t.checkRollback()},
		{"the expired token, the wrong tenant and the panic are recorded with their reasons", t.checkReasons()},
		{"who acts in somebody's place is named beside him", t.checkImpersonation()},
		{"what was left out on purpose says so", t.checkSkip()},
		{"every change of a request names its actor, tenant and request", t.checkOrigins()},
		{"requests that change something have their bodies, passwords masked", t.checkBodies()},
		{"what waited on disk while the store was away and the service restarted is stored, once", t.checkOutage()},
		{"no password and no encrypted note is readable", t.checkSecrets()},
	}
}

func failed(found []finding) error {
	var errs []error
	for _, f := range found {
		if f.err != nil {
			errs = append(errs, fmt.Errorf("demo: not so: %s: %w", f.what, f.err))
		}
	}
	return errors.Join(errs...)
}

func printFindings(w io.Writer, p palette, found []finding) error {
	var b strings.Builder
	b.WriteByte('\n')
	for _, f := range found {
		sign := p.paint(green, "✓")
		if f.err != nil {
			sign = p.paint(red, "✗")
		}
		fmt.Fprintf(&b, "%s %s\n", sign, f.what)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// of returns the entries of an action.
func (t *trace) of(action string) []entaudit.Entry {
	var list []entaudit.Entry
	for _, e := range t.entries {
		if e.Action == action {
			list = append(list, e)
		}
	}
	return list
}

// cascaded returns how many rows the database has deleted of itself, as far as the
// entries know of them: those that are not recorded are marked as unknown.
func (t *trace) cascaded() int {
	for _, e := range t.of("invoice.delete") {
		if e.Marks["cascade"] == entaudit.MarkUnknown {
			return 0
		}
	}
	return 1
}

func (t *trace) checkCounts() error {
	want, got := expected(), map[string]int{}
	if n := t.cascaded(); n > 0 {
		want["invoice_line.delete success"] = n
	}
	for _, e := range t.entries {
		got[e.Action+" "+string(e.Outcome)]++
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			errs = append(errs, fmt.Errorf("%d entries instead of %d: %s", got[key], want[key], key))
		}
		delete(got, key)
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		errs = append(errs, fmt.Errorf("%d entries that should not be: %s", got[key], key))
	}
	return errors.Join(errs...)
}

func (t *trace) checkBulk() error {
	txs := map[uuid.UUID]int{}
	for _, e := range t.of("invoice.update") {
		if c, ok := e.Change("status"); ok && string(c.Old) == `"open"` && string(c.New) == `"closed"` {
			txs[e.TxID]++
		}
	}
	if len(txs) != 1 || slices.Max(slices.Collect(maps.Values(txs))) != 3 {
		return fmt.Errorf("entries by transaction: %v", txs)
	}
	return nil
}

func (t *trace) checkRollback() error {
	requests := t.of("POST /invoices/import")
	if len(requests) != 1 {
		return fmt.Errorf("%d imports", len(requests))
	}
	for _, e := range t.entries {
		if e.Kind != entaudit.KindRequest && e.Request.ID == requests[0].Request.ID {
			return fmt.Errorf("%s of %s %s", e.Action, e.Resource.Type, e.Resource.ID)
		}
	}
	return nil
}

func (t *trace) checkReasons() error {
	got := map[string]int{}
	for _, e := range t.entries {
		if e.Kind == entaudit.KindRequest && e.Reason != "" {
			got[fmt.Sprintf("%s %d %s", e.Reason, e.Request.StatusCode, e.Outcome)]++
		}
	}
	want := map[string]int{
		chiaudit.ReasonTokenExpired + " 401 denied":   1,
		chiaudit.ReasonTenantMismatch + " 403 denied": 1,
		chiaudit.ReasonPanic + " 500 failure":         1,
	}
	if !maps.Equal(want, got) {
		return fmt.Errorf("%v instead of %v", got, want)
	}
	return nil
}

func (t *trace) checkImpersonation() error {
	var got []string
	for _, e := range t.entries {
		if e.Actor.ImpersonatorID == operatorID && e.Actor.Email == "alice@acme.example" {
			got = append(got, e.Action)
		}
	}
	slices.Sort(got)
	if want := []string{"PATCH /invoices/{id}", "invoice.update"}; !slices.Equal(want, got) {
		return fmt.Errorf("%q instead of %q", got, want)
	}
	return nil
}

func (t *trace) checkSkip() error {
	for _, e := range t.entries {
		if e.Operation == entaudit.OpSkip && e.Reason != "" && e.Actor.Type == entaudit.ActorPlatformAdmin {
			return nil
		}
	}
	return errors.New("no entry of operation skip with its reason and actor")
}

func (t *trace) checkOrigins() error {
	for _, e := range t.entries {
		if e.Kind != entaudit.KindMutation {
			continue
		}
		switch inRequest := e.Request.ID != ""; {
		case inRequest && (e.Actor.ID == "" || e.Tenant.ID == "" || e.Actor.Type != entaudit.ActorTenantUser):
			return fmt.Errorf("%s %s: actor %q, tenant %q", e.Action, e.Resource.ID, e.Actor.ID, e.Tenant.ID)
		case !inRequest && e.Actor.Type != entaudit.ActorSystem:
			return fmt.Errorf("%s %s: actor type %q outside of a request", e.Action, e.Resource.ID, e.Actor.Type)
		}
	}
	return nil
}

func (t *trace) checkBodies() error {
	masked := 0
	for _, e := range t.of("POST /users") {
		body, _ := e.Metadata["request_body"].(map[string]any)
		user, _ := body["body"].(map[string]any)
		if user["name"] != "Dave" || user["password"] != entaudit.Redacted {
			return fmt.Errorf("the body is %v", body)
		}
		if e.Marks["metadata.request_body.body.password"] == entaudit.MarkRedacted {
			masked++
		}
	}
	if masked != 1 {
		return fmt.Errorf("%d bodies are masked instead of 1", masked)
	}
	return nil
}

func (t *trace) checkSecrets() error {
	masked := 0
	for _, e := range t.entries {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		for _, secret := range []string{"correct horse", "battery staple", "changeme", "Milton"} {
			if bytes.Contains(data, []byte(secret)) {
				return fmt.Errorf("%s %s has %q", e.Action, e.Resource.ID, secret)
			}
		}
		if c, ok := e.Change("password"); ok && string(c.New) == `"`+entaudit.Redacted+`"` {
			masked++
		}
	}
	if masked != 5 {
		return fmt.Errorf("%d passwords are masked instead of 5", masked)
	}
	return nil
}
