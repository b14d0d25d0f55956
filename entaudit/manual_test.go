package entaudit_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestRecordInheritsOriginW23(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{Service: "billing"})
	r := entaudit.Request{ID: "r1", TraceID: "t1", Method: "POST", Path: "/invoices", IP: "192.0.2.1", UserAgent: "curl"}
	ctx := entaudit.WithTenant(entaudit.WithActor(entaudit.WithRequest(t.Context(), r), alice), acme)
	require.NoError(t, rec.Record(ctx, entaudit.Entry{Action: "invoice.send", Resource: entaudit.Resource{Type: "invoice", ID: "7"}}))

	e := w.one(t)
	require.Equal(t, alice, e.Actor)
	require.Equal(t, acme, e.Tenant)
	require.Equal(t, acme.ID, e.ActorTenantID)
	require.Equal(t, r, e.Request)
	require.Equal(t, "billing", e.Service)
	require.Equal(t, entaudit.KindManual, e.Kind)
	require.Equal(t, entaudit.Success, e.Outcome)
	require.Equal(t, "invoice.send", e.Action)
	require.NotZero(t, e.ID)
	require.Nil(t, e.Marks)
}

func TestRecordOverridesAreMarkedT04(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	ctx := entaudit.WithTenant(entaudit.WithActor(t.Context(), alice), acme)
	at := time.Date(2025, 1, 2, 3, 4, 5, 6789, time.FixedZone("", 3600))
	cause, tx := uuid.New(), uuid.New()
	require.NoError(t, rec.Record(ctx, entaudit.Entry{
		ID: uuid.New(), SchemaVersion: 99, Service: "other", RecordedAt: at, // never taken over
		Kind: entaudit.KindJob, Action: "import", Operation: entaudit.OpSummary, Outcome: entaudit.Aborted, Reason: "timeout",
		OccurredAt: at, Duration: time.Second, Actor: bob, Tenant: umbra, ActorTenantID: "3",
		CauseID: cause, TxID: tx, TxSeq: 4, Request: entaudit.Request{ID: "r2"},
		Edges: []entaudit.EdgeChange{{Edge: "tags", Added: []string{"1"}}},
		Marks: map[string]entaudit.Mark{"reason": entaudit.MarkUnknown},
	}))

	e := w.one(t)
	require.Equal(t, bob, e.Actor)
	require.Equal(t, umbra, e.Tenant)
	require.Equal(t, map[string]entaudit.Mark{
		"actor": entaudit.MarkOverride, "tenant": entaudit.MarkOverride, "actor_tenant_id": entaudit.MarkOverride,
		"reason": entaudit.MarkUnknown,
	}, e.Marks)
	require.Equal(t, "3", e.ActorTenantID)
	require.Equal(t, entaudit.KindJob, e.Kind)
	require.Equal(t, entaudit.OpSummary, e.Operation)
	require.Equal(t, entaudit.Aborted, e.Outcome)
	require.Equal(t, "timeout", e.Reason)
	require.Equal(t, time.Date(2025, 1, 2, 2, 4, 5, 6000, time.UTC), e.OccurredAt)
	require.Equal(t, time.Second, e.Duration)
	require.Equal(t, []any{cause, tx, 4}, []any{e.CauseID, e.TxID, e.TxSeq})
	require.Equal(t, "r2", e.Request.ID)
	require.Equal(t, []entaudit.EdgeChange{{Edge: "tags", Added: []string{"1"}}}, e.Edges)
	require.Equal(t, entaudit.SchemaVersion, e.SchemaVersion)
	require.Empty(t, e.Service)
	require.Zero(t, e.RecordedAt)
}

