package auditenv_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/auditenv"
)

func TestVariablesThatMeanNothingAlone(t *testing.T) {
	t.Parallel()
	const keys = "AUDIT_JWT_SECRET or AUDIT_JWT_PUBLIC_KEY or AUDIT_JWT_JWKS_URL or AUDIT_JWT_JWKS or AUDIT_JWT_ISSUERS or AUDIT_JWT_VERIFY_SIGNATURE"
	for _, tt := range []struct{ environ, missing string }{
		{"JWT_JWKS_REFRESH=2m", "AUDIT_JWT_JWKS_URL or AUDIT_JWT_ISSUERS"},
		{"JWT_JWKS_REFRESH=2m\x00JWT_SECRET=" + goodKey, "AUDIT_JWT_JWKS_URL or AUDIT_JWT_ISSUERS"},
		{"JWT_JWKS_MAX_STALE=2h", "AUDIT_JWT_JWKS_URL or AUDIT_JWT_ISSUERS"},
		{"JWT_JWKS_REFRESH=2m\x00JWT_ISSUERS=" + `[{"issuer":"a","secret":"` + goodKey + `"}]`, "a jwks_url in AUDIT_JWT_ISSUERS"},
		{"JWT_AUDIENCE=a", keys},
		{"JWT_LEEWAY=1s", keys},
		{"JWT_TYPE=at+jwt", keys},
		{"JWT_CLAIM_MAP=id=a", keys},
		{"JWT_DEFAULT_TYPE=service", keys},
		{"JWT_DEFAULT_TYPE=service\x00JWT_VERIFY_SIGNATURE=true", keys},
		{"ACTOR_TYPE_ALIASES=a=b", keys},
		{"JWT_ISSUER=a\x00JWT_ISSUERS=[ ]", keys},
		{"SPOOL_MAX_BYTES=5", "AUDIT_SPOOL_DIR"},
		{"SPOOL_SEGMENT_BYTES=5", "AUDIT_SPOOL_DIR"},
		{"QUEUE_DURABLE=true", "AUDIT_SPOOL_DIR"},
		{"OUTBOX_POLL=1s", "AUDIT_OUTBOX_TABLE"},
		{"JSONL_KEEP=5", "AUDIT_JSONL_PATH"},
		{"JSONL_SYNC=never", "AUDIT_JSONL_PATH"},
		{"JSONL_SYNC_INTERVAL=1s\x00JSONL_PATH=/x", "AUDIT_JSONL_SYNC"},
		{"WEBHOOK_SECRETS=" + whsec(1), "AUDIT_WEBHOOK_URL"},
		{"WEBHOOK_HEADERS=a=b", "AUDIT_WEBHOOK_URL"},
		{"PROXY_HEADER=Forwarded", "AUDIT_TRUSTED_PROXIES or AUDIT_TRUSTED_PROXY_DEPTH"},
		{"API_KEY_HEADER=X-Key", "AUDIT_API_KEYS"},
		{"API_KEY_HEADER=X-Key\x00API_KEYS=[]", "AUDIT_API_KEYS"},
	} {
		var environ []string
		for v := range strings.SplitSeq(tt.environ, "\x00") {
			environ = append(environ, "AUDIT_"+v)
		}
		name, _, _ := strings.Cut(environ[0], "=")
		_, err := auditenv.Load(environ)
		require.ErrorContains(t, err, "auditenv: "+name, tt.environ)
		require.ErrorContains(t, err, "nothing without "+tt.missing, tt.environ)
		require.NotContains(t, err.Error(), goodKey)
	}
	_, err := auditenv.Load([]string{"AUDIT_QUEUE_DURABLE=false", "AUDIT_JWT_VERIFY_SIGNATURE=true", "AUDIT_API_KEYS=[]"})
	require.NoError(t, err, "what is the default anyway means nothing, and does no harm")
	_, err = auditenv.Load([]string{"AUDIT_JWT_VERIFY_SIGNATURE=false", "AUDIT_JWT_ISSUER=a"})
	require.NoError(t, err)
	_, err = auditenv.Load([]string{"AUDIT_JWT_ISSUERS=" + `[{"issuer":"a","jwks_url":"https://a/k"}]`, "AUDIT_JWT_JWKS_REFRESH=2m"})
	require.NoError(t, err)
}
