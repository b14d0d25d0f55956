package chiaudit_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// asked returns a request as a server would make it of these, nil where it would not.
func asked(method, path string) *http.Request {
	u, err := url.ParseRequestURI(path)
	if err != nil || path == "" || path[0] != '/' || u.RawQuery != "" {
		return nil
	}
	return &http.Request{Method: method, URL: u, Header: http.Header{}, Body: http.NoBody, RemoteAddr: "192.0.2.1:1"}
}

// FuzzH10Rules checks that rules leave out what they say and nothing else, however a
// path is written, by comparing them with a reading of their own.
func FuzzH10Rules(f *testing.F) {
	for _, path := range []string{"/health", "/health/live", "/health/../users", "/health/%2e%2e/users", "/health-admin", "//health", "/health/%2f..", `/health/..\x`, "/a/b/c.js", "/%zz", "/health/"} {
		f.Add("GET", path, "/health", "/a/**/*.js")
	}
	f.Add("GET", "/a/b", "/a/", "/**/b?")
	f.Add("GET", "/ab", "/%61", "/**b/**")
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, method, path, prefix, glob string) {
		q := asked(method, path)
		if q == nil || len(path) > 64 || len(glob) > 24 || strings.Count(glob, "*") > 6 {
			return
		}
		for _, rule := range []chiaudit.Rule{{Prefix: prefix}, {Glob: glob}} {
			h, m := ruled(rec, rule)
			if h == nil {
				continue
			}
			h.ServeHTTP(httptest.NewRecorder(), q)
			escaped := q.URL.EscapedPath()
			want := simple(q.URL) && (rule.Prefix == "" || within(rule.Prefix, escaped)) && (rule.Glob == "" || globs(rule.Glob, escaped))
			require.Equal(t, want, len(m.all()) == 0, "%q and %+v", path, rule)
		}
	})
}

// ruled returns a handler with one rule, nil where that makes no sense.
func ruled(rec *entaudit.Recorder, rule chiaudit.Rule) (h http.Handler, m *memory) {
	defer func() { _ = recover() }() // what makes no sense is refused
	m = &memory{}
	rec, err := entaudit.New(entaudit.Config{Writer: m, Service: rec.Config().Service})
	if err != nil {
		return nil, nil
	}
	return chiaudit.Handler(rec, chiaudit.Options{Exclude: []chiaudit.Rule{rule}, NoDefaultExclude: true})(status(200)), m
}

