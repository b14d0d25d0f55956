package chiaudit_test

import (
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestJWTActor(t *testing.T) {
	t.Parallel()
	rsaPrivate, ecPrivate := rsaKey(t, 2048), ecKey(t, elliptic.P256())
	all := claims{"sub": "alice", "actor_type": " Tenant_User ", "email": "alice@example.com", "exp": later}
	want := entaudit.Actor{ID: "alice", Type: entaudit.ActorTenantUser, Email: "alice@example.com"}
	for _, tt := range []struct {
		name  string
		c     chiaudit.JWTConfig
		token string
		want  entaudit.Actor
		in    entaudit.Tenant
	}{
		{"HS256", chiaudit.JWTConfig{Secret: secret}, sign(t, all), want, entaudit.Tenant{}},
		{"RS256", chiaudit.JWTConfig{PublicKey: &rsaPrivate.PublicKey}, signAs(t, jwt.SigningMethodRS256, all, rsaPrivate), want, entaudit.Tenant{}},
		{"ES256", chiaudit.JWTConfig{PublicKey: &ecPrivate.PublicKey}, signAs(t, jwt.SigningMethodES256, all, ecPrivate), want, entaudit.Tenant{}},
		{
			"only an id",
			chiaudit.JWTConfig{Secret: secret},
			sign(t, claims{"sub": "bob", "exp": later, "email": nil}),
			entaudit.Actor{ID: "bob", Type: entaudit.ActorAnonymous},
			entaudit.Tenant{},
		},
		{
			"default type",
			chiaudit.JWTConfig{Secret: secret, DefaultType: "Service"},
			sign(t, claims{"sub": "bob", "exp": later}),
			entaudit.Actor{ID: "bob", Type: entaudit.ActorService},
			entaudit.Tenant{},
		},
		{
			"paths",
			chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{
				ID: "user.id", Type: "https://example.com/type", Email: "user.mail", Tenant: "org.id", TenantSlug: "org.slug",
			}},
			sign(t, claims{
				"user": claims{"id": "7", "mail": "bob@example.com"}, "https://example.com/type": "agent",
				"org": claims{"id": 42, "slug": "acme"}, "exp": later,
			}),
			entaudit.Actor{ID: "7", Type: entaudit.ActorAgent, Email: "bob@example.com"},
			entaudit.Tenant{ID: "42", Slug: "acme"},
		},
		{
			"issuer and audience",
			chiaudit.JWTConfig{Secret: secret, Issuer: "https://idp.example", Audience: []string{"a", "billing"}},
			sign(t, claims{"sub": "bob", "exp": later, "iss": "https://idp.example", "aud": []string{"other", "billing"}}),
			entaudit.Actor{ID: "bob", Type: entaudit.ActorAnonymous},
			entaudit.Tenant{},
		},
		{
			"leeway",
			chiaudit.JWTConfig{Secret: secret, Leeway: 5 * time.Minute},
			sign(t, claims{"sub": "bob", "exp": time.Now().Add(-time.Second).Unix()}),
			entaudit.Actor{ID: "bob", Type: entaudit.ActorAnonymous},
			entaudit.Tenant{},
		},
		{
			"names with another case are other names",
			chiaudit.JWTConfig{Secret: secret},
			raw(hs256, withExp(`"sub":"alice","SUB":"admin","Sub":"root"`)),
			entaudit.Actor{ID: "alice", Type: entaudit.ActorAnonymous},
			entaudit.Tenant{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := newJWT(t, tt.c)
			for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
				id, err := actor(j, scheme+tt.token)
				require.NoError(t, err)
				require.Equal(t, tt.want, id.Actor)
				require.Equal(t, tt.in, id.Tenant)
			}
		})
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	for _, values := range [][]string{nil, {}, {""}, {"Bearers"}, {"Bearer-Of x"}, {"Basic YTpi"}, {"Basic YTpi", "Digest x"}, {sign(t, claims{"sub": "a", "exp": later})}} {
		id, err := actor(j, values...)
		require.NoError(t, err, values)
		require.Zero(t, id, values)
	}
}

