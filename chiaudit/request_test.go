package chiaudit_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestS26S28PeerAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, remote, want string }{
		{"IPv4", "203.0.113.9:80", "203.0.113.9"},
		{"IPv6", "[2001:db8::1]:80", "2001:db8::1"},
		{"mapped", "[::ffff:203.0.113.9]:80", "203.0.113.9"},
		{"zone", "[fe80::1%eth0]:80", "fe80::1"},
		{"unix socket", "@", ""},
		{"nothing", "", ""},
		{"overwritten", "1.2.3.4", ""},
		{"name", "localhost:80", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			r.Get("/", status(200))
			get(r, "/", func(q *http.Request) {
				q.RemoteAddr = tt.remote
				for _, name := range []string{"X-Forwarded-For", "True-Client-IP", "X-Real-IP", "Forwarded", "CF-Connecting-IP"} {
					q.Header.Set(name, "1.2.3.4")
				}
			})
			require.Equal(t, tt.want, m.only(t).Request.IP)
		})
	}
	t.Run("S28 rewritten from a header", func(t *testing.T) {
		t.Parallel()
		rec, m := newRecorder(t)
		h := middleware.RealIP(chiaudit.Handler(rec, chiaudit.Options{})(status(200))) //nolint:staticcheck // what it does is tested
		get(h, "/", header("X-Real-IP", "1.2.3.4"))
		require.Empty(t, m.only(t).Request.IP)
		require.Equal(t, entaudit.MarkUnknown, m.only(t).Marks["ip_address"])
	})
	t.Run("S28 refused where it can be seen", func(t *testing.T) {
		t.Parallel()
		const says = "chiaudit: Handler: middleware.RealIP lets clients choose their address; set Options.Proxies, or use chi's ClientIPFrom middlewares"
		rec, _ := newRecorder(t)
		h := chiaudit.Handler(rec, chiaudit.Options{})
		require.PanicsWithValue(t, says, func() { h(middleware.RealIP(status(200))) }) //nolint:staticcheck // see above
		inside := chi.NewRouter()
		inside.Use(middleware.RealIP) //nolint:staticcheck // see above
		require.PanicsWithValue(t, says, func() { h(inside) })
		behind := chi.NewRouter()
		behind.Use(h, middleware.RealIP) //nolint:staticcheck // see above
		require.PanicsWithValue(t, says, func() { behind.Get("/", status(200)) })
		require.NotPanics(t, func() { h(middleware.RequestID(status(200))) })
	})
}

func TestTraceID(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, tt := range []struct {
		name  string
		value []string
		want  string
	}{
		{"valid", []string{"00-" + id + "-00f067aa0ba902b7-01"}, id},
		{"later version", []string{"01-" + id + "-00f067aa0ba902b7-01-more"}, id},
		{"absent", nil, ""},
		{"two", []string{"00-" + id + "-00f067aa0ba902b7-01", "00-" + id + "-00f067aa0ba902b7-01"}, ""},
		{"version ff", []string{"ff-" + id + "-00f067aa0ba902b7-01"}, ""},
		{"version 00 with more", []string{"00-" + id + "-00f067aa0ba902b7-01-more"}, ""},
		{"later version glued", []string{"01-" + id + "-00f067aa0ba902b7-01more"}, ""},
		{"upper case", []string{"00-" + strings.ToUpper(id) + "-00f067aa0ba902b7-01"}, ""},
		{"zero trace", []string{"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01"}, ""},
		{"zero parent", []string{"00-" + id + "-" + strings.Repeat("0", 16) + "-01"}, ""},
		{"short", []string{"00-" + id}, ""},
		{"no hyphen", []string{"00_" + id + "-00f067aa0ba902b7-01"}, ""},
		{"flags", []string{"00-" + id + "-00f067aa0ba902b7-0x"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			r.Get("/", status(200))
			get(r, "/", func(q *http.Request) { q.Header["Traceparent"] = tt.value })
			require.Equal(t, tt.want, m.only(t).Request.TraceID)
		})
	}
}

func TestS34W10UserAgent(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{})
	r.Get("/", status(200))
	get(r, "/", header("User-Agent", "a"+strings.Repeat("é", 4096)))
	e := m.only(t)
	require.LessOrEqual(t, len(e.Request.UserAgent), entaudit.LimitUserAgent)
	require.True(t, utf8.ValidString(e.Request.UserAgent))
	require.Equal(t, entaudit.MarkCut, e.Marks["user_agent"])
	require.Equal(t, 8193, e.Metadata["user_agent_length"])
}

