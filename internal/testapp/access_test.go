package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestRefusalsAreRecorded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		stranger, err := newIssuer()
		require.NoError(t, err)
		forged, err := stranger.user(b.people.alice, b.people.acme, future())
		require.NoError(t, err)
		for _, tt := range []struct {
			name   string
			who    person
			path   string
			status int
			reason string
		}{
			{"no token", b.cast.nobody, "/invoices", http.StatusUnauthorized, ""},
			{"expired", b.cast.late, "/invoices", http.StatusUnauthorized, chiaudit.ReasonTokenExpired},
			{"signed by another key", person{token: forged}, "/invoices", http.StatusUnauthorized, chiaudit.ReasonTokenInvalid},
			{"of no tenant", b.cast.olga, "/invoices", http.StatusForbidden, ""},
			{"not an operator", b.cast.alice, "/admin/reminders/reset", http.StatusForbidden, ""},
		} {
			a := b.send(t, tt.who, "POST", tt.path, logoInvoice)
			require.Equal(t, tt.status, a.status, tt.name)
		}
		entries := b.entries(t)
		require.Len(t, entries, 5)
		for i, e := range entries {
			require.Equal(t, entaudit.Denied, e.Outcome)
			require.Equal(t, []string{"", chiaudit.ReasonTokenExpired, chiaudit.ReasonTokenInvalid, "", ""}[i], e.Reason)
			if e.Request.StatusCode == http.StatusUnauthorized {
				require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e.Actor)
			}
		}
	})
}

func TestTenantHeaderGivesNoAccess(t *testing.T) {
	t.Parallel()
	b := setup(t, "sqlite3")
	for _, tt := range []struct {
		name   string
		who    person
		reason string
	}{
		{"of no tenant", person{token: b.cast.olga.token, tenant: b.people.acme.ID.String()}, chiaudit.ReasonTenantMissing},
		{"of another tenant", person{token: b.cast.alice.token, tenant: b.people.globex.ID.String()}, chiaudit.ReasonTenantMismatch},
	} {
		require.Equal(t, http.StatusForbidden, b.send(t, tt.who, "POST", "/invoices", logoInvoice).status, tt.name)
	}
	require.Equal(t, http.StatusCreated, b.send(t, person{token: b.cast.alice.token, tenant: b.people.acme.Slug}, "POST", "/invoices", logoInvoice).status)
	entries := b.entries(t)
	require.Equal(t, chiaudit.ReasonTenantMissing, entries[0].Reason)
	require.Equal(t, chiaudit.ReasonTenantMismatch, entries[1].Reason)
	require.Equal(t, b.people.acme.ID.String(), entries[1].Tenant.ID)
}

func TestEveryRequestLeavesAnEntry(t *testing.T) {
	t.Parallel()
	b := setup(t, "sqlite3")
	for _, tt := range []struct {
		method, path, action string
		status               int
	}{
		{"PUT", "/invoices", "PUT unmatched", http.StatusMethodNotAllowed},
		{"DELETE", "/admin/reminders/reset", "DELETE unmatched", http.StatusMethodNotAllowed},
		{"POST", "/health", "POST unmatched", http.StatusMethodNotAllowed},
		{"BREW", "/invoices", "BREW unmatched", http.StatusMethodNotAllowed},
		{"GET", "/nothing", "GET unmatched", http.StatusNotFound},
	} {
		a := b.send(t, b.cast.alice, tt.method, tt.path, "")
		require.Equal(t, tt.status, a.status, tt.action)
		require.NotEmpty(t, a.requestID, tt.action)
	}
	entries := b.entries(t)
	require.Len(t, entries, 5)
	for _, e := range entries {
		require.Equal(t, entaudit.Failure, e.Outcome, e.Action)
		require.Equal(t, "alice@acme.example", e.Actor.Email, e.Action)
		require.NotZero(t, e.Request.StatusCode)
	}
	for i, action := range []string{"PUT", "DELETE", "POST", "BREW", "GET"} {
		require.Equal(t, action+" unmatched", entries[i].Action)
	}
}

func TestMethodsThatArePossibleAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t, "sqlite3")
	w := httptest.NewRecorder()
	b.app.router.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "PUT", "/invoices/1", nil))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, []string{"DELETE", "GET", "PATCH"}, w.Header().Values("Allow"))
	require.JSONEq(t, `{"error":"method not allowed"}`, w.Body.String())
}

func TestPanicIsRecordedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		a := b.send(t, b.cast.alice, "GET", "/debug/panic", "")
		require.Equal(t, http.StatusInternalServerError, a.status)
		require.JSONEq(t, `{"error":"internal error"}`, string(a.body))
		entries := b.entries(t)
		require.Len(t, entries, 1)
		require.Equal(t, chiaudit.ReasonPanic, entries[0].Reason)
		require.Equal(t, http.StatusInternalServerError, entries[0].Request.StatusCode)
		require.Equal(t, "alice@acme.example", entries[0].Actor.Email)
	})
}

