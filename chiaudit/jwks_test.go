package chiaudit_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
)

// jwk is a key as a JWK set holds it.
type jwk map[string]any

func (k jwk) with(name string, value any) jwk {
	c := jwk{name: value}
	for n, v := range k {
		if n != name {
			c[n] = v
		}
	}
	return c
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func jwkOf(t testing.TB, id string, key crypto.PublicKey) jwk {
	t.Helper()
	switch key := key.(type) {
	case *rsa.PublicKey:
		return jwk{"kty": "RSA", "kid": id, "n": encoded(key.N.Bytes()), "e": encoded(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		require.NoError(t, err)
		half := len(point) / 2
		return jwk{"kty": "EC", "kid": id, "crv": key.Params().Name, "x": encoded(point[1 : 1+half]), "y": encoded(point[1+half:])}
	case ed25519.PublicKey:
		return jwk{"kty": "OKP", "kid": id, "crv": "Ed25519", "x": encoded(key)}
	}
	t.Fatalf("%T", key)
	return nil
}

func keySet(t testing.TB, keys ...jwk) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	return data
}

// signBy returns a token that names its key.
func signBy(t testing.TB, m jwt.SigningMethod, id any, c claims, key any) string {
	t.Helper()
	token := jwt.NewWithClaims(m, c)
	token.Header["kid"] = id
	s, err := token.SignedString(key)
	require.NoError(t, err)
	return s
}

func fromSet(t testing.TB, keys ...jwk) *chiaudit.JWT {
	t.Helper()
	return newJWT(t, chiaudit.JWTConfig{JWKS: chiaudit.JWKS{JSON: keySet(t, keys...)}})
}

func requireActor(t testing.TB, j *chiaudit.JWT, token string) chiaudit.Identity {
	t.Helper()
	id, err := actor(j, "Bearer "+token)
	require.NoError(t, err)
	return id
}

func TestS05KeysOfASetAreNamed(t *testing.T) {
	t.Parallel()
	c := claims{"sub": "alice", "exp": later}
	rsaPrivate, p256, p384, p521 := rsaKey(t, 2048), ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384()), ecKey(t, elliptic.P521())
	public, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	j := fromSet(t, jwkOf(t, "rsa", rsaPrivate.Public()), jwkOf(t, "pss", rsaPrivate.Public()).with("alg", "PS384"), jwkOf(t, "256", p256.Public()),
		jwkOf(t, "384", p384.Public()), jwkOf(t, "521", p521.Public()).with("use", "sig").with("key_ops", []string{"verify"}), jwkOf(t, "ed", public))
	for id, signer := range map[string]struct {
		m   jwt.SigningMethod
		key any
	}{
		"rsa": {jwt.SigningMethodRS256, rsaPrivate},
		"pss": {jwt.SigningMethodPS384, rsaPrivate},
		"256": {jwt.SigningMethodES256, p256},
		"384": {jwt.SigningMethodES384, p384},
		"521": {jwt.SigningMethodES512, p521},
		"ed":  {jwt.SigningMethodEdDSA, edPrivate},
	} {
		require.Equal(t, "alice", requireActor(t, j, signBy(t, signer.m, id, c, signer.key)).Actor.ID, id)
		refused(t, j, signAs(t, signer.m, c, signer.key), chiaudit.ReasonTokenInvalid)
		for _, other := range []any{"", "nobody", "256 ", 7, nil, []string{id}, strings.Repeat("a", 300)} {
			refused(t, j, signBy(t, signer.m, other, c, signer.key), chiaudit.ReasonTokenInvalid)
		}
	}
	t.Run("S03 the algorithm of another key", func(t *testing.T) {
		t.Parallel()
		for _, m := range []jwt.SigningMethod{jwt.SigningMethodRS384, jwt.SigningMethodRS512, jwt.SigningMethodPS256, jwt.SigningMethodPS384} {
			refused(t, j, signBy(t, m, "rsa", c, rsaPrivate), chiaudit.ReasonTokenInvalid)
		}
		refused(t, j, signBy(t, jwt.SigningMethodES256, "384", c, p256), chiaudit.ReasonTokenInvalid)
		refused(t, j, signBy(t, jwt.SigningMethodES256, "rsa", c, p256), chiaudit.ReasonTokenInvalid)
		refused(t, j, signBy(t, jwt.SigningMethodHS256, "rsa", c, rsaPrivate.N.Bytes()), chiaudit.ReasonTokenInvalid)
		refused(t, j, signBy(t, jwt.SigningMethodHS256, "ed", c, []byte(public)), chiaudit.ReasonTokenInvalid)
		refused(t, j, signBy(t, jwt.SigningMethodNone, "rsa", c, jwt.UnsafeAllowNoneSignatureType), chiaudit.ReasonTokenInvalid)
	})
}

func TestS08KeysThatAreLeftOut(t *testing.T) {
	t.Parallel()
	c := claims{"sub": "alice", "exp": later}
	good, private := ecKey(t, elliptic.P256()), rsaKey(t, 2048)
	key, weak := jwkOf(t, "x", private.Public()), jwkOf(t, "x", rsaKey(t, 1024).Public())
	ec := jwkOf(t, "x", good.Public())
	for name, bad := range map[string]jwk{
		"encryption":           key.with("use", "enc"),
		"a list of uses":       key.with("use", []string{"sig"}),
		"only signing":         key.with("key_ops", []string{"sign"}),
		"operations as text":   key.with("key_ops", "verify"),
		"no operation":         key.with("key_ops", nil),
		"a shared secret":      {"kty": "oct", "kid": "x", "k": encoded(private.N.Bytes())},
		"a private key":        key.with("d", encoded(private.D.Bytes())),
		"no id":                key.with("kid", ""),
		"an id that is none":   key.with("kid", 7),
		"RSA-1024":             weak,
		"RSA-16384":            key.with("n", encoded(bytes.Repeat([]byte{0xff}, 2048))),
		"exponent 1":           key.with("e", "AQ"),
		"exponent 2":           key.with("e", "Ag"),
		"a huge exponent":      key.with("e", encoded([]byte{1, 0, 0, 0, 0, 1})),
		"an even modulus":      key.with("n", encoded(append(private.N.Bytes()[:255], 0))),
		"padding":              key.with("e", "AQAB=="),
		"encryption algorithm": key.with("alg", "RSA-OAEP"),
		"no algorithm":         key.with("alg", "none"),
		"HMAC":                 key.with("alg", "HS256"),
		"another curve's":      ec.with("alg", "ES384"),
		"another curve":        ec.with("crv", "P-384"),
		"secp256k1":            ec.with("crv", "secp256k1"),
		"off the curve":        ec.with("x", encoded(make([]byte, 32))),
		"a short coordinate":   ec.with("x", "AQ"),
		"X25519":               {"kty": "OKP", "kid": "x", "crv": "X25519", "x": encoded(make([]byte, 32))},
		"a short Ed25519":      {"kty": "OKP", "kid": "x", "crv": "Ed25519", "x": "AQ"},
		"an unknown kind":      {"kty": "AKP", "kid": "x"},
		"nothing":              {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{JWKS: chiaudit.JWKS{JSON: keySet(t, bad)}})
			require.ErrorContains(t, err, "JWTConfig.JWKS.JSON: no key can verify tokens")
			j := fromSet(t, bad, jwkOf(t, "good", good.Public()))
			requireActor(t, j, signBy(t, jwt.SigningMethodES256, "good", c, good))
			refused(t, j, signBy(t, jwt.SigningMethodRS256, "x", c, private), chiaudit.ReasonTokenInvalid)
			refused(t, j, signBy(t, jwt.SigningMethodES256, "x", c, good), chiaudit.ReasonTokenInvalid)
			refused(t, j, signBy(t, jwt.SigningMethodHS256, "x", c, private.N.Bytes()), chiaudit.ReasonTokenInvalid)
		})
	}
	t.Run("two of one id", func(t *testing.T) {
		t.Parallel()
		j := fromSet(t, key, jwkOf(t, "good", good.Public()), ec, key)
		refused(t, j, signBy(t, jwt.SigningMethodRS256, "x", c, private), chiaudit.ReasonTokenInvalid)
		refused(t, j, signBy(t, jwt.SigningMethodES256, "x", c, good), chiaudit.ReasonTokenInvalid)
	})
	_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{JWKS: chiaudit.JWKS{JSON: []byte(`{"keys":[` + strings.Repeat(`{},`, 100) + `{}]}`)}})
	require.ErrorContains(t, err, "101 keys are too many")
	for _, data := range []string{``, `{}`, `[]`, `{"keys":{}}`, `{"keys":[]}`, `{"keys":[7]}`, `{"keys":[],"keys":[]}`, `{"keys":` + strings.Repeat("[", 1000)} {
		_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{JWKS: chiaudit.JWKS{JSON: []byte(data)}})
		require.ErrorContains(t, err, "JWTConfig.JWKS.JSON", data)
	}
}

