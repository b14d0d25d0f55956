package entaudit_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func fullOrigin(s string) entaudit.Origin {
	return entaudit.Origin{
		Actor:   full(s).Actor,
		Tenant:  full(s).Tenant,
		Request: full(s).Request,
		Marks:   map[string]entaudit.Mark{"actor": entaudit.MarkOverride},
	}
}

func TestOriginRoundTrip(t *testing.T) {
	t.Parallel()
	requireFull(t, reflect.ValueOf(fullOrigin("x")))
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := fullOrigin(tt.text)
			data, err := json.Marshal(want)
			require.NoError(t, err)
			var got entaudit.Origin
			require.NoError(t, json.Unmarshal(data, &got))
			require.Equal(t, want, got)
		})
	}
}

// TestOriginJSONIsStable holds the form that jobs of older programs have.
func TestOriginJSONIsStable(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(fullOrigin("x"))
	require.NoError(t, err)
	require.Equal(t, `{"version":1,"actor_id":"x","actor_type":"x","actor_email":"x","impersonator_id":"x","actor_chain":["x","x"],`+
		`"tenant_id":"x","tenant_slug":"x","request_id":"x","trace_id":"x","method":"x","path":"x","route":"x","query":"x",`+
		`"status_code":418,"ip_address":"x","user_agent":"x","marks":{"actor":"override"}}`, string(data))
	data, err = json.Marshal(entaudit.Origin{})
	require.NoError(t, err)
	require.Equal(t, `{"version":1}`, string(data))
}

func TestUnmarshalOrigin(t *testing.T) {
	t.Parallel()
	var o entaudit.Origin
	require.NoError(t, json.Unmarshal([]byte(`{"version":1,"actor_id":"alice","ACTOR_ID":"admin","of_tomorrow":{"a":1}}`), &o))
	require.Equal(t, entaudit.Origin{Actor: entaudit.Actor{ID: "alice"}}, o)
	for _, data := range []string{`{}`, `{"version":2}`, `{"VERSION":1}`, `[]`, `"x"`, `{"version":1,"actor_id":7}`} {
		require.ErrorContains(t, json.Unmarshal([]byte(data), &o), "entaudit: decode origin: ", data)
	}
}

// TestOriginCrossesAQueue has a job act for whoever asked for it.
func TestOriginCrossesAQueueT09(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	ctx := entaudit.WithRequest(t.Context(), entaudit.Request{ID: "r1", TraceID: "t1", IP: "192.0.2.1"})
	support := entaudit.Actor{ID: "alice", Type: entaudit.ActorTenantUser, ImpersonatorID: "olga", Chain: []string{"agent"}}
	entaudit.SetActor(ctx, support)
	entaudit.SetTenant(ctx, acme)
	payload, err := json.Marshal(rec.Origin(ctx))
	require.NoError(t, err)

	var o entaudit.Origin
	require.NoError(t, json.Unmarshal(payload, &o))
	o.Marks = map[string]entaudit.Mark{"tenant": entaudit.MarkUnknown}
	ctx = entaudit.WithOrigin(t.Context(), o)
	o.Actor.Chain[0], o.Marks["tenant"] = "!", "!"
	require.NoError(t, rec.Log(ctx, "look", "invoice", "1"))
	require.NoError(t, rec.Run(ctx, "send", entaudit.Actor{}, func(ctx context.Context) error { return rec.Log(ctx, "look", "invoice", "2") }))
	require.NoError(t, rec.Log(entaudit.WithTenant(ctx, umbra), "look", "invoice", "3"))

	for i, e := range w.all() {
		require.Equal(t, support, e.Actor, i)
		require.Equal(t, "t1", e.Request.TraceID)
	}
	direct, inside, job, other := w.all()[0], w.all()[1], w.all()[2], w.all()[3]
	require.Equal(t, entaudit.Request{ID: "r1", TraceID: "t1", IP: "192.0.2.1"}, direct.Request)
	require.Equal(t, job.ID.String(), inside.Request.ID)
	require.Equal(t, map[string]any{"request_id": "r1"}, job.Metadata)
	require.Equal(t, acme, inside.Tenant)
	for _, e := range []entaudit.Entry{direct, inside, job} {
		require.Equal(t, map[string]entaudit.Mark{"tenant": entaudit.MarkUnknown}, e.Marks)
	}
	require.Equal(t, umbra, other.Tenant)
	require.Empty(t, other.Marks, "what was not known has been said")

	require.Equal(t, entaudit.ActorSystem, rec.Origin(entaudit.WithOrigin(t.Context(), entaudit.Origin{})).Actor.Type)
}
