package chiaudit_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestH12Annotate(t *testing.T) {
	t.Parallel()
	annotated := func(t *testing.T, f http.HandlerFunc) entaudit.Entry {
		t.Helper()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/things/{id}", f)
		get(r, "/things/1")
		return m.only(t)
	}
	t.Run("everything", func(t *testing.T) {
		t.Parallel()
		details := map[string]any{"amount": 5}
		e := annotated(t, func(_ http.ResponseWriter, r *http.Request) {
			require.True(t, chiaudit.Annotate(r.Context(), chiaudit.Action("thing.look"), chiaudit.Resource("gadget", "0")))
			require.True(t, chiaudit.Annotate(r.Context(), chiaudit.Resource("thing", "1"), entaudit.Because("asked"), entaudit.Ended(entaudit.Failure),
				entaudit.Metadata(map[string]any{"details": details, "password": hunter, "kept": "yes"})))
			require.True(t, chiaudit.Annotate(r.Context(), entaudit.Metadata(map[string]any{"kept": "still"})))
			details["amount"] = 6
		})
		require.Equal(t, "thing.look", e.Action)
		require.Equal(t, entaudit.Resource{Type: "thing", ID: "1"}, e.Resource)
		require.Equal(t, "asked", e.Reason)
		require.Equal(t, entaudit.Failure, e.Outcome)
		require.Equal(t, entaudit.MarkOverride, e.Marks["outcome"])
		require.Equal(t, "/things/{id}", e.Request.Route)
		require.Equal(t, "still", e.Metadata["kept"])
		require.Equal(t, entaudit.Redacted, e.Metadata["password"])
		require.Equal(t, entaudit.MarkRedacted, e.Marks["metadata.password"])
		require.Equal(t, "5", e.Metadata["details"].(map[string]any)["amount"].(interface{ String() string }).String(), "it was copied")
	})
	t.Run("T04 an actor is an override", func(t *testing.T) {
		t.Parallel()
		e := annotated(t, func(_ http.ResponseWriter, r *http.Request) { chiaudit.Annotate(r.Context(), entaudit.ByUser("bob")) })
		require.Equal(t, "bob", e.Actor.ID)
		require.Equal(t, entaudit.MarkOverride, e.Marks["actor"])
	})
	t.Run("the reason of the end is not lost", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
			chiaudit.Annotate(r.Context(), entaudit.Because("asked"))
			panic("boom")
		})
		require.Panics(t, func() { get(r, "/") })
		require.Equal(t, "asked", m.only(t).Reason)
		require.Equal(t, chiaudit.ReasonPanic, m.only(t).Metadata["ending"])
	})
	t.Run("an outcome that there is not", func(t *testing.T) {
		t.Parallel()
		e := annotated(t, func(_ http.ResponseWriter, r *http.Request) { chiaudit.Annotate(r.Context(), entaudit.Ended("fine")) })
		require.Equal(t, entaudit.Unknown, e.Outcome)
		require.Equal(t, entaudit.MarkReplaced, e.Marks["outcome"])
	})
	t.Run("T07 the actor is copied", func(t *testing.T) {
		t.Parallel()
		chain := []string{"gateway"}
		e := annotated(t, func(_ http.ResponseWriter, r *http.Request) {
			chiaudit.Annotate(r.Context(), func(e *entaudit.Entry) { e.Actor = entaudit.Actor{ID: "bob", Chain: chain} })
			chain[0] = "changed"
		})
		require.Equal(t, []string{"gateway"}, e.Actor.Chain)
	})
	t.Run("W10 without end", func(t *testing.T) {
		t.Parallel()
		e := annotated(t, func(_ http.ResponseWriter, r *http.Request) {
			for _, name := range []string{"a", "b", "c", "d"} {
				chiaudit.Annotate(r.Context(), entaudit.Metadata(map[string]any{name: strings.Repeat("x", 1<<20)}))
			}
		})
		require.Len(t, e.Metadata, 2)
		require.Equal(t, entaudit.MarkCut, e.Marks["metadata"])
	})
	t.Run("S52 an option that panics", func(t *testing.T) {
		t.Parallel()
		e := annotated(t, func(w http.ResponseWriter, r *http.Request) {
			require.False(t, chiaudit.Annotate(r.Context(), func(*entaudit.Entry) { panic("boom") }))
			w.WriteHeader(201)
		})
		require.Equal(t, 201, e.Request.StatusCode)
	})
	t.Run("too late, or nowhere", func(t *testing.T) {
		t.Parallel()
		var ctx context.Context
		e := annotated(t, func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })
		require.False(t, chiaudit.Annotate(ctx, chiaudit.Action("late")))
		require.Equal(t, "GET /things/{id}", e.Action)
		require.False(t, chiaudit.Annotate(t.Context(), chiaudit.Action("nowhere")))
	})
	t.Run("H13 by many at once", func(t *testing.T) {
		t.Parallel()
		e := annotated(t, func(_ http.ResponseWriter, r *http.Request) {
			var wg sync.WaitGroup
			for name := range strings.SplitSeq("abcdefghij", "") {
				wg.Go(func() { chiaudit.Annotate(r.Context(), entaudit.Metadata(map[string]any{name: 1})) })
			}
			wg.Wait()
		})
		require.Len(t, e.Metadata, 10)
	})
}

// T05 and its like: what a handler records by itself has the request's facts.
func TestT05W23LogInsideAHandler(t *testing.T) {
	t.Parallel()
	r, rec, m := setup(t, chiaudit.Options{})
	r.Get("/things/{id}", func(_ http.ResponseWriter, r *http.Request) {
		as(r.Context())
		require.NoError(t, rec.Log(r.Context(), "thing.export", "thing", "1", entaudit.Metadata(map[string]any{"rows": 3, "token": hunter})))
	})
	get(r, "/things/1", header("User-Agent", "curl/8"))
	e := m.all()[0]
	require.Equal(t, entaudit.KindManual, e.Kind)
	require.Equal(t, "thing.export", e.Action)
	require.Equal(t, entaudit.Resource{Type: "thing", ID: "1"}, e.Resource)
	require.Equal(t, alice, e.Actor)
	require.Equal(t, acme, e.Tenant)
	require.Equal(t, "192.0.2.1", e.Request.IP)
	require.Equal(t, "curl/8", e.Request.UserAgent)
	require.Equal(t, entaudit.Redacted, e.Metadata["token"])
}
