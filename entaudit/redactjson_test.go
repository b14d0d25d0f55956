package entaudit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestRedactJSON(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	for _, tt := range []struct {
		name, in, want string
		marks          []string
	}{
		{name: "scalars", in: ` "a" `, want: `"a"`},
		{name: "number", in: `1.50e+400`, want: `1.50e+400`},
		{name: "null", in: `null`, want: `null`},
		{name: "nothing to mask", in: `{"b":[true,false,null],"a":{}}`, want: `{"b":[true,false,null],"a":{}}`},
		{name: "order and duplicates", in: `{"b":1,"a":2,"b":3}`, want: `{"b":1,"a":2,"b":3}`},
		{name: "digits", in: `[9007199254740993,1.0,-0]`, want: `[9007199254740993,1.0,-0]`},
		{name: "masked", in: `{"password":"x"}`, want: `{"password":"[REDACTED]"}`, marks: []string{"password"}},
		{name: "W14 twice", in: `{"token":1,"token":2}`, want: `{"token":"[REDACTED]","token":"[REDACTED]"}`, marks: []string{"token", "token"}},
		{name: "S40 escaped name", in: `{"\u0070assword":"x"}`, want: `{"password":"[REDACTED]"}`, marks: []string{"password"}},
		{name: "S40 long s", in: `{"pa\u017f\u017fword":"x"}`, want: `{"paſſword":"[REDACTED]"}`, marks: []string{"paſſword"}},
		{name: "whole objects", in: `{"secret":{"a":[1,{"b":2}]},"c":1}`, want: `{"secret":"[REDACTED]","c":1}`, marks: []string{"secret"}},
		{name: "nothing was set", in: `{"pin":null,"otp":""}`, want: `{"pin":null,"otp":""}`},
		{
			name: "nested", in: `{"a":[{"b":{"jwt":"x"}},{"jwt":false}]}`,
			want: `{"a":[{"b":{"jwt":"[REDACTED]"}},{"jwt":"[REDACTED]"}]}`, marks: []string{"a[0].b.jwt", "a[1].jwt"},
		},
		{
			name: "S50 names that are secrets", in: `{"4111111111111111":{"a":1},"my name":2,"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.":[3]}`,
			want: `{"[REDACTED]":{"a":1},"my name":2,"[REDACTED].":[3]}`, marks: []string{"[REDACTED]", "[REDACTED]."},
		},
		{
			name: "S50 short names that hold secrets", in: `{"pin=1234":1,"\"pin\":1":2,"a://u:p@h":{"u:p@tcp(h)":3}}`,
			want:  `{"pin=[REDACTED]":"[REDACTED]","\"pin\":[REDACTED]":"[REDACTED]","a://u:[REDACTED]@h":{"u:[REDACTED]@tcp(h)":3}}`,
			marks: []string{"pin=[REDACTED]", "pin=[REDACTED]", `"pin":[REDACTED]`, `"pin":[REDACTED]`, "a://u:[REDACTED]@h", "a://u:[REDACTED]@h.u:[REDACTED]@tcp(h)"},
		},
		{
			name: "short names that hold none", in: `{"a=1":1,"12:30":2,"bob@a.de":4,"b:c":5,"a://h":6}`,
			want: `{"a=1":1,"12:30":2,"bob@a.de":4,"b:c":5,"a://h":6}`,
		},
		{name: "S56 line separators", in: "{\"a\":\"\u2028\"}", want: `{"a":"\u2028"}`},
		{name: "lone surrogate and NUL", in: `{"a":"\ud800\u0000"}`, want: "{\"a\":\"\ufffd\ufffd\"}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var marks []string
			got, err := d.JSON([]byte(tt.in), func(path string, m entaudit.Mark) {
				require.Equal(t, entaudit.MarkRedacted, m)
				marks = append(marks, path)
			})
			require.NoError(t, err)
			require.Equal(t, tt.want, string(got))
			require.Equal(t, tt.marks, marks)
			got, err = d.JSON([]byte(tt.in), nil)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(got))
		})
	}
}

