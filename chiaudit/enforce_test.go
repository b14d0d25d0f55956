package chiaudit_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestS22RequireTheTokensTenant(t *testing.T) {
	t.Parallel()
	const id, other = "0190f3c2-7b7e-7000-8000-00000000002a", "0190f3c2-7b7e-7000-8000-0000000000ff"
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "tid", TenantSlug: "slug"}})
	byID, both := claims{"sub": "alice", "tid": id, "exp": later}, claims{"sub": "alice", "tid": id, "slug": "acme", "exp": later}
	for _, tt := range []struct {
		name   string
		token  claims
		target string
		header string
		code   int
		reason string
		asked  any
	}{
		{"nothing asked", both, "http://api.example/", "", 200, "", nil},
		{"header", both, "http://api.example/", "acme", 200, "", nil},
		{"header by id", both, "http://api.example/", strings.ToUpper(id), 200, "", nil},
		{"id in another case", claims{"sub": "alice", "tid": strings.ToUpper(id), "exp": later}, "http://api.example/", id, 200, "", nil},
		{"another header", both, "http://api.example/", "globex", 403, chiaudit.ReasonTenantMismatch, "globex"},
		{"another id", both, "http://api.example/", other, 403, chiaudit.ReasonTenantMismatch, other},
		{"header that cannot be compared", byID, "http://api.example/", "globex", 403, chiaudit.ReasonTenantMismatch, "globex"},
		{"header that makes no sense", both, "http://api.example/", "!!", 403, chiaudit.ReasonTenantMismatch, nil},
		{"path", both, "http://api.example/t/acme/invoices", "", 200, "", nil},
		{"another path", both, "http://api.example/t/globex/invoices", "", 403, chiaudit.ReasonTenantMismatch, "globex"},
		{"another path, the right header", both, "http://api.example/t/globex/invoices", "acme", 403, chiaudit.ReasonTenantMismatch, "globex"},
		{"escaped path", both, "http://api.example/t/acm%65/invoices", "", 403, chiaudit.ReasonTenantMismatch, nil},
		{"subdomain", both, "http://acme.example.com:8080/", "", 200, "", nil},
		{"another subdomain", both, "http://Globex.Example.com./", "", 403, chiaudit.ReasonTenantMismatch, "globex"},
		{"the domain itself", both, "http://example.com/", "", 200, "", nil},
		{"another domain", both, "http://globex.example.com.evil.org/", "", 200, "", nil},
		{"a longer domain", both, "http://globexexample.com/", "", 200, "", nil},
		{"deeper", both, "http://a.globex.example.com/", "", 403, chiaudit.ReasonTenantMismatch, nil},
		{"an actor without tenant asks for one", claims{"sub": "alice", "exp": later}, "http://api.example/", "acme", 403, chiaudit.ReasonTenantMissing, nil},
		{"no tenant at all", claims{"sub": "alice", "exp": later}, "http://api.example/", "", 403, chiaudit.ReasonTenantMissing, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant", Tenants: []chiaudit.TenantFunc{
				chiaudit.TenantFromPath("tenant"), chiaudit.TenantFromSubdomain("Example.com."),
			}})
			r.Use(chiaudit.Require(chiaudit.Requirements{Tenant: true}))
			r.Get("/", status(200))
			r.Route("/t/{tenant}", func(r chi.Router) { r.Get("/invoices", status(200)) })
			w := get(r, tt.target, header("Authorization", "Bearer "+sign(t, tt.token)), func(q *http.Request) {
				if tt.header != "" {
					q.Header.Set("X-Tenant", tt.header)
				}
			})
			require.Equal(t, tt.code, w.Code)
			e := m.only(t)
			require.Equal(t, "alice", e.Actor.ID)
			require.Equal(t, tt.reason, e.Reason)
			require.Equal(t, tt.asked, e.Metadata["asked_tenant"])
			if tid, ok := tt.token["tid"].(string); ok {
				require.Equal(t, tid, e.Tenant.ID, "the tenant of the token")
				require.Equal(t, tid, e.ActorTenantID)
			}
			if tt.code == 403 {
				require.Equal(t, entaudit.Denied, e.Outcome)
			}
		})
	}
	t.Run("recording alone refuses nothing", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"})
		r.Get("/", status(200))
		require.Equal(t, 200, get(r, "/", header("Authorization", "Bearer "+sign(t, both)), header("X-Tenant", "globex")).Code)
		require.Equal(t, chiaudit.ReasonTenantMismatch, m.only(t).Reason)
		require.Equal(t, id, m.only(t).Tenant.ID)
	})
	t.Run("the application names the tenant", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant"})
		r.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				entaudit.SetTenant(r.Context(), acme)
				next.ServeHTTP(w, r)
			})
		}, chiaudit.Require(chiaudit.Requirements{Tenant: true}))
		r.Get("/", status(200))
		require.Equal(t, 200, get(r, "/", header("Authorization", "Bearer "+sign(t, claims{"sub": "alice", "exp": later})), header("X-Tenant", "acme")).Code)
		require.Equal(t, acme, m.only(t).Tenant)
	})
	t.Run("an id and a slug without a credential", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Actor: j.Actor, TenantHeader: "X-Tenant", Tenants: []chiaudit.TenantFunc{chiaudit.TenantFromSubdomain("example.com")}})
		r.Use(chiaudit.Require(chiaudit.Requirements{}))
		r.Get("/", status(200))
		w := get(r, "http://acme.example.com/", header("Authorization", "Bearer "+sign(t, claims{"sub": "alice", "exp": later})), header("X-Tenant", strings.ToUpper(id)))
		require.Equal(t, 200, w.Code)
		require.Equal(t, entaudit.Tenant{ID: id}, m.only(t).Tenant)
	})
	t.Run("two names without a credential", func(t *testing.T) {
		t.Parallel()
		source := func(tenant entaudit.Tenant) chiaudit.TenantFunc {
			return func(*http.Request) (entaudit.Tenant, error) { return tenant, nil }
		}
		r, _, m := setup(t, chiaudit.Options{Tenants: []chiaudit.TenantFunc{
			func(*http.Request) (entaudit.Tenant, error) { panic("x") },
			source(entaudit.Tenant{Slug: "acme"}), source(entaudit.Tenant{ID: "7"}), source(entaudit.Tenant{Slug: "globex"}),
		}})
		r.Get("/", status(200))
		get(r, "/")
		require.Equal(t, "acme", m.only(t).Tenant.Slug)
		require.Equal(t, chiaudit.ReasonTenantMismatch, m.only(t).Reason)
	})
}

