package chiaudit_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestS14SeveralIssuers(t *testing.T) {
	t.Parallel()
	own, theirs := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P256())
	j := newJWT(t, chiaudit.JWTConfig{Issuers: []chiaudit.JWTIssuer{
		{Issuer: "https://own", Audience: []string{"billing"}, PublicKey: own.Public()},
		{Issuer: "https://theirs", JWKS: chiaudit.JWKS{JSON: keySet(t, jwkOf(t, "a", theirs.Public()))}},
		{Issuer: "jobs", Secret: secret},
	}})
	of := func(iss any, aud any) claims {
		return claims{"sub": "alice", "exp": later, "iss": iss, "aud": aud}
	}
	for _, good := range []string{
		signAs(t, jwt.SigningMethodES256, of("https://own", "billing"), own),
		signBy(t, jwt.SigningMethodES256, "a", of("https://theirs", "any"), theirs),
		sign(t, of("jobs", nil)),
	} {
		require.Equal(t, "alice", requireActor(t, j, good).Actor.ID)
	}
	for _, bad := range []string{
		signAs(t, jwt.SigningMethodES256, of("https://own", "other"), own),
		signAs(t, jwt.SigningMethodES256, of("https://own/", "billing"), own),
		signAs(t, jwt.SigningMethodES256, of(nil, "billing"), own),
		signAs(t, jwt.SigningMethodES256, of(7, "billing"), own),
		signAs(t, jwt.SigningMethodES256, claims{"sub": "alice", "exp": later}, own),
		signBy(t, jwt.SigningMethodES256, "a", of("https://own", "billing"), theirs),
		signBy(t, jwt.SigningMethodES256, "a", of("https://theirs", "any"), own),
		signAs(t, jwt.SigningMethodES256, of("https://theirs", "any"), theirs),
		sign(t, of("https://own", "billing")),
		sign(t, of("https://elsewhere", nil)),
	} {
		refused(t, j, bad, chiaudit.ReasonTokenInvalid)
	}
	for field, c := range map[string]chiaudit.JWTConfig{
		"JWTConfig.Issuers: what":          {Secret: secret, Issuers: []chiaudit.JWTIssuer{{Issuer: "a", Secret: secret}}},
		"JWTConfig.Issuers[0].Issuer: is ": {Issuers: []chiaudit.JWTIssuer{{Secret: secret}}},
		"JWTConfig.Issuers[1].Issuer":      {Issuers: []chiaudit.JWTIssuer{{Issuer: "a", Secret: secret}, {Issuer: "a", Secret: secret}}},
		"JWTConfig.Issuers[0].Audience":    {Issuers: []chiaudit.JWTIssuer{{Issuer: "a", Secret: secret, Audience: []string{" "}}}},
		"JWTConfig.Issuers[0].Secret: 2 b": {Issuers: []chiaudit.JWTIssuer{{Issuer: "a", Secret: secret[:2]}}},
		"JWTConfig.Issuers[0].PublicKey":   {Issuers: []chiaudit.JWTIssuer{{Issuer: "a", PublicKey: own}}},
		"JWTConfig.Issuers[0].Secret: onl": {Issuers: []chiaudit.JWTIssuer{{Issuer: "a", PublicKey: own.Public(), JWKS: chiaudit.JWKS{URL: "https://a"}}}},
		"JWTConfig.Issuers[0]: neither":    {Issuers: []chiaudit.JWTIssuer{{Issuer: "a"}}},
		"JWTConfig.Issuers[1].JWKS.URL":    {Issuers: []chiaudit.JWTIssuer{{Issuer: "a", Secret: secret}, {Issuer: "b", JWKS: chiaudit.JWKS{URL: "x"}}}},
		"JWTConfig.FingerprintKey":         {Secret: secret, FingerprintKey: secret[:31]},
		"JWTConfig.TypeAliases":            {Secret: secret, TypeAliases: map[string]entaudit.ActorType{"Ops": "a", " ops": "b"}},
		"JWTConfig.TypeAliases: \"\"":      {Secret: secret, TypeAliases: map[string]entaudit.ActorType{"": "a"}},
		"JWTConfig.Claims.Impersonator":    {Secret: secret, Claims: chiaudit.ClaimMap{Impersonator: "a..b"}},
	} {
		_, err := chiaudit.NewJWT(t.Context(), c)
		require.ErrorContains(t, err, "chiaudit: "+field)
	}
}

