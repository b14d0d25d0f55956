package chiaudit

import (
	"regexp"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

var (
	tenantSlug   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,61}[a-z0-9]$`)
	tenantNumber = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// headerTenant returns the tenant that the values of a header name, and whether
// there was something that names none: several values, or one that is neither a
// slug, nor a uuid, nor a decimal number.
func headerTenant(values []string) (t entaudit.Tenant, bad bool) {
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return entaudit.Tenant{}, false
	}
	if len(values) > 1 {
		return entaudit.Tenant{}, true
	}
	switch s := values[0]; {
	case len(s) == 36 && uuid.Validate(s) == nil, tenantNumber.MatchString(s):
		return entaudit.Tenant{ID: s}, false
	case tenantSlug.MatchString(s):
		return entaudit.Tenant{Slug: s}, false
	}
	return entaudit.Tenant{}, true
}
