package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestChangesNameWhoMadeThemAndInWhichRequest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		a := b.send(t, b.cast.alice, "POST", "/invoices", logoInvoice)
		require.Equal(t, http.StatusCreated, a.status, "%s", a.body)
		require.NotEmpty(t, a.requestID)
		entries := b.entries(t)
		require.Len(t, entries, 3)
		for _, e := range entries {
			require.Equal(t, entaudit.Success, e.Outcome)
			require.Equal(t, strconv.Itoa(b.people.alice.ID), e.Actor.ID)
			require.Equal(t, "alice@acme.example", e.Actor.Email)
			require.Equal(t, entaudit.ActorTenantUser, e.Actor.Type)
			require.Equal(t, b.people.acme.ID.String(), e.Tenant.ID)
			require.Equal(t, "acme", e.Tenant.Slug)
			require.Equal(t, a.requestID, e.Request.ID)
			require.Equal(t, "/invoices", e.Request.Route)
			require.Equal(t, serviceName, e.Service)
		}
		request := only(t, entries, "POST /invoices")
		require.Equal(t, http.StatusCreated, request.Request.StatusCode)
		invoice, line := only(t, entries, "invoice.create"), only(t, entries, "invoice_line.create")
		require.Equal(t, invoice.TxID, line.TxID)
		require.Equal(t, "A-1", invoice.Resource.Label)
		requireChange(t, invoice, "total", "", `"900.50"`)
		requireChange(t, line, "price", "", `"450.25"`)
		requireChange(t, line, "quantity", "", `2`)
		c, _ := invoice.Change("note")
		require.NotContains(t, string(c.New), "Milton")
	})
}

func TestUpdatesHaveOldAndNewValues(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		id := b.ok(t, b.cast.alice, "POST", "/invoices", logoInvoice)
		b.ok(t, b.cast.bob, "PATCH", fmt.Sprintf("/invoices/%d", id), `{"status":"paid","lines":[{"text":"Logo","price":"400"}]}`)
		entries := b.entries(t)
		update := only(t, entries, "invoice.update")
		require.Equal(t, "bob@acme.example", update.Actor.Email)
		requireChange(t, update, "status", `"open"`, `"paid"`)
		requireChange(t, update, "total", `"900.50"`, `"400.00"`)
		requireChange(t, update, "version", `1`, `2`)
		c, ok := update.Change("paid_at")
		require.True(t, ok)
		require.Equal(t, "null", string(c.Old))
		require.Len(t, update.Changes, 4)
		requireChange(t, only(t, entries, "invoice_line.delete"), "price", `"450.25"`, "")
	})
}

func TestBulkUpdateHasAnEntryPerRow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for n := range 3 {
			b.ok(t, b.cast.alice, "POST", "/invoices", fmt.Sprintf(
				`{"number":"A-%d","customer":"Initech","due_on":"%d-01-31","lines":[{"text":"Logo","price":"1"}]}`, n, 2019+50*(n/2)))
		}
		b.ok(t, b.cast.carol, "POST", "/invoices", logoInvoice)
		a := b.send(t, b.cast.alice, "POST", "/invoices/close-overdue", "")
		require.JSONEq(t, `{"closed":2}`, string(a.body))
		entries := (&trace{entries: b.entries(t)}).of("invoice.update")
		require.Len(t, entries, 2)
		for _, e := range entries {
			requireChange(t, e, "status", `"open"`, `"closed"`)
			requireChange(t, e, "reminders", `0`, `1`)
			require.Equal(t, a.requestID, e.Request.ID)
		}
	})
}

func TestRollbackLeavesNoEntries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		row := `{"number":%q,"customer":"Initech","due_on":"2030-01-31","lines":[{"text":"Logo","price":"1"}]}`
		a := b.send(t, b.cast.alice, "POST", "/invoices/import", fmt.Sprintf("["+row+","+row+","+row+"]", "A-1", "A-2", "A-1"))
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, string(a.body), "row 3")
		n, err := b.app.client.Invoice.Query().Count(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		entries := b.entries(t)
		require.Len(t, entries, 1)
		require.Equal(t, "POST /invoices/import", entries[0].Action)
		require.Equal(t, entaudit.Failure, entries[0].Outcome)
	})
}

func TestImport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.ok(t, b.cast.alice, "POST", "/invoices/import", "["+logoInvoice+"]")
		only(t, b.entries(t), "invoice.create")
	})
}

