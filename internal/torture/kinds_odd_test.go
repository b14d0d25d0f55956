package torture_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
)

// oddRow is a row of which a database may or may not take a value.
type oddRow struct {
	name    string
	set     func(*ent.KindsCreate)
	want    map[string]string // what the entry holds, by dialect; refused where there is none
	mark    entaudit.Mark
	nothing string // dialect that keeps NULL in its place
}

func oddRows() []oddRow {
	on := func(text string, dialects ...string) map[string]string {
		m := make(map[string]string)
		for _, d := range dialects {
			m[d] = text
		}
		return m
	}
	return []oddRow{
		{
			"NaN", func(k *ent.KindsCreate) { k.SetFloat(math.NaN()) }, on(`float - → "NaN"`, dialect.Postgres),
			entaudit.MarkText, dialect.SQLite,
		},
		{
			"Inf", func(k *ent.KindsCreate) { k.SetFloat(math.Inf(1)) },
			on(`float - → "+Inf"`, dialect.Postgres, dialect.SQLite), entaudit.MarkText, "",
		},
		{
			"-Inf of 32 bits", func(k *ent.KindsCreate) { k.SetFloat32(float32(math.Inf(-1))) },
			on(`float32 - → "-Inf"`, dialect.Postgres, dialect.SQLite), entaudit.MarkText, "",
		},
		{
			"largest uint64", func(k *ent.KindsCreate) { k.SetUint64(math.MaxUint64) },
			on(`uint64 - → "18446744073709551615"`, dialect.MySQL), entaudit.MarkText, "",
		},
		{
			"NUL", func(k *ent.KindsCreate) { k.SetStr("a\x00b") },
			on(`str - → "a\\x00b"`, dialect.SQLite, dialect.MySQL), entaudit.MarkEscaped, "",
		},
		{
			"invalid UTF-8", func(k *ent.KindsCreate) { k.SetStr("a\xffb") },
			on(`str - → "a\\xffb"`, dialect.SQLite), entaudit.MarkEscaped, "",
		},
		{
			"NUL in a document", func(k *ent.KindsCreate) { k.SetStrings([]string{"\x00"}) },
			on(`strings - → "[\"\\u0000\"]"`, dialect.SQLite, dialect.MySQL), entaudit.MarkText, "",
		},
	}
}

// TestCase45OddValues gives each database values that some of them refuse: it is as
// without auditing, and what is taken is recorded.
func TestCase45OddValues(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for _, o := range oddRows() {
			b.clear(t)
			build := func(c *ent.Client) *ent.KindsCreate {
				k := c.Kinds.Create()
				o.set(k)
				return k
			}
			plain, plains := build(b.plain).Exec(t.Context()), b.plain.Kinds.CreateBulk(build(b.plain)).Exec(t.Context())
			b.oracle.forget(t)
			one, bulk := build(b.client).Exec(t.Context()), b.client.Kinds.CreateBulk(build(b.client)).Exec(t.Context())
			b.oracle.compare(t)
			if plain != nil {
				require.EqualError(t, one, plain.Error(), o.name)
				require.EqualError(t, bulk, plains.Error(), o.name)
			} else {
				require.NoError(t, plains, o.name)
				require.NoError(t, one, o.name)
				require.NoError(t, bulk, o.name)
			}
			e := b.entries(t)
			want, taken := o.want[b.dialect]
			if !taken && o.nothing != b.dialect {
				require.Empty(t, e, o.name)
				require.Error(t, plain, o.name)
				continue
			}
			require.Len(t, e, 2, o.name)
			for _, e := range e {
				if !taken {
					require.Empty(t, e.Changes, o.name)
					continue
				}
				field, change, _ := strings.Cut(want, " ")
				requireChanges(t, map[string]string{field: change}, e)
				require.Equal(t, o.mark, e.Marks["changes."+field+".new"], o.name)
			}
		}
	})
}

// TestCase47SameInstant has the values of rows written again in other forms.
func TestCase47SameInstant(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	perform(t, entaudit.Config{}, []scene{{"times", story[*ent.Kinds]{
		quiet: true, // SQLite keeps the text that it is given
		seed: func(t *testing.T, b *bundle) *ent.Kinds {
			return b.plain.Kinds.Create().SetAt(at).SetBool(true).SetEnum("on").SetInt64(1).SaveX(t.Context())
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, k *ent.Kinds) {
			for _, zone := range []*time.Location{time.UTC, time.FixedZone("CEST", 7200), time.FixedZone("-03", -3*3600)} {
				c.Kinds.UpdateOne(k).SetAt(at.In(zone)).ExecX(t.Context())
				c.Kinds.Update().SetAt(at.In(zone).Add(time.Nanosecond)).ExecX(t.Context())
			}
			yes, one := true, int64(1)
			c.Kinds.UpdateOne(k).SetNillableBool(&yes).SetNillableInt64(&one).SetNillableAt(&at).SetNillableEnum(k.Enum).ExecX(t.Context())
		},
		check: requireNone[*ent.Kinds],
	}}})
}

