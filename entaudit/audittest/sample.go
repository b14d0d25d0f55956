package audittest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// Sample returns n finished entries that use every field, with rising ids. They
// belong to tenant "acme" and are about resource "invoice", ids "0" to n-1.
func Sample(t testing.TB, n int) []entaudit.Entry {
	t.Helper()
	r := recorder(t)
	entries := make([]entaudit.Entry, n)
	for i := range entries {
		e := r.NewEntry(entaudit.KindMutation, entaudit.Origin{
			Actor: entaudit.Actor{
				ID: "kim", Type: entaudit.ActorTenantUser, Email: "kim@example.org",
				ImpersonatorID: "root", Chain: []string{"agent"},
			},
			Tenant: entaudit.Tenant{ID: "acme", Slug: "acme-inc"},
			Request: entaudit.Request{
				ID: "req-1", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Method: "POST", Path: "/invoices/1",
				Route: "/invoices/{id}", Query: "a=b", StatusCode: 200, IP: "192.0.2.17", UserAgent: "curl/8.5.0",
			},
		})
		e.Action, e.Operation, e.Outcome, e.Reason = "invoice.update", entaudit.OpUpdate, entaudit.Success, "why"
		e.Duration = 1500 * time.Microsecond
		e.Resource = entaudit.Resource{Type: "invoice", ID: fmt.Sprint(i), Label: "R-2031", Schema: "billing"}
		e.Changes = []entaudit.Change{
			{Field: "total", Old: json.RawMessage("12345678901234567890.10"), New: json.RawMessage("null")},
			{Field: "note", New: json.RawMessage(`"<b>\u2028"`)},
			{Field: "paid", Old: json.RawMessage("true")},
		}
		e.Edges = []entaudit.EdgeChange{{Edge: "lines", Added: []string{"1", "2"}, Removed: []string{"3"}}, {Edge: "tags", Unknown: true}}
		e.CauseID, e.TxID, e.TxSeq = e.ID, e.ID, i+1
		e.Metadata = map[string]any{"n": json.Number("1.50"), "list": []any{nil, true, "x"}}
		e.Marks = map[string]entaudit.Mark{"changes.total.old": entaudit.MarkText}
		r.Finish(&e)
		entries[i] = e
	}
	return entries
}

// Hostile returns finished entries made of values that databases, encodings and
// terminals stumble over.
func Hostile(t testing.TB) []entaudit.Entry {
	t.Helper()
	r := recorder(t)
	var entries []entaudit.Entry
	for _, s := range []string{
		"nul\x00byte", "bad\xff\xfeutf8", "\xed\xa0\x80 surrogate", "line\u2028sep", "'; drop table audit_logs; --",
		`"quotes" \ 'and' ` + "`ticks`", "$1 ? :name @p1 %s %00", "\x1b[31m\r\n", strings.Repeat("漢字🙂", 800), "null", " ",
	} {
		e, err := r.Prepare(t.Context(), entaudit.Entry{
			Kind: entaudit.KindManual, Action: s, Operation: entaudit.OpCreate, Reason: s,
			Actor:    entaudit.Actor{ID: s, Type: entaudit.ActorType(s), Email: s, ImpersonatorID: s, Chain: []string{s, s}},
			Tenant:   entaudit.Tenant{ID: s, Slug: s},
			Resource: entaudit.Resource{Type: s, ID: s, Label: s, Schema: s},
			Changes:  []entaudit.Change{{Field: s, New: entaudit.AppendString(nil, s)}},
			Request:  entaudit.Request{ID: s, TraceID: s, Method: s, Path: s, Route: s, Query: s, IP: s, UserAgent: s},
			Metadata: map[string]any{"value": s},
		})
		if err != nil {
			t.Fatalf("audittest: %v", err)
		}
		entries = append(entries, e)
	}
	return entries
}

// Large returns n entries whose values are as long as a recorder with default settings lets
// them be, of about two megabytes each.
func Large(t testing.TB, n int) []entaudit.Entry {
	t.Helper()
	r := recorder(t)
	// Text that is twice as long in JSON, and fills a value to the last byte.
	value := entaudit.AppendString(nil, strings.Repeat(`"`, entaudit.DefaultMaxValue/2-1))
	entries := make([]entaudit.Entry, n)
	for i := range entries {
		e := r.NewEntry(entaudit.KindManual, entaudit.Origin{Actor: entaudit.Actor{Type: entaudit.ActorSystem}})
		e.Action, e.Outcome = "import", entaudit.Success
		e.Changes = []entaudit.Change{{Field: "a", Old: value, New: value}}
		r.Finish(&e)
		entries[i] = e
	}
	return entries
}

func recorder(t testing.TB) *entaudit.Recorder {
	t.Helper()
	r, err := entaudit.New(entaudit.Config{Service: "sample"})
	if err != nil {
		t.Fatalf("audittest: %v", err)
	}
	return r
}
