package chiaudit

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/entaudit/audit/entaudit"
)

// ClaimMap says which claims of a token hold what. A name is taken as it is
// written, with its case; where the token has no claim of that name and the name
// has dots, it is a path into nested objects: "realm.user.id". Blank fields mean
// the defaults.
type ClaimMap struct {
	ID    string // default "sub"; the claim is required
	Type  string // default "actor_type"
	Email string // default "email"
	// Tenant holds the tenant's id, as a string or an integer. Blank means that
	// tokens do not tell the tenant.
	Tenant string
	// TenantSlug holds the tenant's slug. Blank means that tokens do not tell it.
	TenantSlug string
	// Impersonator holds the id of who really acts, for issuers that say it in a
	// claim of their own. Blank means that only the claim act is read, which every
	// token may have: it names who acts for the subject, and within it who acts for
	// that one (RFC 8693). A token in which it names nobody is not valid.
	Impersonator string
}

func (m ClaimMap) withDefaults() ClaimMap {
	m.ID = cmp.Or(m.ID, "sub")
	m.Type = cmp.Or(m.Type, "actor_type")
	m.Email = cmp.Or(m.Email, "email")
	return m
}

func (m ClaimMap) validate() error {
	for _, f := range []struct{ field, name string }{
		{"ID", m.ID},
		{"Type", m.Type},
		{"Email", m.Email},
		{"Tenant", m.Tenant},
		{"TenantSlug", m.TenantSlug},
		{"Impersonator", m.Impersonator},
	} {
		if strings.TrimSpace(f.name) != f.name || f.name != "" && slices.Contains(strings.Split(f.name, "."), "") {
			return fmt.Errorf("chiaudit: JWTConfig.Claims.%s: %q is neither the name of a claim nor a path", f.field, f.name)
		}
	}
	return nil
}

// identity returns what the verified claims say.
func (j *JWT) identity(c *claims) (Identity, error) {
	id, err := c.exact(j.claims.ID, entaudit.LimitName)
	if err != nil {
		return Identity{}, err
	}
	if id == "" {
		return Identity{}, fmt.Errorf("claim %s is missing", j.claims.ID)
	}
	kind, err := c.string(j.claims.Type, entaudit.LimitShort)
	if err != nil {
		return Identity{}, err
	}
	email, err := c.exact(j.claims.Email, entaudit.LimitEmail)
	if err != nil {
		return Identity{}, err
	}
	tenant, err := c.tenant(j.claims)
	if err != nil {
		return Identity{}, err
	}
	chain, err := c.chain(j.claims)
	if err != nil {
		return Identity{}, err
	}
	a := entaudit.Actor{ID: id, Type: j.defaultType, Email: email}
	if kind != "" {
		a.Type = entaudit.ParseActorType(kind)
	}
	if t, ok := j.aliases[a.Type]; ok {
		a.Type = t
	}
	if len(chain) > 0 {
		a.ImpersonatorID, a.Chain = chain[0], chain[1:]
	}
	return Identity{Actor: a, Tenant: tenant}, nil
}

// chain returns who acts for the subject, nearest first.
func (c *claims) chain(m ClaimMap) (ids []string, err error) {
	for v := c.values["act"]; v != nil; {
		object, _ := v.(map[string]any)
		id, err := (&claims{object}).exact("sub", entaudit.LimitName)
		switch {
		case err != nil:
			return nil, fmt.Errorf("claim act: %w", err)
		case id == "":
			return nil, errors.New("claim act names nobody")
		}
		ids = append(ids, id)
		v = object["act"]
	}
	if m.Impersonator == "" {
		return ids, nil
	}
	id, err := c.exact(m.Impersonator, entaudit.LimitName)
	if id != "" && len(ids) == 0 {
		ids = []string{id}
	}
	return ids, err
}

// typeAliases returns the aliases with both sides as types are kept.
func typeAliases(given map[string]entaudit.ActorType) (map[entaudit.ActorType]entaudit.ActorType, error) {
	aliases := make(map[entaudit.ActorType]entaudit.ActorType, len(given))
	for name, t := range given {
		alias, kind := entaudit.ParseActorType(name), entaudit.ParseActorType(string(t))
		if strings.TrimSpace(name) == "" || strings.TrimSpace(string(t)) == "" {
			return nil, fmt.Errorf("chiaudit: JWTConfig.TypeAliases: %q for %q: one of them is blank", name, t)
		}
		if other, ok := aliases[alias]; ok && other != kind {
			return nil, fmt.Errorf("chiaudit: JWTConfig.TypeAliases: %q stands for two types", alias)
		}
		aliases[alias] = kind
	}
	return aliases, nil
}

func (c *claims) tenant(m ClaimMap) (t entaudit.Tenant, err error) {
	if m.Tenant != "" {
		if n, ok := c.at(m.Tenant).(json.Number); ok && tenantNumber.MatchString(n.String()) {
			t.ID = n.String()
		} else if t.ID, err = c.exact(m.Tenant, entaudit.LimitName); err != nil {
			return entaudit.Tenant{}, err
		}
	}
	if m.TenantSlug == "" {
		return t, nil
	}
	t.Slug, err = c.exact(m.TenantSlug, entaudit.LimitSlug)
	if err == nil && t.Slug != "" && !tenantSlug.MatchString(t.Slug) {
		err = fmt.Errorf("claim %s is not a slug", m.TenantSlug)
	}
	if err != nil {
		return entaudit.Tenant{}, err
	}
	return t, nil
}

// at returns the claim at a name or path, nil where there is none.
func (c *claims) at(path string) any {
	if v, ok := c.values[path]; ok {
		return v
	}
	var v any = c.values
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// string returns a text claim, "" where it is missing. It refuses what names
// nobody for certain: text that would have to be cut, and characters that a
// reader cannot see or that stand for several others.
func (c *claims) string(path string, limit int) (string, error) {
	v := c.at(path)
	if v == nil {
		return "", nil
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return "", fmt.Errorf("claim %s is not a string", path)
	case len(s) > limit:
		return "", fmt.Errorf("claim %s has %d bytes, more than %d", path, len(s), limit)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return "", fmt.Errorf("claim %s has the character %U", path, r)
		}
	}
	return s, nil
}

// exact is string for text that two spellings of must not name the same.
func (c *claims) exact(path string, limit int) (string, error) {
	s, err := c.string(path, limit)
	if err == nil && strings.TrimSpace(s) != s {
		return "", fmt.Errorf("claim %s has space around it", path)
	}
	return s, err
}