func TestLogOptions(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	require.NoError(t, rec.Log(entaudit.WithActor(t.Context(), alice), "export", "report", "9",
		entaudit.ByUser("carol"), entaudit.Because("asked by phone"), entaudit.Ended(entaudit.Denied),
		entaudit.Metadata(map[string]any{"pages": 3}), entaudit.Metadata(map[string]any{"format": "pdf"})))
	e := w.one(t)
	require.Equal(t, entaudit.Actor{ID: "carol"}, e.Actor, "an id without a type is not anonymous")
	require.Equal(t, entaudit.MarkOverride, e.Marks["actor"])
	require.Equal(t, entaudit.Resource{Type: "report", ID: "9"}, e.Resource)
	require.Equal(t, entaudit.Denied, e.Outcome)
	require.Equal(t, "asked by phone", e.Reason)
	require.Equal(t, map[string]any{"pages": json.Number("3"), "format": "pdf"}, e.Metadata)
}

func TestExplicitActorWithoutIDIsAnonymous(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	require.NoError(t, rec.Record(t.Context(), entaudit.Entry{Action: "x", Actor: entaudit.Actor{Email: "dave@example.org"}}))
	require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous, Email: "dave@example.org"}, w.one(t).Actor)
}

func TestJobWithoutRequestT09(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	require.NoError(t, rec.Record(t.Context(), entaudit.Entry{Kind: entaudit.KindJob, Action: "nightly"}))
	e := w.one(t)
	require.Equal(t, entaudit.ActorSystem, e.Actor.Type)
	require.Equal(t, entaudit.Request{}, e.Request)
	require.Equal(t, entaudit.Tenant{}, e.Tenant)
}

func TestPrepareCopiesT07(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{})
	in := func() entaudit.Entry {
		return entaudit.Entry{
			Action:   "x",
			Actor:    entaudit.Actor{ID: "a", Chain: []string{"b"}},
			Changes:  []entaudit.Change{{Field: "name", Old: raw(`"old"`), New: raw(`"new"`)}},
			Edges:    []entaudit.EdgeChange{{Edge: "tags", Added: []string{"1"}, Removed: []string{"2"}}},
			Metadata: map[string]any{"list": []any{map[string]any{"a": "b"}}, "bytes": []byte("abc"), "strings": []string{"x"}},
			Marks:    map[string]entaudit.Mark{"x": entaudit.MarkCut},
		}
	}
	e := in()
	got := prepare(t, rec, e)
	want, err := got.MarshalJSON()
	require.NoError(t, err)

	e.Actor.Chain[0] = "!"
	e.Changes[0].Old[1], e.Changes[0].New[1] = '!', '!'
	e.Changes[0].Field = "!"
	e.Edges[0].Added[0], e.Edges[0].Removed[0] = "!", "!"
	e.Metadata["list"].([]any)[0].(map[string]any)["a"] = "!"
	e.Metadata["bytes"].([]byte)[0] = '!'
	e.Metadata["strings"].([]string)[0] = "!"
	e.Metadata["more"] = "!"
	e.Marks["x"] = "!"
	after, err := got.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, string(want), string(after))
}

func prepare(t *testing.T, rec *entaudit.Recorder, e entaudit.Entry) entaudit.Entry {
	t.Helper()
	n, err := rec.Prepare(t.Context(), e)
	require.NoError(t, err)
	return n
}

func TestRecordRefusesWhatNoStoreTakes(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{})
	for field, e := range map[string]entaudit.Entry{
		"Action":    {},
		"Kind":      {Action: "x", Kind: "event"},
		"Operation": {Action: "x", Operation: "created"},
		"Outcome":   {Action: "x", Outcome: "ok"},
	} {
		require.ErrorContains(t, rec.Record(t.Context(), e), "Entry."+field)
	}
}

