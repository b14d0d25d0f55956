package hook

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func newEncoder(t *testing.T, limit int) encoder {
	t.Helper()
	redact, err := entaudit.NewRedactor(entaudit.Redact{})
	require.NoError(t, err)
	return encoder{redact: redact, limit: limit}
}

// level and others stand for types of the user's own.
type (
	level  int
	color  string
	raw    []byte
	valuer struct {
		v   driver.Value
		err error
	}
)

func (v valuer) Value() (driver.Value, error) { return v.v, v.err }

// TestEncodeForms gives every form in which drivers and ent hold one value.
func TestEncodeForms(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0198c0de-0000-7000-8000-0000000000ff")
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)
	berlin := time.FixedZone("CEST", 2*60*60)
	nepal := time.FixedZone("+0545", 5*60*60+45*60)
	ten := 10
	tests := []struct {
		name  string
		kind  field.Type
		forms []any
		want  string
		mark  entaudit.Mark
	}{
		{"NULL", field.TypeString, []any{nil, (*string)(nil), (*valuer)(nil), sql.NullString{}, valuer{}}, `null`, ""},
		{"true", field.TypeBool, []any{true, int64(1), "t", []byte("1"), []byte("true")}, `true`, ""},
		{"false", field.TypeBool, []any{false, int64(0), "f", []byte("0")}, `false`, ""},
		{"not a bool", field.TypeBool, []any{"maybe"}, `"maybe"`, ""},
		{"int", field.TypeInt, []any{10, int64(10), uint8(10), float64(10), "10", []byte("10"), &ten, level(10)}, `10`, ""},
		{"negative", field.TypeInt8, []any{int8(-5), int64(-5), "-5", []byte("-5")}, `-5`, ""},
		{"2^53", field.TypeInt64, []any{int64(1 << 53), uint64(1 << 53), "9007199254740992"}, `9007199254740992`, ""},
		{
			"Case46 2^53+1", field.TypeInt64,
			[]any{int64(1<<53 + 1), uint64(1<<53 + 1), []byte("9007199254740993")},
			`"9007199254740993"`, entaudit.MarkText,
		},
		{"Case46 least", field.TypeInt64, []any{int64(math.MinInt64), "-9223372036854775808"}, `"-9223372036854775808"`, entaudit.MarkText},
		{
			"Case46 largest", field.TypeUint64,
			[]any{uint64(math.MaxUint64), []byte("18446744073709551615")},
			`"18446744073709551615"`, entaudit.MarkText,
		},
		{"float", field.TypeFloat64, []any{0.1, "0.1", []byte("0.1")}, `0.1`, ""},
		{"float32", field.TypeFloat32, []any{float32(0.1), float64(float32(0.1)), "0.1"}, `0.1`, ""},
		{"whole float", field.TypeFloat64, []any{float64(3), int64(3), "3"}, `3`, ""},
		{"large float", field.TypeFloat64, []any{1e300, "1e+300"}, `1e+300`, ""},
		{"NaN", field.TypeFloat64, []any{math.NaN(), "NaN"}, `"NaN"`, entaudit.MarkText},
		{"Inf", field.TypeFloat64, []any{math.Inf(1), "+Inf"}, `"+Inf"`, entaudit.MarkText},
		{
			"Case47 time", field.TypeTime, []any{
				at, at.In(berlin), at.In(nepal), at.Truncate(time.Microsecond), &at,
				sql.NullTime{Time: at, Valid: true},
				"2026-01-02T03:04:05.678901Z", []byte("2026-01-02 03:04:05.678901"), at.String(), at.In(berlin).String(),
				"2026-01-02 05:04:05.678901234+02:00", "2026-01-02 05:04:05.678901 +0200 CEST m=+0.5", at.In(nepal).String(),
			}, `"2026-01-02T03:04:05.678901Z"`, "",
		},
		{"whole second", field.TypeTime, []any{at.Truncate(time.Second), "2026-01-02 03:04:05"}, `"2026-01-02T03:04:05Z"`, ""},
		{"date", field.TypeTime, []any{at.Truncate(24 * time.Hour), "2026-01-02"}, `"2026-01-02T00:00:00Z"`, ""},
		{"not a time", field.TypeTime, []any{"infinity"}, `"infinity"`, ""},
		{"uuid", field.TypeUUID, []any{id, [16]byte(id), id[:], id.String(), []byte(strings.ToUpper(id.String())), &id}, `"` + id.String() + `"`, ""},
		{"bytes", field.TypeBytes, []any{[]byte{0, 0xff}, "\x00\xff", raw{0, 0xff}}, `"AP8="`, entaudit.MarkBase64},
		{"text", field.TypeString, []any{"é\n", []byte("é\n"), color("é\n"), valuer{v: "é\n"}}, `"é\n"`, ""},
		{"NUL", field.TypeString, []any{"a\x00b", color("a\x00b")}, `"a\\x00b"`, entaudit.MarkEscaped},
		{"invalid UTF-8 as text", field.TypeString, []any{"a\xffb"}, `"a\\xffb"`, entaudit.MarkEscaped},
		{"invalid UTF-8 as bytes", field.TypeString, []any{[]byte{'a', 0xff}}, `"Yf8="`, entaudit.MarkBase64},
		{"other text", field.TypeOther, []any{"12.3400", []byte("12.3400"), valuer{v: []byte("12.3400")}}, `"12.3400"`, ""},
		{"other number", field.TypeOther, []any{int64(7), 7, float64(7)}, `7`, ""},
		{"other bool", field.TypeOther, []any{true, valuer{v: true}}, `true`, ""},
		{"other time", field.TypeOther, []any{at, valuer{v: at}}, `"2026-01-02T03:04:05.678901Z"`, ""},
		{"failing valuer", field.TypeOther, []any{valuer{err: errors.New("secret")}}, `"hook.valuer"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, v := range tt.forms {
				got, mark := newEncoder(t, 1<<20).append([]byte("before"), tt.kind, v)
				require.Equal(t, "before"+tt.want, string(got), "%T %v", v, v)
				require.Equal(t, tt.mark, mark, "%T %v", v, v)
				require.True(t, json.Valid(got[len("before"):]))
			}
		})
	}
}

func TestEncodeJSON(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`[`, 70) + `{"token":"s3cret"}` + strings.Repeat(`]`, 70)
	long := `{"token":"s3cret","text":"` + strings.Repeat("x", 100) + `"}`
	tests := []struct {
		name, in, want string
		limit          int
		mark           entaudit.Mark
	}{
		{"document", `{ "b" : [1, 2.50], "a" : null }`, `{"b":[1,2.50],"a":null}`, 100, ""},
		{"digits", `[9007199254740993, 1e400]`, `[9007199254740993,1e400]`, 100, ""},
		{"scalar", `"x"`, `"x"`, 100, ""},
		{"null is not NULL", ` null`, `"null"`, 100, entaudit.MarkText},
		{"secret", `{"a":1,"token":"s3cret"}`, `{"a":1,"token":"[REDACTED]"}`, 100, entaudit.MarkRedacted},
		{"escaped NUL", `{"a":"\u0000"}`, `"{\"a\":\"\\u0000\"}"`, 100, entaudit.MarkText},
		{"half a surrogate", `["x", "\ud800"]`, `"[\"x\", \"\\ud800\"]"`, 100, entaudit.MarkText},
		{"other escape", `["\u00e9 \u0001"]`, `["é \u0001"]`, 100, ""},
		{"secret and NUL", `{"a":"\u0000","token":"s3cret"}`, `{"a":"` + "\ufffd" + `","token":"[REDACTED]"}`, 100, entaudit.MarkRedacted},
		{"Case44 longer than the limit", long, `"{\"token\":\"[REDACTED]\",\"text\":"`, 29, entaudit.MarkCut},
		{"Case44 too deep", deep, `"[unparsed:158]"`, 1000, entaudit.MarkRedacted},
		{"Case44 not JSON", `token=s3cret`, `"[unparsed:12]"`, 100, entaudit.MarkRedacted},
		{"Case44 two documents", `{} {"token":"s3cret"}`, `"[unparsed:21]"`, 100, entaudit.MarkRedacted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, v := range []any{tt.in, []byte(tt.in), json.RawMessage(tt.in)} {
				got, mark := newEncoder(t, tt.limit).append(nil, field.TypeJSON, v)
				require.Equal(t, tt.want, string(got))
				require.Equal(t, tt.mark, mark)
				require.True(t, json.Valid(got))
				require.NotContains(t, string(got), "s3cret")
			}
		})
	}
}

func TestEncodeCuts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kind field.Type
		in   any
		want string
		mark entaudit.Mark
	}{
		{"fits", field.TypeString, "12345678", `"12345678"`, ""},
		{"text", field.TypeString, "123456789", `"12345678"`, entaudit.MarkCut},
		{"between characters", field.TypeString, "1234567é", `"1234567"`, entaudit.MarkCut},
		{"bytes that fit", field.TypeBytes, []byte("123456"), `"MTIzNDU2"`, entaudit.MarkBase64},
		{"bytes", field.TypeBytes, []byte("1234567"), `"MTIzNDU2"`, entaudit.MarkCut},
		{"json", field.TypeJSON, `["12345678"]`, `"[\"123456"`, entaudit.MarkCut},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, mark := newEncoder(t, 8).append(nil, tt.kind, tt.in)
			require.Equal(t, tt.want, string(got))
			require.Equal(t, tt.mark, mark)
		})
	}
}

func TestIDText(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0198c0de-0000-7000-8000-0000000000ff")
	tests := []struct {
		name string
		kind field.Type
		in   any
		want string
	}{
		{"int", field.TypeInt, int64(42), "42"},
		{"int of one's own", field.TypeInt, level(42), "42"},
		{"int as text", field.TypeInt, []byte("42"), "42"},
		{"large", field.TypeInt64, int64(1<<53 + 1), "9007199254740993"},
		{"uuid", field.TypeUUID, id, id.String()},
		{"uuid as bytes", field.TypeUUID, id[:], id.String()},
		{"uuid as text", field.TypeUUID, []byte(id.String()), id.String()},
		{"string", field.TypeString, "k", "k"},
		{"string as bytes", field.TypeString, []byte("k"), "k"},
		{"bytes", field.TypeBytes, []byte("k\xff"), "6bff"},
		{"not text", field.TypeString, []byte{0xff}, "ff"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, idText(tt.kind, tt.in))
		})
	}
	s := &Schema{ID: []Field{{Kind: field.TypeInt}, {Kind: field.TypeString}}}
	require.JSONEq(t, `["1","a\"b"]`, idOf(s, []any{int64(1), `a"b`}))
}