func TestProjectsHaveTags(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		id := b.ok(t, b.cast.alice, "POST", "/projects", `{"name":"Relaunch","code":"WEB","budget":"12000","tags":["web","urgent"]}`)
		path := fmt.Sprintf("/projects/%d", id)
		b.ok(t, b.cast.alice, "PATCH", path, `{"budget":"9000.5","progress":0.25,"description":"soon","tags":["web","late"]}`)
		require.Contains(t, string(b.send(t, b.cast.bob, "GET", path, "").body), `"late"`)
		b.ok(t, b.cast.alice, "DELETE", path, "")
		entries := b.entries(t)
		create, update := only(t, entries, "project.create"), only(t, entries, "project.update")
		requireChange(t, create, "code", "", `"WEB"`)
		requireChange(t, update, "budget", `"12000.00"`, `"9000.50"`)
		requireChange(t, update, "progress", `0`, `0.25`)
		requireChange(t, update, "description", `null`, `"soon"`)
		require.Len(t, update.Edges, 1)
		require.Equal(t, "tags", update.Edges[0].Edge)
		require.Len(t, (&trace{entries: entries}).of("tag.create"), 3)
		requireChange(t, only(t, entries, "project.delete"), "name", `"Relaunch"`, "")
	})
}

func TestPasswordsAreMasked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		id := b.ok(t, b.cast.alice, "POST", "/users", `{"email":"dave@acme.example","name":"Dave","password":"correct horse"}`)
		a := b.send(t, b.cast.alice, "PATCH", fmt.Sprintf("/users/%d", id), `{"password":"battery staple","preferences":{"theme":"dark"}}`)
		require.Equal(t, http.StatusOK, a.status)
		require.NotContains(t, string(a.body), "password")
		update := only(t, b.entries(t), "user.update")
		requireChange(t, update, "password", `"[REDACTED]"`, `"[REDACTED]"`)
		requireChange(t, update, "preferences", `null`, `{"theme":"dark"}`)
		require.Equal(t, entaudit.MarkRedacted, update.Marks["changes.password.new"])
	})
}

func TestCommentsAndDocuments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		id := b.ok(t, b.cast.alice, "POST", "/invoices", logoInvoice)
		b.ok(t, b.cast.bob, "POST", fmt.Sprintf("/invoices/%d/comments", id), `{"body":"paid? @alice"}`)
		a := b.send(t, b.cast.bob, "POST", fmt.Sprintf("/invoices/%d/documents?name=scan.pdf", id), "%PDF")
		require.Equal(t, http.StatusCreated, a.status, "%s", a.body)
		entries := b.entries(t)
		comment := only(t, entries, "comment.create")
		requireChange(t, comment, "mentions", "", `["alice"]`)
		requireChange(t, comment, "author", "", strconv.Itoa(b.people.bob.ID))
		document := only(t, entries, "document.create")
		require.Equal(t, "scan.pdf", document.Resource.Label)
		require.Equal(t, b.people.acme.ID.String(), document.Tenant.ID)
		requireChange(t, document, "size", "", "4")
		digest, fast := sha256.Sum256([]byte("%PDF")), fnv.New64a()
		_, err := fast.Write([]byte("%PDF"))
		require.NoError(t, err)
		requireChange(t, document, "digest", "", strconv.Quote(base64.StdEncoding.EncodeToString(digest[:])))
		c, _ := document.Change("fingerprint")
		require.Contains(t, string(c.New), strconv.FormatUint(fast.Sum64()>>1, 10), "digits are lost")
		_, ok := document.Change("content")
		require.False(t, ok, "what is ignored is recorded")
	})
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for _, status := range []int{http.StatusCreated, http.StatusConflict} {
			a := b.send(t, b.cast.alice, "POST", "/invoices", logoInvoice, "Idempotency-Key", "k1")
			require.Equal(t, status, a.status)
		}
		require.Len(t, mutations(b.entries(t)), 2, "an invoice and its line, once")
	})
}

func TestSkippedMutationLeavesOneEntry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.ok(t, b.cast.alice, "POST", "/invoices", logoInvoice)
		b.ok(t, b.cast.alice, "POST", "/invoices/close-overdue", "")
		a := b.send(t, b.cast.olga, "POST", "/admin/reminders/reset", "")
		require.JSONEq(t, `{"reset":1}`, string(a.body))
		skip := only(t, b.entries(t), "invoice.skip")
		require.Equal(t, entaudit.KindSystem, skip.Kind)
		require.Equal(t, "yearly reset of reminder counters", skip.Reason)
		require.Equal(t, entaudit.ActorPlatformAdmin, skip.Actor.Type)
	})
}
