package auditenv_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/auditenv"
	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/spool"
	"github.com/entaudit/audit/entaudit/store"
)

const goodKey = "Zq4t7w9z$C&F)J@NcRfUjXn2r5u8x/A?"

func publicPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func TestNothingSetIsTheZeroValue(t *testing.T) {
	t.Setenv("AUDIT_SERVICE", "of the process")
	s, err := auditenv.Load(nil)
	require.NoError(t, err)
	require.Equal(t, auditenv.Settings{}, s, "and the environment of the process is not read behind the caller's back")
	s, err = auditenv.Load([]string{"AUDIT_SERVICE=", "AUDIT_MAX_BODY_SIZE_BYTES= ", "PATH=/bin", "AUDIT"})
	require.NoError(t, err)
	require.Equal(t, auditenv.Settings{}, s, "an empty variable counts as not set")
}

// most returns values of all variables that go with each other.
func most() map[string]string {
	return map[string]string{
		"ENABLED": "false", "STRICT": "true", "SERVICE": "shop", "CONTROL_DB_URL": "postgres://bob:hunter2@db/x", "TABLE": "audit.entries",
		"GRACE": "5s", "MAX_VALUE_BYTES": "1000", "FAILURES": "true", "SUMMARY_ABOVE": "50", "CAPTURE_ORM_DIFFS": "true",
		"REDACT_FIELDS": `["shoe_size"]`, "REDACT_ALLOW": "pin_code, sid", "REDACT_VALUES": "true", "REDACT_CHANGES": "true",
		"QUEUE_CAPACITY": "10", "QUEUE_BATCH_SIZE": "5", "QUEUE_DELAY": "1s", "QUEUE_TIMEOUT": "2s", "QUEUE_RETRIES": "-1",
		"QUEUE_BACKOFF": "3s", "QUEUE_MAX_BACKOFF": "4s", "QUEUE_BLOCK": "5s", "QUEUE_MAX_BYTES": "6000", "QUEUE_BATCH_BYTES": "700", "QUEUE_ON_FULL": "block",
		"QUEUE_DURABLE": "true", "SPOOL_DIR": "/var/spool/shop", "SPOOL_MAX_BYTES": "100000", "SPOOL_SEGMENT_BYTES": "2000", "DEAD_LETTER_DIR": "/var/spool/dead",
		"OUTBOX_TABLE": "waiting", "OUTBOX_BATCH": "7", "OUTBOX_POLL": "2s", "OUTBOX_TIMEOUT": "3s", "OUTBOX_LEASE": "4m", "OUTBOX_BACKOFF": "5s",
		"OUTBOX_MAX_BACKOFF": "6s", "OUTBOX_ATTEMPTS": "8", "OUTBOX_LATE": "9m",
		"JSONL_PATH": "/var/log/shop.jsonl", "JSONL_SYNC": "interval", "JSONL_SYNC_INTERVAL": "2s", "JSONL_MAX_SIZE_BYTES": "-1", "JSONL_MAX_AGE": "24h", "JSONL_KEEP": "30",
		"WEBHOOK_URL": "https://siem.example/in?code=hunter2", "WEBHOOK_SECRETS": whsec(1) + "," + whsec(2), "WEBHOOK_FORMAT": "ndjson",
		"WEBHOOK_HEADERS": "authorization=Splunk hunter2", "WEBHOOK_TIMEOUT": "3s", "WEBHOOK_MAX_BYTES": "4000", "WEBHOOK_MAX_ENTRIES": "5",
		"CAPTURE_REQUEST_BODY": "false", "CAPTURE_RESPONSE_BODY": "true", "MAX_BODY_SIZE_BYTES": "10000", "HEADERS": "Accept,Origin",
		"EXCLUDE_PATHS": "/ping,/assets/**", "EXCLUDE": `[{"prefix":"/x","methods":["PUT"],"status":[200],"keep":0.5},{"path":"/p","glob":"/p*","route":"/{p}"}]`, "TENANT_PATH": "tenant",
		"API_KEYS": `[{"sha256":"` + strings.Repeat("5e", 32) + `","id":"importer","type":"service","email":"a@b","tenant_id":"7","tenant_slug":"acme"}]`, "API_KEY_HEADER": "X-Key", "EXCLUDE_DEFAULTS": "false", "LOG_ANONYMOUS": "false", "STREAM_OPENINGS": "true", "HASH_KEY": goodKey,
		"TENANT_HEADER": "X-Tenant", "TENANT_SUBDOMAIN": "example.com", "TRUSTED_PROXIES": "10.0.0.0/8,192.0.2.1",
		"PROXY_HEADER": "Forwarded", "JWT_SECRET": goodKey + "!", "JWT_ISSUER": "https://id.example",
		"JWT_AUDIENCE": "a,b", "JWT_LEEWAY": "30s", "JWT_TYPE": "at+jwt", "JWT_CLAIM_MAP": `{"actor_id":"uid","tenant":"org.id"}`,
		"JWT_DEFAULT_TYPE": "service", "JWT_VERIFY_SIGNATURE": "true", "ACTOR_TYPE_ALIASES": "Ops_Admin=platform_admin",
	}
}