func TestS15TokensForSomethingElse(t *testing.T) {
	t.Parallel()
	strict := newJWT(t, chiaudit.JWTConfig{Secret: secret, Type: "application/AT+JWT"})
	loose := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	typ := func(typ string, fields string) string {
		return raw(`{"alg":"HS256","typ":`+typ+`}`, withExp(`"sub":"alice"`+fields))
	}
	for _, tt := range []struct {
		name          string
		token         string
		strict, loose bool // whether it is taken
	}{
		{"access token", typ(`"at+jwt"`, ``), true, true},
		{"with its prefix", typ(`"Application/at+JWT"`, ``), true, true},
		{"access token by its claims", typ(`"at+jwt"`, `,"token_use":"access","typ":"Bearer"`), true, true},
		{"any token", typ(`"JWT"`, ``), false, true},
		{"no type", raw(`{"alg":"HS256"}`, withExp(`"sub":"alice"`)), false, true},
		{"ID token", typ(`"JWT"`, `,"token_use":"id"`), false, true},
		{"ID token in disguise", typ(`"at+jwt"`, `,"token_use":"id"`), false, true},
		{"refresh token in disguise", typ(`"at+jwt"`, `,"typ":"Refresh"`), false, true},
		{"logout token", typ(`"logout+jwt"`, ``), false, false},
		{"logout token in disguise", typ(`"at+jwt"`, `,"events":{"http://schemas.openid.net/event/backchannel-logout":{}}`), false, false},
		{"proof of possession", typ(`"dpop+jwt"`, ``), false, false},
		{"no text", typ(`7`, ``), false, false},
		{"null", typ(`null`, ``), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for j, taken := range map[*chiaudit.JWT]bool{strict: tt.strict, loose: tt.loose} {
				if taken {
					requireActor(t, j, tt.token)
				} else {
					refused(t, j, tt.token, chiaudit.ReasonTokenInvalid)
				}
			}
		})
	}
}

func TestS23WhoReallyActs(t *testing.T) {
	t.Parallel()
	c := chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Impersonator: "impersonator.id"}, TypeAliases: map[string]entaudit.ActorType{" OPS_admin": "Platform_Admin"}}
	j := newJWT(t, c)
	deep := strings.Repeat(`{"sub":"x","act":`, 7) + `{"sub":"x"}` + strings.Repeat(`}`, 7)
	for _, tt := range []struct {
		name, fields string
		want         entaudit.Actor
	}{
		{"nobody else", ``, entaudit.Actor{}},
		{"null", `,"act":null`, entaudit.Actor{}},
		{"one", `,"act":{"sub":"root","iss":"x"}`, entaudit.Actor{ImpersonatorID: "root"}},
		{"an agent for somebody for the subject", `,"act":{"sub":"agent-7","act":{"sub":"bob","act":{"sub":"root"}}}`, entaudit.Actor{ImpersonatorID: "agent-7", Chain: []string{"bob", "root"}}},
		{"a claim of their own", `,"impersonator":{"id":"root"}`, entaudit.Actor{ImpersonatorID: "root"}},
		{"both", `,"impersonator":{"id":"bob"},"act":{"sub":"root"}`, entaudit.Actor{ImpersonatorID: "root"}},
		{"eight", `,"act":` + deep, entaudit.Actor{ImpersonatorID: "x", Chain: strings.Split("xxxxxxx", "")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{Actor: j.Actor})
			r.Get("/", status(200))
			token := raw(hs256, withExp(`"sub":"alice","actor_type":"Ops_Admin "`+tt.fields))
			for range 2 { // the second time from memory
				get(r, "/", header("Authorization", "Bearer "+token))
			}
			tt.want.ID, tt.want.Type = "alice", entaudit.ActorPlatformAdmin
			for _, e := range m.all() {
				require.Equal(t, tt.want.ImpersonatorID, e.Actor.ImpersonatorID)
				require.ElementsMatch(t, tt.want.Chain, e.Actor.Chain)
				require.Equal(t, tt.want.Type, e.Actor.Type)
			}
		})
	}
	for _, act := range []string{`"root"`, `7`, `[]`, `{}`, `{"sub":""}`, `{"sub":7}`, `{"sub":" root"}`, `{"Sub":"root"}`, `{"sub":"a","act":{}}`, `{"sub":"a","act":"b"}`, strings.Repeat(`{"sub":"x","act":`, 40) + `{"sub":"x"}` + strings.Repeat(`}`, 40)} {
		refused(t, j, raw(hs256, withExp(`"sub":"alice","act":`+act)), chiaudit.ReasonTokenInvalid)
	}
	refused(t, j, raw(hs256, withExp(`"sub":"alice","impersonator":{"id":7}`)), chiaudit.ReasonTokenInvalid)
}

