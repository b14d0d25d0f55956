package chiaudit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// A link that resets a password has its token in the path.
func TestH15S50SecretsInPaths(t *testing.T) {
	t.Parallel()
	token := sign(t, claims{"sub": "alice", "exp": 1})
	for _, tt := range []struct{ name, target, path string }{
		{"a parameter of a masked name", "/reset/" + canary, "/reset/[REDACTED]"},
		{"escaped", "/reset/%63" + canary[1:], "/reset/[REDACTED]"},
		{"an escaped slash", "/reset/a%2F" + canary, "/reset/[REDACTED]"},
		{"a part of a segment", "/keys/k-" + canary + ".pem", "/keys/[REDACTED]"},
		{"a name of this router's own", "/deep/" + canary + "/b", "/deep/[REDACTED]/b"},
		{"mounted", "/api/reset/" + canary + "/confirm", "/api/reset/[REDACTED]/confirm"},
		{"twice", "/reset/reset", "/[REDACTED]/[REDACTED]"},
		{"mounted, without the rest", "/api/reset/" + canary, "/api/reset/[REDACTED]"},
		{"by its form", "/users/" + token, "/users/[REDACTED]"},
		{"of no route", "/nowhere/" + token + "/x", "/nowhere/[REDACTED]/x"},
		{"an assignment", "/users/7;token=" + canary, "/users/7;token=[REDACTED]"},
		{"a card", "/users/4111111111111111", "/users/[REDACTED]"},
		{"a card with escaped spaces", "/users/4111%201111%201111%201111", "/users/[REDACTED]"},
		{"a token with an escaped letter", "/users/%65" + token[1:], "/users/[REDACTED]"},
		{"an escaped assignment", "/users/password%3D" + canary, "/users/[REDACTED]"},
		{"an escaped URL", "/users/postgres:%2F%2Fu:" + canary + "@h", "/users/[REDACTED]"},
		{"nothing", "/users/7", "/users/7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, rec, m := setup(t, chiaudit.Options{Redact: entaudit.Redact{Keys: []string{"door"}}})
			answer := func(w http.ResponseWriter, r *http.Request) {
				require.NoError(t, rec.Record(r.Context(), entaudit.Entry{Action: "thing.read"}))
				w.WriteHeader(204)
			}
			r.Get("/reset/{token}", answer)
			r.Get("/users/{id}", answer)
			r.Get("/keys/k-{api_key}.pem", answer)
			r.Get("/deep/{door}/b", answer)
			r.Route("/api", func(r chi.Router) {
				r.Get("/reset/{token}/confirm", answer)
				r.Get("/reset/{token}", answer)
			})
			get(r, tt.target, header("User-Agent", "x/1 ("+token+")"))
			entries := m.all()
			require.Contains(t, []int{1, 2}, len(entries))
			for _, e := range entries {
				require.Equal(t, tt.path, e.Request.Path, e.Kind)
				require.Equal(t, "x/1 ([REDACTED])", e.Request.UserAgent, e.Kind)
				requireNoCanary(t, e)
			}
			e := entries[len(entries)-1]
			require.Equal(t, tt.path != tt.target, e.Marks["path"] == entaudit.MarkRedacted)
			require.Equal(t, entaudit.MarkRedacted, e.Marks["user_agent"])
		})
	}
	t.Run("rules read the path as it came", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Exclude: []chiaudit.Rule{{Path: "/reset/x"}}})
		r.Get("/reset/{token}", status(200))
		get(r, "/reset/x")
		require.Empty(t, m.all())
	})
	t.Run("routed in another way", func(t *testing.T) {
		t.Parallel()
		rec, m := newRecorder(t)
		inner := chi.NewRouter()
		inner.Get("/reset/{token}", status(200))
		h := chiaudit.Handler(rec, chiaudit.Options{})(inner)
		q := httptest.NewRequest(http.MethodGet, "/reset/"+canary, nil)
		h.ServeHTTP(httptest.NewRecorder(), q)
		require.Equal(t, "/reset/[REDACTED]", m.only(t).Request.Path)
	})
	t.Run("a query of a name of this router's own", func(t *testing.T) {
		t.Parallel()
		r, rec, m := setup(t, chiaudit.Options{Redact: entaudit.Redact{Keys: []string{"door"}}})
		r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
			require.NoError(t, rec.Record(r.Context(), entaudit.Entry{Action: "thing.read"}))
		})
		get(r, "/?door="+canary)
		for _, e := range m.all() {
			require.Equal(t, "door=[REDACTED]", e.Request.Query, e.Kind)
		}
	})
}
