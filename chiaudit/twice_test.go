package chiaudit_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestW11FindingsOfTheInnerHandler(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	fails := func(reason string) chiaudit.Options {
		return chiaudit.Options{Actor: func(*http.Request) (chiaudit.Identity, error) {
			return chiaudit.Identity{}, &chiaudit.AuthError{Reason: reason}
		}}
	}
	for _, tt := range []struct {
		name         string
		outer, inner chiaudit.Options
		reason       string
		other        any
		bad          bool
	}{
		{"inner", chiaudit.Options{}, chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"}, chiaudit.ReasonTokenExpired, nil, true},
		{"outer", chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"}, chiaudit.Options{}, chiaudit.ReasonTokenExpired, nil, true},
		{"both the same", chiaudit.Options{Actor: j.Actor}, chiaudit.Options{Actor: j.Actor}, chiaudit.ReasonTokenExpired, nil, false},
		{"both", fails("revoked"), chiaudit.Options{Actor: j.Actor}, "revoked", chiaudit.ReasonTokenExpired, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, rec, m := setup(t, tt.outer)
			other, others := newRecorder(t)
			r.Use(chiaudit.Handler(other, chiaudit.Options{}))
			r.Route("/api", func(r chi.Router) {
				r.Use(chiaudit.Handler(rec, tt.inner))
				r.Get("/", status(401))
			})
			expired := sign(t, claims{"sub": "alice", "exp": 1})
			get(r, "/api/", header("Authorization", "Bearer "+expired), header("X-Tenant", "!!"))
			e := m.only(t)
			require.Equal(t, entaudit.Denied, e.Outcome)
			require.Equal(t, tt.reason, e.Reason)
			require.Equal(t, tt.other, e.Metadata["authentication"])
			require.Equal(t, tt.bad, e.Marks["tenant_id"] == entaudit.MarkUnknown)
			require.Empty(t, others.only(t).Reason, "what a handler of another recorder found")
		})
	}
}

func TestS22KnownActor(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "tid"}})
	token := "Bearer " + sign(t, claims{"sub": "mallory", "tid": "9", "exp": later})
	for _, tt := range []struct {
		name   string
		opts   chiaudit.Options
		auth   string
		in     entaudit.Tenant // known beforehand
		want   entaudit.Tenant
		reason string
	}{
		{"the token's tenant wins over the header", chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"}, token, entaudit.Tenant{}, entaudit.Tenant{ID: "9"}, ""},
		{"no token", chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"}, "", entaudit.Tenant{}, entaudit.Tenant{Slug: "other"}, ""},
		{"a bad token", chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"}, token + "x", entaudit.Tenant{}, entaudit.Tenant{Slug: "other"}, chiaudit.ReasonTokenInvalid},
		{"no resolver", chiaudit.Options{TenantHeader: "X-Tenant"}, token, entaudit.Tenant{}, entaudit.Tenant{Slug: "other"}, ""},
		{"no header", chiaudit.Options{Actor: j.Actor}, token, entaudit.Tenant{}, entaudit.Tenant{}, ""},
		{"the tenant is known too", chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"}, token, acme, acme, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.opts.Identify = func(*http.Request) (entaudit.Actor, bool) { return entaudit.Actor{ID: "eve"}, true }
			rec, m := newRecorder(t)
			get(chiaudit.Handler(rec, tt.opts)(status(200)), "/", func(q *http.Request) {
				ctx := entaudit.WithActor(q.Context(), alice)
				if !tt.in.IsZero() {
					ctx = entaudit.WithTenant(ctx, tt.in)
				}
				*q = *q.WithContext(ctx)
				q.Header.Set("Authorization", tt.auth)
				q.Header.Set("X-Tenant", "other")
			})
			e := m.only(t)
			require.Equal(t, alice, e.Actor, "the actor that was known")
			require.Equal(t, tt.want, e.Tenant)
			require.Equal(t, tt.reason, e.Reason)
		})
	}
}

func TestW14QueryOfAMutationIsMasked(t *testing.T) {
	t.Parallel()
	r, rec, m := setup(t, chiaudit.Options{})
	r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
		q, ok := entaudit.RequestFrom(r.Context())
		require.True(t, ok)
		require.Equal(t, "page=2&token=[REDACTED]", q.Query)
		require.NoError(t, rec.Record(r.Context(), entaudit.Entry{Action: "thing.read"}))
	})
	get(r, "/?page=2&token=canary")
	entries := m.all()
	require.Len(t, entries, 2)
	for _, e := range entries {
		require.Equal(t, "page=2&token=[REDACTED]", e.Request.Query, e.Kind)
	}
}

func TestW24EachRecorderMasksItsOwn(t *testing.T) {
	t.Parallel()
	recorder := func(name string) (*entaudit.Recorder, *memory) {
		m := &memory{}
		rec, err := entaudit.New(entaudit.Config{Writer: m, Redact: entaudit.Redact{Keys: []string{name}}})
		require.NoError(t, err)
		return rec, m
	}
	outer, outers := recorder("colour")
	inner, inners := recorder("shape")
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(outer, chiaudit.Options{}), chiaudit.Handler(inner, chiaudit.Options{}))
	r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, inner.Record(r.Context(), entaudit.Entry{Action: "thing.read"}))
	})
	get(r, "/?colour=red&shape=round")
	require.Equal(t, "colour=[REDACTED]&shape=round", outers.only(t).Request.Query)
	entries := inners.all()
	require.Len(t, entries, 2)
	require.NotContains(t, entries[0].Request.Query, "round", "the change")
	require.Equal(t, "colour=red&shape=[REDACTED]", entries[1].Request.Query)
}

