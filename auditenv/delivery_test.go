package auditenv_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/auditenv"
	"github.com/entaudit/audit/entaudit/jsonl"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/webhook"
)

// whsec returns the text of a webhook's secret of 32 bytes b.
func whsec(b byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

// requireDelivery compares s with the variables of most.
func requireDelivery(t *testing.T, s auditenv.Settings) {
	t.Helper()
	require.Equal(t, outbox.Config{
		Table: "waiting", Batch: 7, Poll: 2 * time.Second, Timeout: 3 * time.Second, Lease: 4 * time.Minute, Backoff: 5 * time.Second,
		MaxBackoff: 6 * time.Second, Attempts: 8, Late: 9 * time.Minute,
	}, s.Outbox)
	require.Equal(t, "/var/log/shop.jsonl", s.JSONLPath)
	require.Equal(t, jsonl.Config{Sync: jsonl.SyncInterval, Interval: 2 * time.Second, MaxSize: -1, MaxAge: 24 * time.Hour, Keep: 30}, s.JSONL)
	require.Equal(t, webhook.Config{
		URL: "https://siem.example/in?code=hunter2", Secrets: [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)}, Format: webhook.NDJSON,
		Header: http.Header{"Authorization": {"Splunk hunter2"}}, Timeout: 3 * time.Second, MaxBytes: 4000, MaxEntries: 5,
	}, s.Webhook)
	require.NotContains(t, s.String(), "hunter2")
	require.Contains(t, s.String(), "AUDIT_WEBHOOK_SECRETS=[REDACTED] ")
}

func TestWaysOfSyncing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]jsonl.Sync{"": jsonl.SyncEach, "each": jsonl.SyncEach, "interval": jsonl.SyncInterval, "never": jsonl.SyncNever} {
		s, err := auditenv.Load([]string{"AUDIT_JSONL_PATH=/x", "AUDIT_JSONL_SYNC=" + text})
		require.NoError(t, err)
		require.Equal(t, want, s.JSONL.Sync)
	}
}

func TestWrongDeliveryIsNamed(t *testing.T) {
	t.Parallel()
	signed := "WEBHOOK_SECRETS=" + whsec(1) + "\x00"
	for _, tt := range []struct{ name, environ, names string }{
		{"an outbox that is the table", "OUTBOX_TABLE=audit_logs", "OUTBOX_TABLE"},
		{"an outbox that is another table", "OUTBOX_TABLE=x\x00TABLE=x", "OUTBOX_TABLE"},
		{"S55 an outbox", `OUTBOX_TABLE=x"; drop table users`, "OUTBOX_TABLE"},
		{"S55 a table behind an outbox", `OUTBOX_TABLE=x` + "\x00" + `TABLE=x"; drop table users`, "TABLE"},
		{"a large batch", "OUTBOX_TABLE=x\x00OUTBOX_BATCH=1001", "OUTBOX_BATCH"},
		{"a short lease", "OUTBOX_TABLE=x\x00OUTBOX_LEASE=1s", "OUTBOX_LEASE"},
		{"a negative wait", "OUTBOX_TABLE=x\x00OUTBOX_POLL=-1s", "OUTBOX_POLL"},
		{"waits", "OUTBOX_TABLE=x\x00OUTBOX_BACKOFF=2s\x00OUTBOX_MAX_BACKOFF=1s", "OUTBOX_MAX_BACKOFF"},
		{"a way of syncing", "JSONL_PATH=/x\x00JSONL_SYNC=hunter2", "JSONL_SYNC"},
		{"an interval that is not waited for", "JSONL_PATH=/x\x00JSONL_SYNC=each\x00JSONL_SYNC_INTERVAL=1s", "JSONL_SYNC_INTERVAL"},
		{"files", "JSONL_PATH=/x\x00JSONL_KEEP=-1", "JSONL_KEEP"},
		{"age", "JSONL_PATH=/x\x00JSONL_MAX_AGE=-1s", "JSONL_MAX_AGE"},
		{"a webhook without https", signed + "WEBHOOK_URL=http://a/hunter2", "WEBHOOK_URL"},
		{"a webhook with a password", signed + "WEBHOOK_URL=https://u:hunter2@a/", "WEBHOOK_URL"},
		{"a webhook that was printed", signed + "WEBHOOK_URL=[REDACTED]", "WEBHOOK_URL"},
		{"a webhook that nothing signs", "WEBHOOK_URL=https://a/hunter2", "WEBHOOK_SECRETS"},
		{"S17 a short secret", "WEBHOOK_URL=https://a/\x00WEBHOOK_SECRETS=whsec_aHVudGVyMg==", "WEBHOOK_SECRETS"},
		{"a secret in clear", "WEBHOOK_URL=https://a/\x00WEBHOOK_SECRETS=" + whsec(1) + ",hunter2", "WEBHOOK_SECRETS"},
		{"no secrets", "WEBHOOK_URL=https://a/\x00WEBHOOK_SECRETS=[hunter2", "WEBHOOK_SECRETS"},
		{"a format", signed + "WEBHOOK_URL=https://a/\x00WEBHOOK_FORMAT=xml", "WEBHOOK_FORMAT"},
		{"headers that are none", signed + "WEBHOOK_URL=https://a/\x00WEBHOOK_HEADERS=hunter2", "WEBHOOK_HEADERS"},
		{"S56 a header in two lines", signed + `WEBHOOK_URL=https://a/` + "\x00" + `WEBHOOK_HEADERS={"a":"hunter2\r\nb: c"}`, "WEBHOOK_HEADERS"},
		{"a name of no header", signed + "WEBHOOK_URL=https://a/\x00WEBHOOK_HEADERS=a b=hunter2", "WEBHOOK_HEADERS"},
		{"a negative time", signed + "WEBHOOK_URL=https://a/\x00WEBHOOK_TIMEOUT=-1s", "WEBHOOK_TIMEOUT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var environ []string
			for v := range strings.SplitSeq(tt.environ, "\x00") {
				environ = append(environ, "AUDIT_"+v)
			}
			_, err := auditenv.Load(environ)
			require.ErrorContains(t, err, "auditenv: AUDIT_"+tt.names+":")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// Where there is an outbox, entries of mutations wait in it, and the store is for those
// that the relay moves on.
func TestTablesOfAnOutbox(t *testing.T) {
	t.Parallel()
	s, err := auditenv.Load([]string{"AUDIT_OUTBOX_TABLE=audit_outbox", "AUDIT_TABLE=audit.entries"})
	require.NoError(t, err)
	require.Equal(t, []string{"audit_outbox", "audit_outbox", "audit.entries"}, []string{s.Recorder.Table, s.Outbox.Table, s.Store.Table})
	s, err = auditenv.Load([]string{"AUDIT_TABLE=audit.entries"})
	require.NoError(t, err)
	require.Equal(t, []string{"audit.entries", "", "audit.entries"}, []string{s.Recorder.Table, s.Outbox.Table, s.Store.Table})
}
