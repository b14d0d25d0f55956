package chiaudit_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
)

func TestS17WeakKeysAreRefused(t *testing.T) {
	t.Parallel()
	weak, ec := rsaKey(t, 1024), ecKey(t, elliptic.P256())
	for _, tt := range []struct {
		name  string
		c     chiaudit.JWTConfig
		field string
	}{
		{"no key", chiaudit.JWTConfig{}, "JWTConfig: neither Secret nor PublicKey"},
		{"both keys", chiaudit.JWTConfig{Secret: secret, PublicKey: &ec.PublicKey}, "JWTConfig.Secret"},
		{"empty secret", chiaudit.JWTConfig{Secret: []byte{}}, "JWTConfig.Secret: 0 bytes"},
		{"short secret", chiaudit.JWTConfig{Secret: secret[:31]}, "JWTConfig.Secret: 31 bytes"},
		{"zeros", chiaudit.JWTConfig{Secret: make([]byte, 64)}, "JWTConfig.Secret"},
		{"RSA-1024", chiaudit.JWTConfig{PublicKey: &weak.PublicKey}, "JWTConfig.PublicKey: RSA key of 1024 bits"},
		{"exponent 1", chiaudit.JWTConfig{PublicKey: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 1}}, "JWTConfig.PublicKey"},
		{"empty RSA", chiaudit.JWTConfig{PublicKey: &rsa.PublicKey{}}, "JWTConfig.PublicKey"},
		{"nil RSA", chiaudit.JWTConfig{PublicKey: (*rsa.PublicKey)(nil)}, "JWTConfig.PublicKey"},
		{"empty EC", chiaudit.JWTConfig{PublicKey: &ecdsa.PublicKey{}}, "JWTConfig.PublicKey"},
		{"P-224", chiaudit.JWTConfig{PublicKey: &ecKey(t, elliptic.P224()).PublicKey}, "JWTConfig.PublicKey"},
		{"private RSA", chiaudit.JWTConfig{PublicKey: weak}, "JWTConfig.PublicKey: *rsa.PrivateKey is a private key"},
		{"private EC", chiaudit.JWTConfig{PublicKey: ec}, "JWTConfig.PublicKey: *ecdsa.PrivateKey is a private key"},
		{"Ed25519", chiaudit.JWTConfig{PublicKey: ed25519.PublicKey(make([]byte, 32))}, "JWTConfig.PublicKey"},
		{"a secret", chiaudit.JWTConfig{PublicKey: secret}, "JWTConfig.PublicKey: []uint8"},
		{"negative leeway", chiaudit.JWTConfig{Secret: secret, Leeway: -1}, "JWTConfig.Leeway"},
		{"an hour's leeway", chiaudit.JWTConfig{Secret: secret, Leeway: time.Hour}, "JWTConfig.Leeway"},
		{"blank audience", chiaudit.JWTConfig{Secret: secret, Audience: []string{"a", ""}}, "JWTConfig.Audience"},
		{"issuer with space", chiaudit.JWTConfig{Secret: secret, Issuer: "a "}, "JWTConfig.Issuer"},
		{"path with a hole", chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Type: "a..b"}}, "JWTConfig.Claims.Type"},
		{"claim with space", chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{ID: " sub"}}, "JWTConfig.Claims.ID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j, err := chiaudit.NewJWT(t.Context(), tt.c)
			require.Nil(t, j)
			require.ErrorContains(t, err, tt.field)
			require.NotContains(t, err.Error(), string(secret))
		})
	}
	t.Run("the key is copied", func(t *testing.T) {
		t.Parallel()
		mine := append([]byte(nil), secret...)
		j := newJWT(t, chiaudit.JWTConfig{Secret: mine})
		mine[0]++
		_, err := actor(j, "Bearer "+sign(t, claims{"sub": "alice", "exp": later}))
		require.NoError(t, err)
	})
}