func TestOneHeaderWithOneToken(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	good := sign(t, claims{"sub": "alice", "exp": later})
	for _, values := range [][]string{
		{"Bearer"},
		{"Bearer "},
		{"bearer  "},
		{"Bearer\t"},
		{"Bearer\t" + good},
		{"Bearer \t" + good},
		{"Bearer\u00a0" + good},
		{"\tBearer " + good},
		{"Bearer=" + good},
		{"Bearer," + good},
		{"Bearer " + good + " x"},
		{"Bearer " + good + ","},
		{"Bearer \"" + good + "\""},
		{"Basic YTpi, Bearer " + good},
		{"Bearer " + good + ", Basic YTpi"},
		{", Bearer " + good},
		{"Bearer " + good, "Bearer "},
		{"Bearer " + good, "Bearer"},
		{"Bearer ", "Bearer " + good},
		{"Bearer " + good, ""},
		{"", "Bearer " + good},
		{"Basic YTpi", "Bearer"},
	} {
		id, err := actor(j, values...)
		var auth *chiaudit.AuthError
		require.ErrorAs(t, err, &auth, "%.40q", values)
		require.Equal(t, chiaudit.ReasonTokenInvalid, auth.Reason, "%.40q", values)
		require.Zero(t, id, "%.40q", values)
	}
}

func TestS01NoneIsNoAlgorithm(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	payload := withExp(`"sub":"admin"`)
	for _, alg := range []string{"none", "None", "nOnE", "NONE", "", "hs256", "HS384", "HS512"} {
		token := raw(`{"alg":"`+alg+`"}`, payload)
		refused(t, j, token, chiaudit.ReasonTokenInvalid)
		parts := segments(token)
		refused(t, j, parts[0]+"."+parts[1]+".", chiaudit.ReasonTokenInvalid)
	}
	parts := segments(raw(hs256, payload))
	refused(t, j, parts[0]+"."+parts[1]+".", chiaudit.ReasonTokenInvalid)
	for _, header := range []string{`{}`, `null`, `[]`, `{"alg":null}`, `{"alg":["HS256"]}`, `{"alg":"none","alg":"HS256"}`, `{"ALG":"HS256"}`} {
		refused(t, j, raw(header, payload), chiaudit.ReasonTokenInvalid)
	}
}

func TestS02KeyIsBoundToItsAlgorithm(t *testing.T) {
	t.Parallel()
	rsaPrivate, ecPrivate := rsaKey(t, 2048), ecKey(t, elliptic.P256())
	for name, public := range map[string]any{"RSA": &rsaPrivate.PublicKey, "EC": &ecPrivate.PublicKey} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJWT(t, chiaudit.JWTConfig{PublicKey: public})
			der, err := x509.MarshalPKIXPublicKey(public)
			require.NoError(t, err)
			text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
			jwk, err := json.Marshal(map[string]any{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(rsaPrivate.N.Bytes())})
			require.NoError(t, err)
			point, err := ecPrivate.PublicKey.Bytes()
			require.NoError(t, err)
			ecJWK, err := json.Marshal(jwkOf(t, "a", ecPrivate.Public()))
			require.NoError(t, err)
			for _, guess := range [][]byte{der, text, []byte(strings.TrimSpace(string(text))), jwk, ecJWK, rsaPrivate.N.Bytes(), point, point[1:]} {
				refused(t, j, signAs(t, jwt.SigningMethodHS256, claims{"sub": "admin", "exp": later}, guess), chiaudit.ReasonTokenInvalid)
			}
			for _, public := range [][]byte{der, text, jwk, x509.MarshalPKCS1PublicKey(&rsaPrivate.PublicKey)} {
				_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{Secret: public})
				require.ErrorContains(t, err, "JWTConfig.Secret", "a public key is no secret")
			}
		})
	}
}