// simple reports whether nobody can read a path in two ways.
func simple(u *url.URL) bool {
	path := strings.ToLower(u.EscapedPath())
	if strings.Contains(path, "%2f") || strings.Contains(path, "%5c") || strings.Contains(path, `\`) {
		return false
	}
	return !regexp.MustCompile(`//|/\.\.?(/|$)`).MatchString(u.Path)
}

// within reports whether path is prefix or below it.
func within(prefix, path string) bool {
	prefix = strings.TrimRight(prefix, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// globs reports whether a path is one of those that a glob stands for.
func globs(glob, path string) bool {
	deep := strings.HasPrefix(glob, "/**") && (len(glob) == 3 || glob[3] == '/')
	switch {
	case glob == "":
		return path == ""
	case deep && globs(glob[3:], path):
		return true
	case deep:
		return path != "" && path[0] == '/' && anyRest(glob[3:], path[1:], "")
	case strings.HasPrefix(glob, "**"):
		return anyRest(glob[2:], path, "")
	case glob[0] == '*':
		return anyRest(glob[1:], path, "/")
	case path == "":
		return false
	}
	return (glob[0] == path[0] || glob[0] == '?' && path[0] != '/') && globs(glob[1:], path[1:])
}

// anyRest reports whether a glob stands for a rest of path, in front of which there is
// nothing of stop.
func anyRest(glob, path, stop string) bool {
	for i := range len(path) + 1 {
		if globs(glob, path[i:]) {
			return true
		}
		if i < len(path) && stop != "" && path[i] == stop[0] {
			return false
		}
	}
	return false
}

// FuzzH09Route checks that an entry has the route that the router has chosen, and the
// status that was sent, whatever is asked for.
func FuzzH09Route(f *testing.F) {
	for _, path := range []string{"/", "/users/1", "/users/1/", "/users//files/a/b", "/api/items/7", "/api", "/api/", "/t/acme/x", "/t/ACME/x", "/users/%2f", "/%75sers/1", "/none", "/users/1/files/"} {
		f.Add("GET", path)
		f.Add("PUT", path)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		q := asked(method, path)
		if q == nil {
			return
		}
		r, _, m := setup(t, chiaudit.Options{NoDefaultExclude: true})
		chosen := ""
		served := func(w http.ResponseWriter, r *http.Request) {
			chosen = chi.RouteContext(r.Context()).RoutePattern()
			w.WriteHeader(202)
		}
		r.Get("/", served)
		r.Get("/users/{id}", served)
		r.Put("/users/{id}/files/*", served)
		r.HandleFunc("/t/{tenant:[a-z]+}/x", served)
		r.Route("/api", func(r chi.Router) { r.Post("/items/{item}", served); r.Get("/items/{item}", served) })
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		e := m.only(t)
		require.Equal(t, w.Code, e.Request.StatusCode)
		require.Equal(t, method == "", e.Request.Method == "")
		if w.Code == 202 {
			require.Equal(t, chosen, e.Request.Route)
		} else {
			require.NotEqual(t, entaudit.Success, e.Outcome)
		}
		if w.Code == 404 {
			require.Empty(t, e.Request.Route)
		}
		requireStored(t, e)
	})
}

// requireStored requires an entry that a store takes and gives back as it is.
func requireStored(t *testing.T, e entaudit.Entry) {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	require.NotContains(t, string(data), "\n")
	var back entaudit.Entry
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, e.Request, back.Request)
	require.Equal(t, e.Action, back.Action)
	for limit, s := range map[int]string{entaudit.LimitPath: e.Request.Path, entaudit.LimitUserAgent: e.Request.UserAgent, entaudit.LimitRequestID: e.Request.ID, entaudit.LimitName: e.Action} {
		require.LessOrEqual(t, len(s), limit)
	}
}

// FuzzW10RequestHeaders has clients write what they like into all that is read of a
// request: there is one entry, of which each part is what it should be or empty.
func FuzzW10RequestHeaders(f *testing.F) {
	f.Add("id-1", "curl/8", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "acme", "1.2.3.4", "192.0.2.1:80", "example.com")
	f.Add("\n", strings.Repeat("\u00e9", 2000), "ff-", "acme\x00", "for=unknown", "@", "a\nb:80")
	f.Add(strings.Repeat("a", 129), "\xff", "", strings.Repeat("a", 64), ",,,", "[::1%eth0]:80", "acme.example.com")
	id := regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	slug := regexp.MustCompile(`^[a-z][a-z0-9-]{1,61}[a-z0-9]$|^[0-9]{1,20}$|^[0-9a-f-]{36}$`)
	j := newJWT(f, chiaudit.JWTConfig{Secret: secret})
	f.Fuzz(func(t *testing.T, requestID, agent, trace, tenant, forwarded, remote, host string) {
		r, _, m := setup(t, chiaudit.Options{
			Actor: j.Actor, TenantHeader: "X-Tenant", Proxies: chiaudit.Proxies{Count: 1}, Headers: []string{"Accept", "Host"},
			Tenants: []chiaudit.TenantFunc{chiaudit.TenantFromSubdomain("example.com")},
		})
		r.Get("/", status(204))
		w := get(r, "/", func(q *http.Request) {
			for name, v := range map[string]string{"X-Request-Id": requestID, "User-Agent": agent, "Traceparent": trace, "X-Tenant": tenant, "X-Forwarded-For": forwarded, "Accept": agent} {
				q.Header[name] = []string{v}
			}
			q.Header["Authorization"] = []string{"Basic " + canary}
			q.Header["Cookie"] = []string{agent + "=" + canary}
			q.RemoteAddr, q.Host = remote, host
		})
		require.Equal(t, 204, w.Code)
		e := m.only(t)
		requireStored(t, e)
		requireNoCanary(t, e)
		require.Regexp(t, id, e.Request.ID)
		require.Equal(t, e.Request.ID, w.Header().Get("X-Request-Id"))
		require.NotEqual(t, e.ID.String(), e.Request.ID)
		if e.Request.IP != "" {
			require.Equal(t, e.Request.IP, netip.MustParseAddr(e.Request.IP).Unmap().WithZone("").String())
		}
		if e.Tenant.ID+e.Tenant.Slug != "" {
			require.Regexp(t, slug, e.Tenant.ID+e.Tenant.Slug)
		}
		require.Regexp(t, `^([0-9a-f]{32})?$`, e.Request.TraceID)
		require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e.Actor)
		require.Equal(t, entaudit.Success, e.Outcome)
	})
}
