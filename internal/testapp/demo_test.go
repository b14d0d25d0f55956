package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
)

// flagDSN is a database of the dialect as -dsn names it.
func flagDSN(t *testing.T, dialectName string) string {
	t.Helper()
	_, dsn := testdb.DSN(t, dialectName)
	if dialectName != dialect.MySQL {
		return dsn
	}
	c, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	return (&url.URL{Scheme: "mysql", User: url.UserPassword(c.User, c.Passwd), Host: c.Addr, Path: "/" + c.DBName}).String()
}

func TestDemoPrintsJSONLinesAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			var out, log bytes.Buffer
			err := run(t.Context(), []string{"-demo", "-json", "-dsn", flagDSN(t, d)}, &out, &log)
			require.NoError(t, err, "%s", log.String())
			var entries []entaudit.Entry
			for line := range bytes.Lines(out.Bytes()) {
				var e entaudit.Entry
				require.NoError(t, json.Unmarshal(line, &e), "%s", line)
				entries = append(entries, e)
			}
			require.NoError(t, failed((&trace{entries: entries}).check()), "as they are read back")
			create := (&trace{entries: entries}).of("invoice.create")
			require.Len(t, create, 3)
			requireChange(t, create[0], "total", "", `"1369.99"`)
			require.Equal(t, "alice@acme.example", create[0].Actor.Email)
		})
	}
}

func TestDemoPrintsATable(t *testing.T) {
	t.Setenv("COLUMNS", "") // therefore not parallel
	var out, log bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-demo"}, &out, &log))
	text := out.String()
	requireFits(t, text)
	for _, want := range []string{
		"alice@acme.example   acme   POST /invoices/import                      409 failure",
		`status    "open" → "closed"`,
		`password   "[REDACTED]" → "[REDACTED]"`,
		"reason token_expired",
		"reason panic",
		"reason tenant_mismatch",
		"acting operator",
		"GET /projects/{id}    /projects/1          200 success",
		"├ invoice.delete      #2 A-2",
		"└ invoice_line.delete #3 Logo",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "\x1b", "colours without a terminal")
	require.NotContains(t, text, "✗")
	require.Contains(t, log.String(), "POST   /invoices/import")
}

func TestDemoLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out, log bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-demo", "-dsn", dir + "/app.db"}, &out, &log))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, []string{"-demo", "-dsn", dir + "/app.db"}, &out, &log), context.Canceled)
	files, err = os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestChecksFindWhatIsWrong(t *testing.T) {
	t.Parallel()
	found := (&trace{entries: []entaudit.Entry{
		{Kind: entaudit.KindMutation, Action: "user.create", Request: entaudit.Request{ID: "r"}, Changes: []entaudit.Change{
			{Field: "password", New: json.RawMessage(`"correct horse"`)},
		}},
	}}).check()
	for _, f := range found {
		require.Error(t, f.err, f.what)
	}
	require.ErrorContains(t, failed(found), "user.create")
	var out bytes.Buffer
	require.NoError(t, printFindings(&out, palette{}, found))
	require.Equal(t, len(found), strings.Count(out.String(), "✗"))
}

func TestServeUntilTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	local, remote := net.Pipe()
	done := make(chan error, 1)
	dsn := t.TempDir() + "/app.db"
	go func() {
		err := run(ctx, []string{"-addr", "127.0.0.1:0", "-dsn", dsn}, remote, remote)
		if e := remote.Close(); err == nil {
			err = e
		}
		done <- err
	}()
	require.NoError(t, local.SetDeadline(time.Now().Add(time.Minute)))
	var text strings.Builder
	lines := bufio.NewScanner(local)
	for lines.Scan() {
		text.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "limit=100") {
			cancel()
		}
	}
	require.NoError(t, <-done)
	require.Contains(t, text.String(), "ALICE='Authorization: Bearer eyJ")
	require.Contains(t, text.String(), `curl -H "$ALICE" http://127.0.0.1:`)
	require.Contains(t, text.String(), "shutting down")
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown scheme", []string{"-dsn", "oracle://x"}, "-dsn"},
		{"no server", []string{"-dsn", "postgres://127.0.0.1:1/x?connect_timeout=1"}, "connect to postgres://127.0.0.1:1/x"},
		{"bad address", []string{"-addr", "nowhere:-1", "-dsn", t.TempDir() + "/a.db"}, "listen"},
		{"folder that does not exist", []string{"-demo", "-dsn", "/nonexistent/a.db"}, "folder"},
		{"json without demo", []string{"-json"}, "-json needs -demo"},
		{"argument", []string{"demo"}, `"demo"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			require.ErrorContains(t, run(t.Context(), tt.args, &out, &out), tt.want)
		})
	}
}
