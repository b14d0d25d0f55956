package chiaudit_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestH09UnknownIsNotUnmatched(t *testing.T) {
	t.Parallel()
	things := func() http.Handler {
		r := chi.NewRouter()
		r.Get("/things/{id}", status(200))
		return r
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{id}", status(200))
	front := http.NewServeMux()
	front.Handle("/", things())
	for _, tt := range []struct {
		name    string
		next    http.Handler
		target  string
		action  string
		route   string
		unknown bool
	}{
		{"router", things(), "/things/1", "GET /things/{id}", "/things/{id}", false},
		{"router without it", things(), "/nothing", "GET unmatched", "", false},
		{"middleware around a router", middleware.NoCache(things()), "/things/1", "GET unknown-route", "", true},
		{"middleware around a router without it", middleware.NoCache(things()), "/nothing", "GET unknown-route", "", true},
		{"another router", mux, "/things/1", "GET unknown-route", "", true},
		{"another router around one", front, "/things/1", "GET unknown-route", "", true},
		{"no router", status(200), "/things/1", "GET unknown-route", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, m := newRecorder(t)
			get(chiaudit.Handler(rec, chiaudit.Options{})(tt.next), tt.target)
			e := m.only(t)
			require.Equal(t, tt.action, e.Action)
			require.Equal(t, tt.route, e.Request.Route)
			require.Equal(t, tt.unknown, e.Marks["route"] == entaudit.MarkUnknown)
		})
	}
}

// Middleware of chi's behaves in another way where a routing context is there
// already, and GetHead panics where its router has not made it.
func TestRoutingIsNotChanged(t *testing.T) {
	t.Parallel()
	inner := chi.NewRouter()
	inner.Use(middleware.GetHead)
	inner.Get("/things/{id}", status(200))
	mux := http.NewServeMux()
	mux.HandleFunc("/things", status(200))
	for _, tt := range []struct {
		name           string
		next           http.Handler
		method, target string
	}{
		{"GetHead in a router", inner, http.MethodHead, "/things/1"},
		{"GetHead in a router behind middleware", middleware.NoCache(inner), http.MethodHead, "/things/1"},
		{"StripSlashes around another router", middleware.StripSlashes(mux), http.MethodGet, "/things/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, m := newRecorder(t)
			w := httptest.NewRecorder()
			chiaudit.Handler(rec, chiaudit.Options{})(tt.next).ServeHTTP(w, httptest.NewRequest(tt.method, tt.target, nil))
			require.Equal(t, 200, w.Code)
			require.Equal(t, 200, m.only(t).Request.StatusCode)
		})
	}
}

// The handler that a timeout has abandoned still uses the routing context.
func TestH09AbandonedHandler(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, path, action string }{
		{"known beforehand", "/old/1", "GET /old/{id}"},
		{"known only there", "/older/1", "GET unknown-route"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, _, m := setup(t, chiaudit.Options{})
				r.Use(func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Second, "late") },
					func(next http.Handler) http.Handler {
						return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							chi.RouteContext(r.Context()).RoutePath = "/new/1"
							next.ServeHTTP(w, r)
						})
					})
				r.Get("/old/{id}", status(200))
				r.Get("/new/{id}", func(http.ResponseWriter, *http.Request) { <-time.After(time.Hour) })
				require.Equal(t, 503, get(r, tt.path).Code)
				e := m.only(t)
				require.Equal(t, tt.action, e.Action)
				require.Equal(t, tt.action == "GET unknown-route", e.Marks["route"] == entaudit.MarkUnknown)
				<-time.After(2 * time.Hour) // of the bubble: the handler has returned too
			})
		})
	}
}

// routes is a router of the application's own that is broken.
type routes struct{ *chi.Mux }

func (routes) Find(rctx *chi.Context, _, _ string) string {
	rctx.RoutePatterns = append(rctx.RoutePatterns, "/found")
	return "/found"
}

func (routes) Routes() []chi.Route { panic("no routes") }

func TestEntryWhateverPanics(t *testing.T) {
	t.Parallel()
	broken := func(context.Context) (entaudit.Actor, bool) { panic("s3cret") }
	t.Run("Config.Actor", func(t *testing.T) {
		t.Parallel()
		m := &memory{}
		rec, err := entaudit.New(entaudit.Config{Writer: m, Actor: broken})
		require.NoError(t, err)
		r := chi.NewRouter()
		r.Use(chiaudit.Handler(rec, chiaudit.Options{}))
		r.Get("/things/{id}", func(w http.ResponseWriter, r *http.Request) {
			as(r.Context())
			w.WriteHeader(201)
		})
		require.Equal(t, 201, get(r, "/things/1").Code)
		e := m.only(t)
		require.Equal(t, "GET /things/{id}", e.Action)
		require.Equal(t, 201, e.Request.StatusCode)
		require.Equal(t, entaudit.Success, e.Outcome)
		require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e.Actor, "whom it meant is not known")
		require.Equal(t, entaudit.MarkUnknown, e.Marks["actor"])
		require.Equal(t, acme, e.Tenant)
	})
	t.Run("Config.Actor ends the goroutine", func(t *testing.T) {
		t.Parallel()
		m := &memory{}
		rec, err := entaudit.New(entaudit.Config{Writer: m, Actor: func(context.Context) (entaudit.Actor, bool) {
			runtime.Goexit()
			return alice, true
		}})
		require.NoError(t, err)
		h := chiaudit.Handler(rec, chiaudit.Options{})(status(201))
		_, returned := run(h, httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		require.False(t, returned)
		e := m.only(t)
		require.Equal(t, "GET unknown-route", e.Action)
		require.Equal(t, 201, e.Request.StatusCode)
		require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e.Actor)
		require.Equal(t, entaudit.MarkUnknown, e.Marks["actor"])
		require.Equal(t, entaudit.MarkUnknown, e.Marks["tenant"])
	})
	t.Run("the router", func(t *testing.T) {
		t.Parallel()
		rec, m := newRecorder(t)
		mux := chi.NewRouter()
		mux.Route("/a", func(r chi.Router) { r.Get("/only", status(200)) })
		h := chiaudit.Handler(rec, chiaudit.Options{})(routes{mux})
		require.Equal(t, 404, get(h, "/a/").Code)
		e := m.only(t)
		require.Equal(t, "GET unknown-route", e.Action)
		require.Equal(t, 404, e.Request.StatusCode)
		require.Equal(t, entaudit.Failure, e.Outcome)
		require.Equal(t, entaudit.MarkUnknown, e.Marks["route"])
	})
}
