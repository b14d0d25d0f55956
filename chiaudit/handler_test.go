package chiaudit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

var (
	alice = entaudit.Actor{ID: "alice", Type: entaudit.ActorTenantUser}
	acme  = entaudit.Tenant{ID: "7", Slug: "acme"}
)

func TestEntryOfARequest(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{})
	r.Put("/invoices/{id}", status(202))
	q := httptest.NewRequest(http.MethodPut, "/invoices/4%2F2?page=2&token=s3cret&token=other", nil)
	q.Header.Set("User-Agent", "curl/8")
	q.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	q.RemoteAddr = "[::ffff:203.0.113.9]:4711"
	r.ServeHTTP(httptest.NewRecorder(), q)
	e := m.only(t)
	require.Equal(t, entaudit.KindRequest, e.Kind)
	require.Equal(t, "billing", e.Service)
	require.Equal(t, "PUT /invoices/{id}", e.Action)
	require.Equal(t, entaudit.Success, e.Outcome)
	require.Equal(t, entaudit.ActorAnonymous, e.Actor.Type)
	_, err := uuid.Parse(e.Request.ID)
	require.NoError(t, err)
	e.Request.ID = ""
	require.Equal(t, entaudit.Request{
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Method: "PUT", Path: "/invoices/4%2F2", Route: "/invoices/{id}",
		Query: "page=2&token=[REDACTED]&token=[REDACTED]", StatusCode: 202, IP: "203.0.113.9", UserAgent: "curl/8",
	}, e.Request)
	require.Equal(t, entaudit.MarkRedacted, e.Marks["query"])
}

// as is a middleware or handler that knows who acts, in the two ways there are.
func as(ctx context.Context) {
	entaudit.SetActor(ctx, alice)
	entaudit.SetTenant(ctx, acme)
}

func TestCaseH06OriginFromAnywhere(t *testing.T) {
	t.Parallel()
	middlewareOf := func(f func(context.Context) context.Context) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r.WithContext(f(r.Context())))
			})
		}
	}
	for _, tt := range []struct {
		name                  string
		before, after, within func(context.Context) context.Context
	}{
		{name: "before", before: func(ctx context.Context) context.Context {
			return entaudit.WithTenant(entaudit.WithActor(ctx, alice), acme)
		}},
		{name: "after", after: func(ctx context.Context) context.Context { as(ctx); return ctx }},
		{name: "inside", within: func(ctx context.Context) context.Context { as(ctx); return ctx }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, m := newRecorder(t)
			r := chi.NewRouter()
			if tt.before != nil {
				r.Use(middlewareOf(tt.before))
			}
			r.Use(chiaudit.Handler(rec, chiaudit.Options{}))
			if tt.after != nil {
				r.Use(middlewareOf(tt.after))
			}
			r.Get("/things/{id}", func(_ http.ResponseWriter, r *http.Request) {
				if tt.within != nil {
					tt.within(r.Context())
				}
				require.NoError(t, rec.Record(r.Context(), entaudit.Entry{Action: "thing.read"}))
			})
			get(r, "/things/1?a=1", header("User-Agent", "curl/8"), header("X-Request-Id", "r-1"))
			entries := m.all()
			require.Len(t, entries, 2)
			for _, e := range entries {
				require.Equal(t, alice, e.Actor, e.Kind)
				require.Equal(t, acme, e.Tenant, e.Kind)
				require.Equal(t, "7", e.ActorTenantID, e.Kind)
				require.Equal(t, "r-1", e.Request.ID, e.Kind)
				require.Equal(t, "GET", e.Request.Method, e.Kind)
				require.Equal(t, "/things/1", e.Request.Path, e.Kind)
				require.Equal(t, "/things/{id}", e.Request.Route, e.Kind)
				require.Equal(t, "192.0.2.1", e.Request.IP, e.Kind)
				require.Equal(t, "curl/8", e.Request.UserAgent, e.Kind)
			}
			require.Equal(t, 0, entries[0].Request.StatusCode)
			require.Equal(t, 200, entries[1].Request.StatusCode)
		})
	}
}