func TestW12ClaimedSubjectIsNotTheActor(t *testing.T) {
	t.Parallel()
	key := []byte("a key for fingerprints, forty bytes long")
	record := func(key []byte, auth ...string) entaudit.Entry {
		r, _, m := setup(t, chiaudit.Options{Actor: newJWT(t, chiaudit.JWTConfig{Secret: secret, FingerprintKey: key}).Actor})
		r.Use(chiaudit.Require(chiaudit.Requirements{}))
		r.Get("/", status(200))
		require.Equal(t, 401, get(r, "/", func(q *http.Request) { q.Header["Authorization"] = auth }).Code)
		e := m.only(t)
		require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e.Actor)
		require.Equal(t, entaudit.Denied, e.Outcome)
		text, err := json.Marshal(e)
		require.NoError(t, err)
		for _, a := range auth {
			require.NotContains(t, string(text), a[max(0, len(a)-10):])
		}
		return e
	}
	expired := "Bearer " + sign(t, claims{"sub": "mallory", "exp": 1})
	e := record(key, expired)
	require.Equal(t, "mallory", e.Metadata["claimed_subject"])
	fingerprint := e.Metadata["credential_fingerprint"]
	require.Len(t, fingerprint, 32)
	require.Equal(t, fingerprint, record(key, expired).Metadata["credential_fingerprint"], "the same token")
	require.NotEqual(t, fingerprint, record(nil, expired).Metadata["credential_fingerprint"], "another key")
	require.NotEqual(t, fingerprint, record(key, expired+"x").Metadata["credential_fingerprint"], "another token")
	for _, auth := range [][]string{
		{"Bearer " + strings.Repeat("a", 10_000)},
		{"Bearer a.b.c.d.e.f.g.h.i.j.k.l"},
		{expired, expired},
		{"Bearer " + raw(hs256, withExp(`"sub":"al\u200bice"`))},
		{"Bearer " + raw(hs256, withExp(`"sub":"`+strings.Repeat("a", 4000)+`"`))},
	} {
		e := record(key, auth...)
		require.Len(t, e.Metadata["credential_fingerprint"], 32)
		require.NotContains(t, e.Metadata, "claimed_subject", "%.50q", auth)
	}
}

func TestS12VerifiedTokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJWT(t, chiaudit.JWTConfig{Secret: secret, Leeway: time.Second})
		token := sign(t, claims{"sub": "alice", "exp": time.Now().Add(time.Minute).Unix()})
		requireActor(t, j, token)
		time.Sleep(time.Minute)
		requireActor(t, j, token)
		time.Sleep(time.Second)
		refused(t, j, token, chiaudit.ReasonTokenExpired)
	})
}

// Nobody in this module reads claims that nobody has verified, but where that is asked for.
func TestS25NoUnverifiedClaims(t *testing.T) {
	t.Parallel()
	calls := 0
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(p) != ".go" || strings.HasSuffix(p, "_test.go") {
			return err
		}
		text, err := os.ReadFile(p)
		if p != filepath.Join("..", "chiaudit", "unverified.go") { // which InsecureUnverified alone asks
			require.NotContains(t, string(text), ".ParseUnverified(", p)
		}
		if bytes.Contains(text, []byte(".ParseWithClaims(")) {
			calls++
			require.Equal(t, filepath.Join("..", "chiaudit", "jwt.go"), p)
		}
		return err
	})
	require.NoError(t, err)
	require.Equal(t, 1, calls)
	j := newJWT(t, chiaudit.JWTConfig{Secret: secret})
	id, err := actor(j, "Bearer "+sign(t, claims{"sub": "admin", "exp": 1}))
	require.Error(t, err)
	require.Zero(t, id, "nothing of a token that is right in all but its time")
}