func TestS33W10Path(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, target, path, route string }{
		{"NUL", "/x/%00", "/x/%00", "/x/{id}"},
		{"not UTF-8", "/x/%ff", "/x/%ff", "/x/{id}"},
		{"newline", "/x/%0d%0a", "/x/%0d%0a", "/x/{id}"},
		{"encoded slash", "/x/a%2Fb", "/x/a%2Fb", "/x/{id}"},
		{"double slash", "//x//1", "//x//1", ""},
		{"dots", "/x/../1", "/x/../1", ""},
		{"8 KB", "/x/" + strings.Repeat("a", 8192), "/x/" + strings.Repeat("a", entaudit.LimitPath-3), "/x/{id}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			r.Get("/x/{id}", status(200))
			q := httptest.NewRequest(http.MethodGet, "http://example.com"+tt.target, nil)
			r.ServeHTTP(httptest.NewRecorder(), q)
			e := m.only(t)
			require.Equal(t, tt.path, e.Request.Path)
			require.Equal(t, tt.route, e.Request.Route)
		})
	}
}

func TestH09Routes(t *testing.T) {
	t.Parallel()
	rec, m := newRecorder(t)
	audit := chiaudit.Handler(rec, chiaudit.Options{})
	refuse := func(http.Handler) http.Handler { return status(403) }
	r := chi.NewRouter()
	r.Use(audit, middleware.StripSlashes)
	r.Get("/", status(200))
	r.Get("/users/{id}", status(404))
	r.Get("/files/*", status(404))
	r.With(refuse).Delete("/users/{id}", status(204))
	r.Route("/api", func(r chi.Router) {
		r.Route("/v1", func(r chi.Router) {
			r.Get("/things/{id:[0-9]+}", status(200))
			r.Get("/", status(200))
		})
		r.Route("/closed", func(r chi.Router) {
			r.Use(refuse)
			r.Post("/doors/{id}", status(200))
		})
		r.Route("/empty", func(r chi.Router) { r.Get("/only", status(200)) })
	})
	r.Mount("/static", status(404))
	for _, tt := range []struct{ method, target, want string }{
		{"GET", "/", "/"},
		{"GET", "/users/1", "/users/{id}"},
		{"GET", "/users/1/", "/users/{id}"},
		{"GET", "/files/a/b", "/files/*"},
		{"DELETE", "/users/1", "/users/{id}"},
		{"GET", "/api/v1/things/7", "/api/v1/things/{id:[0-9]+}"},
		{"GET", "/api/v1", "/api/v1"},
		{"GET", "/api/v1/things/x", ""},
		{"GET", "/api/none", ""},
		{"GET", "/api/empty", ""},
		{"GET", "/api/empty/none", ""},
		{"POST", "/api/closed/doors/1", "/api/closed/doors/{id}"},
		{"GET", "/static/app.js", "/static/*"},
		{"GET", "/nowhere", ""},
		{"PUT", "/users/1", ""},
		{"OPTIONS", "/users/1", ""},
		{"BREW", "/users/1", ""},
	} {
		before := len(m.all())
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(tt.method, tt.target, nil))
		entries := m.all()
		require.Len(t, entries, before+1)
		e := entries[before]
		require.Equal(t, tt.want, e.Request.Route, "%s %s", tt.method, tt.target)
		want := tt.method + " " + tt.want
		if tt.want == "" {
			want += "unmatched"
		}
		require.Equal(t, want, e.Action)
	}
	for name, h := range map[string]http.Handler{
		"in front of the router": audit(func() http.Handler {
			r := chi.NewRouter()
			r.Get("/a/{id}", status(200))
			return r
		}()),
		"inline": func() http.Handler {
			r := chi.NewRouter()
			r.With(audit).Get("/a/{id}", status(200))
			return r
		}(),
		"in a sub-router": func() http.Handler {
			r := chi.NewRouter()
			r.Route("/a", func(r chi.Router) {
				r.Use(audit)
				r.Get("/{id}", status(200))
			})
			return r
		}(),
	} {
		before := len(m.all())
		get(h, "/a/1")
		require.Equal(t, "/a/{id}", m.all()[before].Request.Route, name)
	}
	before := len(m.all())
	get(audit(status(200)), "/a/1")
	require.Equal(t, "GET unknown-route", m.all()[before].Action)
}
