package entaudit_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestSlogWritesEveryFieldT06(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	w := entaudit.NewSlog(slog.New(slog.NewJSONHandler(&buf, nil)))
	require.NoError(t, w.Write(t.Context(), []entaudit.Entry{full("x")}))
	require.Equal(t, append([]string{"time", "level", "msg"}, columns...), keys(t, buf.Bytes()))

	var line map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(buf.Bytes(), &line))
	require.Equal(t, `"INFO"`, string(line["level"]))
	require.Equal(t, `"audit"`, string(line["msg"]))
	data, err := full("x").MarshalJSON()
	require.NoError(t, err)
	var want map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &want))
	for _, name := range columns {
		require.JSONEq(t, string(want[name]), string(line[name]), name)
	}
}

func TestSlogLeavesOutBlankFields(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	w := entaudit.NewSlog(slog.New(slog.NewJSONHandler(&buf, nil)))
	require.NoError(t, w.Write(t.Context(), []entaudit.Entry{{Kind: entaudit.KindManual, Outcome: entaudit.Success}}))
	require.Equal(t, []string{"time", "level", "msg", "id", "schema_version", "kind", "outcome", "occurred_at"}, keys(t, buf.Bytes()))
}

func TestSlogLinesCannotBeForgedS56T06(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		handler func(*bytes.Buffer) slog.Handler
	}{
		{"json", func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }},
		{"text", func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }},
	} {
		for _, h := range hostile {
			t.Run(tt.name+"/"+h.name, func(t *testing.T) {
				t.Parallel()
				var buf bytes.Buffer
				w := entaudit.NewSlog(slog.New(tt.handler(&buf)))
				require.NoError(t, w.Write(t.Context(), []entaudit.Entry{full(h.text), full(h.text)}))
				lines := strings.Split(buf.String(), "\n")
				require.Len(t, lines, 3, "two entries are two lines:\n%s", buf.String())
				require.Empty(t, lines[2])
				for _, line := range lines[:2] {
					requireVisible(t, line)
				}
			})
		}
	}
}

func TestSlogLogsWhateverTheLevelF02(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(io.Writer, *slog.HandlerOptions) slog.Handler{
		"json": func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) },
		"text": func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var buf bytes.Buffer
			l := slog.New(handler(&buf, &slog.HandlerOptions{Level: slog.LevelError})).With("pod", "a")
			rec, err := entaudit.New(entaudit.Config{Writer: entaudit.NewSlog(l)})
			require.NoError(t, err)
			require.NoError(t, rec.Log(t.Context(), "invoice.pay", "invoice", "7"))
			require.Contains(t, buf.String(), "invoice.pay")
			require.Contains(t, buf.String(), "pod", "what the logger adds is there")
		})
	}
}

// fullDisk has room for so many lines.
type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.room--; d.room < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func TestSlogTellsThatALineWasNotWrittenF02(t *testing.T) {
	t.Parallel()
	l := slog.New(slog.NewJSONHandler(&fullDisk{room: 1}, nil))
	entries := []entaudit.Entry{full("canary"), full("canary")}
	err := entaudit.NewSlog(l).Write(t.Context(), entries)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, entries[1].ID.String())
	require.NotContains(t, err.Error(), "canary")

	rec, err := entaudit.New(entaudit.Config{Writer: entaudit.NewSlog(l)})
	require.NoError(t, err)
	require.ErrorIs(t, rec.Log(t.Context(), "invoice.pay", "invoice", "7"), syscall.ENOSPC)
}

func TestSlogIsTheDefaultWriter(t *testing.T) {
	// Not parallel: it replaces the process's default logger.
	var buf bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	slog.SetDefault(slog.New(slog.NewJSONHandler(&buf, nil)))
	require.NoError(t, rec.Log(entaudit.WithTenant(t.Context(), acme), "invoice.send", "invoice", "7"))
	require.Contains(t, buf.String(), `"action":"invoice.send"`)
	require.Contains(t, buf.String(), `"tenant_id":"1"`)
}

func TestSlogSurvivesWhatCannotBeEncodedW08(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	w := entaudit.NewSlog(slog.New(slog.NewJSONHandler(&buf, nil)))
	e := entaudit.Entry{Action: "look", Metadata: map[string]any{"a": func() {}}, Changes: []entaudit.Change{{Field: "f", New: raw(`{`)}}}
	require.NoError(t, w.Write(t.Context(), []entaudit.Entry{e}))
	require.True(t, json.Valid(buf.Bytes()), buf.String())
	require.Contains(t, buf.String(), `"action":"look"`)
	require.Contains(t, buf.String(), "unsupported type")
}
