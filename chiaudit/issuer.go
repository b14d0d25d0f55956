package chiaudit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// JWTIssuer is one issuer of tokens: exactly one of Secret, PublicKey and JWKS is
// required. The fields mean what they mean in [JWTConfig]; Issuer is required too
// and must be another one for each.
type JWTIssuer struct {
	Issuer    string
	Audience  []string
	Secret    []byte
	PublicKey any
	JWKS      JWKS
}

// issuers returns the issuers of c, each with the name of its place in c.
func (c JWTConfig) issuers() (list []JWTIssuer, fields []string, err error) {
	single := JWTIssuer{Issuer: c.Issuer, Audience: c.Audience, Secret: c.Secret, PublicKey: c.PublicKey, JWKS: c.JWKS}
	if len(c.Issuers) == 0 {
		return []JWTIssuer{single}, []string{"JWTConfig"}, single.validate("JWTConfig")
	}
	if c.Issuer != "" || c.Audience != nil || c.Secret != nil || c.PublicKey != nil || !c.JWKS.zero() {
		return nil, nil, errors.New("chiaudit: JWTConfig.Issuers: what belongs to a single issuer is set as well")
	}
	for n, i := range c.Issuers {
		field := fmt.Sprintf("JWTConfig.Issuers[%d]", n)
		switch err := i.validate(field); {
		case err != nil:
			return nil, nil, err
		case i.Issuer == "":
			return nil, nil, fmt.Errorf("chiaudit: %s.Issuer: is blank, so that its tokens are not told from others", field)
		case slices.ContainsFunc(c.Issuers[:n], func(o JWTIssuer) bool { return o.Issuer == i.Issuer }):
			return nil, nil, fmt.Errorf("chiaudit: %s.Issuer: %q is there twice", field, i.Issuer)
		}
		fields = append(fields, field)
	}
	return c.Issuers, fields, nil
}

func (i JWTIssuer) validate(field string) error {
	if strings.TrimSpace(i.Issuer) != i.Issuer {
		return fmt.Errorf("chiaudit: %s.Issuer: %q has space around it", field, i.Issuer)
	}
	for _, aud := range i.Audience {
		if strings.TrimSpace(aud) != aud || aud == "" {
			return fmt.Errorf("chiaudit: %s.Audience: %q is blank or has space around it", field, aud)
		}
	}
	return nil
}

// issuer is a JWTIssuer as it is used.
type issuer struct {
	name      string
	keys      keySource
	validator *jwt.Validator
}

// keySource holds the keys of an issuer. It is safe for concurrent use.
type keySource interface {
	// key returns the key that a token names, which may be by nothing. It returns
	// within a second or when ctx ends.
	key(ctx context.Context, id string) (verifyingKey, error)
	// version changes whenever a key may have gone. It is 0 while there is none.
	version() uint64
	// close ends what runs in the background, or returns an error when ctx ends.
	close(ctx context.Context) error
}

func newIssuer(ctx context.Context, i JWTIssuer, field string, c JWTConfig) (issuer, error) {
	opts := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(c.Leeway)}
	if i.Issuer != "" {
		opts = append(opts, jwt.WithIssuer(i.Issuer))
	}
	if len(i.Audience) > 0 {
		opts = append(opts, jwt.WithAudience(slices.Clone(i.Audience)...))
	}
	keys, err := newKeySource(ctx, i, field, c.InsecureUnverified)
	return issuer{name: i.Issuer, keys: keys, validator: jwt.NewValidator(opts...)}, err
}

func newKeySource(ctx context.Context, i JWTIssuer, field string, unverified bool) (keySource, error) {
	given := 0
	for _, set := range []bool{i.Secret != nil, i.PublicKey != nil, !i.JWKS.zero()} {
		if set {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, fmt.Errorf("chiaudit: %s.Secret: only one of Secret, PublicKey and JWKS may be set; the key decides the algorithm", field)
	case unverified && given > 0:
		return nil, errors.New("chiaudit: JWTConfig.InsecureUnverified: a key is set, which would then not be used")
	case unverified:
		return oneKey{}, nil
	case !i.JWKS.zero():
		return newJWKS(ctx, i.JWKS, field)
	case given == 0:
		return nil, fmt.Errorf("chiaudit: %s: neither Secret nor PublicKey nor JWKS is set; tokens without a verified signature prove nothing", field)
	}
	key, err := newVerifyingKey(i, field)
	return oneKey{key}, err
}

// oneKey is the source of a single key, which tokens need not name.
type oneKey struct{ verifyingKey }

func (k oneKey) key(context.Context, string) (verifyingKey, error) { return k.verifyingKey, nil }
func (oneKey) version() uint64                                     { return 1 }
func (oneKey) close(context.Context) error                         { return nil }

// issuerOf returns the issuer whose key a token with these claims, which nobody has
// verified yet, has to be signed with.
func (j *JWT) issuerOf(c *claims) (issuer, error) {
	if len(j.issuers) == 1 {
		return j.issuers[0], nil // which the validator compares
	}
	name, err := c.text("iss")
	if err != nil {
		return issuer{}, err
	}
	n := slices.IndexFunc(j.issuers, func(i issuer) bool { return i.name == name })
	if n < 0 {
		return issuer{}, jwt.ErrTokenInvalidIssuer
	}
	return j.issuers[n], nil
}
