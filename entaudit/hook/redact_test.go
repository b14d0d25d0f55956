package hook

import (
	"testing"

	"entgo.io/ent/schema/field"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestChangedValuesAreSearchedOnRequestS50(t *testing.T) {
	t.Parallel()
	const first, second = "card 4111111111111111", "card 5555555555554444"
	changed := func(t *testing.T, r entaudit.Redact, kind field.Type, before, after string) entaudit.Entry {
		t.Helper()
		rec, err := entaudit.New(entaudit.Config{Redact: r})
		require.NoError(t, err)
		s := &scope{p: planOf(rec, &Schema{Fields: []Field{{Name: "note", Kind: kind}}})}
		s.in = &Intent{rec: rec}
		var e entaudit.Entry
		require.True(t, s.differ().between(&e, []int{0}, []any{before}, []any{after}))
		return e
	}
	for _, kind := range []field.Type{field.TypeString, field.TypeOther} {
		e := changed(t, entaudit.Redact{}, kind, first, second)
		require.JSONEq(t, `"`+first+`"`, string(e.Changes[0].Old), "an entry tells what the row held")
		require.JSONEq(t, `"`+second+`"`, string(e.Changes[0].New))
		require.Empty(t, e.Marks)

		e = changed(t, entaudit.Redact{Changes: true}, kind, first, second)
		require.JSONEq(t, `"card [REDACTED]"`, string(e.Changes[0].Old))
		require.JSONEq(t, `"card [REDACTED]"`, string(e.Changes[0].New), "the change stays visible where both look the same")
		require.Equal(t, map[string]entaudit.Mark{"changes.note.old": "redacted", "changes.note.new": "redacted"}, e.Marks)
	}
	e := changed(t, entaudit.Redact{Changes: true}, field.TypeJSON, `{"a":"`+first+`"}`, `{"a":"`+second+`"}`)
	require.JSONEq(t, `{"a":"card [REDACTED]"}`, string(e.Changes[0].New))
}
