package chiaudit

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// remembered returns how many tokens j remembers.
func remembered(j *JWT) int {
	j.verified.mu.Lock()
	defer j.verified.mu.Unlock()
	return len(j.verified.young) + len(j.verified.old)
}

// counted is a key source that counts how often a key is asked for, which each
// verification does once.
type counted struct {
	keySource
	asked int
}

func (c *counted) key(ctx context.Context, id string) (verifyingKey, error) {
	c.asked++
	return c.keySource.key(ctx, id)
}

// newCounted returns a JWT for ES256, what counts its verifications, and a function
// that signs tokens for it.
func newCounted(tb testing.TB, leeway time.Duration) (*JWT, *counted, func(jwt.MapClaims) string) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	j, err := NewJWT(tb.Context(), JWTConfig{PublicKey: &key.PublicKey, Leeway: leeway})
	require.NoError(tb, err)
	c := &counted{keySource: j.issuers[0].keys}
	j.issuers[0].keys = c
	return j, c, func(claims jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(jwt.SigningMethodES256, claims).SignedString(key)
		require.NoError(tb, err)
		return token
	}
}

func TestVerifiedTokenCostsItsSignatureOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, verifications, sign := newCounted(t, time.Minute)
		token := sign(jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()})
		for range 100 {
			require.Empty(t, reason(j, token))
		}
		require.Equal(t, 1, verifications.asked)
		time.Sleep(time.Hour + time.Minute - time.Nanosecond)
		require.Empty(t, reason(j, token))
		require.Equal(t, 1, verifications.asked)
		time.Sleep(time.Nanosecond)
		require.Equal(t, ReasonTokenExpired, reason(j, token), "it was remembered beyond its expiry")
		require.Zero(t, remembered(j), "what has expired is still there")
	})
}

func TestFailuresAreNotRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, verifications, sign := newCounted(t, 0)
		good := sign(jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(3 * time.Hour).Unix(), "nbf": time.Now().Add(time.Hour).Unix()})
		forged := good[:strings.LastIndexByte(good, '.')+1] + strings.Repeat("A", 86)
		for n := range 10 {
			require.Equal(t, ReasonTokenInvalid, reason(j, good), "it is too early")
			require.Equal(t, ReasonTokenInvalid, reason(j, forged))
			require.Equal(t, 2*n+2, verifications.asked)
		}
		require.Zero(t, remembered(j))
		time.Sleep(time.Hour)
		require.Empty(t, reason(j, good), "what failed before is looked at anew")
		require.Equal(t, ReasonTokenInvalid, reason(j, forged))
		require.Equal(t, 1, remembered(j))
	})
}

// A token is remembered only as long as the very set of keys is in force with which it
// was verified, and not while there is none.
func TestVerifiedTokensGoWithTheirKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &publisher{}
		j := newPublished(t, p, DefaultJWKSRefresh)
		p.publish(t, "a", "b")
		time.Sleep(DefaultJWKSRefresh + time.Second)
		first, second := p.token(t, "a"), p.token(t, "b")
		require.Empty(t, reason(j, first))
		require.Empty(t, reason(j, second))
		require.Equal(t, 2, remembered(j))
		p.publish(t, "b")
		time.Sleep(DefaultJWKSRefresh) // no token asks for anything new: this is how long a key may stay
		require.Equal(t, ReasonTokenInvalid, reason(j, first))
		require.Empty(t, reason(j, second))
		require.Equal(t, 1, remembered(j))
	})
}

func TestVerifiedTokensAreBounded(t *testing.T) {
	t.Parallel()
	v := &verifiedTokens{}
	keys := oneKey{}
	now := time.Now()
	hash := func(n int) (h [32]byte) { h[0], h[1] = byte(n), byte(n>>8); return h }
	for n := range 3 * maxVerified {
		v.put(hash(n), verified{keys: keys, version: 1, expires: now.Add(time.Minute)})
		_, ok := v.get(hash(0), now)
		require.True(t, ok, "what is used stays")
	}
	require.LessOrEqual(t, len(v.young)+len(v.old), 2*maxVerified)
	_, ok := v.get(hash(1), now)
	require.False(t, ok)
	_, ok = v.get(hash(0), now.Add(time.Minute))
	require.False(t, ok, "expired")
}

// BenchmarkActorES256 has the same token each time, and a new one each time.
func BenchmarkActorES256(b *testing.B) {
	j, verifications, sign := newCounted(b, 0)
	claims := jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(24 * time.Hour).Unix()}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	b.Run("same", func(b *testing.B) {
		r.Header.Set("Authorization", "Bearer "+sign(claims))
		verifications.asked = 0
		b.ReportAllocs()
		for b.Loop() {
			if _, err := j.Actor(r); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(verifications.asked), "verifications")
	})
	b.Run("new", func(b *testing.B) {
		tokens := make([]string, 64)
		for i := range tokens {
			claims["jti"] = fmt.Sprint(i)
			tokens[i] = "Bearer " + sign(claims)
		}
		verifications.asked = 0
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			if n%len(tokens) == 0 {
				j.verified = verifiedTokens{}
			}
			r.Header.Set("Authorization", tokens[n%len(tokens)])
			if _, err := j.Actor(r); err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.ReportMetric(float64(verifications.asked)/float64(n), "verifications/op")
	})
}
