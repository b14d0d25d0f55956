package chiaudit

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
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

// JWTConfig are the settings of a [JWT]. Exactly one of Secret, PublicKey, JWKS and
// Issuers is required; a key decides which algorithm tokens must be signed with.
type JWTConfig struct {
	// Secret is the key of HS256, at least 32 bytes of randomness. It is unsafe
	// to use a password, or any text that is published somewhere.
	Secret []byte
	// PublicKey is the key of RS256 (*rsa.PublicKey of at least 2048 bits) or of
	// ES256 (*ecdsa.PublicKey on P-256).
	PublicKey crypto.PublicKey
	// JWKS says where the issuer publishes its keys.
	JWKS JWKS
	// Issuer is the only iss that is accepted, compared byte by byte. Blank
	// accepts any, which is unsafe where several issuers sign with the key.
	Issuer string
	// Audience lists the aud of which a token must have one. Empty accepts any,
	// which is unsafe where the issuer serves other services too: a token made
	// for one of them is then taken here.
	Audience []string
	// Issuers lists several issuers, in place of the fields above. A token is only
	// ever verified with a key of the issuer that it names.
	Issuers []JWTIssuer
	// Leeway is how far the issuers' clocks may be off, at most five minutes.
	Leeway time.Duration
	// Type is the typ that the headers of tokens must have, in any case and with
	// or without "application/": at+jwt says that only access tokens are taken
	// (RFC 9068). Tokens whose claims call them something else, an ID token or a
	// refresh token, are then refused too. Blank takes JWT, at+jwt and none, so
	// that an ID token for the same audience is taken as well.
	Type string
	// Claims says which claims hold what.
	Claims ClaimMap
	// DefaultType is the type of actors whose token does not name one. Blank
	// means [entaudit.ActorAnonymous].
	DefaultType entaudit.ActorType
	// TypeAliases are other names for types of actors, by which issuers call them.
	// Case and space around a name are ignored.
	TypeAliases map[string]entaudit.ActorType
	// InsecureUnverified has tokens believed whose signature nobody checks: whoever sends
	// one chooses the actor. It is unsafe wherever something else than a gateway that has
	// verified them can reach the program. No key may be set with it. All other checks
	// stay; entries mark the actor as unverified, and [Require] refuses it.
	InsecureUnverified bool
	// FingerprintKey is the key of the fingerprints that stand for tokens which are
	// not valid, at least 32 bytes of randomness. Nil means a random one, so that
	// the fingerprints of one token differ between processes.
	FingerprintKey []byte
}

func (c JWTConfig) validate() error {
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		return fmt.Errorf("chiaudit: JWTConfig.Leeway: %v is not between 0 and %v", c.Leeway, maxLeeway)
	}
	return c.Claims.validate()
}

// JWT finds the actor of a request in a signed bearer token. It is safe for
// concurrent use. It stores no token.
type JWT struct {
	issuers     []issuer
	parser      *jwt.Parser
	leeway      time.Duration
	tokenType   string
	claims      ClaimMap
	unverified  bool
	defaultType entaudit.ActorType
	aliases     map[entaudit.ActorType]entaudit.ActorType
	fingerprint fingerprinter
	verified    verifiedTokens
}

// NewJWT returns a JWT with the settings of c, or an error that names the field
// that is wrong. Weak keys are refused. ctx bounds what has to be done before
// the first token can be verified. Call [JWT.Close] when it is no longer used.
func NewJWT(ctx context.Context, c JWTConfig) (*JWT, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("chiaudit: new JWT: %w", err)
	}
	issuers, fields, err := c.issuers()
	if err != nil {
		return nil, err
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	j := &JWT{
		parser: jwt.NewParser(
			jwt.WithValidMethods(algorithms()),
			jwt.WithStrictDecoding(),
			jwt.WithoutClaimsValidation(), // each issuer has its own
		),
		leeway:      c.Leeway,
		tokenType:   mediaType(c.Type),
		claims:      c.Claims.withDefaults(),
		unverified:  c.InsecureUnverified,
		defaultType: entaudit.ParseActorType(string(c.DefaultType)),
	}
	if j.aliases, err = typeAliases(c.TypeAliases); err != nil {
		return nil, err
	}
	if j.fingerprint, err = newFingerprinter(c.FingerprintKey, "JWTConfig.FingerprintKey"); err != nil {
		return nil, err
	}
	for n, i := range issuers {
		own, err := newIssuer(ctx, i, fields[n], c)
		if err != nil {
			return nil, errors.Join(err, j.Close(ctx))
		}
		j.issuers = append(j.issuers, own)
	}
	if j.unverified {
		slog.WarnContext(ctx, "chiaudit: signatures of tokens are not verified: whoever sends one chooses the actor")
	}
	return j, nil
}