func TestPrepareRedacts(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{Redact: entaudit.Redact{Keys: []string{"shoe_size"}}})
	e := prepare(t, rec, entaudit.Entry{
		Action: "x",
		Changes: []entaudit.Change{
			{Field: "password_hash", Old: raw(`"canary-1"`), New: raw(`"canary-2"`)},
			{Field: "token", Old: raw(`null`), New: raw(`"canary-3"`)},
			{Field: "settings", New: raw(`{"api_key":"canary-4","n":1.50}`)},
			{Field: "name", Old: raw(`"a"`), New: raw(`"b"`)},
		},
		Request:  entaudit.Request{Path: "/", Query: "a=1&%70assword=canary-5"},
		Metadata: map[string]any{"ShoeSize": 46, "secret": "canary-6", "nested": map[string]any{"jwt": "canary-7"}, "pin": nil, "otp": ""},
	})
	data, err := e.MarshalJSON()
	require.NoError(t, err)
	require.NotContains(t, string(data), "canary")
	require.Equal(t, []entaudit.Change{
		{Field: "password_hash", Old: raw(`"[REDACTED]"`), New: raw(`"[REDACTED]"`)},
		{Field: "token", Old: raw(`null`), New: raw(`"[REDACTED]"`)},
		{Field: "settings", New: raw(`{"api_key":"[REDACTED]","n":1.50}`)},
		{Field: "name", Old: raw(`"a"`), New: raw(`"b"`)},
	}, e.Changes)
	require.Equal(t, map[string]any{
		"ShoeSize": entaudit.Redacted, "secret": entaudit.Redacted,
		"nested": map[string]any{"jwt": entaudit.Redacted}, "pin": nil, "otp": "",
	}, e.Metadata)
	require.Equal(t, "a=1&%70assword=[REDACTED]", e.Request.Query)
	require.Equal(t, map[string]entaudit.Mark{
		"changes.password_hash.old": entaudit.MarkRedacted, "changes.password_hash.new": entaudit.MarkRedacted,
		"changes.token.new": entaudit.MarkRedacted, "changes.settings.new.api_key": entaudit.MarkRedacted,
		"metadata.ShoeSize": entaudit.MarkRedacted, "metadata.secret": entaudit.MarkRedacted,
		"metadata.nested.jwt": entaudit.MarkRedacted, "query": entaudit.MarkRedacted,
	}, e.Marks)
}

// panics is a value whose own encoding fails.
type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("no") }

func TestPrepareKeepsTheEntryW08(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{})
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	cycle := map[string]any{}
	cycle["self"] = cycle
	long := strings.Repeat("k", entaudit.LimitName+1)
	e := prepare(t, rec, entaudit.Entry{
		Action:     "x",
		OccurredAt: time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC),
		Changes: []entaudit.Change{
			{Field: "broken", New: raw(`{"a":`)},
			{Field: "empty", New: raw(``)},
			{Field: "deep", New: raw(deep)},
			{Field: "bytes", New: raw("\"a\xff\\u0000\"")},
		},
		Metadata: map[string]any{
			"channel": make(chan int), "nan": math.NaN(), "panics": panics{}, "cycle": cycle, "func": func() {},
			"number": json.Number("1x"), "raw": raw(`{`), "deep": raw(deep), "error": errors.New("kept as an object"),
			"nul": "a\x00", "long": strings.Repeat("é", entaudit.DefaultMaxValue), "a\x00": 1, long + "1": 1, long + "2": 2,
		},
	})
	for _, path := range []string{
		"occurred_at", "changes.broken.new", "changes.empty.new", "changes.deep.new", "metadata.channel", "metadata.nan",
		"metadata.panics", "metadata.cycle", "metadata.func", "metadata.number", "metadata.raw", "metadata.deep",
	} {
		require.Equal(t, entaudit.MarkUnencodable, e.Marks[path], path)
	}
	require.Equal(t, entaudit.MarkEscaped, e.Marks["metadata.nul"])
	require.Equal(t, entaudit.MarkCut, e.Marks["metadata.long"])
	require.Equal(t, "chan int", e.Metadata["channel"])
	require.Contains(t, e.Metadata, `a\x00`)
	require.Len(t, e.Metadata, 14, "keys that are alike up to the limit must not fall together")
	require.Equal(t, "\"a\ufffd\ufffd\"", string(e.Changes[3].New))
	require.WithinDuration(t, time.Now(), e.OccurredAt, time.Minute)

	data, err := e.MarshalJSON()
	require.NoError(t, err)
	requireVisible(t, string(data))
}
