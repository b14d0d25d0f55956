package chiaudit_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// Whoever knows the tenant, it is on the request's entry and on those of what the
// handler does.
func TestW21TenantFromAnywhere(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "org.id", TenantSlug: "org.slug"}})
	token := sign(t, claims{"sub": "alice", "exp": later, "org": claims{"id": 7, "slug": "acme"}})
	looked := func(*http.Request) (entaudit.Tenant, error) { return acme, nil }
	slug := entaudit.Tenant{Slug: "acme"}
	for _, tt := range []struct {
		name                  string
		opts                  chiaudit.Options
		target                string
		before, after, within func(context.Context) context.Context
		header                [2]string
		want                  entaudit.Tenant
	}{
		{name: "middleware before", before: func(ctx context.Context) context.Context { return entaudit.WithTenant(ctx, acme) }, want: acme},
		{name: "middleware after", after: func(ctx context.Context) context.Context { entaudit.SetTenant(ctx, acme); return ctx }, want: acme},
		{name: "the handler", within: func(ctx context.Context) context.Context { entaudit.SetTenant(ctx, acme); return ctx }, want: acme},
		{name: "a token", opts: chiaudit.Options{Actor: j.Actor}, header: [2]string{"Authorization", "Bearer " + token}, want: acme},
		{name: "a header with a slug", opts: chiaudit.Options{TenantHeader: "X-Tenant"}, header: [2]string{"X-Tenant", "acme"}, want: slug},
		{name: "a header with an id", opts: chiaudit.Options{TenantHeader: "X-Tenant"}, header: [2]string{"X-Tenant", "7"}, want: entaudit.Tenant{ID: "7"}},
		{name: "a subdomain", opts: chiaudit.Options{Tenants: []chiaudit.TenantFunc{chiaudit.TenantFromSubdomain("example.com")}}, target: "http://acme.example.com", want: slug},
		{name: "the path", opts: chiaudit.Options{Tenants: []chiaudit.TenantFunc{chiaudit.TenantFromPath("tenant")}}, want: slug},
		{name: "the application's own look-up", opts: chiaudit.Options{Tenants: []chiaudit.TenantFunc{looked}}, want: acme},
		{name: "nobody", want: entaudit.Tenant{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			through := func(f func(context.Context) context.Context) func(http.Handler) http.Handler {
				return func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if f != nil {
							r = r.WithContext(f(r.Context()))
						}
						next.ServeHTTP(w, r)
					})
				}
			}
			rec, m := newRecorder(t)
			r := chi.NewRouter()
			r.Use(through(tt.before), chiaudit.Handler(rec, tt.opts), through(tt.after))
			r.Get("/t/{tenant}/things", func(_ http.ResponseWriter, r *http.Request) {
				if tt.within != nil {
					tt.within(r.Context())
				}
				require.NoError(t, rec.Record(r.Context(), entaudit.Entry{Action: "thing.read"}))
			})
			get(r, tt.target+"/t/acme/things", header(tt.header[0], tt.header[1]))
			entries := m.all()
			require.Len(t, entries, 2)
			for _, e := range entries {
				require.Equal(t, tt.want, e.Tenant, e.Kind)
			}
		})
	}
}