// Close ends what keeps key sets up to date, or returns an error when ctx ends. It
// is idempotent and safe for concurrent use. Tokens are verified with the last known
// keys afterwards, until those are stale.
func (j *JWT) Close(ctx context.Context) error {
	var errs []error
	for _, i := range j.issuers {
		errs = append(errs, i.keys.close(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("chiaudit: close JWT: %w", err)
	}
	return nil
}

// Actor returns what the bearer token of r proves. It is meant for
// [Options].Actor. Without an Authorization header of the bearer scheme it returns
// the zero Identity. One that is not valid in every respect proves nothing, nor
// does one among several: the error is an [AuthError] with [ReasonTokenExpired],
// [ReasonTokenInvalid] or [ReasonKeysUnavailable]. A token that has been verified is
// remembered by its hash until it expires or its key is gone.
func (j *JWT) Actor(r *http.Request) (Identity, error) {
	values := r.Header["Authorization"]
	token, err := bearer(values)
	if err != nil {
		return Identity{}, &AuthError{Reason: ReasonTokenInvalid, Err: err, Fingerprint: j.fingerprint.of(strings.Join(values, "\n"))}
	}
	if token == "" {
		return Identity{}, nil
	}
	hash := sha256.Sum256([]byte(token))
	if id, ok := j.verified.get(hash, time.Now()); ok {
		return id, nil
	}
	c := &claims{}
	v, err := j.verify(r.Context(), token, c)
	if err != nil {
		claimed, _ := c.exact(j.claims.ID, entaudit.LimitName) // who cannot be named claims to be nobody
		return Identity{}, &AuthError{Reason: tokenReason(err), Err: err, Fingerprint: j.fingerprint.of(token), Subject: claimed}
	}
	j.verified.put(hash, v)
	return v.identity, nil
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

// verify returns what a token proves that is signed with a key of ours and valid
// now. It fills c with the claims as far as it comes.
func (j *JWT) verify(ctx context.Context, token string, c *claims) (verified, error) {
	segment, _, _ := strings.Cut(token, ".")
	header, err := j.header(segment)
	if err != nil {
		return verified{}, err
	}
	var from issuer
	var version uint64
	keyOf := func(t *jwt.Token) (any, error) {
		var err error
		if from, err = j.issuerOf(c); err != nil {
			return nil, err
		}
		version = from.keys.version()
		id, err := header.text("kid")
		if err != nil {
			return nil, err
		}
		key, err := from.keys.key(ctx, id)
		if err == nil && !j.unverified && !key.accepts(t.Method) {
			err = fmt.Errorf("key is for %s", key.algorithm)
		}
		return key.key, err
	}
	if j.unverified {
		err = j.parseUnverified(token, c, keyOf)
	} else {
		_, err = j.parser.ParseWithClaims(token, c, keyOf)
	}
	if err != nil {
		return verified{}, err
	}
	if err := from.validator.Validate(c); err != nil {
		return verified{}, err
	}
	if err := j.checkUse(c); err != nil {
		return verified{}, err
	}
	v := verified{keys: from.keys, version: version}
	if v.identity, err = j.identity(c); err != nil {
		return verified{}, err
	}
	v.identity.Unverified = j.unverified
	exp, err := c.GetExpirationTime()
	if err != nil {
		return verified{}, err
	}
	v.expires = exp.Add(j.leeway)
	return v, nil
}

// header refuses headers that ask for something this package does not do: critical
// extensions, encryption, compression, tokens within tokens, other types. Keys and
// addresses of keys in a header are never looked at.
func (j *JWT) header(segment string) (*claims, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, errors.New("header is not base64url")
	}
	values, err := decodeObject(data)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	header := &claims{values}
	for _, name := range []string{"crit", "enc", "zip", "b64"} {
		if _, ok := values[name]; ok {
			return nil, fmt.Errorf("header has %s", name)
		}
	}
	if cty, ok := values["cty"].(string); ok && strings.EqualFold(cty, "JWT") {
		return nil, errors.New("header announces a token within the token")
	}
	typ, err := header.text("typ")
	if err != nil {
		return nil, err
	}
	switch typ = mediaType(typ); {
	case j.tokenType != "" && typ == j.tokenType:
	case j.tokenType == "" && (typ == "" || typ == "jwt" || typ == "at+jwt"):
	default:
		return nil, errors.New("header names another type of token")
	}
	return header, nil
}

// mediaType returns the typ of a header without what may be left out of it.
func mediaType(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

// checkUse refuses tokens that are signed like ours and made for something else.
// Issuers say it in different claims.
func (j *JWT) checkUse(c *claims) error {
	if _, ok := c.values["events"]; ok {
		return errors.New("token tells of something that happened, such as a logout")
	}
	if j.tokenType == "" {
		return nil
	}
	for name, access := range map[string]string{"token_use": "access", "typ": "Bearer"} {
		if v, ok := c.values[name]; ok && v != access {
			return fmt.Errorf("claim %s names another use", name)
		}
	}
	return nil
}

// tokenReason tells a token that was right in all respects but its time from all
// others.
func tokenReason(err error) string {
	if errors.Is(err, errStale) {
		return ReasonKeysUnavailable
	}
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