// others returns values of the variables that exclude some of most.
func others(t *testing.T) []map[string]string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	point, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	enc := base64.RawURLEncoding.EncodeToString
	set := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":%q,"y":%q}]}`, enc(point[1:33]), enc(point[33:]))
	pem, err := json.Marshal(publicPEM(t, &key.PublicKey))
	require.NoError(t, err)
	return []map[string]string{
		{"TRUSTED_PROXY_DEPTH": "2"},
		{"JWT_PUBLIC_KEY": publicPEM(t, &key.PublicKey)},
		{"JWT_JWKS_URL": "https://id.example/keys", "JWT_JWKS_REFRESH": "2m", "JWT_JWKS_MAX_STALE": "3h"},
		{"JWT_JWKS": set},
		{"JWT_VERIFY_SIGNATURE": "false", "CAPTURE_ORM_DIFFS": "false"},
		{"JWT_ISSUERS": `[{"issuer":"a","audience":["x"],"secret":"` + goodKey + `"},{"issuer":"b","public_key":` + string(pem) + `},{"issuer":"c","jwks_url":"https://c/keys"}]`},
	}
}

func TestEveryVariable(t *testing.T) {
	t.Parallel()
	set := most()
	elsewhere := make(map[string]bool)
	for _, o := range others(t) {
		for name := range o {
			elsewhere[name] = true
		}
	}
	var environ []string
	for name, value := range set {
		environ = append(environ, "AUDIT_"+name+"="+value)
	}
	for _, v := range auditenv.Variables() {
		name := strings.TrimPrefix(v.Name, "AUDIT_")
		_, ok := set[name]
		require.True(t, ok || elsewhere[name], v.Name)
		require.NotEmpty(t, v.Doc, v.Name)
	}
	s, err := auditenv.Load(environ)
	require.NoError(t, err)
	require.Equal(t, entaudit.Config{
		Service: "shop", Table: "waiting", Grace: 5 * time.Second, MaxValue: 1000, Off: true, Failures: true, SummaryAbove: 50,
		Redact: entaudit.Redact{Keys: []string{"shoe_size"}, Allow: []string{"pin_code", "sid"}, Changes: true},
	}, s.Recorder)
	require.Equal(t, store.Config{Table: "audit.entries"}, s.Store)
	require.Equal(t, queue.Config{
		Capacity: 10, BatchSize: 5, Delay: time.Second, Timeout: 2 * time.Second, Retries: -1, Backoff: 3 * time.Second,
		MaxBackoff: 4 * time.Second, Block: 5 * time.Second, MaxBytes: 6000, BatchBytes: 700, OnFull: queue.Block, Durable: true,
	}, s.Queue)
	require.Equal(t, spool.Config{Dir: "/var/spool/shop", MaxBytes: 100_000, SegmentBytes: 2000}, s.Spool)
	require.Equal(t, spool.Config{Dir: "/var/spool/dead"}, s.Dead)
	requireDelivery(t, s)
	require.Len(t, s.Handler.Tenants, 2)
	require.Equal(t, chiaudit.APIKeyConfig{Header: "X-Key", FingerprintKey: []byte(goodKey), Keys: []chiaudit.APIKey{{
		Hash:     chiaudit.APIKeyHash(bytes.Repeat([]byte{0x5e}, 32)),
		Identity: chiaudit.Identity{Actor: entaudit.Actor{ID: "importer", Type: "service", Email: "a@b"}, Tenant: entaudit.Tenant{ID: "7", Slug: "acme"}},
	}}}, s.APIKeys)
	require.True(t, s.HasAPIKeys())
	s.Handler.Tenants = nil
	reads := []string{http.MethodGet, http.MethodHead}
	require.Equal(t, chiaudit.Options{
		NoRequestBody: true, ResponseBody: true, MaxBody: 10000, Headers: []string{"Accept", "Origin"}, NoDefaultExclude: true,
		Exclude:       []chiaudit.Rule{{Path: "/ping", Methods: reads}, {Glob: "/assets/**", Methods: reads}, {Prefix: "/x", Methods: []string{"PUT"}, Status: []int{200}, Keep: 0.5}, {Path: "/p", Glob: "/p*", Route: "/{p}"}},
		SkipAnonymous: true, StreamOpenings: true, Key: []byte(goodKey), TenantHeader: "X-Tenant",
		Proxies: chiaudit.Proxies{Header: "Forwarded", Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}},
	}, s.Handler)
	require.Equal(t, chiaudit.JWTConfig{
		Secret: []byte(goodKey + "!"), Issuer: "https://id.example", Audience: []string{"a", "b"}, Leeway: 30 * time.Second, Type: "at+jwt",
		Claims: chiaudit.ClaimMap{ID: "uid", Tenant: "org.id"}, DefaultType: "service", FingerprintKey: []byte(goodKey),
		TypeAliases: map[string]entaudit.ActorType{"Ops_Admin": "platform_admin"},
	}, s.JWT)
	require.True(t, s.HasJWT())
	require.Equal(t, "postgres://bob:hunter2@db/x", s.DatabaseURL())
}

