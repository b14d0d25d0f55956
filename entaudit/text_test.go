package entaudit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestAppendString(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, s, want string }{
		{"plain", "user <a@b> & co", `"user <a@b> & co"`},
		{"quotes", `say "x\y"`, `"say \"x\\y\""`},
		{"letters of the world", "Ärger, 猫, 😀", `"Ärger, 猫, 😀"`},
		{"S56 line breaks", "a\nb\rc\td", `"a\nb\rc\td"`},
		{"S56 line separators", "\u2028\u2029\u0085", `"\u2028\u2029\u0085"`},
		{"S56 terminal escapes", "\x1b[2J\u009b1m\x7f\b", `"\u001b[2J\u009b1m\u007f\u0008"`},
		{"S56 direction and zero width", "\u202e\u200b\ufeff", `"\u202e\u200b\ufeff"`},
		{"S56 invisible beyond the first plane", "\U000e0041", `"\udb40\udc41"`},
		{"NUL", "a\x00b", "\"a\ufffdb\""},
		{"invalid UTF-8", "a\xff\xc3", "\"a\ufffd\ufffd\""},
		{"no-break space is visible enough", "\u00a0", "\"\u00a0\""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "prefix"+tt.want, string(entaudit.AppendString([]byte("prefix"), tt.s)))
		})
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "abc", "a\"b\\c\n", "\x00", "\xff\xfe", "\u2028", "\u202e", "\U000e0041", "\ufffd", "é\xe2\x82"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := entaudit.AppendString(nil, s)
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("AppendString(%q) = %s: %v", s, b, err)
		}
		var want strings.Builder
		for _, r := range s { // invalid bytes become U+FFFD one by one
			if r == 0 {
				r = utf8.RuneError
			}
			want.WriteRune(r)
		}
		if got != want.String() {
			t.Errorf("AppendString(%q) = %s reads as %q", s, b, got)
		}
		requireVisible(t, string(b))
	})
}

// requireVisible fails where s has a character that breaks a line or hides text.
func requireVisible(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%q is not UTF-8", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			t.Errorf("%q has %U", s, r)
		}
	}
}
