package chiaudit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// answering is a router that answers any path with the status that its query asks
// for, and knows the actor that its query names.
func answering(t *testing.T, opts chiaudit.Options) (http.Handler, *memory) {
	t.Helper()
	r, _, m := setup(t, opts)
	answer := func(w http.ResponseWriter, r *http.Request) {
		if actor := r.URL.Query().Get("actor"); actor != "" {
			entaudit.SetActor(r.Context(), entaudit.Actor{ID: actor})
		}
		code := 200
		_, _ = fmt.Sscan(r.URL.Query().Get("status"), &code) // 200 where it does not say
		w.WriteHeader(code)
	}
	r.HandleFunc("/users/{id}", answer)
	r.HandleFunc("/*", answer)
	return r, m
}

// recorded reports whether a request leaves an entry.
func recorded(h http.Handler, m *memory, method, target string) bool {
	before := len(m.all())
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, nil))
	return len(m.all()) > before
}

func TestH10W28Exclude(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		rule     chiaudit.Rule
		without  []string // requests without an entry
		recorded []string
	}{
		{
			"path",
			chiaudit.Rule{Path: "/ping"},
			[]string{"GET /ping", "POST /ping?a=1", "GET /ping?status=500"},
			[]string{"GET /ping/", "GET /ping/1", "GET /ping-admin", "GET /x/../ping", "GET /%70ing", "GET //ping", "GET /ping?status=401", "GET /ping?status=403"},
		},
		{
			"T12 prefix",
			chiaudit.Rule{Prefix: "/health"},
			[]string{"GET /health", "GET /health/", "GET /health/live", "DELETE /health/a/b"},
			[]string{"GET /health-admin", "GET /healthy/x", "GET /x/health", "GET /health/../users/1", "GET /health//x", "GET /health/%2e%2e/users/1", "GET /health/a%2f..%2fb", "GET /health/a%2Fb", "GET /health/./x", "GET /health/..", `GET /health/..%5cadmin`, "GET /health/x?status=403"},
		},
		{
			"prefix with a slash",
			chiaudit.Rule{Prefix: "/health/"},
			[]string{"GET /health", "GET /health/live"},
			[]string{"GET /health-admin"},
		},
		{
			"glob",
			chiaudit.Rule{Glob: "/assets/*.js"},
			[]string{"GET /assets/app.js", "GET /assets/.js"},
			[]string{"GET /assets/x/app.js", "GET /assets/app.jsx", "GET /assets/app,js", "GET /assets/", "GET /x/assets/app.js"},
		},
		{
			"deep glob",
			chiaudit.Rule{Glob: "/assets/**"},
			[]string{"GET /assets", "GET /assets/", "GET /assets/a/b/c.js"},
			[]string{"GET /assetsx", "GET /assets/../users/1"},
		},
		{
			"glob in the middle",
			chiaudit.Rule{Glob: "/a/**/z?"},
			[]string{"GET /a/z1", "GET /a/b/c/z2"},
			[]string{"GET /a/z", "GET /az1", "GET /a/b/z/"},
		},
		{
			"route",
			chiaudit.Rule{Route: "/users/{id}"},
			[]string{"GET /users/1", "PUT /users/x"},
			[]string{"GET /users", "GET /users/1/x", "GET /users/1?status=403"},
		},
		{
			"method",
			chiaudit.Rule{Methods: []string{"OPTIONS", "HEAD"}},
			[]string{"OPTIONS /x", "HEAD /x"},
			[]string{"GET /x", "OPTIONS /x?status=401"},
		},
		{
			"status",
			chiaudit.Rule{Status: []int{404, 204, 401}},
			[]string{"GET /x?status=404", "POST /x?status=204"},
			[]string{"GET /x", "GET /x?status=401"},
		},
		{
			"all of them",
			chiaudit.Rule{Prefix: "/users", Route: "/users/{id}", Methods: []string{"GET"}, Status: []int{200}},
			[]string{"GET /users/1"},
			[]string{"POST /users/1", "GET /users/1?status=500", "GET /users"},
		},
		{
			"W28 defaults",
			chiaudit.Rule{Path: "/also"},
			[]string{"GET /health", "HEAD /metrics", "GET /docs", "GET /openapi.json", "GET /redoc", "GET /also"},
			[]string{"DELETE /docs", "DELETE /docs/123", "GET /docs/123", "POST /health", "GET /health-admin"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, m := answering(t, chiaudit.Options{Exclude: []chiaudit.Rule{tt.rule}, NoDefaultExclude: tt.name != "W28 defaults"})
			for _, request := range tt.without {
				method, target, _ := strings.Cut(request, " ")
				require.False(t, recorded(h, m, method, target), request)
			}
			for _, request := range tt.recorded {
				method, target, _ := strings.Cut(request, " ")
				require.True(t, recorded(h, m, method, target), request)
			}
		})
	}
	t.Run("defaults can be removed", func(t *testing.T) {
		t.Parallel()
		h, m := answering(t, chiaudit.Options{NoDefaultExclude: true})
		require.True(t, recorded(h, m, "GET", "/health"))
	})
	t.Run("an outcome that the handler gives is heeded", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/health", func(_ http.ResponseWriter, r *http.Request) {
			chiaudit.Annotate(r.Context(), entaudit.Ended(entaudit.Denied))
		})
		require.True(t, recorded(r, m, "GET", "/health"))
	})
	t.Run("a change of an excluded request is recorded", func(t *testing.T) {
		t.Parallel()
		r, rec, m := setup(t, chiaudit.Options{Exclude: []chiaudit.Rule{{Prefix: "/jobs"}}})
		r.Post("/jobs/1", func(_ http.ResponseWriter, r *http.Request) {
			require.NoError(t, rec.Log(r.Context(), "job.run", "job", "1"))
		})
		require.True(t, recorded(r, m, "POST", "/jobs/1"))
		require.Equal(t, "job.run", m.only(t).Action)
		require.Equal(t, "/jobs/1", m.only(t).Request.Route)
	})
}