func TestKeysOfTokens(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	text := publicPEM(t, &key.PublicKey)
	for _, text := range []string{text, strings.ReplaceAll(text, "\n", `\n`)} {
		s, err := auditenv.Load([]string{"AUDIT_JWT_PUBLIC_KEY=" + text})
		require.NoError(t, err)
		require.True(t, key.PublicKey.Equal(s.JWT.PublicKey))
	}
	s, err := auditenv.Load([]string{"AUDIT_JWT_JWKS_URL=https://id.example/keys", "AUDIT_JWT_ISSUER=x"})
	require.NoError(t, err, "nothing is fetched here")
	require.Equal(t, chiaudit.JWKS{URL: "https://id.example/keys"}, s.JWT.JWKS)
	require.True(t, s.HasJWT())
	s, err = auditenv.Load([]string{"AUDIT_TRUSTED_PROXY_DEPTH=2"})
	require.NoError(t, err)
	require.Equal(t, 2, s.Handler.Proxies.Count)
	require.False(t, s.HasJWT())
}

func TestRedactFieldsAddToTheDefaultsW24(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`["shoe_size"]`, "shoe_size", " shoe_size , x", `[ "shoe_size" ]`} {
		s, err := auditenv.Load([]string{"AUDIT_REDACT_FIELDS=" + value})
		require.NoError(t, err)
		rec, err := entaudit.New(s.Recorder)
		require.NoError(t, err)
		for _, name := range []string{"shoe_size", "password", "token"} {
			require.True(t, rec.Redactor().Name(name), "%s with %s", name, value)
		}
	}
}