func TestS03AlgorithmOfAnotherKey(t *testing.T) {
	t.Parallel()
	rsaPrivate, ecPrivate, wide := rsaKey(t, 2048), ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384())
	c := claims{"sub": "admin", "exp": later}
	j := newJWT(t, chiaudit.JWTConfig{PublicKey: &ecPrivate.PublicKey})
	refused(t, j, signAs(t, jwt.SigningMethodRS256, c, rsaPrivate), chiaudit.ReasonTokenInvalid)
	refused(t, j, signAs(t, jwt.SigningMethodES384, c, wide), chiaudit.ReasonTokenInvalid)
	refused(t, j, signAs(t, jwt.SigningMethodES256, c, ecKey(t, elliptic.P256())), chiaudit.ReasonTokenInvalid)
	j = newJWT(t, chiaudit.JWTConfig{PublicKey: &rsaPrivate.PublicKey})
	for _, m := range []jwt.SigningMethod{jwt.SigningMethodRS384, jwt.SigningMethodRS512, jwt.SigningMethodPS256} {
		refused(t, j, signAs(t, m, c, rsaPrivate), chiaudit.ReasonTokenInvalid)
	}
	refused(t, j, signAs(t, jwt.SigningMethodES256, c, ecPrivate), chiaudit.ReasonTokenInvalid)
	_, err := chiaudit.NewJWT(t.Context(), chiaudit.JWTConfig{PublicKey: &wide.PublicKey})
	require.ErrorContains(t, err, "JWTConfig.PublicKey: curve P-384")
}

func TestS04KeysInHeadersAreNotFollowed(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	called := make(chan struct{}, 1)
	go func() {
		if conn, err := l.Accept(); err == nil {
			called <- struct{}{}
			_ = conn.Close() // nothing was to be sent
		}
	}()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	attacker := []byte("the attacker's own key, as long as ours is")
	for _, name := range []string{"jku", "x5u", "jwk", "x5c", "kid"} {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{"sub": "admin", "exp": later})
		token.Header[name] = "http://" + l.Addr().String()
		s, err := token.SignedString(attacker)
		require.NoError(t, err)
		refused(t, j, s, chiaudit.ReasonTokenInvalid)
	}
	own, theirs := rsaKey(t, 2048), rsaKey(t, 2048)
	url := "http://" + l.Addr().String()
	for _, c := range []chiaudit.JWTConfig{{PublicKey: own.Public()}, {JWKS: chiaudit.JWKS{JSON: keySet(t, jwkOf(t, "a", own.Public()))}}} {
		j := newJWT(t, c)
		for name, value := range map[string]any{
			"jwk": jwkOf(t, "a", theirs.Public()), "jku": url, "x5u": url, "x5c": []string{base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&theirs.PublicKey))}, "x5t": "x",
		} {
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{"sub": "alice", "exp": later})
			token.Header["kid"], token.Header[name] = "a", value
			s, err := token.SignedString(theirs)
			require.NoError(t, err)
			refused(t, j, s, chiaudit.ReasonTokenInvalid)
			s, err = token.SignedString(own)
			require.NoError(t, err)
			requireActor(t, j, s) // the header is ignored, not refused
		}
	}
	require.NoError(t, l.Close())
	require.Empty(t, called)
}