func TestW12RequireAnActor(t *testing.T) {
	t.Parallel()
	good, bad := "Bearer "+sign(t, claims{"sub": "alice", "exp": later}), "Bearer "+sign(t, claims{"sub": "alice", "exp": 1})
	for _, tt := range []struct {
		name, auth string
		q          chiaudit.Requirements
		code       int
		challenge  string
		reason     string
	}{
		{"valid", good, chiaudit.Requirements{}, 200, "", ""},
		{"absent", "", chiaudit.Requirements{}, 401, "Bearer", chiaudit.ReasonActorMissing},
		{"not valid", bad, chiaudit.Requirements{}, 401, `Bearer error="invalid_token"`, chiaudit.ReasonTokenExpired},
		{"own challenge", bad, chiaudit.Requirements{Challenge: `Basic realm="x"`}, 401, `Basic realm="x"`, chiaudit.ReasonTokenExpired},
		{"own answer", "", chiaudit.Requirements{Refuse: func(w http.ResponseWriter, _ *http.Request, status int, reason string) {
			require.Equal(t, chiaudit.ReasonActorMissing, reason)
			w.WriteHeader(status + 2)
		}}, 403, "Bearer", chiaudit.ReasonActorMissing},
	} {
		for _, off := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				m := &memory{}
				rec, err := entaudit.New(entaudit.Config{Writer: m, Off: off})
				require.NoError(t, err)
				r := chi.NewRouter()
				r.Use(chiaudit.Handler(rec, chiaudit.Options{Actor: newJWT(t, chiaudit.JWTConfig{Secret: secret}).Actor}))
				r.Use(chiaudit.Require(tt.q))
				r.Get("/", status(200))
				w := get(r, "/", header("Authorization", tt.auth))
				require.Equal(t, tt.code, w.Code, "recording is off: %v", off)
				require.Equal(t, tt.challenge, w.Header().Get("WWW-Authenticate"))
				e := m.only(t)
				if off {
					require.Equal(t, entaudit.OpSwitch, e.Operation)
					return
				}
				require.Equal(t, tt.reason, e.Reason)
				require.Equal(t, tt.code != 200, e.Outcome == entaudit.Denied)
			})
		}
	}
	t.Run("nothing in front", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 401, get(chiaudit.Require(chiaudit.Requirements{})(status(200)), "/", header("Authorization", good)).Code)
	})
	t.Run("two recorders", func(t *testing.T) {
		t.Parallel()
		j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
		for _, first := range []bool{true, false} {
			known := map[bool]chiaudit.Options{true: {Actor: j.Actor}}
			r, _, m := setup(t, known[first])
			inner, inners := newRecorder(t)
			r.Use(chiaudit.Handler(inner, known[!first]), chiaudit.Require(chiaudit.Requirements{}))
			r.Get("/", status(200))
			require.Equal(t, `Bearer error="invalid_token"`, get(r, "/", header("Authorization", bad)).Header().Get("WWW-Authenticate"))
			reasons := []string{m.only(t).Reason, inners.only(t).Reason}
			require.ElementsMatch(t, []string{chiaudit.ReasonTokenExpired, chiaudit.ReasonAuthFailed}, reasons)
			require.Equal(t, chiaudit.ReasonTokenExpired, reasons[map[bool]int{true: 0, false: 1}[first]])
		}
	})
	t.Run("makes no sense", func(t *testing.T) {
		t.Parallel()
		require.Panics(t, func() { chiaudit.Require(chiaudit.Requirements{Challenge: "a\r\nb"}) })
		require.Panics(t, func() { chiaudit.Require(chiaudit.Requirements{})(nil) })
		rec, _ := newRecorder(t)
		require.Panics(t, func() { chiaudit.Handler(rec, chiaudit.Options{Tenants: []chiaudit.TenantFunc{nil}}) })
		require.Panics(t, func() { chiaudit.TenantFromHeader("") })
		require.Panics(t, func() { chiaudit.TenantFromHeader("Cookie") })
		require.Panics(t, func() { chiaudit.TenantFromSubdomain("") })
		require.Panics(t, func() { chiaudit.TenantFromPath("") })
	})
}