func TestSwitchT01(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		environ []string
		off     bool
	}{
		{"the alias", []string{"TENANCY_ENABLE_AUDIT_LOGGING=false"}, true},
		{"both alike", []string{"TENANCY_ENABLE_AUDIT_LOGGING=0", "AUDIT_ENABLED=false"}, true},
		{"on", []string{"TENANCY_ENABLE_AUDIT_LOGGING=true", "AUDIT_STRICT=1"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := auditenv.Load(tt.environ)
			require.NoError(t, err)
			require.Equal(t, tt.off, s.Recorder.Off)
		})
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	private := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(weak)}))
	for _, tt := range []struct {
		name, environ, names string
	}{
		{"S17 a short secret", "JWT_SECRET=hunter2", "JWT_SECRET"},
		{"S17 a secret of one letter", "JWT_SECRET=" + strings.Repeat("x", 64), "JWT_SECRET"},
		{"S17 a weak public key", "JWT_PUBLIC_KEY=" + publicPEM(t, &weak.PublicKey), "JWT_PUBLIC_KEY"},
		{"S17 a short key of fingerprints", "HASH_KEY=hunter2", "HASH_KEY"},
		{"a private key", "JWT_PUBLIC_KEY=" + private, "JWT_PUBLIC_KEY"},
		{"no key", "JWT_PUBLIC_KEY=hunter2", "JWT_PUBLIC_KEY"},
		{"keys without https", "JWT_JWKS_URL=http://id.example/hunter2", "JWT_JWKS_URL"},
		{"two keys", "JWT_JWKS_URL=https://id.example\x00JWT_SECRET=" + goodKey, "JWT_JWKS_URL"},
		{"two other keys", "JWT_PUBLIC_KEY=" + publicPEM(t, &weak.PublicKey) + "\x00JWT_SECRET=" + goodKey, "JWT_SECRET"},
		{"W11 tokens without a key", "JWT_ISSUER=x", "JWT_SECRET"},
		{"W11 a key that would not be used", "JWT_VERIFY_SIGNATURE=false\x00JWT_SECRET=" + goodKey, "JWT_VERIFY_SIGNATURE"},
		{"W11 key sets that would not be used", "JWT_VERIFY_SIGNATURE=false\x00JWT_JWKS_URL=https://id.example", "JWT_VERIFY_SIGNATURE"},
		{"a claim map that is none", "JWT_CLAIM_MAP={hunter2\x00JWT_SECRET=" + goodKey, "JWT_CLAIM_MAP"},
		{"a claim that nothing reads", "JWT_CLAIM_MAP=phone=tel\x00JWT_SECRET=" + goodKey, "JWT_CLAIM_MAP"},
		{"no path to a claim", "JWT_CLAIM_MAP=id=a..b\x00JWT_SECRET=" + goodKey, "JWT_CLAIM_MAP"},
		{"leeway", "JWT_LEEWAY=1h\x00JWT_SECRET=" + goodKey, "JWT_LEEWAY"},
		{"aliases", "ACTOR_TYPE_ALIASES=hunter2", "ACTOR_TYPE_ALIASES"},
		{"aliases twice", "ACTOR_TYPE_ALIASES=a=b,a=c", "ACTOR_TYPE_ALIASES"},
		{"S55 a table", `TABLE=x"; drop table users`, "TABLE"},
		{"W25 a printed URL", "CONTROL_DB_URL=postgres://bob:***@db/x", "CONTROL_DB_URL"},
		{"W25 a URL printed by Go", "CONTROL_DB_URL=postgres://bob:xxxxx@db/x", "CONTROL_DB_URL"},
		{"W25 a masked name of a driver", "CONTROL_DB_URL=bob:***@tcp(db)/x", "CONTROL_DB_URL"},
		{"no URL", "CONTROL_DB_URL=postgres://bob:hunter2%@db/x", "CONTROL_DB_URL"},
		{"no bool", "ENABLED=hunter2", "ENABLED"},
		{"no number", "MAX_BODY_SIZE_BYTES=hunter2", "MAX_BODY_SIZE_BYTES"},
		{"no duration", "GRACE=hunter2", "GRACE"},
		{"no list", "REDACT_FIELDS=[hunter2", "REDACT_FIELDS"},
		{"no name", "REDACT_FIELDS=---", "REDACT_FIELDS"},
		{"contradicting redaction", "REDACT_VALUES=false\x00REDACT_CHANGES=true", "REDACT_CHANGES"},
		{"a negative grace", "GRACE=-1s", "GRACE"},
		{"a negative value", "MAX_VALUE_BYTES=-1", "MAX_VALUE_BYTES"},
		{"a negative body", "MAX_BODY_SIZE_BYTES=-1", "MAX_BODY_SIZE_BYTES"},
		{"a durable queue without a spool", "QUEUE_DURABLE=true", "QUEUE_DURABLE"},
		{"spilling without a spool", "QUEUE_ON_FULL=spill", "QUEUE_ON_FULL"},
		{"a limit of no spool", "SPOOL_MAX_BYTES=5", "SPOOL_DIR"},
		{"files beyond the spool", "SPOOL_DIR=/x\x00SPOOL_MAX_BYTES=5\x00SPOOL_SEGMENT_BYTES=6", "SPOOL_SEGMENT_BYTES"},
		{"dead letters in the spool", "SPOOL_DIR=/x\x00DEAD_LETTER_DIR=/x", "DEAD_LETTER_DIR"},
		{"a batch beyond the queue", "QUEUE_CAPACITY=1\x00QUEUE_BATCH_SIZE=2", "QUEUE_BATCH_SIZE"},
		{"a negative delay", "QUEUE_DELAY=-1s", "QUEUE_DELAY"},
		{"waits", "QUEUE_BACKOFF=2s\x00QUEUE_MAX_BACKOFF=1s", "QUEUE_MAX_BACKOFF"},
		{"a tenant in a credential", "TENANT_HEADER=Cookie", "TENANT_HEADER"},
		{"a domain", "TENANT_SUBDOMAIN=https://x", "TENANT_SUBDOMAIN"},
		{"proxies in two ways", "TRUSTED_PROXIES=10.0.0.0/8\x00TRUSTED_PROXY_DEPTH=1", "TRUSTED_PROXY_DEPTH"},
		{"everybody as proxy", "TRUSTED_PROXIES=0.0.0.0/0", "TRUSTED_PROXIES"},
		{"no proxy", "TRUSTED_PROXIES=localhost", "TRUSTED_PROXIES"},
		{"a header that is not read", "PROXY_HEADER=Forwarded", "PROXY_HEADER"},
		{"an excluded path", "EXCLUDE_PATHS=health", "EXCLUDE_PATHS"},
		{"rules that are none", "EXCLUDE=hunter2", "EXCLUDE"},
		{"a rule that is none", `EXCLUDE=[{"prefix":"x"}]`, "EXCLUDE"},
		{"a rule with another field", `EXCLUDE=[{"paths":"/hunter2"}]`, "EXCLUDE"},
		{"a blank rule", `EXCLUDE=[{}]`, "EXCLUDE"},
		{"a glob with brackets", "EXCLUDE_PATHS=/a*[b]", "EXCLUDE_PATHS"},
		{"an API key in clear", `API_KEYS=[{"sha256":"hunter2","id":"a"}]`, "API_KEYS"},
		{"an API key of nobody", `API_KEYS=[{"sha256":"` + strings.Repeat("5e", 32) + `"}]`, "API_KEYS"},
		{"an API key in clear in another field", `API_KEYS=[{"key":"hunter2","id":"a"}]`, "API_KEYS"},
		{"a header without keys", "API_KEY_HEADER=X-Key", "API_KEY_HEADER"},
		{"issuers that are none", "JWT_ISSUERS={hunter2", "JWT_ISSUERS"},
		{"two lists of issuers", `JWT_ISSUERS=[] []`, "JWT_ISSUERS"},
		{"S17 an issuer with a short secret", `JWT_ISSUERS=[{"issuer":"a","secret":"hunter2"}]`, "JWT_ISSUERS"},
		{"an issuer without a key", `JWT_ISSUERS=[{"issuer":"a"}]`, "JWT_ISSUERS"},
		{"an issuer without a name", `JWT_ISSUERS=[{"secret":"` + goodKey + `"}]`, "JWT_ISSUERS"},
		{"an issuer with a private key", `JWT_ISSUERS=[{"issuer":"a","public_key":` + strconv.Quote(private) + `}]`, "JWT_ISSUERS"},
		{"an issuer's keys without https", `JWT_ISSUERS=[{"issuer":"a","jwks_url":"http://hunter2"}]`, "JWT_ISSUERS"},
		{"one issuer and several", `JWT_ISSUER=a` + "\x00" + `JWT_ISSUERS=[{"issuer":"a","secret":"` + goodKey + `"}]`, "JWT_ISSUERS"},
		{"keys that are none", "JWT_JWKS={}", "JWT_JWKS"},
		{"keys that are fetched all the time", "JWT_JWKS_URL=https://a/k\x00JWT_JWKS_REFRESH=1s", "JWT_JWKS_REFRESH"},
		{"keys that are stale at once", "JWT_JWKS_URL=https://a/k\x00JWT_JWKS_MAX_STALE=1m", "JWT_JWKS_MAX_STALE"},
		{"T01 two switches", "ENABLED=true\x00TENANCY_ENABLE_AUDIT_LOGGING=false", "ENABLED"},
		{"strict", "STRICT=true\x00SERVCE=hunter2", "SERVCE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var environ []string
			for v := range strings.SplitSeq(tt.environ, "\x00") {
				if !strings.HasPrefix(v, "TENANCY_") {
					v = "AUDIT_" + v
				}
				environ = append(environ, v)
			}
			s, err := auditenv.Load(environ)
			require.Error(t, err)
			require.Contains(t, err.Error(), "AUDIT_"+tt.names)
			require.NotContains(t, err.Error(), "hunter2")
			require.Equal(t, auditenv.Settings{}, s)
		})
	}
	_, err = auditenv.Load([]string{"AUDIT_GRACE=x", "AUDIT_MAX_BODY_SIZE_BYTES=y"})
	require.ErrorContains(t, err, "AUDIT_GRACE")
	require.ErrorContains(t, err, "AUDIT_MAX_BODY_SIZE_BYTES", "all of them at once")
}