// requireClaims requires what a token that proves something must have, as a reader
// sees it that has nothing to do with ours.
func requireClaims(t *testing.T, head, payload, id string) {
	t.Helper()
	require.NotEmpty(t, id)
	require.LessOrEqual(t, len(id), entaudit.LimitName)
	require.Equal(t, strings.TrimSpace(id), id)
	var h, p map[string]any
	require.NoError(t, json.Unmarshal([]byte(head), &h))
	require.NoError(t, json.Unmarshal([]byte(payload), &p))
	require.Equal(t, "HS256", h["alg"])
	require.NotContains(t, h, "crit")
	require.Equal(t, id, p["sub"])
	require.Greater(t, p["exp"], float64(time.Now().Unix()-1))
	if nbf, ok := p["nbf"]; ok {
		require.LessOrEqual(t, nbf, float64(time.Now().Unix()+1))
	}
}

// No header proves anything that has no token of ours in it, and none that calls itself
// a bearer's is passed over.
func FuzzS18Authorization(f *testing.F) {
	j := newJWT(f, chiaudit.JWTConfig{Secret: secret, FingerprintKey: secret})
	theirs := signAs(f, jwt.SigningMethodHS256, claims{"sub": "mallory", "exp": later}, []byte("another key, which is forty bytes long, too"))
	expired := sign(f, claims{"sub": "mallory", "exp": 1})
	f.Add("Bearer ", "", "")
	f.Add("bearer  ", ".", "Basic YTpi")
	f.Add("Basic YTpi, BEARER\t", "=", "Bearer")
	f.Add("", "\x00", "Bearer x")
	f.Fuzz(func(t *testing.T, before, after, second string) {
		for _, token := range []string{theirs, expired} {
			values := []string{before + token + after, second}
			if second == "" {
				values = values[:1]
			}
			id, err := actor(j, values...)
			require.Zero(t, id)
			for _, v := range values {
				if scheme, _, ok := strings.Cut(v, " "); ok && strings.EqualFold(scheme, "Bearer") {
					require.Error(t, err, "%q is passed over", v)
				}
			}
			var auth *chiaudit.AuthError
			if err != nil {
				require.ErrorAs(t, err, &auth)
				require.Len(t, auth.Fingerprint, 32)
				require.NotContains(t, err.Error(), segments(token)[2])
				require.Contains(t, []string{"", "mallory"}, auth.Subject)
			}
		}
	})
}

// No token whose signature is not ours proves anything, and none makes us panic.
func FuzzS18Token(f *testing.F) {
	j := newJWT(f, chiaudit.JWTConfig{Secret: secret, Claims: chiaudit.ClaimMap{Tenant: "tid", TenantSlug: "slug", Impersonator: "imp.id"}})
	other := newJWT(f, chiaudit.JWTConfig{Secret: []byte("another key, which has signed none of them")})
	f.Add(hs256, withExp(`"sub":"alice"`))
	f.Add(`{"alg":"none"}`, withExp(`"sub":"alice"`))
	f.Add(`{"alg":"HS256","crit":["exp"],"kid":7}`, `{"exp":1e300,"nbf":-1,"aud":[[]],"act":{"act":{}}}`)
	f.Add(`{"alg":"HS256","alg":"HS512"}`, `{"sub":"a","sub":"b","exp":"9"}`)
	f.Add(`{`, strings.Repeat("[", 100))
	f.Add(hs256, withExp(`"sub":"alice","tid":7,"slug":"acme","act":{"sub":"x","act":{"sub":"y"}},"imp":{"id":"z"}`))
	f.Fuzz(func(t *testing.T, head, payload string) {
		token := raw(head, payload)
		id, err := actor(j, "Bearer "+token)
		if err == nil {
			requireClaims(t, head, payload, id.Actor.ID)
		} else {
			require.Zero(t, id)
		}
		for _, value := range []string{"Bearer " + token, head, "Bearer " + payload} {
			id, err := actor(other, value)
			require.Zero(t, id)
			if strings.HasPrefix(value, "Bearer ") {
				require.Error(t, err)
			}
		}
	})
}
