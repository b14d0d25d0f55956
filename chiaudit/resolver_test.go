package chiaudit_test

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestFirst(t *testing.T) {
	t.Parallel()
	is := func(id string, reason string) chiaudit.Resolver {
		return func(*http.Request) (chiaudit.Identity, error) {
			if reason != "" {
				return chiaudit.Identity{Actor: entaudit.Actor{ID: "mallory"}}, &chiaudit.AuthError{Reason: reason, Fingerprint: "f"}
			}
			return chiaudit.Identity{Actor: entaudit.Actor{ID: id}}, nil
		}
	}
	for _, tt := range []struct {
		name       string
		resolve    chiaudit.Resolver
		id, reason string
	}{
		{"none", chiaudit.First(), "", ""},
		{"nobody", chiaudit.First(is("", ""), is("", "")), "", ""},
		{"the second", chiaudit.First(is("", ""), is("bob", ""), is("eve", "")), "bob", ""},
		{"one that is not valid", chiaudit.First(is("", "revoked"), is("", "")), "", "revoked"},
		{"beside one that is not valid", chiaudit.First(is("", "revoked"), is("", "later"), is("bob", "")), "bob", "revoked"},
		{"the first decides", chiaudit.First(is("bob", ""), is("", "revoked")), "bob", ""},
		{"within another", chiaudit.First(chiaudit.First(is("", "revoked"), is("bob", "")), is("eve", "")), "bob", "revoked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{Actor: tt.resolve})
			r.Get("/", status(200))
			get(r, "/")
			e := m.only(t)
			require.Equal(t, tt.id, e.Actor.ID)
			require.Equal(t, tt.reason, e.Reason)
			require.Equal(t, tt.reason != "", e.Metadata["credential_fingerprint"] == "f")
		})
	}
	require.Panics(t, func() { chiaudit.First(nil) })
}

const apiKey = "k_2b7e151628aed2a6abf7158809cf4f3c"

func TestW22APIKeys(t *testing.T) {
	t.Parallel()
	bot := chiaudit.Identity{Actor: entaudit.Actor{ID: "bot", Type: entaudit.ActorService}, Tenant: acme}
	found := apiKey + "-of-the-database"
	keys, err := chiaudit.NewAPIKeys(chiaudit.APIKeyConfig{
		Header: "x-key",
		Keys:   []chiaudit.APIKey{{Hash: chiaudit.HashAPIKey(apiKey + "0"), Identity: chiaudit.Identity{Actor: alice}}, {Hash: chiaudit.HashAPIKey(apiKey), Identity: bot}},
		Lookup: func(_ context.Context, hash chiaudit.APIKeyHash) (chiaudit.Identity, error) {
			switch hash {
			case chiaudit.HashAPIKey(found):
				return chiaudit.Identity{Actor: alice}, nil
			case chiaudit.HashAPIKey(found + "?"):
				return chiaudit.Identity{Actor: alice}, errors.New("the database is down, with " + found)
			}
			return chiaudit.Identity{}, nil
		},
	})
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		values []string
		want   string
		reason string
	}{
		{"none", nil, "", ""},
		{"known", []string{apiKey}, "bot", ""},
		{"looked up", []string{found}, "alice", ""},
		{"lookup fails", []string{found + "?"}, "", chiaudit.ReasonKeysUnavailable},
		{"nobody's", []string{apiKey + "1"}, "", chiaudit.ReasonKeyInvalid},
		{"another case", []string{strings.ToUpper(apiKey)}, "", chiaudit.ReasonKeyInvalid},
		{"two", []string{apiKey, apiKey}, "", chiaudit.ReasonKeyInvalid},
		{"blank", []string{""}, "", chiaudit.ReasonKeyInvalid},
		{"huge", []string{strings.Repeat("a", 1<<20)}, "", chiaudit.ReasonKeyInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{Actor: chiaudit.First(newJWT(t, chiaudit.JWTConfig{Secret: secret}).Actor, keys.Actor)})
			r.Get("/", status(200))
			get(r, "/", func(q *http.Request) { q.Header["X-Key"] = tt.values })
			e := m.only(t)
			require.Equal(t, tt.want, e.Actor.ID)
			require.Equal(t, tt.reason, e.Reason)
			require.Equal(t, tt.want == "bot", e.Tenant == acme)
			if tt.reason != "" {
				require.Len(t, e.Metadata["credential_fingerprint"], 32)
			}
			text, err := json.Marshal(e)
			require.NoError(t, err)
			require.NotContains(t, strings.ToLower(string(text)), apiKey)
		})
	}
	one := []chiaudit.APIKey{{Hash: chiaudit.HashAPIKey(apiKey), Identity: bot}}
	for field, c := range map[string]chiaudit.APIKeyConfig{
		": neither":        {},
		".Header":          {Header: "a b", Keys: one},
		".Keys[0].Hash":    {Keys: []chiaudit.APIKey{{Identity: bot}}},
		".Keys[1].Hash":    {Keys: append(one, one...)},
		".Keys[0].Identit": {Keys: []chiaudit.APIKey{{Hash: one[0].Hash}}},
		".FingerprintKey":  {Keys: one, FingerprintKey: []byte("short")},
	} {
		_, err := chiaudit.NewAPIKeys(c)
		require.ErrorContains(t, err, "chiaudit: APIKeyConfig"+field)
	}
}

