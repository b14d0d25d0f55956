package entaudit_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestLongValuesAreCut(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{MaxValue: 12})
	long := strings.Repeat("x", 20)
	e := prepare(t, rec, entaudit.Entry{
		Action: "x",
		Changes: []entaudit.Change{
			{Field: "text", Old: raw(`"123456789012"`), New: raw(`"1234567890123"`)},
			{Field: "object", New: raw(`{"token":"canary","a":"` + long + `"}`)},
			{Field: "escapes", New: raw(`"\u200b\u200b\u200b"`)},
			{Field: "wide", New: raw(`"12345678901é"`)},
			{Field: "token", New: raw(`"canary"`)},
			{Field: "none", Old: raw(`null`), New: raw(`true`)},
		},
		Metadata: map[string]any{
			"text": long, "nested": map[string]any{"password": "canary", "a": long}, "list": []int{1, 2, 3, 4, 5, 6, 7},
			"secret": "canary", "fits": []int{1, 2, 3}, "number": 12345678901234567, "newlines": strings.Repeat("\n", 9),
		},
	})
	require.Equal(t, []entaudit.Change{
		{Field: "text", Old: raw(`"123456789012"`), New: raw(`"123456789012"`)},
		{Field: "object", New: raw(`"{\"token\":"`)},
		{Field: "escapes", New: raw(`"\u200b\u200b"`)},
		{Field: "wide", New: raw(`"12345678901"`)},
		{Field: "token", New: raw(`"[REDACTED]"`)},
		{Field: "none", Old: raw(`null`), New: raw(`true`)},
	}, e.Changes)
	require.Equal(t, "xxxxxxxxxxxx", e.Metadata["text"])
	require.Equal(t, `[1,2,3,4,5,6`, e.Metadata["list"])
	require.Equal(t, "123456789012", e.Metadata["number"])
	require.Equal(t, "\n\n\n\n\n\n", e.Metadata["newlines"])
	require.Equal(t, entaudit.Redacted, e.Metadata["secret"])
	require.Len(t, e.Metadata["fits"], 3)
	for _, path := range []string{
		"changes.text.new", "changes.object.new", "changes.escapes.new", "changes.wide.new",
		"metadata.text", "metadata.nested", "metadata.list", "metadata.number", "metadata.newlines",
	} {
		require.Equal(t, entaudit.MarkCut, e.Marks[path], path)
		delete(e.Marks, path)
	}
	require.Equal(t, map[string]entaudit.Mark{
		"changes.token.new": entaudit.MarkRedacted, "metadata.secret": entaudit.MarkRedacted,
	}, e.Marks)
}

// TestNoInputIsTooMuchToStore holds that an entry stays below the 16 MB that
// MariaDB takes at once, with the settings as they come.
func TestNoInputIsTooMuchToStore(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{})
	const most = 12 << 20
	big := strings.Repeat("x", 4<<20)
	many := func(n int, f func(i int) string) (s []string) {
		for i := range n {
			s = append(s, f(i))
		}
		return s
	}
	metadata, secrets, marks := map[string]any{}, map[string]any{}, map[string]entaudit.Mark{}
	var changes []entaudit.Change
	var edges []entaudit.EdgeChange
	for i := range 5000 {
		metadata[fmt.Sprintf("%0300d", i)] = fmt.Sprintf("%0700d", i)
		secrets[fmt.Sprintf("token_%d\x00", i)] = make(chan int)
		marks[fmt.Sprintf("%03000d\x00", i)] = entaudit.Mark(big[:1000])
		changes = append(changes, entaudit.Change{Field: fmt.Sprintf("%0300d", i), New: raw(`"` + big[:3000] + `"`)})
		edges = append(edges, entaudit.EdgeChange{Edge: fmt.Sprintf("%0300d", i), Added: []string{big[:400]}})
	}
	tokens := raw(`{"` + big[:1<<20] + `":[` + strings.Join(many(20_000, func(int) string { return `{"token":1}` }), ",") + `]}`)
	for _, tt := range []struct {
		name string
		e    entaudit.Entry
		mark string
	}{
		{"one nested value", entaudit.Entry{Metadata: map[string]any{"a": map[string]any{"b": big}}}, "metadata.a"},
		{"control characters", entaudit.Entry{Metadata: map[string]any{"a": strings.Repeat("\x01", 4<<20)}}, "metadata.a"},
		{"large values", entaudit.Entry{Metadata: map[string]any{"a": big, "b": big + "b", "c": big, "d": big}}, "metadata"},
		{"many values", entaudit.Entry{Metadata: metadata}, "metadata"},
		{"many secrets", entaudit.Entry{Metadata: secrets}, "marks"},
		{"secrets in a value", entaudit.Entry{Metadata: map[string]any{"a": tokens}}, "metadata.a"},
		{"one change", entaudit.Entry{Changes: []entaudit.Change{{Field: "a", New: raw(`["` + big + `"]`)}}}, "changes.a.new"},
		{"many changes", entaudit.Entry{Changes: changes}, "changes"},
		{"many edges", entaudit.Entry{Edges: edges}, "edges"},
		{"many ids", entaudit.Entry{Edges: []entaudit.EdgeChange{{Edge: "a", Added: many(20_000, func(i int) string { return fmt.Sprint(i) })}}}, "edges.a"},
		{"many marks", entaudit.Entry{Marks: marks}, "marks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.e.Action = "x"
			e := prepare(t, rec, tt.e)
			require.Equal(t, entaudit.MarkCut, e.Marks[tt.mark])
			data, err := e.MarshalJSON()
			require.NoError(t, err)
			require.Less(t, len(data), most)
			require.True(t, utf8.Valid(data))
			for path, m := range e.Marks {
				require.NotContains(t, path, "\x00")
				require.LessOrEqual(t, len(path)+len(m), entaudit.LimitPath+entaudit.LimitShort)
			}
		})
	}
	all := prepare(t, rec, entaudit.Entry{
		Action: "x", TxSeq: 1 << 40, Request: entaudit.Request{StatusCode: 1 << 40},
		Metadata: metadata, Changes: changes, Edges: edges, Marks: marks,
	})
	data, err := all.MarshalJSON()
	require.NoError(t, err)
	require.Less(t, len(data), most)
	require.Zero(t, all.TxSeq)
	require.Zero(t, all.Request.StatusCode)
}

func TestSmallValuesAreKeptBesideLargeOnes(t *testing.T) {
	t.Parallel()
	rec, _ := setup(t, entaudit.Config{})
	big := strings.Repeat("x", 2<<20)
	e := prepare(t, rec, entaudit.Entry{Action: "x", Metadata: map[string]any{
		"a": big, "b": strings.Repeat("y", 1000), "c": []string{big}, "z": true,
	}})
	require.Equal(t, strings.Repeat("y", 1000), e.Metadata["b"])
	require.Equal(t, true, e.Metadata["z"])
	require.Len(t, e.Metadata["a"], entaudit.DefaultMaxValue)
	require.Equal(t, map[string]entaudit.Mark{"metadata.a": entaudit.MarkCut, "metadata.c": entaudit.MarkCut}, e.Marks)
}