func TestCaseH08RequestID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", entaudit.LimitRequestID)
	for _, tt := range []struct {
		name  string
		given []string
		keep  bool
		mark  bool
	}{
		{"absent", nil, false, false},
		{"given", []string{"Order_7.retry-2"}, true, false},
		{"longest", []string{long}, true, false},
		{"W10 too long", []string{long + "a"}, false, true},
		{"S30 a megabyte", []string{strings.Repeat("a", 1<<20)}, false, true},
		{"S30 newline", []string{"a\nb"}, false, true},
		{"slash", []string{"a/b"}, false, true},
		{"not ASCII", []string{"né"}, false, true},
		{"empty", []string{""}, false, true},
		{"two", []string{"a", "b"}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			r.Get("/", status(200))
			w := get(r, "/", func(q *http.Request) {
				if tt.given != nil {
					q.Header["X-Request-Id"] = tt.given
				}
			})
			e := m.only(t)
			if tt.keep {
				require.Equal(t, tt.given[0], e.Request.ID)
			} else {
				id, err := uuid.Parse(e.Request.ID)
				require.NoError(t, err)
				require.Equal(t, uuid.Version(7), id.Version())
			}
			require.Equal(t, []string{e.Request.ID}, w.Header()["X-Request-Id"])
			require.NotEqual(t, e.ID.String(), e.Request.ID)
			require.Equal(t, tt.mark, e.Marks["request_id"] == entaudit.MarkReplaced)
		})
	}
	t.Run("chi's", func(t *testing.T) {
		t.Parallel()
		rec, m := newRecorder(t)
		r := chi.NewRouter()
		r.Use(middleware.RequestID, chiaudit.Handler(rec, chiaudit.Options{}))
		var id string
		r.Get("/", func(_ http.ResponseWriter, r *http.Request) { id = middleware.GetReqID(r.Context()) })
		w := get(r, "/")
		require.NotEmpty(t, id)
		require.Equal(t, id, m.only(t).Request.ID)
		require.Equal(t, id, w.Header().Get("X-Request-Id"))
	})
	t.Run("chi's from a hostile client", func(t *testing.T) {
		t.Parallel()
		rec, m := newRecorder(t)
		r := chi.NewRouter()
		r.Use(middleware.RequestID, chiaudit.Handler(rec, chiaudit.Options{}))
		r.Get("/", status(200))
		w := get(r, "/", header("X-Request-Id", "a\r\nSet-Cookie: b"))
		require.Equal(t, m.only(t).Request.ID, w.Header().Get("X-Request-Id"))
		require.NoError(t, uuid.Validate(m.only(t).Request.ID))
		require.Equal(t, entaudit.MarkReplaced, m.only(t).Marks["request_id"])
	})
	t.Run("S30 reused", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/", status(200))
		get(r, "/", header("X-Request-Id", "same"))
		get(r, "/", header("X-Request-Id", "same"))
		entries := m.all()
		require.Len(t, entries, 2)
		require.NotEqual(t, entries[0].ID, entries[1].ID)
	})
}

func TestCaseH13ConcurrentRequests(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "tid"}})
	rec, m := newRecorder(t)
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"}))
	gate := make(chan struct{})
	r.Get("/things/{n}", func(_ http.ResponseWriter, r *http.Request) {
		n := chi.URLParam(r, "n")
		<-gate
		if strings.HasSuffix(n, "5") {
			entaudit.SetActor(r.Context(), entaudit.Actor{ID: "set-" + n})
		}
		for range 3 {
			_ = rec.Record(r.Context(), entaudit.Entry{Action: "thing.read"}) // counted below
		}
	})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			n := fmt.Sprint(i)
			token := sign(t, claims{"sub": "u" + n, "tid": i, "exp": later})
			get(r, "/things/"+n, header("Authorization", "Bearer "+token), header("X-Request-Id", "r-"+n),
				header("User-Agent", "agent-"+n), header("X-Tenant", "someone-else"))
		})
	}
	close(gate)
	wg.Wait()
	entries := m.all()
	require.Len(t, entries, 400)
	seen := map[string]int{}
	for _, e := range entries {
		n := strings.TrimPrefix(e.Request.ID, "r-")
		seen[n]++
		want := "u" + n
		if strings.HasSuffix(n, "5") {
			want = "set-" + n
		}
		require.Equal(t, want, e.Actor.ID)
		require.Equal(t, n, e.Tenant.ID)
		require.Equal(t, "/things/"+n, e.Request.Path)
		require.Equal(t, "agent-"+n, e.Request.UserAgent)
	}
	require.Len(t, seen, 100)
	for n, count := range seen {
		require.Equal(t, 4, count, n)
	}
}

