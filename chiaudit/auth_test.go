package chiaudit_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// enforce refuses requests that nobody is known for, as an application would.
func enforce(w http.ResponseWriter, r *http.Request) {
	if _, ok := entaudit.ActorFrom(r.Context()); !ok {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func TestW11J8UnverifiedOnlyByChoice(t *testing.T) {
	t.Parallel()
	_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{})
	require.ErrorContains(t, err, "neither Secret nor PublicKey nor JWKS")
	_, err = chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{InsecureUnverified: true, Secret: secret})
	require.ErrorContains(t, err, "chiaudit: JWTConfig.InsecureUnverified: a key is set")

	tokens := newJWT(t, chiaudit.JWTConfig{InsecureUnverified: true, Issuer: "me"})
	forged := raw(hs256, withExp(`"sub":"alice","iss":"me","actor_type":"tenant_user"`))
	forged = forged[:strings.LastIndexByte(forged, '.')+1] + "AAAA"
	serve := func(token string, ware ...func(http.Handler) http.Handler) (int, entaudit.Entry, *memory) {
		r, rec, m := setup(t, chiaudit.Options{Actor: tokens.Actor})
		r.With(ware...).Get("/", func(_ http.ResponseWriter, r *http.Request) {
			require.NoError(t, rec.Log(r.Context(), "look", "invoice", "1"))
		})
		w := get(r, "/", header("Authorization", "Bearer "+token))
		entries := m.all()
		return w.Code, entries[len(entries)-1], m
	}
	for range 2 { // the second is remembered
		code, e, m := serve(forged)
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, "alice", e.Actor.ID)
		require.Equal(t, entaudit.ActorTenantUser, e.Actor.Type)
		require.Equal(t, entaudit.MarkUnverified, e.Marks["actor"])
		require.Equal(t, entaudit.MarkUnverified, m.all()[0].Marks["actor"], "what the program records itself")
	}
	later := func(set func(*http.Request)) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { set(r); next.ServeHTTP(w, r) })
		}
	}
	verifies := later(func(r *http.Request) { entaudit.SetActor(r.Context(), entaudit.Actor{ID: "alice"}) })
	code, e, _ := serve(forged, verifies, chiaudit.Require(chiaudit.Requirements{}))
	require.Equal(t, http.StatusOK, code, "a session has verified the same one")
	require.NotContains(t, e.Marks, "actor")
	claims := later(func(r *http.Request) { entaudit.SetUnverifiedActor(r.Context(), entaudit.Actor{ID: "bob"}) })
	code, _, _ = serve("", claims, chiaudit.Require(chiaudit.Requirements{}))
	require.Equal(t, http.StatusUnauthorized, code)
	code, e, _ = serve(forged, chiaudit.Require(chiaudit.Requirements{}))
	require.Equal(t, http.StatusUnauthorized, code, "what nobody has verified is no proof")
	require.Equal(t, entaudit.Denied, e.Outcome)

	for name, token := range map[string]string{
		"expired":        raw(hs256, `{"exp":1,"sub":"alice","iss":"me"}`),
		"no expiry":      raw(hs256, `{"sub":"alice","iss":"me"}`),
		"another issuer": raw(hs256, withExp(`"sub":"alice","iss":"you"`)),
		"no algorithm":   raw(`{"alg":"none"}`, withExp(`"sub":"alice","iss":"me"`)),
		"no signature":   forged + "~",
		"two subjects":   raw(hs256, withExp(`"sub":"alice","sub":"bob","iss":"me"`)),
	} {
		_, e, _ := serve(token)
		require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e.Actor, name)
		require.NotContains(t, e.Marks, "actor", name)
	}
}