func TestSettingsDoNotPrintSecrets(t *testing.T) {
	t.Parallel()
	s, err := auditenv.Load([]string{
		"AUDIT_SERVICE=shop", "AUDIT_JWT_SECRET=" + goodKey + "hunter2", "AUDIT_HASH_KEY=hunter2" + goodKey,
		"AUDIT_CONTROL_DB_URL=postgres://bob:hunter2@db:5432/x?password=hunter2",
	})
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{"s": s, "p": &s})
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "settings", s, "p", &s)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "settings", s, "p", &s)
	for _, got := range []string{
		fmt.Sprint(s), fmt.Sprint(&s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), string(text), log.String(),
		fmt.Sprint(struct{ S auditenv.Settings }{s}),
	} {
		require.NotContains(t, got, "hunter2")
		require.NotContains(t, got, goodKey)
		require.NotContains(t, got, "104 117 110 116", "nor as bytes")
		require.Contains(t, got, "AUDIT_SERVICE=shop")
		require.Contains(t, got, "postgres://bob:[REDACTED]@db:5432/x")
	}
	for dsn, want := range map[string]string{
		"bob:hunter2@tcp(db)/x": "[REDACTED]", "host=db password=hunter2": "[REDACTED]", "file:x.db?_key=hunter2": "[REDACTED]",
		"mysql://db/x?token=hunter2": "mysql://db/x",
	} {
		s, err := auditenv.Load([]string{"AUDIT_CONTROL_DB_URL=" + dsn})
		require.NoError(t, err)
		require.Equal(t, "AUDIT_CONTROL_DB_URL="+want, s.String())
		require.Equal(t, dsn, s.DatabaseURL())
	}
}

