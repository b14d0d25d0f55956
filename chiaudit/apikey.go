package chiaudit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// minAPIKey is as short as a random key may be: 16 bytes in base64.
const minAPIKey = 22

// APIKeyHash is the SHA-256 of an API key: what is configured and compared, so that
// neither a configuration nor a database holds the key.
type APIKeyHash [sha256.Size]byte

// HashAPIKey returns the hash of a key. It is fast: keys must be random, not chosen.
func HashAPIKey(key string) APIKeyHash { return sha256.Sum256([]byte(key)) }

// APIKey is one key and whose it is.
type APIKey struct {
	Hash     APIKeyHash
	Identity Identity
}

// APIKeyConfig are the settings of [APIKeys]. One of Keys and Lookup is required.
type APIKeyConfig struct {
	// Header holds the key. Blank means X-Api-Key.
	Header string
	// Keys are the keys that are known beforehand.
	Keys []APIKey
	// Lookup finds whose a key is that is not among Keys, for example in a
	// database, and returns the zero Identity for nobody's. An error means that it
	// could not be told, and leaves the request without an actor; that a database has
	// no such row is none. It must be safe for concurrent use.
	Lookup func(ctx context.Context, hash APIKeyHash) (Identity, error)
	// FingerprintKey is that of [JWTConfig].
	FingerprintKey []byte
}

// APIKeys finds the actor of a request by an API key in a header. It is safe for
// concurrent use. No key is stored or recorded, and comparing takes as long whatever
// is presented.
type APIKeys struct {
	header      string
	keys        []APIKey
	lookup      func(context.Context, APIKeyHash) (Identity, error)
	fingerprint fingerprinter
}

// NewAPIKeys returns APIKeys with the settings of c, or an error that names the field
// that is wrong.
func NewAPIKeys(c APIKeyConfig) (*APIKeys, error) {
	c.Header = cmp.Or(c.Header, "X-Api-Key")
	switch {
	case !fieldName.MatchString(c.Header):
		return nil, fmt.Errorf("chiaudit: APIKeyConfig.Header: %q is not a header name", c.Header)
	case len(c.Keys) == 0 && c.Lookup == nil:
		return nil, errors.New("chiaudit: APIKeyConfig: neither Keys nor Lookup is set")
	}
	for n, k := range c.Keys {
		switch {
		case k.Hash == APIKeyHash{} || k.Hash == HashAPIKey(""):
			return nil, fmt.Errorf("chiaudit: APIKeyConfig.Keys[%d].Hash: is that of no key", n)
		case k.Identity.Actor.ID == "":
			return nil, fmt.Errorf("chiaudit: APIKeyConfig.Keys[%d].Identity: has no actor with an id", n)
		case slices.ContainsFunc(c.Keys[:n], func(o APIKey) bool { return o.Hash == k.Hash }):
			return nil, fmt.Errorf("chiaudit: APIKeyConfig.Keys[%d].Hash: is there twice", n)
		}
	}
	fingerprint, err := newFingerprinter(c.FingerprintKey, "APIKeyConfig.FingerprintKey")
	if err != nil {
		return nil, err
	}
	return &APIKeys{http.CanonicalHeaderKey(c.Header), slices.Clone(c.Keys), c.Lookup, fingerprint}, nil
}

// Actor is a [Resolver]. Without the header it returns the zero Identity; a key that
// is nobody's, or one among several, is an [AuthError] with [ReasonKeyInvalid]; one
// that could not be looked up, with [ReasonKeysUnavailable].
func (a *APIKeys) Actor(r *http.Request) (Identity, error) {
	values := r.Header[a.header]
	if len(values) == 0 {
		return Identity{}, nil
	}
	fail := func(reason string, err error) (Identity, error) {
		return Identity{}, &AuthError{Reason: reason, Err: err, Fingerprint: a.fingerprint.of(values[0])}
	}
	if len(values) > 1 || len(values[0]) < minAPIKey || len(values[0]) > maxToken {
		return fail(ReasonKeyInvalid, errors.New("no API key, or several"))
	}
	hash := HashAPIKey(values[0])
	var id Identity
	for _, k := range a.keys {
		if subtle.ConstantTimeCompare(k.Hash[:], hash[:]) == 1 {
			id = k.Identity // and on, so that the time tells nothing
		}
	}
	if id.Actor.ID == "" && a.lookup != nil {
		var err error
		if id, err = a.lookup(r.Context(), hash); err != nil {
			return fail(ReasonKeysUnavailable, err)
		}
	}
	if id.Actor.ID == "" {
		return fail(ReasonKeyInvalid, errors.New("API key is nobody's"))
	}
	id.Actor.Chain = slices.Clone(id.Actor.Chain)
	return id, nil
}
