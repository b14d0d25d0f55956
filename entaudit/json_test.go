package entaudit_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// full returns an entry in which every field is set, text fields to s.
func full(s string) entaudit.Entry {
	at := time.Date(2026, 2, 3, 4, 5, 6, 789000, time.UTC)
	return entaudit.Entry{
		ID: uuid.MustParse("0198a5f0-0000-7000-8000-000000000001"), SchemaVersion: entaudit.SchemaVersion,
		Service: s, Kind: entaudit.KindMutation, Action: s, Operation: entaudit.OpUpdate, Outcome: entaudit.Failure,
		Reason: s, OccurredAt: at, RecordedAt: at.Add(time.Second), Duration: 1500 * time.Microsecond,
		Actor:  entaudit.Actor{ID: s, Type: entaudit.ActorType(s), Email: s, ImpersonatorID: s, Chain: []string{s, s}},
		Tenant: entaudit.Tenant{ID: s, Slug: s}, ActorTenantID: s,
		Resource: entaudit.Resource{Type: s, ID: s, Label: s, Schema: s},
		Changes:  []entaudit.Change{{Field: s, Old: raw(`9007199254740993`), New: entaudit.AppendString(nil, s)}},
		Edges:    []entaudit.EdgeChange{{Edge: s, Added: []string{s}, Removed: []string{s}, Unknown: true}},
		CauseID:  uuid.MustParse("0198a5f0-0000-7000-8000-000000000002"),
		TxID:     uuid.MustParse("0198a5f0-0000-7000-8000-000000000003"), TxSeq: 7,
		Request: entaudit.Request{
			ID: s, TraceID: s, Method: s, Path: s, Route: s, Query: s, StatusCode: 418, IP: s, UserAgent: s,
		},
		Metadata: map[string]any{s: s, "n": json.Number("9007199254740993"), "deep": map[string]any{"a": []any{s, nil, true}}},
		Marks:    map[string]entaudit.Mark{s: entaudit.MarkCut},
	}
}

var hostile = []struct{ name, text string }{
	{"plain", "abc"},
	{"S54 SQL", `'; drop table audit_logs; --`},
	{"S56 a forged entry", "\n{\"id\":\"fake\"}\r\n"},
	{"S56 line separators", "a\u2028b\u2029c\u0085d"},
	{"S56 terminal escapes", "\x1b[31mred\u009b0m\x7f"},
	{"S56 direction and zero width", "\u202egnp.exe\u200b\ufeff\U000e0041"},
	{"markup", `<script>&amp;</script>`},
	{"quotes", `"'\` + "`"},
	{"NUL as text", "a\x00b"},
}

// requireFull fails where a field of v, or of a struct inside it, is blank.
func requireFull(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		require.Falsef(t, f.IsZero(), "%s.%s is not set: add it to full", v.Type(), name)
		if f.Kind() == reflect.Struct && f.Type().PkgPath() == v.Type().PkgPath() {
			requireFull(t, f)
		}
	}
}

func TestEntryRoundTrip(t *testing.T) {
	t.Parallel()
	requireFull(t, reflect.ValueOf(full("x")))
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := full(tt.text)
			data, err := want.MarshalJSON()
			require.NoError(t, err)
			requireVisible(t, string(data))

			// AppendString has no form for NUL; a finished entry has none.
			if tt.text == "a\x00b" {
				want.Changes[0].Field, want.Changes[0].New = "a\ufffdb", raw("\"a\ufffdb\"")
			}
			var got entaudit.Entry
			require.NoError(t, json.Unmarshal(data, &got))
			require.Equal(t, want, got)

			data, err = json.Marshal([]entaudit.Entry{want})
			require.NoError(t, err)
			var list []entaudit.Entry
			require.NoError(t, json.Unmarshal(data, &list))
			again, err := list[0].MarshalJSON()
			require.NoError(t, err)
			first, err := want.MarshalJSON()
			require.NoError(t, err)
			require.JSONEq(t, string(first), string(again))
		})
	}
}

func TestEntryJSONNames(t *testing.T) {
	t.Parallel()
	data, err := full("x").MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, columns, keys(t, data))

	data, err = entaudit.Entry{}.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, []string{"id", "schema_version", "kind", "outcome", "occurred_at"}, keys(t, data), "blank fields are left out")
	var e entaudit.Entry
	require.NoError(t, json.Unmarshal(data, &e))
	require.Equal(t, entaudit.Entry{}, e)
}

// columns are the names of an entry's fields in JSON, in order.
var columns = []string{
	"id", "schema_version", "service", "kind", "action", "operation", "outcome", "reason", "occurred_at", "recorded_at",
	"duration_us", "actor_id", "actor_type", "actor_email", "impersonator_id", "actor_chain", "tenant_id", "tenant_slug",
	"actor_tenant_id", "resource_type", "resource_id", "resource_label", "resource_schema", "changes", "edges", "cause_id",
	"tx_id", "tx_seq", "request_id", "trace_id", "method", "path", "route", "query", "status_code", "ip_address",
	"user_agent", "metadata", "marks",
}

// keys returns the keys of a JSON object in order.
func keys(t *testing.T, data []byte) []string {
	t.Helper()
	var names []string
	dec := json.NewDecoder(bytes.NewReader(data))
	_, err := dec.Token()
	require.NoError(t, err)
	for dec.More() {
		name, err := dec.Token()
		require.NoError(t, err)
		var value json.RawMessage
		require.NoError(t, dec.Decode(&value))
		names = append(names, name.(string))
	}
	return names
}

func TestUnmarshalEntryRefuses(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`[]`, `{"id":"x"}`, `{"occurred_at":"yesterday"}`, `{"changes":[]}`, `{"changes":{"a":1}}`, `{"edges":{"a":[]}}`, `{"tx_seq":"1"}`,
	} {
		t.Run(data, func(t *testing.T) {
			t.Parallel()
			var e entaudit.Entry
			require.ErrorContains(t, e.UnmarshalJSON([]byte(data)), "entaudit: decode ")
		})
	}
}

func FuzzEntryJSON(f *testing.F) {
	for _, tt := range hostile {
		data, err := full(tt.text).MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"metadata":{"a":1e400},"duration_us":9223372036854775807}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e entaudit.Entry
		if err := json.Unmarshal(data, &e); err != nil {
			return
		}
		first, err := e.MarshalJSON()
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", data, err)
		}
		requireVisible(t, string(first))
		var again entaudit.Entry
		if err := again.UnmarshalJSON(first); err != nil {
			t.Fatalf("%q was written as %s, which cannot be read: %v", data, first, err)
		}
		second, err := again.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if string(first) != string(second) {
			t.Errorf("%s was read and written as %s", first, second)
		}
	})
}
