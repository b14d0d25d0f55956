package chiaudit

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/entaudit/audit/entaudit"
)

const (
	maxToken  = 8 << 10         // bytes of a token; longer ones are not looked at
	maxLeeway = 5 * time.Minute // clocks that differ by more want repair
)

// JWTConfig are the settings of a [JWT]. Exactly one key is required; it decides
// which algorithm tokens must be signed with.
type JWTConfig struct {
	// Secret is the key of HS256, at least 32 bytes of randomness. It is unsafe
	// to use a password, or any text that is published somewhere.
	Secret []byte
	// PublicKey is the key of RS256 (*rsa.PublicKey of at least 2048 bits) or of
	// ES256 (*ecdsa.PublicKey on P-256).
	PublicKey crypto.PublicKey
	// Issuer is the only iss that is accepted, compared byte by byte. Blank
	// accepts any, which is unsafe where several issuers sign with the key.
	Issuer string
	// Audience lists the aud of which a token must have one. Empty accepts any,
	// which is unsafe where the issuer serves other services too: a token made
	// for one of them is then taken here.
	Audience []string
	// Leeway is how far the issuer's clock may be off, at most five minutes.
	Leeway time.Duration
	// Claims says which claims hold what.
	Claims ClaimMap
	// DefaultType is the type of actors whose token does not name one. Blank
	// means [entaudit.ActorAnonymous].
	DefaultType entaudit.ActorType
}

func (c JWTConfig) validate() error {
	switch {
	case c.Leeway < 0 || c.Leeway > maxLeeway:
		return fmt.Errorf("chiaudit: JWTConfig.Leeway: %v is not between 0 and %v", c.Leeway, maxLeeway)
	case strings.TrimSpace(c.Issuer) != c.Issuer:
		return fmt.Errorf("chiaudit: JWTConfig.Issuer: %q has space around it", c.Issuer)
	}
	for _, aud := range c.Audience {
		if strings.TrimSpace(aud) != aud || aud == "" {
			return fmt.Errorf("chiaudit: JWTConfig.Audience: %q is blank or has space around it", aud)
		}
	}
	return c.Claims.validate()
}

// JWT finds the actor of a request in a signed bearer token. It is safe for
// concurrent use. It stores no token.
type JWT struct {
	key         verifyingKey
	parser      *jwt.Parser
	claims      ClaimMap
	defaultType entaudit.ActorType
}

// NewJWT returns a JWT with the settings of c, or an error that names the field
// that is wrong. Weak keys are refused. ctx bounds what has to be done before
// the first token can be verified.
func NewJWT(ctx context.Context, c JWTConfig) (*JWT, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("chiaudit: new JWT: %w", err)
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	key, err := newVerifyingKey(c)
	if err != nil {
		return nil, err
	}
	opts := []jwt.ParserOption{
		jwt.WithValidMethods([]string{key.algorithm}),
		jwt.WithStrictDecoding(),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(c.Leeway),
	}
	if c.Issuer != "" {
		opts = append(opts, jwt.WithIssuer(c.Issuer))
	}
	if len(c.Audience) > 0 {
		opts = append(opts, jwt.WithAudience(append([]string(nil), c.Audience...)...))
	}
	return &JWT{
		key:         key,
		parser:      jwt.NewParser(opts...),
		claims:      c.Claims.withDefaults(),
		defaultType: entaudit.ParseActorType(string(c.DefaultType)),
	}, nil
}

// Actor returns what the bearer token of r proves. It is meant for
// [Options].Actor. Without an Authorization header of the bearer scheme it returns
// the zero Identity. One that is not valid in every respect proves nothing, nor
// does one among several: the error is an [AuthError] with [ReasonTokenExpired]
// or [ReasonTokenInvalid].
func (j *JWT) Actor(r *http.Request) (Identity, error) {
	token, err := bearer(r.Header["Authorization"])
	if err != nil {
		return Identity{}, &AuthError{Reason: ReasonTokenInvalid, Err: err}
	}
	if token == "" {
		return Identity{}, nil
	}
	claims, err := j.verify(token)
	if err != nil {
		return Identity{}, &AuthError{Reason: tokenReason(err), Err: err}
	}
	id, err := j.identity(claims)
	if err != nil {
		return Identity{}, &AuthError{Reason: ReasonTokenInvalid, Err: err}
	}
	return id, nil
}