func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		invoice := b.ok(t, b.cast.alice, "POST", "/invoices", logoInvoice)
		project := b.ok(t, b.cast.alice, "POST", "/projects", `{"name":"Relaunch","code":"WEB","tags":["web"]}`)
		before := len(mutations(b.stored(t)))
		for _, path := range []string{
			fmt.Sprintf("/invoices/%d", invoice), fmt.Sprintf("/projects/%d", project), fmt.Sprintf("/users/%d", b.people.bob.ID),
		} {
			for _, method := range []string{"GET", "PATCH", "DELETE"} {
				a := b.send(t, b.cast.carol, method, path, `{}`)
				require.Equal(t, http.StatusNotFound, a.status, "%s %s: %s", method, path, a.body)
			}
			if strings.HasPrefix(path, "/projects/") {
				a := b.send(t, b.cast.carol, "PATCH", path, `{"tags":[]}`)
				require.Equal(t, http.StatusNotFound, a.status, "tags: %s", a.body)
			}
		}
		for _, path := range []string{"/comments", "/documents"} {
			a := b.send(t, b.cast.carol, "POST", fmt.Sprintf("/invoices/%d%s", invoice, path), `{"body":"x"}`)
			require.Equal(t, http.StatusNotFound, a.status)
		}
		require.Len(t, mutations(b.stored(t)), before, "nothing was changed")
		for _, path := range []string{"/invoices", "/projects"} {
			require.JSONEq(t, `[]`, string(b.send(t, b.cast.carol, "GET", path, "").body))
		}
		a := b.send(t, b.cast.carol, "GET", fmt.Sprintf("/audit?resource=invoice&id=%d", invoice), "")
		require.JSONEq(t, `{"entries":[]}`, string(a.body))
		a = b.send(t, b.cast.carol, "POST", "/invoices", fmt.Sprintf(
			`{"number":"G-1","customer":"x","project_id":%d,"due_on":"2030-01-31","lines":[{"text":"x","price":"1"}]}`, project))
		require.Equal(t, http.StatusBadRequest, a.status, "another tenant's project is taken")
	})
}

func TestListEntries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		id := b.ok(t, b.cast.alice, "POST", "/invoices", logoInvoice)
		b.ok(t, b.cast.bob, "PATCH", fmt.Sprintf("/invoices/%d", id), `{"customer":"Initrode"}`)
		first := list(t, b, fmt.Sprintf("/audit?resource=invoice&id=%d&limit=1", id))
		require.Len(t, first.Entries, 1)
		require.Equal(t, "invoice.update", first.Entries[0].Action)
		requireChange(t, first.Entries[0], "customer", `"Initech"`, `"Initrode"`)
		second := list(t, b, fmt.Sprintf("/audit?resource=invoice&id=%d&limit=1&cursor=%s", id, url.QueryEscape(first.Next)))
		require.Equal(t, "invoice.create", second.Entries[0].Action)
		require.Empty(t, second.Next)
		for _, query := range []string{"?limit=x", "?limit=0", "?id=1", "?cursor=x", "?resource=user&cursor=" + url.QueryEscape(first.Next)} {
			require.Equal(t, http.StatusBadRequest, b.send(t, b.cast.alice, "GET", "/audit"+query, "").status, query)
		}
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t, "sqlite3")
	invoice := b.ok(t, b.cast.alice, "POST", "/invoices", logoInvoice)
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"health", "GET", "/health", "", http.StatusOK},
		{"no route", "GET", "/nothing", "", http.StatusNotFound},
		{"no method", "PUT", "/invoices", "", http.StatusMethodNotAllowed},
		{"id that is none", "GET", "/invoices/x", "", http.StatusNotFound},
		{"not JSON", "POST", "/invoices", "x", http.StatusBadRequest},
		{"unknown field", "POST", "/invoices", `{"paid":true}`, http.StatusBadRequest},
		{"missing fields", "POST", "/invoices", `{}`, http.StatusBadRequest},
		{"not a day", "POST", "/invoices", `{"number":"1","customer":"x","due_on":"soon","lines":[{}]}`, http.StatusBadRequest},
		{"taken number", "POST", "/invoices", logoInvoice, http.StatusConflict},
		{"the number stays", "PATCH", fmt.Sprintf("/invoices/%d", invoice), `{"number":"2"}`, http.StatusBadRequest},
		{"no such status", "PATCH", fmt.Sprintf("/invoices/%d", invoice), `{"status":"lost"}`, http.StatusUnprocessableEntity},
		{"short password", "POST", "/users", `{"email":"e","name":"n","password":"short"}`, http.StatusUnprocessableEntity},
		{"project without a code", "POST", "/projects", `{"name":"n"}`, http.StatusBadRequest},
		{"users", "GET", "/users", "", http.StatusOK},
		{"projects", "GET", "/projects", "", http.StatusOK},
		{"invoices", "GET", "/invoices", "", http.StatusOK},
		{"invoice", "GET", fmt.Sprintf("/invoices/%d", invoice), "", http.StatusOK},
		{"user", "GET", fmt.Sprintf("/users/%d", b.people.bob.ID), "", http.StatusOK},
		{"delete user", "DELETE", fmt.Sprintf("/users/%d", b.people.bob.ID), "", http.StatusNoContent},
	} {
		a := b.send(t, b.cast.alice, tt.method, tt.path, tt.body)
		require.Equal(t, tt.status, a.status, "%s: %s", tt.name, a.body)
	}
	entries := b.entries(t)
	require.Empty(t, (&trace{entries: entries}).of("GET /health"))
	require.Equal(t, http.StatusNotFound, only(t, entries, "GET unmatched").Request.StatusCode)
}