func TestH10Sampling(t *testing.T) {
	t.Parallel()
	h, m := answering(t, chiaudit.Options{Exclude: []chiaudit.Rule{{Methods: []string{"GET"}, Keep: 0.25}}})
	kept := 0
	for range 2000 {
		if recorded(h, m, "GET", "/x") {
			kept++
		}
	}
	require.InDelta(t, 500, kept, 120) // six times the deviation
	require.InDelta(t, 0.25, m.all()[0].Metadata["sample"], 0)
	for _, code := range []string{"401", "403", "404", "500"} {
		for range 100 {
			require.True(t, recorded(h, m, "GET", "/x?status="+code), code)
		}
	}
	require.True(t, recorded(h, m, "POST", "/x"))
	t.Run("of failures that are named", func(t *testing.T) {
		t.Parallel()
		h, m := answering(t, chiaudit.Options{Exclude: []chiaudit.Rule{{Status: []int{404, 403}, Keep: 1e-9}}})
		require.False(t, recorded(h, m, "GET", "/x?status=404"))
		require.True(t, recorded(h, m, "GET", "/x?status=403"))
	})
}

func TestH10Routes(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{SkipAnonymous: true, Exclude: []chiaudit.Rule{{Prefix: "/a"}}})
	with := func(o chiaudit.RouteOptions) chi.Router { return r.With(chiaudit.With(o)) }
	with(chiaudit.RouteOptions{Record: true}).Get("/a/recorded", status(200))
	with(chiaudit.RouteOptions{Exclude: true}).HandleFunc("/excluded", status(200))
	with(chiaudit.RouteOptions{Exclude: true}).HandleFunc("/denied", status(403))
	with(chiaudit.RouteOptions{Exclude: true}).With(chiaudit.With(chiaudit.RouteOptions{Record: true})).Get("/inner", status(200))
	with(chiaudit.RouteOptions{NoBodies: true}).Post("/bare", drain)
	with(chiaudit.RouteOptions{ResponseBody: true, Action: "thing.touch", Resource: "thing"}).Post("/full", drain)
	with(chiaudit.RouteOptions{Record: true, RequestBody: true}).Get("/search", drain)
	require.True(t, recorded(r, m, "GET", "/a/recorded"))
	require.False(t, recorded(r, m, "POST", "/excluded"))
	require.True(t, recorded(r, m, "GET", "/denied"))
	require.True(t, recorded(r, m, "GET", "/inner"))
	for _, tt := range []struct {
		method, path      string
		request, response bool
	}{{"POST", "/bare", false, false}, {"POST", "/full", true, true}, {"GET", "/search", true, false}} {
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(tt.method, tt.path, strings.NewReader(`{"a":1}`)))
		entries := m.all()
		e := entries[len(entries)-1]
		require.Equal(t, tt.request, bodyIn(t, e, "request_body").Body != nil, tt.path)
		require.Equal(t, tt.response, bodyIn(t, e, "response_body").Body != nil, tt.path)
		if tt.path == "/full" {
			require.Equal(t, "thing.touch", e.Action)
			require.Equal(t, "thing", e.Resource.Type)
		}
	}
	t.Run("a beginning that was missed", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{NoRequestBody: true})
		r.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = r.Body.Read(make([]byte, 1)) // what is left begins as if it were whole
				next.ServeHTTP(w, r)
			})
		}, chiaudit.With(chiaudit.RouteOptions{RequestBody: true}))
		r.Post("/", drain)
		contentType, body := upload(t, "content")
		q := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"+body))
		q.Header.Set("Content-Type", contentType)
		r.ServeHTTP(httptest.NewRecorder(), q)
		d := bodyIn(t, m.only(t), "request_body")
		require.Equal(t, "truncated", d.Reason)
		require.Empty(t, d.Body)
	})
	t.Run("without the middleware it does nothing", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 418, get(chiaudit.With(chiaudit.RouteOptions{Exclude: true})(status(418)), "/").Code)
	})
}

