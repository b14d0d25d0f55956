package torture_test

import (
	"encoding/json"
	"math"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/kinds"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// kind is a column with two values and what entries hold of them.
type kind struct {
	name         string
	column       string
	a, b         any
	wantA, wantB string
	mark         entaudit.Mark
	sqlite       string // of a, where SQLite differs
}

func plainKinds() []kind {
	u, w := uuid.MustParse("0198c0de-0000-7000-8000-0000000000ff"), uuid.Nil
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("X", 3600))
	return []kind{
		{name: "bool", column: kinds.FieldBool, a: true, b: false, wantA: "true", wantB: "false"},
		{name: "int", column: kinds.FieldInt, a: 0, b: -7, wantA: "0", wantB: "-7"},
		{name: "int8", column: kinds.FieldInt8, a: int8(127), b: int8(-128), wantA: "127", wantB: "-128"},
		{name: "int16", column: kinds.FieldInt16, a: int16(32767), b: int16(-32768), wantA: "32767", wantB: "-32768"},
		{name: "int32", column: kinds.FieldInt32, a: int32(math.MaxInt32), b: int32(math.MinInt32), wantA: "2147483647", wantB: "-2147483648"},
		{name: "int64", column: kinds.FieldInt64, a: int64(1 << 53), b: int64(-1 << 53), wantA: "9007199254740992", wantB: "-9007199254740992"},
		{name: "uint", column: kinds.FieldUint, a: uint(0), b: uint(7), wantA: "0", wantB: "7"},
		{name: "uint8", column: kinds.FieldUint8, a: uint8(255), b: uint8(1), wantA: "255", wantB: "1"},
		{name: "uint16", column: kinds.FieldUint16, a: uint16(65535), b: uint16(1), wantA: "65535", wantB: "1"},
		{name: "uint32", column: kinds.FieldUint32, a: uint32(math.MaxInt32), b: uint32(1), wantA: "2147483647", wantB: "1"},
		{name: "uint64", column: kinds.FieldUint64, a: uint64(1 << 53), b: uint64(1), wantA: "9007199254740992", wantB: "1"},
		{name: "float", column: kinds.FieldFloat, a: 0.1, b: -1e300, wantA: "0.1", wantB: "-1e+300"},
		{name: "float32", column: kinds.FieldFloat32, a: float32(0.1234567), b: float32(3), wantA: "0.1234567", wantB: "3"},
		{name: "time", column: kinds.FieldAt, a: at, b: longAgo(), wantA: `"2026-01-02T02:04:05Z"`, wantB: `"2001-02-03T04:05:06Z"`},
		{
			name: "document", column: kinds.FieldDoc, a: map[string]any{"a": 1, "b": []int{1, 2}}, b: map[string]any{},
			wantA: `{"a":1,"b":[1,2]}`, wantB: `{}`,
		},
		{name: "strings", column: kinds.FieldStrings, a: []string{"a", "é"}, b: []string{}, wantA: `["a","é"]`, wantB: `[]`},
		{name: "ints", column: kinds.FieldInts, a: []int{1, 2}, b: []int{3}, wantA: `[1,2]`, wantB: `[3]`},
		{name: "uuid", column: kinds.FieldUUID, a: u, b: w, wantA: `"` + u.String() + `"`, wantB: `"` + w.String() + `"`},
		{name: "enum", column: kinds.FieldEnum, a: kinds.EnumOn, b: kinds.EnumOff, wantA: `"on"`, wantB: `"off"`},
		{name: "string", column: kinds.FieldStr, a: "é\n\u2028\U0001f600", b: "", wantA: `"é\n\u2028😀"`, wantB: `""`},
		{name: "long text", column: kinds.FieldText, a: strings.Repeat("x", 60000), b: " ", wantA: `"` + strings.Repeat("x", 60000) + `"`, wantB: `" "`},
		{name: "int of one's own", column: kinds.FieldLevel, a: gotype.Level(3), b: gotype.Level(-3), wantA: "3", wantB: "-3"},
		{name: "string of one's own", column: kinds.FieldColor, a: gotype.Color("red"), b: gotype.Color(""), wantA: `"red"`, wantB: `""`},
	}
}