// TestCase45Float32WithoutArguments reads rows with a statement that has no arguments,
// to which MySQL answers with six digits of a float.
func TestCase45Float32WithoutArguments(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{{"floats", story[*ent.Kinds]{
		seed: func(t *testing.T, b *bundle) *ent.Kinds {
			return b.plain.Kinds.Create().SetFloat32(0.1234567).SetFloat(0.12345678901234567).SetTouchedAt(longAgo()).SaveX(t.Context())
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Kinds) {
			c.Kinds.Update().SetFloat32(0.1234567).SetFloat(0.12345678901234567).SetTouchedAt(longAgo()).ExecX(t.Context())
			c.Kinds.Update().SetFloat32(2).SetTouchedAt(longAgo()).ExecX(t.Context())
			c.Kinds.Update().SetFloat32(0.1234567).SetTouchedAt(longAgo()).ExecX(t.Context())
			c.Kinds.Delete().ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.Kinds) {
			require.Len(t, e, 3)
			requireChanges(t, map[string]string{"float32": "0.1234567 → 2"}, e[0])
			requireChanges(t, map[string]string{"float32": "2 → 0.1234567"}, e[1])
			requireChanges(t, map[string]string{"float32": "0.1234567 → -", "float": "0.12345678901234566 → -", "touched_at": "*"}, e[2])
		},
	}}})
}

// TestCase45HugeValues cuts what is longer than Config.MaxValue; a difference behind the
// cut is a change all the same.
func TestCase45HugeValues(t *testing.T) {
	t.Parallel()
	x := strings.Repeat("x", 64)
	perform(t, entaudit.Config{MaxValue: 64}, []scene{{"text", story[*ent.Kinds]{
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.Kinds) {
			k := c.Kinds.Create().SetText(x + "1").SetBytes([]byte(x)).SetStrings([]string{x}).SetTouchedAt(longAgo()).SaveX(t.Context())
			c.Kinds.UpdateOne(k).SetText(x + "2").SetTouchedAt(longAgo()).ExecX(t.Context())
			c.Kinds.UpdateOne(k).SetText(x + "2").SetBytes([]byte(x)).SetStrings([]string{x}).SetTouchedAt(longAgo()).ExecX(t.Context())
			c.Kinds.UpdateOne(k).SetText(x).SetTouchedAt(longAgo()).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.Kinds) {
			require.Len(t, e, 3)
			whole := `"` + x + `"`
			requireChanges(t, map[string]string{
				"text": "- → " + whole, "bytes": "- → " + `"` + strings.Repeat("eHh4", 16) + `"`,
				"strings": `- → "[\"` + x[:62] + `"`, "touched_at": "*",
			}, e[0])
			for _, field := range []string{"text", "bytes", "strings"} {
				require.Equal(t, entaudit.MarkCut, e[0].Marks["changes."+field+".new"])
			}
			requireChanges(t, map[string]string{"text": whole + " → " + whole}, e[1])
			requireChanges(t, map[string]string{"text": whole + " → " + whole}, e[2])
			require.Equal(t, map[string]entaudit.Mark{"changes.text.old": entaudit.MarkCut}, e[2].Marks)
		},
	}}})
}

// TestCase09JSONNull tells a document that is null from none.
func TestCase09JSONNull(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{{"null", story[*ent.User]{
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ *ent.User) {
			u := oldUser(c, "ann").SaveX(t.Context())
			c.User.UpdateOne(u).SetSettings(nil).SetUpdatedAt(longAgo()).ExecX(t.Context())
			c.User.UpdateOne(u).ClearSettings().SetUpdatedAt(longAgo()).ExecX(t.Context())
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ *ent.User) {
			require.Len(t, e, 3)
			requireChanges(t, map[string]string{"settings": `null → "null"`}, e[1])
			requireChanges(t, map[string]string{"settings": `"null" → null`}, e[2])
		},
	}}})
}