func TestH11SkipAnonymous(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	h, m := answering(t, chiaudit.Options{SkipAnonymous: true, Actor: j.Actor})
	require.False(t, recorded(h, m, "GET", "/x"))
	require.False(t, recorded(h, m, "HEAD", "/x?status=404"))
	require.True(t, recorded(h, m, "GET", "/x?actor=alice"))
	require.True(t, recorded(h, m, "POST", "/x"), "it may have changed something")
	require.True(t, recorded(h, m, "GET", "/x?status=401"))
	before := len(m.all())
	get(h, "/x", header("Authorization", "Bearer "+sign(t, claims{"sub": "mallory", "exp": 1})))
	entries := m.all()
	require.Len(t, entries, before+1, "W12: a credential that is not valid leaves its entry, whatever is answered")
	require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, entries[before].Actor)
	require.Equal(t, chiaudit.ReasonTokenExpired, entries[before].Reason)
}

func TestSelectionThatMakesNoSense(t *testing.T) {
	t.Parallel()
	rec, _ := newRecorder(t)
	for want, rule := range map[string]chiaudit.Rule{
		`: is blank and would match every request`:                        {},
		`.Path: "x" does not begin with a slash`:                          {Path: "x"},
		`.Prefix: "x" does not begin with a slash`:                        {Prefix: "x"},
		`.Glob: "*" does not begin with a slash`:                          {Glob: "*"},
		`.Route: "users" does not begin with a slash`:                     {Route: "users"},
		`.Glob: "/[ab]" has brackets or braces, which mean nothing in it`: {Glob: "/[ab]"},
		`.Methods: "get" is not a method in upper case`:                   {Methods: []string{"get"}},
		`.Status: 42 is not a status`:                                     {Status: []int{42}},
		`.Keep: 1 is not from 0 to below 1`:                               {Path: "/", Keep: 1},
		`.Keep: -0.5 is not from 0 to below 1`:                            {Keep: -0.5},
	} {
		require.PanicsWithValue(t, "chiaudit: Options.Exclude[0]"+want, func() {
			chiaudit.Handler(rec, chiaudit.Options{Exclude: []chiaudit.Rule{rule}})
		})
	}
	for _, o := range []chiaudit.RouteOptions{{Exclude: true, Record: true}, {NoBodies: true, RequestBody: true}, {NoBodies: true, ResponseBody: true}} {
		require.Panics(t, func() { chiaudit.With(o) })
	}
	require.Panics(t, func() { chiaudit.With(chiaudit.RouteOptions{})(nil) })
}
