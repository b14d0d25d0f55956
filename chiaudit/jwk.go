package chiaudit

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/golang-jwt/jwt/v5"

	"github.com/entaudit/audit/entaudit"
)

const (
	maxKeys = 100
	maxRSA  = 8192 // bits; each signature costs more with the size
)

// publicAlgorithms are those that keys of a set may be for. The first of a family is
// the one of keys that do not say it.
var publicAlgorithms = map[string][]string{
	"RSA":     {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
	"P-256":   {"ES256"},
	"P-384":   {"ES384"},
	"P-521":   {"ES512"},
	"Ed25519": {"EdDSA"},
}

// setAlgorithms returns all of publicAlgorithms.
func setAlgorithms() []string {
	var all []string
	for _, list := range publicAlgorithms {
		all = append(all, list...)
	}
	return all
}

// parseKeySet returns the keys of a JWK set (RFC 7517) that can verify tokens, by
// their ids. Others are left out: sets hold keys for encryption too, and keys of kinds
// that are new. A key without an id is left out since no token can name it, and so
// are those that share one, since it names neither.
func parseKeySet(data []byte) (map[string]verifyingKey, error) {
	set, err := decodeObject(data)
	if err != nil {
		return nil, err
	}
	list, ok := set["keys"].([]any)
	switch {
	case !ok:
		return nil, errors.New("JSON is no key set")
	case len(list) > maxKeys:
		return nil, fmt.Errorf("%d keys are too many", len(list))
	}
	keys := make(map[string]verifyingKey, len(list))
	seen := make(map[string]bool, len(list))
	var problems []error
	for n, v := range list {
		object, _ := v.(map[string]any)
		id, key, err := parseJWK(&claims{object})
		if id != "" && seen[id] {
			delete(keys, id)
			err = errors.New("shares its id with another")
		}
		seen[id] = true
		if err != nil {
			problems = append(problems, fmt.Errorf("key %d %w", n, err))
			continue
		}
		keys[id] = key
	}
	if len(keys) == 0 {
		return nil, errors.Join(append([]error{errors.New("no key can verify tokens")}, problems...)...)
	}
	return keys, nil
}

// parseJWK returns a key and its id. The id is returned with an error too.
func parseJWK(c *claims) (id string, key verifyingKey, err error) {
	if id, err = c.exact("kid", entaudit.LimitName); err != nil || id == "" {
		return "", key, errors.Join(errors.New("has no usable id"), err)
	}
	if use, ok := c.values["use"]; ok && use != "sig" {
		return id, key, errors.New("is not for signatures")
	}
	if ops, ok := c.values["key_ops"]; ok {
		if list, _ := ops.([]any); !slices.Contains(list, any("verify")) {
			return id, key, errors.New("is not for verifying")
		}
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, ok := c.values[name]; ok {
			return id, key, errors.New("is secret, and published")
		}
	}
	family, public, err := publicKey(c)
	if err != nil {
		return id, key, err
	}
	algorithm, err := c.text("alg")
	switch {
	case err != nil:
		return id, key, err
	case algorithm == "":
		algorithm = publicAlgorithms[family][0]
	case !slices.Contains(publicAlgorithms[family], algorithm):
		return id, key, fmt.Errorf("is of %s and cannot be for its algorithm", family)
	}
	return id, verifyingKey{algorithm: algorithm, key: public}, nil
}

// publicKey returns the public key of a JWK and its name in publicAlgorithms.
func publicKey(c *claims) (family string, key any, err error) {
	switch c.values["kty"] {
	case "RSA":
		key, err = rsaKey(c)
		return "RSA", key, err
	case "EC":
		return ecKey(c)
	case "OKP":
		x, err := c.bytes("x")
		if err != nil || c.values["crv"] != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return "", nil, errors.New("is no Ed25519 key")
		}
		return "Ed25519", ed25519.PublicKey(x), nil
	}
	return "", nil, errors.New("is of another kind than RSA, EC and OKP")
}

func rsaKey(c *claims) (*rsa.PublicKey, error) {
	n, err := c.bytes("n")
	if err != nil {
		return nil, err
	}
	e, err := c.bytes("e")
	if err != nil {
		return nil, err
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
	exponent := new(big.Int).SetBytes(e)
	switch bits := key.N.BitLen(); {
	case bits < minRSA || bits > maxRSA || key.N.Bit(0) == 0:
		return nil, fmt.Errorf("is no RSA key of %d to %d bits", minRSA, maxRSA)
	case exponent.BitLen() > 31 || exponent.Int64() < 3 || exponent.Bit(0) == 0:
		return nil, errors.New("has an unsafe exponent")
	}
	key.E = int(exponent.Int64())
	return key, nil
}

func ecKey(c *claims) (family string, key *ecdsa.PublicKey, err error) {
	curves := []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}
	n := slices.IndexFunc(curves, func(e elliptic.Curve) bool { return c.values["crv"] == e.Params().Name })
	if n < 0 {
		return "", nil, errors.New("is on a curve that is not supported")
	}
	x, err := c.bytes("x")
	if err != nil {
		return "", nil, err
	}
	y, err := c.bytes("y")
	if err != nil {
		return "", nil, err
	}
	name := curves[n].Params().Name
	if size := (curves[n].Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return "", nil, fmt.Errorf("has no coordinates of %s", name)
	}
	key, err = ecdsa.ParseUncompressedPublicKey(curves[n], slices.Concat([]byte{4}, x, y))
	if err != nil {
		return "", nil, fmt.Errorf("is no point on %s", name)
	}
	return name, key, nil
}

// bytes returns a value that is text in base64url.
func (c *claims) bytes(name string) ([]byte, error) {
	s, err := c.text(name)
	if err == nil {
		var b []byte
		if b, err = base64.RawURLEncoding.Strict().DecodeString(s); err == nil && len(b) > 0 {
			return b, nil
		}
	}
	return nil, fmt.Errorf("has no usable %s", name)
}

// accepts reports whether a token may be signed with method, for the key.
func (k verifyingKey) accepts(method jwt.SigningMethod) bool { return method.Alg() == k.algorithm }