// served returns the settings for a set that h serves.
func served(t *testing.T, h http.HandlerFunc) chiaudit.JWKS {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return chiaudit.JWKS{URL: s.URL, RootCAs: pool}
}

func TestS09FetchingIsBounded(t *testing.T) {
	t.Parallel()
	key := ecKey(t, elliptic.P256())
	set := keySet(t, jwkOf(t, "a", key.Public()))
	var followed atomic.Bool
	target := served(t, func(w http.ResponseWriter, _ *http.Request) {
		followed.Store(true)
		_, _ = w.Write(set) // the test fails if it is taken
	})
	zipped := &bytes.Buffer{}
	z := gzip.NewWriter(zipped)
	_, err := z.Write(set)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		err  string
	}{
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
					return
				}
			}
		}, "more than 1048576 bytes"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, http.StatusFound) }, "status 302"},
		{"a redirect to metadata", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		}, "status 302"},
		{"compressed", func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped.Bytes()) // the test fails if it is taken
		}, "compressed"},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "status 500"},
		{"headers without end", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("a", 1<<20))
		}, "fetch key set"},
		{"no set", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{JWKS: served(t, tt.h)})
			require.ErrorContains(t, err, "JWTConfig.JWKS.URL: ")
			require.ErrorContains(t, err, tt.err)
			require.NotContains(t, err.Error(), "127.0.0.1", "the address may hold a secret")
		})
	}
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		k := served(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		begin := time.Now()
		_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{JWKS: k})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(begin), 8*time.Second)
	})
	t.Run("an unknown authority", func(t *testing.T) {
		t.Parallel()
		_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{JWKS: chiaudit.JWKS{URL: target.URL}})
		require.ErrorContains(t, err, "certificate")
	})
	t.Run("settings", func(t *testing.T) {
		t.Parallel()
		for field, k := range map[string]chiaudit.JWKS{
			"URL: the scheme":      {URL: "http://idp.example/keys"},
			"URL: the scheme \"fi": {URL: "file://host/keys", InsecureHTTP: true},
			"URL: is not":          {URL: "https://user:pass@idp.example/keys"},
			"URL":                  {URL: "/keys"},
			"JSON: URL":            {URL: "https://idp.example/", JSON: set},
			"Refresh":              {URL: "https://idp.example/", Refresh: time.Second},
			"MaxStale":             {URL: "https://idp.example/", MaxStale: time.Second},
		} {
			_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{JWKS: k})
			require.ErrorContains(t, err, "JWTConfig.JWKS."+field)
			require.NotContains(t, err.Error(), "pass")
		}
	})
	require.False(t, followed.Load())
}

func TestKeySetOverTLS(t *testing.T) {
	t.Parallel()
	key := ecKey(t, elliptic.P256())
	set := keySet(t, jwkOf(t, "a", key.Public()))
	j := newJWT(t, chiaudit.JWTConfig{JWKS: served(t, func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(set)
		require.NoError(t, err)
	})})
	token := signBy(t, jwt.SigningMethodES256, "a", claims{"sub": "alice", "exp": later}, key)
	requireActor(t, j, token)
	require.NoError(t, j.Close(t.Context()))
	require.NoError(t, j.Close(t.Context()), "again")
	requireActor(t, j, token)
	refused(t, j, signBy(t, jwt.SigningMethodES256, "b", claims{"sub": "alice", "exp": later}, key), chiaudit.ReasonTokenInvalid)
}
