package chiaudit

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// publisher is an issuer whose key set changes.
type publisher struct {
	mu      sync.Mutex
	keys    map[string]*ecdsa.PrivateKey
	err     error
	takes   time.Duration
	fetches atomic.Int32
}

func (p *publisher) publish(t *testing.T, ids ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.keys
	p.keys = map[string]*ecdsa.PrivateKey{}
	for _, id := range ids {
		if p.keys[id] = old[id]; p.keys[id] == nil {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			require.NoError(t, err)
			p.keys[id] = key
		}
	}
}

func (p *publisher) set(err error, takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.takes = err, takes
}

func (p *publisher) fetch(ctx context.Context) ([]byte, error) {
	p.fetches.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.takes > 0 {
		takes := p.takes
		p.mu.Unlock()
		select {
		case <-time.After(takes):
		case <-ctx.Done():
		}
		p.mu.Lock()
	}
	if p.err != nil {
		return nil, p.err
	}
	var keys []string
	for id, key := range p.keys {
		point, err := key.PublicKey.Bytes()
		if err != nil {
			return nil, err
		}
		enc := base64.RawURLEncoding.EncodeToString
		keys = append(keys, fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":%q,"x":%q,"y":%q}`, id, enc(point[1:33]), enc(point[33:])))
	}
	return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`), nil
}

// token returns a token of the publisher for ten days.
func (p *publisher) token(t *testing.T, id string) string {
	t.Helper()
	p.mu.Lock()
	key := p.keys[id]
	p.mu.Unlock()
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(240 * time.Hour).Unix()})
	token.Header["kid"] = id
	s, err := token.SignedString(key)
	require.NoError(t, err)
	return s
}

// newPublished returns a JWT for the keys of p. It must be called in a bubble.
func newPublished(t *testing.T, p *publisher, refresh time.Duration) *JWT {
	t.Helper()
	p.publish(t, "a")
	s := &jwks{fetch: p.fetch, refresh: refresh, maxStale: DefaultJWKSMaxStale, wanted: make(chan struct{}, 1), stopped: make(chan struct{})}
	require.NoError(t, s.update(t.Context()))
	s.start(t.Context())
	t.Cleanup(func() { s.cancel(); <-s.stopped })
	data, err := p.fetch(t.Context())
	require.NoError(t, err)
	j, err := NewJWT(t.Context(), JWTConfig{JWKS: JWKS{JSON: data}})
	require.NoError(t, err)
	j.issuers[0].keys = s
	p.fetches.Store(0)
	return j
}

// reason returns why the token is refused, "" if it is not.
func reason(j *JWT, token string) string {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	_, err := j.Actor(r)
	var auth *AuthError
	if errors.As(err, &auth) {
		return auth.Reason
	}
	return ""
}

func TestS07UnknownKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &publisher{}
		j := newPublished(t, p, DefaultJWKSRefresh)
		p.publish(t, "a", "x")
		unknown := p.token(t, "x")
		p.publish(t, "a")
		p.set(nil, 10*time.Hour) // the server hangs
		begin := time.Now()
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if reason(j, unknown) != ReasonTokenInvalid {
					panic("the token was taken")
				}
			})
		}
		wg.Wait()
		require.LessOrEqual(t, time.Since(begin), time.Second)
		begin = time.Now()
		require.Equal(t, ReasonTokenInvalid, reason(j, unknown))
		require.Equal(t, "", reason(j, p.token(t, "a")))
		require.Zero(t, time.Since(begin), "nobody waits for a fetch that hangs")
		require.Equal(t, int32(1), p.fetches.Load())
	})
	synctest.Test(t, func(t *testing.T) {
		p := &publisher{}
		j := newPublished(t, p, time.Hour) // so that only tokens have the set fetched
		p.publish(t, "a", "x")
		unknown := p.token(t, "x")
		p.publish(t, "a")
		for range 50 * 60 {
			require.Equal(t, ReasonTokenInvalid, reason(j, unknown))
			time.Sleep(time.Second)
		}
		require.LessOrEqual(t, p.fetches.Load(), int32(10))
	})
}

func TestS07Rotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &publisher{}
		j := newPublished(t, p, DefaultJWKSRefresh)
		first := p.token(t, "a")
		require.Empty(t, reason(j, first))
		p.publish(t, "a", "b")
		p.set(nil, 900*time.Millisecond)
		second := p.token(t, "b")
		require.Empty(t, reason(j, second), "the first token with the new key has it fetched")
		require.Empty(t, reason(j, first))
		p.publish(t, "b")
		p.set(nil, 0)
		time.Sleep(DefaultJWKSRefresh + time.Second)
		require.Equal(t, ReasonTokenInvalid, reason(j, first), "its key is gone, though it was verified before")
		require.Empty(t, reason(j, second))
	})
}

func TestKeySetStaleOnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &publisher{}
		j := newPublished(t, p, DefaultJWKSRefresh)
		token := p.token(t, "a")
		p.set(errors.New("down"), 0)
		time.Sleep(DefaultJWKSMaxStale - time.Minute)
		require.Empty(t, reason(j, token))
		require.LessOrEqual(t, p.fetches.Load(), int32(24*60), "one a minute while they fail")
		time.Sleep(2 * time.Minute)
		require.Equal(t, ReasonKeysUnavailable, reason(j, token))
		p.set(nil, 0)
		time.Sleep(2 * time.Minute)
		require.Empty(t, reason(j, token))
		for range 10 { // what is no set does not replace one
			p.publish(t)
			time.Sleep(DefaultJWKSRefresh)
			require.Empty(t, reason(j, token))
		}
	})
}

func TestJWTCloseEndsTheRefresher(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // fails while a goroutine is left
		p := &publisher{}
		j := newPublished(t, p, DefaultJWKSRefresh)
		p.set(nil, time.Hour)
		time.Sleep(DefaultJWKSRefresh + time.Second) // it is fetching
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = j.Close(ctx) // may be done by now or not
		require.NoError(t, j.Close(t.Context()))
		require.NoError(t, j.Close(t.Context()))
	})
}
