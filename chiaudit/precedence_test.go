package chiaudit_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// TestT04H06WhoWinsInARequest holds the order of a verified actor, Config.Actor and what a
// handler names.
func TestT04H06WhoWinsInARequest(t *testing.T) {
	t.Parallel()
	host, other := entaudit.Actor{ID: "billing", Type: entaudit.ActorService}, entaudit.Actor{ID: "mailer", Type: entaudit.ActorService}
	resolver := func(*http.Request) (chiaudit.Identity, error) {
		return chiaudit.Identity{Actor: alice, Tenant: acme}, nil
	}
	for _, tt := range []struct {
		name    string
		before  func(context.Context) context.Context
		answers bool
		request entaudit.Actor
	}{
		{name: "verified", request: alice},
		{name: "Config.Actor", answers: true, request: host},
		{
			name: "named in front of the request", answers: true, request: other,
			before: func(ctx context.Context) context.Context { return entaudit.WithActor(ctx, other) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &memory{}
			rec, err := entaudit.New(entaudit.Config{Writer: m, Actor: func(context.Context) (entaudit.Actor, bool) { return host, tt.answers }})
			require.NoError(t, err)
			r := chi.NewRouter()
			r.Use(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
					if tt.before != nil {
						q = q.WithContext(tt.before(q.Context()))
					}
					next.ServeHTTP(w, q)
				})
			})
			r.Use(chiaudit.Handler(rec, chiaudit.Options{Actor: resolver}))
			job := entaudit.Actor{ID: "job", Type: entaudit.ActorJob}
			r.Get("/", func(_ http.ResponseWriter, q *http.Request) {
				require.NoError(t, rec.Log(q.Context(), "look", "thing", "1"))
				require.NoError(t, rec.Log(entaudit.WithActor(q.Context(), job), "look", "thing", "1"))
				require.NoError(t, rec.Run(q.Context(), "send", job, func(context.Context) error { return nil }))
			})
			get(r, "/")
			entries := m.all()
			require.Len(t, entries, 4)
			for i, want := range []entaudit.Actor{tt.request, job, job, tt.request} {
				require.Equal(t, want, entries[i].Actor, "entry %d", i)
				require.Equal(t, want.ID == job.ID, entries[i].Marks["actor"] == entaudit.MarkOverride, "entry %d", i)
			}
		})
	}
}