func awkwardKinds(t *testing.T) []kind {
	t.Helper()
	link := &url.URL{Scheme: "https", Host: "example.com", Path: "/é"}
	text, err := json.Marshal(link)
	require.NoError(t, err)
	none, err := json.Marshal(&url.URL{})
	require.NoError(t, err)
	sealed := func(s string) string {
		v, err := gotype.Sealed().V(s)
		require.NoError(t, err)
		return `"` + v.(string) + `"`
	}
	addr := func(s string) gotype.Addr { return gotype.Addr{Addr: netip.MustParseAddr(s)} }
	return []kind{
		{
			name: "Case46 int64", column: kinds.FieldInt64, a: int64(1<<53 + 1), b: int64(math.MinInt64),
			wantA: `"9007199254740993"`, wantB: `"-9223372036854775808"`, mark: entaudit.MarkText,
		},
		{
			name: "Case46 uint64", column: kinds.FieldUint64, a: uint64(1<<53 + 1), b: uint64(math.MaxInt64),
			wantA: `"9007199254740993"`, wantB: `"9223372036854775807"`, mark: entaudit.MarkText,
		},
		{name: "bytes", column: kinds.FieldBytes, a: []byte{0, 0xff}, b: []byte{}, wantA: `"AP8="`, wantB: `""`, mark: entaudit.MarkBase64},
		{name: "link", column: kinds.FieldLink, a: link, b: &url.URL{}, wantA: string(text), wantB: string(none)},
		{
			name: "escapes in a document", column: kinds.FieldStrings, a: []string{`\`, "\u2028"}, b: []string{`"`},
			wantA: `["\\","\u2028"]`, wantB: `["\""]`,
		},
		{
			name: "decimal", column: kinds.FieldAmount, a: gotype.Amount{Text: "12.34"}, b: gotype.Amount{Text: "-0.0001"},
			wantA: `"12.3400"`, wantB: `"-0.0001"`, sqlite: `"12.34"`,
		},
		{name: "netip", column: kinds.FieldAddr, a: addr("10.0.0.1"), b: addr("::1"), wantA: `"10.0.0.1"`, wantB: `"::1"`},
		{name: "Case86 encrypted", column: kinds.FieldSecret, a: "hunter2", b: "hunter3", wantA: sealed("hunter2"), wantB: sealed("hunter3")},
		{
			name: "Case44 annotated", column: kinds.FieldIbanLike, a: "hunter2", b: "hunter3",
			wantA: `"[REDACTED]"`, wantB: `"[REDACTED]"`, mark: entaudit.MarkRedacted,
		},
	}
}

// play creates a row with a, updates it to b one way and back the other, clears it and
// deletes it.
func (k kind) play(t *testing.T, b *bundle, inTx bool) {
	t.Helper()
	set := func(m *ent.KindsMutation, v any) {
		require.NoError(t, m.SetField(k.column, v))
		m.SetTouchedAt(longAgo())
	}
	story[int]{
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) {
			create := c.Kinds.Create()
			set(create.Mutation(), k.a)
			row := create.SaveX(t.Context())
			one := c.Kinds.UpdateOne(row)
			set(one.Mutation(), k.b)
			one.ExecX(t.Context())
			one = c.Kinds.UpdateOneID(row.ID)
			set(one.Mutation(), k.b) // no change
			one.ExecX(t.Context())
			many := c.Kinds.Update()
			set(many.Mutation(), k.a)
			many.ExecX(t.Context())
			many = c.Kinds.Update().SetTouchedAt(longAgo())
			require.NoError(t, many.Mutation().ClearField(k.column))
			many.ExecX(t.Context())
			bulk := c.Kinds.MapCreateBulk(make([]int, 2), func(u *ent.KindsCreate, i int) { set(u.Mutation(), []any{k.a, k.b}[i]) })
			bulk.ExecX(t.Context())
			c.Kinds.Delete().ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ int) {
			if b.dialect == dialect.SQLite && k.sqlite != "" {
				k.wantA = k.sqlite
			}
			require.Len(t, e, 9)
			sides := [][2]string{{"", k.wantA}, {k.wantA, k.wantB}, {k.wantB, k.wantA}, {k.wantA, "null"}, {"", k.wantA}, {"", k.wantB}}
			for i, s := range sides {
				k.check(t, e[i], s[0], s[1])
			}
			gone := byID(e[6:])
			require.Len(t, gone, 3)
			k.check(t, gone[e[4].Resource.ID], k.wantA, "")
			k.check(t, gone[e[5].Resource.ID], k.wantB, "")
		},
	}.play(t, b, inTx)
}

// check asserts the two sides of the change of the kind's field in e.
func (k kind) check(t *testing.T, e entaudit.Entry, oldWant, newWant string) {
	t.Helper()
	c, ok := e.Change(k.column)
	require.True(t, ok, "%s of %v", e.Action, e.Changes)
	for side, of := range map[string]struct {
		want string
		got  json.RawMessage
	}{"old": {oldWant, c.Old}, "new": {newWant, c.New}} {
		switch {
		case of.want == "":
			require.Nil(t, of.got)
			continue
		case strings.HasPrefix(of.want, "{"):
			require.JSONEq(t, of.want, string(of.got))
		default:
			require.Equal(t, of.want, string(of.got))
		}
		mark := k.mark
		if of.want == "null" {
			mark = ""
		}
		require.Equal(t, mark, e.Marks["changes."+k.column+"."+side])
	}
}

func TestCase45Kinds(t *testing.T) {
	t.Parallel()
	var scenes []scene
	for _, k := range append(plainKinds(), awkwardKinds(t)...) {
		scenes = append(scenes, scene{k.name, k})
	}
	perform(t, entaudit.Config{Redact: entaudit.Redact{Allow: []string{"secret"}}}, scenes)
}
