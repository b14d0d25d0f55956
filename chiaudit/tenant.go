package chiaudit

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// TenantFunc tells which tenant a request asks for: the zero Tenant where it names
// none, an error where what should name one makes no sense. It proves nothing, since
// clients choose what they ask for. One that looks the tenant up and returns both id
// and slug lets it be compared with credentials that hold either.
type TenantFunc func(*http.Request) (entaudit.Tenant, error)

var (
	tenantSlug   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,61}[a-z0-9]$`)
	tenantNumber = regexp.MustCompile(`^[0-9]{1,20}$`)

	errTenant  = errors.New("chiaudit: neither a slug, nor a uuid, nor a decimal number")
	errTenants = errors.New("chiaudit: several tenants in one header")
)

// parseTenant returns the tenant that s names as a slug, a uuid or a number.
func parseTenant(s string) (entaudit.Tenant, error) {
	switch {
	case s == "":
		return entaudit.Tenant{}, nil
	case len(s) == 36 && uuid.Validate(s) == nil:
		return entaudit.Tenant{ID: strings.ToLower(s)}, nil
	case tenantNumber.MatchString(s):
		return entaudit.Tenant{ID: s}, nil
	case tenantSlug.MatchString(s):
		return entaudit.Tenant{Slug: s}, nil
	}
	return entaudit.Tenant{}, errTenant
}

// TenantFromHeader returns a TenantFunc that reads the named header, which holds a
// slug, a uuid or a decimal number. It panics where the name is not one of a header
// that may be read for that.
func TenantFromHeader(name string) TenantFunc {
	if err := (Options{TenantHeader: name}).validate(); name == "" || err != nil {
		panic("chiaudit: TenantFromHeader: " + name + " is not a header that may name the tenant")
	}
	name = http.CanonicalHeaderKey(name)
	return func(r *http.Request) (entaudit.Tenant, error) {
		values := r.Header[name]
		switch len(values) {
		case 0:
			return entaudit.Tenant{}, nil
		case 1:
			return parseTenant(values[0])
		}
		return entaudit.Tenant{}, errTenants
	}
}

// TenantFromSubdomain returns a TenantFunc for services where acme.example.com is
// the tenant acme, with example.com as domain. The domain itself and other hosts
// name no tenant; what has more labels in front makes no sense. It panics where
// domain is blank or has a port.
func TenantFromSubdomain(domain string) TenantFunc {
	domain = strings.ToLower(strings.Trim(domain, "."))
	if domain == "" || strings.ContainsAny(domain, ":/ ") {
		panic("chiaudit: TenantFromSubdomain: the domain is blank or no name of a host")
	}
	return func(r *http.Request) (entaudit.Tenant, error) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		slug, ok := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), "."+domain)
		switch {
		case !ok:
			return entaudit.Tenant{}, nil
		case !tenantSlug.MatchString(slug):
			return entaudit.Tenant{}, errTenant
		}
		return entaudit.Tenant{Slug: slug}, nil
	}
}

// TenantFromPath returns a TenantFunc that reads a parameter of chi's route:
// "tenant" for routes such as /t/{tenant}/invoices. Where the middleware stands
// before the routing, the router is asked beforehand. It panics where param is blank.
func TenantFromPath(param string) TenantFunc {
	if param == "" {
		panic("chiaudit: TenantFromPath: the name of the parameter is blank")
	}
	return func(r *http.Request) (entaudit.Tenant, error) {
		rctx := chi.RouteContext(r.Context())
		if rctx == nil {
			return entaudit.Tenant{}, nil
		}
		value := rctx.URLParam(param)
		if value == "" && rctx.Routes != nil {
			path := r.URL.RawPath
			if path == "" {
				path = r.URL.Path
			}
			if ahead := chi.NewRouteContext(); rctx.Routes.Match(ahead, r.Method, path) {
				value = ahead.URLParam(param)
			}
		}
		return parseTenant(value)
	}
}

// accord is how the tenants that a request asks for go with the one that its
// credential is for, from best to worst.
type accord uint8

const (
	agreed       accord = iota
	undecided           // one is known by its id and the other by its slug, or makes no sense
	contradicted        // they are different tenants
)

// compare compares two tenants. Ids decide where both have one, since a slug may
// change hands.
func compare(a, b entaudit.Tenant) accord {
	same := false
	switch {
	case a.ID != "" && b.ID != "":
		same = a.ID == b.ID || len(a.ID) == 36 && uuid.Validate(a.ID) == nil && strings.EqualFold(a.ID, b.ID)
	case a.Slug != "" && b.Slug != "":
		same = a.Slug == b.Slug
	default:
		return undecided
	}
	if same {
		return agreed
	}
	return contradicted
}

// tenant returns the tenant of the request, and compares those that it names them with the one
// that is proven. Without one the first that is named is the tenant, and the others
// are compared with it as far as that can be done.
func (h *handler) tenant(r *http.Request, proven entaudit.Tenant, f *finding) entaudit.Tenant {
	tenant := proven
	for _, source := range h.tenants {
		t, err := ask(h, r, source)
		switch {
		case err != nil && proven.IsZero():
			f.badTenant = true
			continue
		case err != nil:
			f.accord = max(f.accord, undecided)
			continue
		case t.IsZero():
			continue
		case tenant.IsZero():
			tenant = t
			continue
		}
		how := compare(tenant, t)
		if how == undecided && proven.IsZero() {
			continue // two names that the request gives may well be of one tenant
		}
		if how > f.accord && how != agreed {
			f.accord, f.asked = how, cmp.Or(t.ID, t.Slug)
		}
	}
	return tenant
}