func TestH07MutationAfterTheResponse(t *testing.T) {
	t.Parallel()
	rec, m := newRecorder(t)
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, chiaudit.Options{}))
	answered, recorded := make(chan struct{}), make(chan struct{})
	r.Post("/jobs", func(w http.ResponseWriter, r *http.Request) {
		as(r.Context())
		go func() {
			defer close(recorded)
			<-answered
			_ = rec.Record(context.WithoutCancel(r.Context()), entaudit.Entry{Action: "job.done"}) // looked at below
		}()
		w.WriteHeader(202)
	})
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/jobs", nil))
	close(answered)
	<-recorded
	entries := m.all()
	require.Len(t, entries, 2)
	require.Equal(t, entries[0].Request.ID, entries[1].Request.ID)
	require.Equal(t, "/jobs", entries[1].Request.Route)
	require.Equal(t, alice, entries[1].Actor)
}

func TestOffPassesThrough(t *testing.T) {
	t.Parallel()
	m := &memory{}
	rec, err := entaudit.New(entaudit.Config{Writer: m, Off: true})
	require.NoError(t, err)
	var seen http.ResponseWriter
	h := chiaudit.Handler(rec, chiaudit.Options{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = w
		_, ok := entaudit.RequestFrom(r.Context())
		require.False(t, ok)
	}))
	w := get(h, "/")
	require.Same(t, w, seen)
	require.Empty(t, w.Header())
	require.Equal(t, entaudit.OpSwitch, m.only(t).Operation)
}

func TestWiredTwice(t *testing.T) {
	t.Parallel()
	identify := func(*http.Request) (entaudit.Actor, bool) { return alice, true }
	t.Run("one entry, the inner knows the actor", func(t *testing.T) {
		t.Parallel()
		r, rec, m := setup(t, chiaudit.Options{})
		r.Route("/api", func(r chi.Router) {
			r.Use(chiaudit.Handler(rec, chiaudit.Options{Identify: identify}))
			r.Get("/x", status(200))
		})
		get(r, "/api/x")
		require.Equal(t, alice, m.only(t).Actor)
	})
	t.Run("two recorders, one entry each", func(t *testing.T) {
		t.Parallel()
		r, _, outer := setup(t, chiaudit.Options{})
		rec, inner := newRecorder(t)
		r.Use(chiaudit.Handler(rec, chiaudit.Options{Identify: identify}))
		r.Get("/x", status(418))
		get(r, "/x?token=s3cret")
		for _, m := range []*memory{outer, inner} {
			e := m.only(t)
			require.Equal(t, alice, e.Actor)
			require.Equal(t, 418, e.Request.StatusCode)
			require.Equal(t, "token=[REDACTED]", e.Request.Query)
		}
		require.Equal(t, outer.only(t).Request.ID, inner.only(t).Request.ID)
	})
}

func TestWrongWiringPanics(t *testing.T) {
	t.Parallel()
	rec, _ := newRecorder(t)
	require.PanicsWithValue(t, "chiaudit: Handler: the Recorder is nil", func() { chiaudit.Handler(nil, chiaudit.Options{}) })
	require.Panics(t, func() { chiaudit.Handler(rec, chiaudit.Options{})(nil) })
	for _, name := range []string{"X Tenant", "X-Tenant:", "Ténant", " ", "authorization", "Cookie", "x-request-id"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				require.Contains(t, recover(), "Options.TenantHeader")
			}()
			chiaudit.Handler(rec, chiaudit.Options{TenantHeader: name})
		})
	}
}