func TestH08SlashesOfARequestID(t *testing.T) {
	t.Parallel()
	for id, keep := range map[string]bool{"host/a-000001": true, "host/a/b": false, "host//a": false, "/": true} {
		rec, m := newRecorder(t)
		get(chiaudit.Handler(rec, chiaudit.Options{})(status(200)), "/", func(q *http.Request) {
			*q = *q.WithContext(context.WithValue(q.Context(), middleware.RequestIDKey, id))
		})
		e := m.only(t)
		require.Equal(t, keep, e.Request.ID == id, id)
		require.Equal(t, !keep, e.Marks["request_id"] == entaudit.MarkReplaced, id)
		require.Equal(t, !keep, uuid.Validate(e.Request.ID) == nil, id)
	}
}

// Which handler asks for the tenant, and which for the credential, makes no difference.
func TestS22TenantOfTheOuterHandler(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "tid"}})
	for name, tt := range map[string]struct {
		asked string
		code  int
	}{"the same": {"9", 200}, "another": {"7", 403}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, rec, m := setup(t, chiaudit.Options{TenantHeader: "X-Tenant"})
			r.Route("/api", func(r chi.Router) {
				r.Use(chiaudit.Handler(rec, chiaudit.Options{Actor: j.Actor}), chiaudit.Require(chiaudit.Requirements{}))
				r.Get("/", status(200))
			})
			token := sign(t, claims{"sub": "alice", "tid": "9", "exp": later})
			w := get(r, "/api/", header("Authorization", "Bearer "+token), header("X-Tenant", tt.asked))
			require.Equal(t, tt.code, w.Code)
			e := m.only(t)
			require.Equal(t, "9", e.Tenant.ID, "what the token proves")
			require.Equal(t, tt.code == 403, e.Reason == chiaudit.ReasonTenantMismatch)
			require.Equal(t, tt.code == 403, e.Metadata["asked_tenant"] == tt.asked)
		})
	}
	unverified := newJWT(t, chiaudit.JWTConfig{InsecureUnverified: true, Claims: chiaudit.ClaimMap{Tenant: "tid"}})
	for name, tt := range map[string]struct {
		actor chiaudit.Resolver
		asks  string
		sets  bool
	}{
		"a token that nobody verifies":  {unverified.Actor, "X-Tenant", false},
		"a tenant of the application's": {j.Actor, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, rec, m := setup(t, chiaudit.Options{TenantHeader: tt.asks})
			r.Use(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tt.sets {
						entaudit.SetTenant(r.Context(), entaudit.Tenant{ID: "7"})
					}
					next.ServeHTTP(w, r)
				})
			}, chiaudit.Handler(rec, chiaudit.Options{Actor: tt.actor}))
			r.Get("/", status(200))
			token := sign(t, claims{"sub": "alice", "tid": "9", "exp": later})
			get(r, "/", header("Authorization", "Bearer "+token), header("X-Tenant", "7"))
			require.Equal(t, "alice", m.only(t).Actor.ID)
			require.Equal(t, "7", m.only(t).Tenant.ID)
		})
	}
}

// A Recorder that is off changes nothing about what another one records, or about who may
// pass.
func TestT01OffInsideAnother(t *testing.T) {
	t.Parallel()
	tokens := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	off, err := entaudit.New(entaudit.Config{Off: true, Writer: &memory{}})
	require.NoError(t, err)
	r, rec, m := setup(t, chiaudit.Options{})
	r.Use(chiaudit.Handler(off, chiaudit.Options{Actor: tokens.Actor}))
	r.Get("/{id}", func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, rec.Log(r.Context(), "look", "invoice", "1"))
	})
	get(r, "/7", header("Authorization", "Bearer "+sign(t, claims{"sub": "alice", "exp": later})))
	entries := m.all()
	require.Len(t, entries, 2)
	require.Equal(t, "alice", entries[0].Actor.ID)
	require.Equal(t, "/7", entries[0].Request.Path)
	require.Equal(t, "alice", entries[1].Actor.ID)

	unverified := newJWT(t, chiaudit.JWTConfig{InsecureUnverified: true})
	r = chi.NewRouter()
	r.Use(chiaudit.Handler(off, chiaudit.Options{Actor: unverified.Actor}), chiaudit.Handler(off, chiaudit.Options{TenantHeader: "X-Tenant"}),
		chiaudit.Require(chiaudit.Requirements{}))
	r.Get("/", status(200))
	forged := sign(t, claims{"sub": "alice", "exp": later})
	require.Equal(t, http.StatusUnauthorized, get(r, "/", header("Authorization", "Bearer "+forged)).Code)

	tokens = newJWT(t, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "tid"}})
	r = chi.NewRouter()
	r.Use(chiaudit.Handler(off, chiaudit.Options{TenantHeader: "X-Tenant"}), chiaudit.Handler(off, chiaudit.Options{Actor: tokens.Actor}),
		chiaudit.Require(chiaudit.Requirements{}))
	r.Get("/", status(200))
	token := header("Authorization", "Bearer "+sign(t, claims{"sub": "alice", "tid": "9", "exp": later}))
	require.Equal(t, http.StatusOK, get(r, "/", token, header("X-Tenant", "9")).Code)
	require.Equal(t, http.StatusForbidden, get(r, "/", token, header("X-Tenant", "7")).Code, "one handler knows what the other found")
}