func TestSettingsDoNotPrintTheParametersOfURLs(t *testing.T) {
	t.Parallel()
	const set = "AUDIT_JWT_JWKS_URL=https://id.example/keys?code=hunter2"
	s, err := auditenv.Load([]string{set})
	require.NoError(t, err)
	require.Equal(t, "AUDIT_JWT_JWKS_URL=https://id.example/keys", s.String())
	require.Equal(t, "https://id.example/keys?code=hunter2", s.JWT.JWKS.URL)
	for _, other := range []string{"AUDIT_JWT_JWKS_REFRESH=1s", "AUDIT_JWT_SECRET=" + goodKey, "AUDIT_JWT_LEEWAY=1h"} {
		_, err = auditenv.Load([]string{set, other})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestSettingsWork(t *testing.T) {
	t.Parallel()
	s, err := auditenv.Load([]string{"AUDIT_SERVICE=shop", "AUDIT_JWT_SECRET=" + goodKey, "AUDIT_EXCLUDE_PATHS=/ping"})
	require.NoError(t, err)
	var entries []entaudit.Entry
	s.Recorder.Writer = entaudit.WriterFunc(func(_ context.Context, e []entaudit.Entry) error { entries = append(entries, e...); return nil })
	rec, err := entaudit.New(s.Recorder)
	require.NoError(t, err)
	jwt, err := chiaudit.NewJWT(t.Context(), s.JWT)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, jwt.Close(t.Context())) })
	s.Handler.Actor = jwt.Actor
	h := chiaudit.Handler(rec, s.Handler)(http.NotFoundHandler())
	for _, path := range []string{"/ping", "/pong", "/health"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	}
	require.Len(t, entries, 1)
	require.Equal(t, "shop", entries[0].Service)
	require.Equal(t, "/pong", entries[0].Request.Path)
}

func FuzzLoad(f *testing.F) {
	for _, v := range auditenv.Variables() {
		f.Add(strings.TrimPrefix(v.Name, "AUDIT_"), `{"a":"b"}`)
		f.Add(strings.TrimPrefix(v.Name, "AUDIT_"), "1")
	}
	f.Add("TRUSTED_PROXIES", "10.0.0.0/8,fe80::1%eth0")
	f.Fuzz(func(t *testing.T, name, value string) {
		s, err := auditenv.Load([]string{"AUDIT_" + name + "=" + value, "AUDIT_JWT_SECRET=" + goodKey})
		if strings.Contains(s.String(), goodKey) || err != nil && strings.Contains(err.Error(), goodKey) {
			t.Errorf("%q=%q shows a secret: %v %v", name, value, s, err)
		}
	})
}