// What could not be looked up is refused, and is not said to be wrong.
func TestW22APIKeyThatCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is down")
	keys, err := chiaudit.NewAPIKeys(chiaudit.APIKeyConfig{
		Lookup: func(context.Context, chiaudit.APIKeyHash) (chiaudit.Identity, error) {
			return chiaudit.Identity{}, down
		},
	})
	require.NoError(t, err)
	r, _, m := setup(t, chiaudit.Options{Actor: chiaudit.First(newJWT(t, chiaudit.JWTConfig{Secret: secret}).Actor, keys.Actor)})
	r.Use(chiaudit.Require(chiaudit.Requirements{}))
	r.Get("/", status(200))
	w := get(r, "/", header("X-Api-Key", apiKey))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"), "the key may well be valid")
	e := m.take()[0]
	require.Equal(t, entaudit.Denied, e.Outcome)
	require.Equal(t, chiaudit.ReasonKeysUnavailable, e.Reason)
	require.Nil(t, e.Metadata["authentication"])
	w = get(r, "/", header("X-Api-Key", apiKey), header("Authorization", "Bearer x"))
	require.Equal(t, `Bearer error="invalid_token"`, w.Header().Get("WWW-Authenticate"), "the token is not")
	var auth *chiaudit.AuthError
	_, err = keys.Actor(&http.Request{Header: http.Header{"X-Api-Key": {apiKey}}})
	require.ErrorAs(t, err, &auth)
	require.ErrorIs(t, err, down)
}

// certificate returns one that its key signs itself.
func certificate(t *testing.T, name string, until time.Time, uris ...string) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-time.Hour), NotAfter: until}
	for _, s := range uris {
		u, err := url.Parse(s)
		require.NoError(t, err)
		c.URIs = append(c.URIs, u)
	}
	key := ecKey(t, elliptic.P256())
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	c, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return c
}

func TestW22ClientCertificate(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(time.Minute)
	own := func(c *x509.Certificate) (chiaudit.Identity, error) {
		if c.Subject.CommonName != "alice" {
			return chiaudit.Identity{}, errors.New("nobody")
		}
		return chiaudit.Identity{Actor: alice}, nil
	}
	for _, tt := range []struct {
		name     string
		c        *x509.Certificate
		verified bool
		identify func(*x509.Certificate) (chiaudit.Identity, error)
		want     entaudit.Actor
		reason   string
	}{
		{"none", nil, false, nil, entaudit.Actor{Type: "anonymous"}, ""},
		{"URI", certificate(t, "x", soon, "spiffe://example.org/billing"), true, nil, entaudit.Actor{ID: "spiffe://example.org/billing", Type: "service"}, ""},
		{"subject", certificate(t, "billing", soon), true, nil, entaudit.Actor{ID: "CN=billing", Type: "service"}, ""},
		{"own", certificate(t, "alice", soon), true, own, alice, ""},
		{"own knows nobody", certificate(t, "bob", soon), true, own, entaudit.Actor{Type: "anonymous"}, chiaudit.ReasonCertificateInvalid},
		{"two URIs", certificate(t, "x", soon, "a:b", "a:c"), true, nil, entaudit.Actor{Type: "anonymous"}, chiaudit.ReasonCertificateInvalid},
		{"no name", certificate(t, "", soon), true, nil, entaudit.Actor{Type: "anonymous"}, chiaudit.ReasonCertificateInvalid},
		{"not verified", certificate(t, "alice", soon), false, own, entaudit.Actor{Type: "anonymous"}, chiaudit.ReasonCertificateInvalid},
		{"expired", certificate(t, "alice", time.Now().Add(-time.Minute)), true, own, entaudit.Actor{Type: "anonymous"}, chiaudit.ReasonCertificateInvalid},
		{"not valid yet", certificate(t, "alice", soon.Add(2*time.Hour)), true, own, entaudit.Actor{Type: "anonymous"}, chiaudit.ReasonCertificateInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{Actor: chiaudit.ClientCertificate(tt.identify)})
			r.Get("/", status(200))
			get(r, "/", header("X-Client-Cert", "alice"), func(q *http.Request) {
				if tt.c == nil {
					return
				}
				q.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{tt.c}}
				if tt.verified {
					q.TLS.VerifiedChains = [][]*x509.Certificate{{tt.c}}
				}
			})
			require.Equal(t, tt.want, m.only(t).Actor)
			require.Equal(t, tt.reason, m.only(t).Reason)
		})
	}
}

func TestS31RequestIDOfAnotherEntry(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{})
	r.Get("/", status(200))
	get(r, "/")
	victim := m.only(t).ID
	get(r, "/", header("X-Request-Id", victim.String()))
	e := m.all()[1]
	require.Equal(t, victim.String(), e.Request.ID, "an attribute")
	require.NotEqual(t, victim, e.ID)
	require.EqualValues(t, 7, e.ID.Version())
}
