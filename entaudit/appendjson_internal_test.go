package entaudit

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// byReflection is an entry as JSON by the tags of its fields: what appendEntry has to come to.
func byReflection(e *Entry) ([]byte, error) {
	return marshalVisible(entryJSON{
		ID: e.ID, SchemaVersion: e.SchemaVersion, Service: e.Service, Kind: e.Kind,
		Action: e.Action, Operation: e.Operation, Outcome: e.Outcome, Reason: e.Reason,
		OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt, DurationUS: e.Duration.Microseconds(),
		ActorID: e.Actor.ID, ActorType: e.Actor.Type, ActorEmail: e.Actor.Email,
		ImpersonatorID: e.Actor.ImpersonatorID, ActorChain: e.Actor.Chain,
		TenantID: e.Tenant.ID, TenantSlug: e.Tenant.Slug, ActorTenantID: e.ActorTenantID,
		ResourceType: e.Resource.Type, ResourceID: e.Resource.ID,
		ResourceLabel: e.Resource.Label, ResourceSchema: e.Resource.Schema,
		Changes: EncodeChanges(e.Changes), Edges: edgesToJSON(e.Edges),
		CauseID: e.CauseID, TxID: e.TxID, TxSeq: e.TxSeq,
		RequestID: e.Request.ID, TraceID: e.Request.TraceID, Method: e.Request.Method,
		Path: e.Request.Path, Route: e.Request.Route, Query: e.Request.Query,
		StatusCode: e.Request.StatusCode, IPAddress: e.Request.IP, UserAgent: e.Request.UserAgent,
		Metadata: e.Metadata, Marks: e.Marks,
	})
}

// requireSameJSON requires that an entry is encoded as by reflection, to the byte where no text
// in it is one that [AppendString] writes in another form.
func requireSameJSON(t *testing.T, e *Entry, exact bool) {
	t.Helper()
	want, wantErr := byReflection(e)
	for _, c := range e.Changes { // together they may be JSON although they are not
		for _, v := range []json.RawMessage{c.Old, c.New} {
			if v != nil && !json.Valid(v) {
				wantErr = errors.New("no JSON")
			}
		}
	}
	got, err := e.MarshalJSON()
	require.Equal(t, wantErr == nil, err == nil, "%v, by reflection %v", err, wantErr)
	if err != nil {
		return
	}
	if exact {
		require.Equal(t, string(want), string(got))
	}
	require.Equal(t, decoded(t, want), decoded(t, got))
	require.Equal(t, escapeInvisible(got), got)
	require.NotContains(t, string(got), "\n")
}

func decoded(t *testing.T, data []byte) (v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&v), "%s", data)
	return v
}

