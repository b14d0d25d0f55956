package chiaudit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
)

var (
	secret = []byte("an HMAC key of forty bytes, for the tests")
	later  = time.Now().Add(time.Hour).Unix()
)

type claims = jwt.MapClaims

func newJWT(t testing.TB, c chiaudit.JWTConfig) *chiaudit.JWT {
	t.Helper()
	j, err := chiaudit.NewJWT(t.Context(), c)
	require.NoError(t, err)
	return j
}

// sign returns a token signed with secret.
func sign(t testing.TB, c claims) string { return signAs(t, jwt.SigningMethodHS256, c, secret) }

func signAs(t testing.TB, m jwt.SigningMethod, c claims, key any) string {
	t.Helper()
	s, err := jwt.NewWithClaims(m, c).SignedString(key)
	require.NoError(t, err)
	return s
}

// raw returns a token with these two JSON texts, signed with secret.
func raw(header, payload string) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

func withExp(fields string) string {
	exp, _ := json.Marshal(later) // an integer
	return `{"exp":` + string(exp) + `,` + fields + `}`
}

// actor asks j for the actor of a request with these Authorization headers.
func actor(j *chiaudit.JWT, values ...string) (chiaudit.Identity, error) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["Authorization"] = values
	return j.Actor(r)
}

// refused requires that the token proves nothing.
func refused(t *testing.T, j *chiaudit.JWT, token, reason string) {
	t.Helper()
	id, err := actor(j, "Bearer "+token)
	var auth *chiaudit.AuthError
	require.ErrorAs(t, err, &auth, "token %.80s proves %+v", token, id)
	require.Equal(t, reason, auth.Reason, err)
	require.Zero(t, id)
	if len(token) > 30 {
		require.NotContains(t, err.Error(), token[len(token)-20:])
	}
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	require.NoError(t, err)
	return key
}

func ecKey(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	require.NoError(t, err)
	return key
}

// segments splits a token.
func segments(token string) []string { return strings.Split(token, ".") }