const (
	letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// inToken is what RFC 6750 allows in a token, with = behind it.
	inToken = letters + "-._~+/"
	// inScheme is what RFC 9110 allows in the name of a scheme.
	inScheme = letters + "!#$%&'*+-.^_`|~"
)

// mentionsBearer reports whether any reader of an Authorization header could find
// the bearer scheme in it: at its beginning, or behind a comma where a proxy has
// joined several headers.
func mentionsBearer(value string) bool {
	const scheme = "Bearer"
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		if len(part) < len(scheme) || !strings.EqualFold(part[:len(scheme)], scheme) {
			continue
		}
		if rest := part[len(scheme):]; rest == "" || strings.IndexByte(inScheme, rest[0]) < 0 {
			return true
		}
	}
	return false
}

// bearer returns the bearer token that the values of the Authorization header
// hold, "" where none of them mentions the scheme. Anything but one value with
// one token is refused: another reader of it would see somebody else.
func bearer(values []string) (string, error) {
	switch {
	case !slices.ContainsFunc(values, mentionsBearer):
		return "", nil
	case len(values) > 1:
		return "", errors.New("more than one Authorization header")
	}
	scheme, token, _ := strings.Cut(strings.Trim(values[0], " "), " ")
	token = strings.TrimLeft(token, " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return "", errors.New("malformed Authorization header")
	case len(token) > maxToken:
		return "", fmt.Errorf("token of %d bytes", len(token))
	case strings.Trim(token, "=") == "" || strings.Trim(strings.TrimRight(token, "="), inToken) != "":
		return "", errors.New("no token, or one with characters that none has")
	}
	return token, nil
}

// verify returns the claims of a token that is signed with our key and valid
// now.
func (j *JWT) verify(token string) (*claims, error) {
	header, _, _ := strings.Cut(token, ".")
	if err := checkHeader(header); err != nil {
		return nil, err
	}
	c := &claims{}
	// The parser has been told the one algorithm that is valid for the key.
	if _, err := j.parser.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return j.key.key, nil }); err != nil {
		return nil, err
	}
	return c, nil
}

// checkHeader refuses headers that ask for something this package does not do:
// critical extensions, encryption, compression, tokens within tokens. Keys and
// addresses of keys in a header are never looked at.
func checkHeader(segment string) error {
	data, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return errors.New("header is not base64url")
	}
	header, err := decodeObject(data)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	for _, name := range []string{"crit", "enc", "zip", "b64"} {
		if _, ok := header[name]; ok {
			return fmt.Errorf("header has %s", name)
		}
	}
	if cty, ok := header["cty"].(string); ok && strings.EqualFold(cty, "JWT") {
		return errors.New("header announces a token within the token")
	}
	return nil
}

// tokenReason tells a token that was right in all respects but its time from all
// others.
func tokenReason(err error) string {
	if !errors.Is(err, jwt.ErrTokenExpired) {
		return ReasonTokenInvalid
	}
	for _, other := range []error{
		jwt.ErrTokenSignatureInvalid, jwt.ErrTokenUnverifiable, jwt.ErrTokenMalformed, jwt.ErrInvalidType,
		jwt.ErrTokenNotValidYet, jwt.ErrTokenUsedBeforeIssued, jwt.ErrTokenInvalidAudience,
		jwt.ErrTokenInvalidIssuer, jwt.ErrTokenRequiredClaimMissing,
	} {
		if errors.Is(err, other) {
			return ReasonTokenInvalid
		}
	}
	return ReasonTokenExpired
}