func TestRedactJSONRefuses(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	for _, in := range []string{
		"", " ", "{", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{1:1}`, `[1`, `[1,]`, `[}`, `]`, `nul`, `1 2`, `{} {}`,
		`{"password":}`, `{"password":"x"`, "\xff", `'a'`, `{"a":01}`,
		strings.Repeat("[", 66) + strings.Repeat("]", 66),
		`{"password":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
	} {
		got, err := d.JSON([]byte(in), nil)
		require.Error(t, err, "%.80q", in)
		require.Nil(t, got, "%.80q", in)
	}
	_, err := d.JSON([]byte(strings.Repeat("[", 65)+strings.Repeat("]", 65)), nil)
	require.NoError(t, err)
}

func FuzzRedactJSON(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"password":{"x":[1]}}`, `[1e400,"\ud800"]`, `{"a":[{"token":"x"}],"a":2}`, `{`, `[`, ` null `} {
		f.Add([]byte(s))
	}
	d, err := entaudit.NewRedactor(entaudit.Redact{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := d.JSON(data, nil)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Errorf("%q is not JSON and was read", data)
		}
		if !json.Valid(got) {
			t.Errorf("%q was written as %q", data, got)
		}
		again, err := d.JSON(got, nil)
		if err != nil || string(again) != string(got) {
			t.Errorf("%q was written as %q, then as %q (%v)", data, got, again, err)
		}
		requireVisible(t, string(got))
	})
}

func TestRedactQuery(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	for _, tt := range []struct {
		name, in, want string
		mark           entaudit.Mark
	}{
		{"empty", "", "", ""},
		{"nothing to mask", "a=1&b=%20&c&d=", "a=1&b=%20&c&d=", ""},
		{"masked", "a=1&password=x&b=2", "a=1&password=[REDACTED]&b=2", entaudit.MarkRedacted},
		{"W14 encoded name", "%70assword=zz", "%70assword=[REDACTED]", entaudit.MarkRedacted},
		{"W14 every value", "a=1&token=x&a=2&token=y", "a=1&token=[REDACTED]&a=2&token=[REDACTED]", entaudit.MarkRedacted},
		{"S40 long s", "pa%C5%BF%C5%BFword=x", "pa%C5%BF%C5%BFword=[REDACTED]", entaudit.MarkRedacted},
		{"brackets", "user%5Bpassword%5D=x&password[]=y", "user%5Bpassword%5D=[REDACTED]&password[]=[REDACTED]", entaudit.MarkRedacted},
		{"value with equals signs", "token=a=b==", "token=[REDACTED]", entaudit.MarkRedacted},
		{"nothing was set", "password=&pin", "password=&pin", ""},
		{"broken escape in a name", "%7=secret&a=1", "%5Bunparsed:9%5D&a=1", entaudit.MarkRedacted},
		{"broken escape in a value", "a=%zzpassword", "%5Bunparsed:13%5D", entaudit.MarkRedacted},
		{"semicolons", "a=1;password=x", "%5Bunparsed:14%5D", entaudit.MarkRedacted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, mark := d.Query(tt.in)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.mark, mark)
			again, _ := d.Query(got)
			require.Equal(t, got, again, "masking twice changes it")
		})
	}
}

func TestRedactMetadata(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	require.Nil(t, d.Metadata(nil, nil))
	require.Nil(t, d.Metadata(map[string]any{}, nil))
	got := d.Metadata(map[string]any{
		"n": 9007199254740993, "f": 0.5, "s": "a", "b": true, "nil": nil, "list": []int{1}, "raw": json.RawMessage(`{"token":1}`),
	}, func(path string, m entaudit.Mark) {
		require.Equal(t, "raw.token", path)
		require.Equal(t, entaudit.MarkRedacted, m)
	})
	require.Equal(t, map[string]any{
		"n": json.Number("9007199254740993"), "f": json.Number("0.5"), "s": "a", "b": true, "nil": nil,
		"list": []any{json.Number("1")}, "raw": map[string]any{"token": entaudit.Redacted},
	}, got)
}