func TestS12Expiry(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	for _, exp := range []string{`null`, `"4102444800"`, `1e400`, `1e308`, `1e300`, `-1`, `-1e300`, `NaN`, `true`, `[4102444800]`, `{}`, `7258118401`, `""`} {
		refused(t, j, raw(hs256, `{"sub":"alice","exp":`+exp+`}`), chiaudit.ReasonTokenInvalid)
	}
	refused(t, j, raw(hs256, `{"sub":"alice"}`), chiaudit.ReasonTokenInvalid)
	refused(t, j, raw(hs256, `{"sub":"alice","EXP":4102444800}`), chiaudit.ReasonTokenInvalid)
	refused(t, j, raw(hs256, `{"sub":"alice","exp":0}`), chiaudit.ReasonTokenExpired)
	refused(t, j, sign(t, claims{"sub": "alice", "exp": time.Now().Add(-time.Second).Unix()}), chiaudit.ReasonTokenExpired)
	forged := segments(sign(t, claims{"sub": "alice", "exp": 1}))
	refused(t, j, forged[0]+"."+forged[1]+"."+strings.Repeat("A", 43), chiaudit.ReasonTokenInvalid)
	iss := newJWT(t, chiaudit.JWTConfig{Secret: secret, Issuer: "a"})
	refused(t, iss, sign(t, claims{"sub": "alice", "exp": 1, "iss": "b"}), chiaudit.ReasonTokenInvalid)
}

func TestS13NotYetValid(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	for _, name := range []string{"nbf", "iat"} {
		for _, v := range []string{`1e300`, `1e400`, `-1`, `"1"`, `null`, `7258118400`, `4102444800`} {
			refused(t, j, raw(hs256, withExp(`"sub":"alice","`+name+`":`+v)), chiaudit.ReasonTokenInvalid)
		}
	}
}

func TestS14IssuerAndAudience(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Issuer: "https://idp.example", Audience: []string{"billing"}})
	for _, fields := range []string{
		`"iss":"https://idp.example"`,
		`"iss":"https://idp.example","aud":null`,
		`"iss":"https://idp.example","aud":""`,
		`"iss":"https://idp.example","aud":"Billing"`,
		`"iss":"https://idp.example","aud":"billing2"`,
		`"iss":"https://idp.example","aud":[]`,
		`"iss":"https://idp.example","aud":[""]`,
		`"iss":"https://idp.example","aud":["billing",1]`,
		`"iss":"https://idp.example","aud":{"billing":true}`,
		`"iss":"https://idp.example","aud":7`,
		`"aud":"billing"`,
		`"aud":"billing","iss":null`,
		`"aud":"billing","iss":["https://idp.example"]`,
		`"aud":"billing","iss":"https://idp.example/"`,
		`"aud":"billing","iss":"HTTPS://idp.example"`,
		`"aud":"billing","ISS":"https://idp.example"`,
	} {
		refused(t, j, raw(hs256, withExp(`"sub":"alice",`+fields)), chiaudit.ReasonTokenInvalid)
	}
}

func TestS18SizeBeforeParsing(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	for name, token := range map[string]string{
		"8 KB":        sign(t, claims{"sub": "alice", "exp": later, "x": strings.Repeat("a", 6100)}),
		"100k dots":   strings.Repeat(".", 100_000),
		"1k dots":     strings.Repeat(".", 1000),
		"depth 10k":   raw(hs256, withExp(`"sub":"alice","x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000))),
		"depth 1k":    raw(hs256, withExp(`"sub":"alice","x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000))),
		"700 KB":      sign(t, claims{"sub": "alice", "exp": later, "x": strings.Repeat("a", 700_000)}),
		"one segment": "abc", "two segments": "a.b", "no segments": ".", "empty segments": "..",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, j, token, chiaudit.ReasonTokenInvalid)
		})
	}
}

// Not parallel: it counts allocations.
func TestS18HugeTokenCostsNothing(t *testing.T) {
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	huge := sign(t, claims{"sub": "alice", "exp": later, "x": strings.Repeat("a", 700_000)})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+huge)
	require.Less(t, testing.AllocsPerRun(10, func() {
		_, _ = j.Actor(r) // refused above
	}), 10.0)
}

func TestCancelledContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := chiaudit.NewJWT(ctx, chiaudit.JWTConfig{Secret: secret})
	require.ErrorIs(t, err, context.Canceled)
}
