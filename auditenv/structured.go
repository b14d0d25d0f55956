package auditenv

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// issuerText is one issuer of tokens as AUDIT_JWT_ISSUERS has it.
type issuerText struct {
	Issuer    string   `json:"issuer"`
	Audience  []string `json:"audience"`
	Secret    string   `json:"secret"`
	PublicKey string   `json:"public_key"` // PEM
	JWKSURL   string   `json:"jwks_url"`
}

// apiKeyText is one API key as AUDIT_API_KEYS has it.
type apiKeyText struct {
	SHA256     string `json:"sha256"`
	ID         string `json:"id"`
	Type       string `json:"type"`
	Email      string `json:"email"`
	TenantID   string `json:"tenant_id"`
	TenantSlug string `json:"tenant_slug"`
}

// ruleText is one rule as AUDIT_EXCLUDE has it.
type ruleText struct {
	Path    string   `json:"path"`
	Prefix  string   `json:"prefix"`
	Glob    string   `json:"glob"`
	Route   string   `json:"route"`
	Methods []string `json:"methods"`
	Status  []int    `json:"status"`
	Keep    float64  `json:"keep"`
}

// decodeList decodes a JSON list whose objects have no other names than those of T. Its
// errors do not hold the text.
func decodeList[T any](name, text string) ([]T, error) {
	if text == "" {
		return nil, nil
	}
	var all []T
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&all); err != nil || all == nil {
		return nil, fmt.Errorf("auditenv: %s: is not a JSON list of objects with the names that docs/configuration.md has", name)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("auditenv: %s: has something behind its list", name)
	}
	return all, nil
}

func (s *Settings) fillRules(v variables) error {
	rules, err := decodeList[ruleText]("AUDIT_EXCLUDE", v.Exclude)
	for _, r := range rules {
		s.Handler.Exclude = append(s.Handler.Exclude, chiaudit.Rule(r))
	}
	return err
}

func (s *Settings) fillIssuers(v variables) error {
	const name = "AUDIT_JWT_ISSUERS"
	issuers, err := decodeList[issuerText](name, string(v.JWTIssuers))
	if err != nil {
		return err
	}
	for n, i := range issuers {
		public, err := publicKey(fmt.Sprintf("%s: [%d].public_key ", name, n), i.PublicKey)
		if err != nil {
			return err
		}
		s.JWT.Issuers = append(s.JWT.Issuers, chiaudit.JWTIssuer{
			Issuer: i.Issuer, Audience: i.Audience, Secret: key(secret(i.Secret)), PublicKey: public, JWKS: keySet(v, i.JWKSURL),
		})
	}
	fetched := func(i issuerText) bool { return i.JWKSURL != "" }
	if (v.JWKSRefresh != 0 || v.JWKSMaxStale != 0) && v.JWKSURL == "" && !slices.ContainsFunc(issuers, fetched) {
		return fmt.Errorf("auditenv: AUDIT_JWT_JWKS_REFRESH and AUDIT_JWT_JWKS_MAX_STALE: mean nothing without a jwks_url in %s", name)
	}
	return nil
}

// keySet returns how the key set at an address is kept up to date, the zero JWKS where
// there is none.
func keySet(v variables, address string) chiaudit.JWKS {
	if address == "" {
		return chiaudit.JWKS{}
	}
	return chiaudit.JWKS{URL: address, Refresh: v.JWKSRefresh, MaxStale: v.JWKSMaxStale}
}

func (s *Settings) fillAPIKeys(v variables) error {
	const name = "AUDIT_API_KEYS"
	keys, err := decodeList[apiKeyText](name, string(v.APIKeys))
	if err != nil {
		return err
	}
	for n, k := range keys {
		sum, err := hex.DecodeString(k.SHA256)
		if err != nil || len(sum) != len(chiaudit.APIKeyHash{}) {
			return fmt.Errorf("auditenv: %s: [%d].sha256 is not the SHA-256 of a key in hexadecimal digits", name, n)
		}
		s.APIKeys.Keys = append(s.APIKeys.Keys, chiaudit.APIKey{
			Hash: chiaudit.APIKeyHash(sum),
			Identity: chiaudit.Identity{
				Actor:  entaudit.Actor{ID: k.ID, Type: entaudit.ActorType(k.Type), Email: k.Email},
				Tenant: entaudit.Tenant{ID: k.TenantID, Slug: k.TenantSlug},
			},
		})
	}
	if len(keys) > 0 {
		s.APIKeys.Header, s.APIKeys.FingerprintKey = v.APIKeyHeader, key(v.HashKey)
	}
	return nil
}
