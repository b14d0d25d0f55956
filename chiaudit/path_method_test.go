package chiaudit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// A path has the same secrets whatever method it is asked with.
func TestH09H15SecretsInPathsOfOtherMethods(t *testing.T) {
	t.Parallel()
	r, rec, m := setup(t, chiaudit.Options{})
	record := func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, rec.Record(r.Context(), entaudit.Entry{Action: "thing.read"}))
		w.WriteHeader(http.StatusNoContent)
	}
	r.Use(middleware.StripSlashes, middleware.GetHead)
	r.Post("/reset/{token}", status(204))
	r.Put("/things/{id}", status(204))
	r.Delete("/things/{secret}", status(204))
	r.Method("QUERY", "/find/{token}", status(204))
	r.Route("/api/{api_key}", func(r chi.Router) {
		r.NotFound(record)
		r.Post("/reset/{token}/confirm", status(204))
	})
	r.Get("/links/{token}", record)
	for _, tt := range []struct {
		name, target, path string
		methods            []string
		code               int
	}{
		{"another method", "/reset/" + canary, "/reset/[REDACTED]", []string{"GET", "HEAD", "OPTIONS", "PUT", "BREW"}, 405},
		{"one route of several", "/things/" + canary, "/things/[REDACTED]", []string{"GET", "POST"}, 405},
		{"a method of few", "/find/" + canary, "/find/[REDACTED]", []string{"GET"}, 405},
		{"mounted", "/api/" + canary + "/reset/a" + canary + "/confirm", "/api/[REDACTED]/reset/[REDACTED]/confirm", []string{"GET"}, 405},
		{"on the way to nothing", "/api/" + canary + "/x", "/api/[REDACTED]/x", []string{"GET"}, 204},
		{"changed on the way", "/reset/" + canary + "/", "/reset/[REDACTED]/", []string{"GET"}, 405},
		{"mounted and changed on the way", "/api/x/reset/" + canary + "/confirm/", "/api/[REDACTED]/reset/[REDACTED]/confirm/", []string{"GET"}, 405},
		{"served by another method", "/links/" + canary, "/links/[REDACTED]", []string{"HEAD"}, 204},
		{"nothing", "/users/7", "/users/7", []string{"GET", "POST"}, 404},
	} {
		for _, method := range tt.methods {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequest(method, tt.target, nil))
			require.Equal(t, tt.code, w.Code, "%s %s", method, tt.name)
			entries := m.take()
			require.NotEmpty(t, entries)
			for _, e := range entries {
				require.Equal(t, tt.path, e.Request.Path, "%s %s", method, tt.name)
				require.NotContains(t, e.Request.Route, canary)
				requireNoCanary(t, e)
			}
			e := entries[len(entries)-1]
			require.Equal(t, tt.path != tt.target, e.Marks["path"] == entaudit.MarkRedacted, "%s %s", method, tt.name)
			if tt.code == 405 {
				require.Equal(t, method+" unmatched", e.Action)
			}
		}
	}
}

// counted is a router that counts how often it is asked for a route.
type counted struct {
	*chi.Mux
	times int
}

func (c *counted) Find(rctx *chi.Context, method, path string) string {
	c.times++
	return c.Mux.Find(rctx, method, path)
}

// Nobody looks at other methods where there is a route.
func TestOtherMethodsCostNothingWhereThereIsARoute(t *testing.T) {
	t.Parallel()
	rec, _ := newRecorder(t)
	c := &counted{Mux: chi.NewRouter()}
	c.Get("/reset/{token}", status(200))
	h := chiaudit.Handler(rec, chiaudit.Options{})(c)
	require.Equal(t, 200, get(h, "/reset/x").Code)
	require.Equal(t, 1, c.times)
}
