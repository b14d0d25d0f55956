package auditenv

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/spool"
	"github.com/entaudit/audit/entaudit/store"
)

// fill makes the settings of each package from the variables.
func (s *Settings) fill(v variables) error {
	s.database = string(v.DatabaseURL)
	s.Recorder = entaudit.Config{
		Service: v.Service, Off: !v.Enabled, NoChanges: !v.Changes, Failures: v.Failures, SummaryAbove: v.SummaryAbove, Table: v.Table, Grace: v.Grace, MaxValue: v.MaxValue,
		Redact: entaudit.Redact{Keys: v.RedactKeys, Allow: v.RedactAllow, KeepValues: !v.RedactValues, Changes: v.RedactChanges},
	}
	s.Store = store.Config{Table: v.Table}
	s.Queue = queue.Config{
		Capacity: v.QueueCapacity, MaxBytes: v.QueueMaxBytes, BatchSize: v.QueueBatchSize, BatchBytes: v.QueueBatchBytes,
		Delay: v.QueueDelay, Timeout: v.QueueTimeout, OnFull: queue.Policy(v.QueueOnFull),
		Retries: v.QueueRetries, Backoff: v.QueueBackoff, MaxBackoff: v.QueueMaxBackoff, Block: v.QueueBlock,
	}
	s.Queue.Durable = v.QueueDurable
	s.Spool = spool.Config{Dir: v.SpoolDir, MaxBytes: int64(v.SpoolMaxBytes), SegmentBytes: int64(v.SpoolSegmentBytes)}
	s.Dead = spool.Config{Dir: v.DeadLetterDir}
	s.Handler = chiaudit.Options{
		NoRequestBody: !v.RequestBody, ResponseBody: v.ResponseBody, MaxBody: v.MaxBody, Headers: v.Headers, Key: key(v.HashKey),
		NoDefaultExclude: !v.ExcludeDefaults, SkipAnonymous: !v.LogAnonymous, StreamOpenings: v.StreamOpenings, TenantHeader: v.TenantHeader,
		Proxies: chiaudit.Proxies{Count: v.ProxyDepth, Header: v.ProxyHeader},
	}
	for _, path := range v.ExcludePaths {
		if path[0] != '/' || strings.ContainsAny(path, "[]{}") {
			return fmt.Errorf("auditenv: AUDIT_EXCLUDE_PATHS: %q does not begin with a slash, or has brackets", path)
		}
		rule := chiaudit.Rule{Path: path, Methods: []string{http.MethodGet, http.MethodHead}}
		if strings.ContainsAny(path, "*?") {
			rule.Path, rule.Glob = "", path
		}
		s.Handler.Exclude = append(s.Handler.Exclude, rule)
	}
	s.JWT = chiaudit.JWTConfig{
		Secret: key(v.JWTSecret), JWKS: keySet(v, string(v.JWKSURL)), Issuer: v.JWTIssuer, Audience: v.JWTAudience, Leeway: v.JWTLeeway,
		Type: v.JWTType, DefaultType: entaudit.ActorType(v.JWTDefaultType), FingerprintKey: key(v.HashKey), InsecureUnverified: !v.JWTVerify,
	}
	for name, kind := range v.TypeAliases {
		if s.JWT.TypeAliases == nil {
			s.JWT.TypeAliases = make(map[string]entaudit.ActorType)
		}
		s.JWT.TypeAliases[name] = entaudit.ActorType(kind)
	}
	return errors.Join(s.fillProxies(v), s.fillTenant(v), s.fillKey(v), s.fillClaims(v), s.fillRules(v), s.fillIssuers(v), s.fillAPIKeys(v),
		s.fillOutbox(v), s.fillJSONL(v), s.fillWebhook(v), checkURL(s.database))
}

func key(s secret) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func (s *Settings) fillProxies(v variables) error {
	for _, text := range v.TrustedProxies {
		p, err := netip.ParsePrefix(text)
		if a, aerr := netip.ParseAddr(text); err != nil && aerr == nil {
			p, err = netip.PrefixFrom(a.WithZone(""), a.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("auditenv: AUDIT_TRUSTED_PROXIES: %q is neither an address nor a network", text)
		}
		s.Handler.Proxies.Trusted = append(s.Handler.Proxies.Trusted, p)
	}
	return nil
}

func (s *Settings) fillTenant(v variables) (err error) {
	if v.TenantPath != "" {
		s.Handler.Tenants = append(s.Handler.Tenants, chiaudit.TenantFromPath(v.TenantPath))
	}
	if v.TenantSubdomain == "" {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("auditenv: AUDIT_TENANT_SUBDOMAIN: is not the name of a domain")
		}
	}()
	s.Handler.Tenants = append(s.Handler.Tenants, chiaudit.TenantFromSubdomain(v.TenantSubdomain))
	return nil
}

func (s *Settings) fillKey(v variables) (err error) {
	if v.JWKSText != "" {
		s.JWT.JWKS.JSON = []byte(v.JWKSText)
	}
	s.JWT.PublicKey, err = publicKey("AUDIT_JWT_PUBLIC_KEY: ", v.JWTPublicKey)
	return err
}

// publicKey returns the key in a text, nil where it is blank.
func publicKey(name, text string) (key any, err error) {
	if text == "" {
		return nil, nil
	}
	name = "auditenv: " + name
	block, rest := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n"))) // as many tools write it
	switch {
	case block == nil || strings.TrimSpace(string(rest)) != "":
		return nil, errors.New(name + "is not one key in PEM")
	case strings.Contains(block.Type, "PRIVATE"):
		return nil, errors.New(name + "is a private key, which has no place here")
	case block.Type == "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil, errors.New(name + "is not a public key")
	}
	return key, nil
}

func (s *Settings) fillClaims(v variables) error {
	c := &s.JWT.Claims
	for name, claim := range v.JWTClaims {
		switch name {
		case "id", "actor_id":
			c.ID = claim
		case "type", "actor_type":
			c.Type = claim
		case "email", "actor_email":
			c.Email = claim
		case "tenant", "tenant_id":
			c.Tenant = claim
		case "tenant_slug":
			c.TenantSlug = claim
		case "impersonator":
			c.Impersonator = claim
		default:
			return fmt.Errorf("auditenv: AUDIT_JWT_CLAIM_MAP: %q is none of id, type, email, tenant, tenant_slug and impersonator", name)
		}
	}
	return nil
}

// checkURL refuses what cannot be the address of a database: above all one that has
// been printed, and lost its password.
func checkURL(text string) error {
	const name = "auditenv: AUDIT_CONTROL_DB_URL: "
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil {
		if strings.Contains(text, "://") {
			return errors.New(name + "is not a URL")
		}
		return nil // the data source name of a driver
	}
	password, _ := u.User.Password()
	if strings.Contains(text, ":***@") || password == entaudit.Redacted || password != "" && strings.Trim(password, "*x") == "" {
		return errors.New(name + "its password is masked: it was printed, and not copied from its source")
	}
	return nil
}

// maskedURL returns a URL without its password and parameters.
func maskedURL(text string) string {
	if u, err := url.Parse(text); err == nil && u.Scheme != "" && u.Host != "" {
		host := u.Host
		if u.User != nil {
			host = u.User.Username() + ":" + entaudit.Redacted + "@" + host
		}
		return u.Scheme + "://" + host + u.Path // and no parameters, which may hold more
	}
	return entaudit.Redacted
}