func TestS20SubjectIsOneCertainName(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	for _, payload := range []string{
		``, `null`, `[]`, `"alice"`, `7`, `{`, `{}`, `{"sub":"alice"`,
		withExp(`"sub":"alice"`) + `x`,
		withExp(`"sub":"alice"`) + withExp(`"sub":"alice"`),
		withExp(`"name":"alice"`),
		withExp(`"Sub":"alice"`),
		withExp(`"sub":null`),
		withExp(`"sub":""`),
		withExp(`"sub":7`),
		withExp(`"sub":["alice"]`),
		withExp(`"sub":{"id":"alice"}`),
		withExp(`"sub":" alice"`),
		withExp(`"sub":"alice\n"`),
		withExp(`"sub":"al\u0000ice"`),
		withExp(`"sub":"al\u200bice"`),
		withExp(`"sub":"\u202eecila"`),
		withExp(`"sub":"alice\u00a0"`),
		withExp(`"sub":"al\u00adice"`),
		withExp(`"sub":"alice\ud800"`),
		withExp("\"sub\":\"alice\xff\""),
		withExp("\"sub\":\"alice\",\"x\":\"\xff\""),
		withExp(`"sub":"` + strings.Repeat("a", 256) + `"`),
		withExp(`"sub":"alice","sub":"admin"`),
		withExp(`"sub":"alice","x":{"y":[{"z":1,"z":2}]}`),
		withExp(`"sub":"alice","exp":4102444800`),
		withExp(`"sub":"alice","email":7`),
		withExp(`"sub":"alice","actor_type":["admin"]`),
		withExp(`"sub":"alice","email":"` + strings.Repeat("a", 321) + `"`),
	} {
		refused(t, j, raw(hs256, payload), chiaudit.ReasonTokenInvalid)
	}
	t.Run("lookalikes stay apart", func(t *testing.T) {
		t.Parallel()
		latin, err := actor(j, "Bearer "+raw(hs256, withExp(`"sub":"alice"`)))
		require.NoError(t, err)
		cyrillic, err := actor(j, "Bearer "+raw(hs256, withExp(`"sub":"\u0430lice"`)))
		require.NoError(t, err)
		require.Equal(t, "alice", latin.Actor.ID)
		require.Equal(t, "\u0430lice", cyrillic.Actor.ID)
		for token, want := range map[string]map[string]any{
			`"sub":"alice","email":"alice@example.com"`:                     nil,
			`"sub":"\u0430lice","email":"alice@example.com"`:                {"actor_id_escaped": `\u0430lice`},
			`"sub":"7","email":"\u03b1lice@example.com"`:                    {"actor_email_escaped": `\u03b1lice@example.com`},
			`"sub":"7","act":{"sub":"\u0435ve\\"}`:                          {"impersonator_id_escaped": `\u0435ve\\`},
			`"sub":"` + strings.Repeat("\u0430", 127) + `","email":"a@b.c"`: {"actor_id_escaped": strings.Repeat(`\u0430`, 42)},
		} {
			r, _, m := setup(t, chiaudit.Options{Actor: j.Actor})
			r.Get("/", status(200))
			get(r, "/", header("Authorization", "Bearer "+raw(hs256, withExp(token))))
			require.Equal(t, want, m.only(t).Metadata, token)
		}
	})
	t.Run("tenant", func(t *testing.T) {
		t.Parallel()
		j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "tid", TenantSlug: "slug"}})
		for _, fields := range []string{`"tid":["a"]`, `"tid":true`, `"tid":1.5`, `"tid":-1`, `"tid":"a\u200b"`, `"slug":"A"`, `"slug":"a"`, `"slug":7`} {
			refused(t, j, raw(hs256, withExp(`"sub":"alice",`+fields)), chiaudit.ReasonTokenInvalid)
		}
	})
}

func TestS24OtherForms(t *testing.T) {
	t.Parallel()
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	payload := withExp(`"sub":"alice"`)
	inner := raw(hs256, payload)
	for name, token := range map[string]string{
		"JWE":           "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d",
		"JSON form":     `{"payload":"` + segments(inner)[1] + `","protected":"` + segments(inner)[0] + `","signature":"` + segments(inner)[2] + `"}`,
		"nested":        raw(`{"alg":"HS256","cty":"JWT"}`, inner),
		"nested claims": raw(`{"alg":"HS256","cty":"jwt"}`, payload),
		"enc":           raw(`{"alg":"HS256","enc":"A256GCM"}`, payload),
		"crit":          raw(`{"alg":"HS256","crit":["exp"]}`, payload),
		"b64":           raw(`{"alg":"HS256","b64":false}`, payload),
		"zip":           raw(`{"alg":"HS256","zip":"DEF"}`, payload),
		"padding":       inner + "=",
		"newline":       inner + "\n.",
		"second token":  inner + " " + inner,
		"comma":         inner + "," + inner,
		"loose bits":    loose(inner),
		"other claims":  segments(inner)[0] + "." + segments(raw(hs256, withExp(`"sub":"admin"`)))[1] + "." + segments(inner)[2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, j, token, chiaudit.ReasonTokenInvalid)
		})
	}
	t.Run("two headers", func(t *testing.T) {
		t.Parallel()
		for _, values := range [][]string{{"Bearer " + inner, "Bearer " + inner}, {"Basic YTpi", "Bearer " + inner}, {"Bearer " + inner, ""}} {
			id, err := actor(j, values...)
			require.Error(t, err, values)
			require.Zero(t, id)
		}
	})
}

// loose changes the bits behind the end of the signature, which decode to the
// same bytes unless decoding is strict.
func loose(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last|1])
}