func TestW11FailedAuthentication(t *testing.T) {
	t.Parallel()
	good := sign(t, claims{"sub": "alice", "exp": later})
	for _, tt := range []struct {
		name    string
		values  []string
		code    int
		outcome entaudit.Outcome
		reason  string
	}{
		{"valid", []string{"Bearer " + good}, 200, entaudit.Success, ""},
		{"absent", nil, 401, entaudit.Denied, ""},
		{"not a bearer token", []string{"Basic YTpi"}, 401, entaudit.Denied, ""},
		{"expired", []string{"Bearer " + sign(t, claims{"sub": "alice", "exp": 1})}, 401, entaudit.Denied, chiaudit.ReasonTokenExpired},
		{"S01 forged", []string{"Bearer " + raw(`{"alg":"none"}`, withExp(`"sub":"admin","actor_type":"platform_admin"`))}, 401, entaudit.Denied, chiaudit.ReasonTokenInvalid},
		{"two", []string{"Bearer " + good, "Bearer " + good}, 401, entaudit.Denied, chiaudit.ReasonTokenInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{Actor: newJWT(t, chiaudit.JWTConfig{Secret: secret}).Actor})
			r.Get("/", enforce)
			w := get(r, "/", func(q *http.Request) { q.Header["Authorization"] = tt.values })
			e := m.only(t)
			require.Equal(t, tt.code, w.Code)
			require.Equal(t, tt.outcome, e.Outcome)
			require.Equal(t, tt.reason, e.Reason)
			if tt.code != 200 {
				require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e.Actor)
			}
			text, err := json.Marshal(e)
			require.NoError(t, err)
			for _, v := range tt.values {
				require.NotContains(t, string(text), v[len(v)-10:], "the token is stored")
			}
		})
	}
	t.Run("the response is not changed", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Actor: newJWT(t, chiaudit.JWTConfig{Secret: secret}).Actor})
		r.Get("/", status(200))
		require.Equal(t, 200, get(r, "/", header("Authorization", "Bearer a.b.c")).Code)
		require.Equal(t, entaudit.Success, m.only(t).Outcome)
		require.Equal(t, chiaudit.ReasonTokenInvalid, m.only(t).Reason)
	})
	t.Run("beside another reason", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Actor: newJWT(t, chiaudit.JWTConfig{Secret: secret}).Actor})
		r.Get("/", func(http.ResponseWriter, *http.Request) { panic("boom") })
		require.Panics(t, func() { get(r, "/", header("Authorization", "Bearer a.b.c")) })
		require.Equal(t, chiaudit.ReasonPanic, m.only(t).Reason)
		require.Equal(t, chiaudit.ReasonTokenInvalid, m.only(t).Metadata["authentication"])
	})
}

func TestResolvers(t *testing.T) {
	t.Parallel()
	nobody := func(*http.Request) (chiaudit.Identity, error) { return chiaudit.Identity{}, nil }
	fails := func(err error) func(*http.Request) (chiaudit.Identity, error) {
		return func(*http.Request) (chiaudit.Identity, error) {
			return chiaudit.Identity{Actor: entaudit.Actor{ID: "mallory"}}, err
		}
	}
	own := func(*http.Request) (entaudit.Actor, bool) { return alice, true }
	for _, tt := range []struct {
		name   string
		opts   chiaudit.Options
		want   entaudit.Actor
		reason string
	}{
		{"own", chiaudit.Options{Identify: own}, alice, ""},
		{"own after nobody", chiaudit.Options{Actor: nobody, Identify: own}, alice, ""},
		{"own after a bad token", chiaudit.Options{Actor: fails(&chiaudit.AuthError{Reason: "revoked"}), Identify: own}, alice, "revoked"},
		{"own knows nobody", chiaudit.Options{Identify: func(*http.Request) (entaudit.Actor, bool) { return alice, false }}, entaudit.Actor{Type: "anonymous"}, ""},
		{"any error", chiaudit.Options{Actor: fails(errors.New("down"))}, entaudit.Actor{Type: "anonymous"}, chiaudit.ReasonAuthFailed},
		{"Actor panics", chiaudit.Options{Actor: func(*http.Request) (chiaudit.Identity, error) { panic("x") }, Identify: own}, alice, chiaudit.ReasonAuthFailed},
		{"Identify panics", chiaudit.Options{Identify: func(*http.Request) (entaudit.Actor, bool) { panic("x") }}, entaudit.Actor{Type: "anonymous"}, chiaudit.ReasonAuthFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, tt.opts)
			r.Get("/", status(200))
			get(r, "/")
			require.Equal(t, tt.want, m.only(t).Actor)
			require.Equal(t, tt.reason, m.only(t).Reason)
		})
	}
}