func TestEntryJSONIsThatOfItsFields(t *testing.T) {
	t.Parallel()
	loop := map[string]any{}
	loop["again"] = loop
	deep := any("x")
	for range 200 {
		deep = []any{deep}
	}
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		name string
		e    Entry
	}{
		{"nothing", Entry{}},
		{"times", Entry{OccurredAt: at, RecordedAt: at.Add(1500 * time.Nanosecond)}},
		{"year", Entry{OccurredAt: at.AddDate(9000, 0, 0)}},
		{"numbers", Entry{SchemaVersion: -1, Duration: -time.Hour, TxSeq: math.MinInt, Request: Request{StatusCode: 200}}},
		{"changes", Entry{Changes: []Change{{Field: "a", Old: []byte(" { \"x\" : 1e3 } "), New: []byte("null")}, {Field: "a", New: []byte(`"<&>"`)}}}},
		{"JSON together alone", Entry{Changes: []Change{{Field: "a", Old: []byte(`1,"new":2`)}}}},
		{"no JSON in changes", Entry{Changes: []Change{{Field: "a", Old: []byte("{")}}}},
		{"values", Entry{Changes: []Change{
			{Field: "a", Old: []byte("0"), New: []byte("10")},
			{Field: "b", Old: []byte("-1.5e3"), New: []byte("true")},
			{Field: "c", Old: []byte(`""`), New: []byte("false")},
			{Field: "d", New: []byte(`"\u00e9\"é"`)},
			{Field: "é"},
		}}},
		{"edge twice", Entry{Edges: []EdgeChange{{Edge: "a", Added: []string{"1"}}, {Edge: "a", Removed: []string{"2"}}, {Edge: "b"}}}},
		{"edges in order", Entry{Edges: []EdgeChange{{Edge: "a", Added: []string{"1"}, Unknown: true}, {Edge: "b", Removed: []string{"é", "2"}}}}},
		{"edges", Entry{Edges: []EdgeChange{{Edge: "b", Added: []string{"1"}}, {Edge: "a", Unknown: true}}}},
		{"chain", Entry{Actor: Actor{Chain: []string{"a", "<b>"}}}},
		{"marks", Entry{Marks: map[string]Mark{"z": MarkCut, "a": MarkReplaced, "": ""}}},
		{"metadata", Entry{Metadata: map[string]any{
			"s": "<&>", "n": json.Number("1e400"), "none": json.Number(""), "f": 1.5, "i": -7, "u": uint64(math.MaxUint64), "t": at, "nil": nil, "b": true,
			"list": []any{1, "x", nil, []any{}, map[string]any{}}, "nilmap": map[string]any(nil), "nillist": []any(nil), "bytes": []byte{1},
			"struct": struct{ A int }{1}, "strings": []string{"a"}, "raw": json.RawMessage(" [1 , 2] "), "deep": deep, "": "",
		}}},
		{"no number", Entry{Metadata: map[string]any{"n": json.Number("1x")}}},
		{"no such number", Entry{Metadata: map[string]any{"n": math.NaN()}}},
		{"no end", Entry{Metadata: loop}},
		{"no function", Entry{Metadata: map[string]any{"f": func() {}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			requireSameJSON(t, &tt.e, true)
		})
	}
	for _, value := range []string{"0", "-0", "10", "-10.05", "0.0", "1e3", "01", "-", "", "1.", ".5", "-.5", "00.1", "1.2.3", "--1", "+1", "1-", `"`, `""`, `"a`, `a"`, "nul", "nulls"} {
		requireSameJSON(t, &Entry{Changes: []Change{{Field: "f", Old: []byte(value)}}}, true)
	}
	for _, s := range []string{"a\x00b", "a\xffb", "\b\f\x7f\u0085", "\u2028\u202e\U000e0041", "\ufffd", strings.Repeat("é", 100)} {
		requireSameJSON(t, texts(s), false)
	}
}

// texts returns an entry with s wherever there is text.
func texts(s string) *Entry {
	return &Entry{
		Service: s, Kind: Kind(s), Action: s, Operation: Operation(s), Outcome: Outcome(s), Reason: s,
		Actor:  Actor{ID: s, Type: ActorType(s), Email: s, ImpersonatorID: s, Chain: []string{s}},
		Tenant: Tenant{ID: s, Slug: s}, ActorTenantID: s, Resource: Resource{Type: s, ID: s, Label: s, Schema: s},
		Changes: []Change{{Field: "f", New: AppendString(nil, s)}}, Edges: []EdgeChange{{Edge: s, Added: []string{s}, Removed: []string{s}}},
		Request:  Request{ID: s, TraceID: s, Method: s, Path: s, Route: s, Query: s, IP: s, UserAgent: s},
		Metadata: map[string]any{s: s, "list": []any{s}}, Marks: map[string]Mark{s: Mark(s)},
	}
}

func FuzzEntryJSONAsByReflection(f *testing.F) {
	f.Add("a", []byte(`{"a":[1,null,"x"]}`))
	f.Add("\x00\xff\u2028", []byte(`1e999`))
	f.Fuzz(func(t *testing.T, s string, data []byte) {
		e := texts(s)
		e.Changes = append(e.Changes, Change{Field: "raw", Old: data})
		var v any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if dec.Decode(&v) == nil {
			e.Metadata["v"] = v
		}
		requireSameJSON(t, e, false)
	})
}

func BenchmarkEntryJSON(b *testing.B) {
	e := texts("some text")
	for name, f := range map[string]func(*Entry) ([]byte, error){"ours": func(e *Entry) ([]byte, error) { return e.MarshalJSON() }, "reflection": byReflection} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f(e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
