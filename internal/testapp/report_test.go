package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// hostile is an entry with something for a terminal in every text.
func hostile() entaudit.Entry {
	evil := "a\x1b[2J\u009b31m\u202eb\n"
	return entaudit.Entry{
		Kind: entaudit.KindMutation, Action: evil, Operation: entaudit.OpUpdate, Outcome: entaudit.Success, Reason: evil,
		OccurredAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Actor:      entaudit.Actor{Email: evil},
		Tenant:     entaudit.Tenant{Slug: evil},
		Resource:   entaudit.Resource{Type: evil, ID: evil, Label: evil},
		Changes: []entaudit.Change{
			{Field: evil, Old: json.RawMessage(`"` + evil + `"`), New: json.RawMessage(`"` + strings.Repeat("long ", 100) + `"`)},
		},
		Edges:   []entaudit.EdgeChange{{Edge: evil, Added: []string{evil}, Removed: []string{evil}, Unknown: true}},
		Request: entaudit.Request{ID: evil, Path: evil},
		Marks:   map[string]entaudit.Mark{evil: entaudit.MarkCut},
	}
}

func TestReportObeysNobody(t *testing.T) {
	t.Setenv("COLUMNS", "") // therefore not parallel
	deleted := hostile()
	deleted.Operation = entaudit.OpDelete
	request := hostile()
	request.Kind = entaudit.KindRequest
	var out bytes.Buffer
	require.NoError(t, newReport(&out).print(&trace{entries: []entaudit.Entry{hostile(), deleted, request}}))
	for _, c := range out.String() {
		require.True(t, c == '\n' || !unicode.IsControl(c) && !unicode.Is(unicode.Cf, c), "%U in %q", c, out.String())
	}
	requireFits(t, out.String())
}

func TestReportShowsMaskedBodies(t *testing.T) {
	t.Setenv("COLUMNS", "") // therefore not parallel
	e := entaudit.Entry{
		Kind: entaudit.KindRequest, Action: "POST /users", Metadata: map[string]any{"request_body": map[string]any{"body": map[string]any{"name": "Dave", "password": entaudit.Redacted}}},
		Marks: map[string]entaudit.Mark{"metadata.request_body.body.password": entaudit.MarkRedacted},
	}
	var out bytes.Buffer
	require.NoError(t, newReport(&out).print(&trace{entries: []entaudit.Entry{e}}))
	require.Contains(t, out.String(), `body {"name":"Dave","password":"[REDACTED]"}`)
	out.Reset()
	e.Marks = nil
	require.NoError(t, newReport(&out).print(&trace{entries: []entaudit.Entry{e}}))
	require.NotContains(t, out.String(), "body", "all others are left out")
}

func requireFits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), defaultWidth, line)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct{ name, json, want string }{
		{"number", `0.10`, "0.10"},
		{"text", `"a \u001b"`, `"a \u001b"`},
		{"object", `{"a":[1]}`, `{"a":[1]}`},
		{"null", `null`, "null"},
		{"uuid", `"7a7a9ce6-5102-49d2-b4c8-fc39cb892917"`, "…cb892917"},
		{"day", `"2020-01-31T00:00:00Z"`, "2020-01-31"},
		{"same day", `"2026-01-02T03:04:04.5Z"`, "03:04:04.500"},
		{"another day", `"2026-01-01T03:04:04.5Z"`, "2026-01-01 03:04:04"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, show(json.RawMessage(tt.json), at))
		})
	}
	require.Equal(t, "-", show(nil, at))
}

func TestPalette(t *testing.T) {
	t.Parallel()
	require.Equal(t, "x", newPalette(&bytes.Buffer{}).paint(red, "x"), "not a terminal")
	require.Equal(t, "\x1b[31mx\x1b[0m", palette{on: true}.paint(red, "x"))
}