func TestTenant(t *testing.T) {
	t.Parallel()
	token := func(fields string) string { return "Bearer " + raw(hs256, withExp(`"sub":"alice"`+fields)) }
	const id = "0190f3c2-7b7e-7000-8000-00000000002a"
	for _, tt := range []struct {
		name  string
		auth  string
		value []string
		want  entaudit.Tenant
		bad   bool
	}{
		{"none", "", nil, entaudit.Tenant{}, false},
		{"slug", "", []string{"acme-7"}, entaudit.Tenant{Slug: "acme-7"}, false},
		{"number", "", []string{"42"}, entaudit.Tenant{ID: "42"}, false},
		{"uuid", "", []string{id}, entaudit.Tenant{ID: id}, false},
		{"blank", "", []string{""}, entaudit.Tenant{}, false},
		{"two", "", []string{"acme", "other"}, entaudit.Tenant{}, true},
		{"too short", "", []string{"ab"}, entaudit.Tenant{}, true},
		{"longest", "", []string{strings.Repeat("a", 63)}, entaudit.Tenant{Slug: strings.Repeat("a", 63)}, false},
		{"too long", "", []string{strings.Repeat("a", 64)}, entaudit.Tenant{}, true},
		{"upper case", "", []string{"Acme"}, entaudit.Tenant{}, true},
		{"hyphen at the end", "", []string{"acme-"}, entaudit.Tenant{}, true},
		{"newline", "", []string{"acme\n"}, entaudit.Tenant{}, true},
		{"quote", "", []string{"acme';--"}, entaudit.Tenant{}, true},
		{"S22 the token wins", token(`,"tid":"7"`), []string{"other"}, entaudit.Tenant{ID: "7"}, false},
		{"token without tenant", token(``), []string{"other"}, entaudit.Tenant{Slug: "other"}, false},
		{"forged token", token(`,"tid":"7"`) + "x", []string{"other"}, entaudit.Tenant{Slug: "other"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "tid"}})
			r, _, m := setup(t, chiaudit.Options{Actor: j.Actor, TenantHeader: "x-tenant"})
			r.Get("/", status(200))
			get(r, "/", func(q *http.Request) {
				q.Header["X-Tenant"] = tt.value
				if tt.auth != "" {
					q.Header.Set("Authorization", tt.auth)
				}
			})
			e := m.only(t)
			require.Equal(t, tt.want, e.Tenant)
			require.Equal(t, tt.want.ID, e.ActorTenantID)
			require.Equal(t, tt.bad, e.Marks["tenant_id"] == entaudit.MarkUnknown)
		})
	}
	t.Run("the context wins", func(t *testing.T) {
		t.Parallel()
		rec, m := newRecorder(t)
		h := chiaudit.Handler(rec, chiaudit.Options{TenantHeader: "X-Tenant"})(status(200))
		get(h, "/", func(q *http.Request) {
			*q = *q.WithContext(entaudit.WithTenant(q.Context(), acme))
			q.Header.Set("X-Tenant", "other")
		})
		require.Equal(t, acme, m.only(t).Tenant)
	})
	t.Run("no header is read unasked", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/", status(200))
		get(r, "/", header("X-Tenant", "acme"))
		require.Zero(t, m.only(t).Tenant)
	})
}
