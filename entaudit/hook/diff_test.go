package hook

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/schema/field"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// newDiffer returns a differ for one field, cutting at eight bytes.
func newDiffer(t *testing.T, f Field) *differ {
	t.Helper()
	rec, err := entaudit.New(entaudit.Config{MaxValue: 8})
	require.NoError(t, err)
	f.Column = f.Name
	return &differ{p: planOf(rec, &Schema{Fields: []Field{f}}), enc: encoder{redact: rec.Redactor(), limit: 8}}
}

func TestBetween(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	str, doc := Field{Name: "f", Kind: field.TypeString}, Field{Name: "f", Kind: field.TypeJSON}
	secret := Field{Name: "f", Kind: field.TypeString, Sensitive: true}
	tests := []struct {
		name          string
		field         Field
		before, after any
		want          string // "old → new", empty where nothing differs
		mark          entaudit.Mark
	}{
		{"same", str, "a", "a", "", ""},
		{"same in another form", str, "a", []byte("a"), "", ""},
		{"differs", str, "a", "b", `"a" → "b"`, ""},
		{"set", str, nil, "", `null → ""`, ""},
		{"cleared", str, "", nil, `"" → null`, ""},
		{"Case47 another zone", Field{Name: "f", Kind: field.TypeTime}, at, at.In(time.FixedZone("X", 3600)), "", ""},
		{"Case47 within a microsecond", Field{Name: "f", Kind: field.TypeTime}, at, at.Add(time.Nanosecond), "", ""},
		{"a microsecond", Field{Name: "f", Kind: field.TypeTime}, at, at.Add(time.Microsecond), `"2026-01-02T03:04:05.000006Z" → "2026-01-02T03:04:05.000007Z"`, ""},
		{"Case46 neighbours", Field{Name: "f", Kind: field.TypeInt64}, int64(1 << 53), int64(1<<53 + 1), `9007199254740992 → "90071992"`, entaudit.MarkCut},
		{"behind the cut", str, "12345678a", "12345678b", `"12345678" → "12345678"`, entaudit.MarkCut},
		{"cut now", str, "12345678", "12345678b", `"12345678" → "12345678"`, entaudit.MarkCut},
		{"same behind the cut", str, "12345678a", []byte("12345678a"), "", ""},
		{"escape and text", str, `a\x00`, "a\x00", `"a\\x00" → "a\\x00"`, entaudit.MarkEscaped},
		{"same document", doc, `{"a":1}`, []byte(`{ "a": 1 }`), "", ""},
		{"Case44 masked", secret, "one", "two", `"[REDACTED]" → "[REDACTED]"`, entaudit.MarkRedacted},
		{"Case44 masked for the first time", secret, nil, "two", `null → "[REDACTED]"`, entaudit.MarkRedacted},
		{"Case44 masked and gone", secret, "one", nil, `"[REDACTED]" → null`, ""},
		{"Case44 masked and same", secret, "one", []byte("one"), "", ""},
		{"Case44 masked by its name", Field{Name: "api_key", Kind: field.TypeString}, "one", "two", `"[REDACTED]" → "[REDACTED]"`, entaudit.MarkRedacted},
		{"Case44 secret in a document", doc, `{"pin":1}`, `{"pin":2}`, `"{\"pin\":\"" → "{\"pin\":\""`, entaudit.MarkCut},
		{"ignored", Field{Name: "f", Kind: field.TypeString, Ignore: true}, "a", "b", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var e entaudit.Entry
			more := newDiffer(t, tt.field).between(&e, []int{0}, []any{tt.before}, []any{tt.after})
			require.Equal(t, tt.want != "", more)
			if tt.want == "" {
				require.Empty(t, e.Changes)
				return
			}
			require.Len(t, e.Changes, 1)
			require.Equal(t, tt.want, string(e.Changes[0].Old)+" → "+string(e.Changes[0].New))
			require.Equal(t, tt.mark, e.Marks["changes."+tt.field.Name+".new"])
		})
	}
}

// TestBetweenSeesSecretsInDocuments has an entry where nothing but a masked value
// within a document differs.
func TestBetweenSeesSecretsInDocuments(t *testing.T) {
	t.Parallel()
	d := newDiffer(t, Field{Name: "f", Kind: field.TypeJSON})
	d.enc.limit = 100
	var e entaudit.Entry
	require.False(t, d.between(&e, []int{0}, []any{`{"pin":1}`}, []any{[]byte(`{"pin":1}`)}))
	require.True(t, d.between(&e, []int{0}, []any{`{"pin":1}`}, []any{`{"pin":2}`}))
	require.Len(t, e.Changes, 1)
	require.JSONEq(t, `{"pin":"[REDACTED]"}`, string(e.Changes[0].Old))
	require.JSONEq(t, `{"pin":"[REDACTED]"}`, string(e.Changes[0].New))
	require.Equal(t, map[string]entaudit.Mark{"changes.f.old": entaudit.MarkRedacted, "changes.f.new": entaudit.MarkRedacted}, e.Marks)
}

func TestBetweenTouch(t *testing.T) {
	t.Parallel()
	d := newDiffer(t, Field{Name: "f", Kind: field.TypeInt, Touch: true})
	var e entaudit.Entry
	require.False(t, d.between(&e, []int{0}, []any{int64(1)}, []any{int64(2)}))
	require.Len(t, e.Changes, 1)
}

func TestDescribeMasksTheLabel(t *testing.T) {
	t.Parallel()
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	s := &Schema{Label: "name", Tenant: "org", Fields: []Field{
		{Name: "name", Column: "name", Kind: field.TypeString, Sensitive: true},
		{Name: "org", Column: "org", Kind: field.TypeInt, Ignore: true},
	}}
	d := &differ{p: planOf(rec, s), enc: encoder{redact: rec.Redactor(), limit: 100}}
	e := entaudit.Entry{Tenant: entaudit.Tenant{ID: "1", Slug: "one"}}
	d.describe(&e, d.p.all, []any{"ann", int64(1)})
	require.Equal(t, entaudit.Redacted, e.Resource.Label)
	require.Equal(t, entaudit.Tenant{ID: "1", Slug: "one"}, e.Tenant)
	d.describe(&e, d.p.all, []any{nil, int64(2)})
	require.Equal(t, entaudit.Tenant{ID: "2"}, e.Tenant)
}

// TestTrim bounds an entry whose values fit one by one and not together.
func TestTrim(t *testing.T) {
	t.Parallel()
	e := entaudit.Entry{Changes: []entaudit.Change{{Field: "small", Old: []byte("1"), New: []byte("2")}}}
	for i := range 10 {
		big := entaudit.AppendString(nil, strings.Repeat("é\"", 200_000))
		e.Changes = append(e.Changes, entaudit.Change{Field: fmt.Sprint("big", i), Old: big, New: big})
	}
	trim(&e)
	total := 0
	for _, c := range e.Changes {
		require.True(t, json.Valid(c.Old), c.Field)
		total += len(c.Old) + len(c.New)
	}
	require.LessOrEqual(t, total, maxChanges)
	require.Equal(t, "1", string(e.Changes[0].Old))
	require.NotContains(t, e.Marks, "changes.small.old")
	require.Equal(t, entaudit.MarkCut, e.Marks["changes.big9.new"])
}
