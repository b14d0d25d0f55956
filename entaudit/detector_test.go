package entaudit_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// Secrets that are nobody's. They are put together here, so that scanners of
// repositories do not take them for real ones.
var (
	planted = map[string]string{
		"JWT":                "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
		"JWT with blanks":    "eyAiYWxnIjogIkhTMjU2IiB9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
		"JWT over lines":     "ewogICJhbGciOiAiSFMyNTYiCn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
		"encrypted JWT":      "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXYtaXYtaXYt.Y2lwaGVydGV4dA.dGFn",
		"unsigned JWT":       "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
		"AWS":                "AKIA" + "IOSFODNN7EXAMPLE",
		"AWS session":        "ASIA" + "IOSFODNN7EXAMPLE",
		"Google":             "AIza" + strings.Repeat("Sy-_9", 7),
		"Google token":       "ya29." + strings.Repeat("a0Af", 8) + ".x",
		"GitHub":             "ghp_" + strings.Repeat("a1B2", 9),
		"GitHub fine":        "github_pat_" + strings.Repeat("11AA_", 8),
		"GitLab":             "glpat-" + strings.Repeat("x1Yz", 5),
		"Slack":              "xoxb-" + "2345678901-abcdefghij",
		"Stripe":             "sk_live_" + strings.Repeat("4eC3", 6),
		"SendGrid":           "SG." + strings.Repeat("ab12", 6) + "." + strings.Repeat("cd34", 10),
		"npm":                "npm_" + strings.Repeat("a1B2", 9),
		"PEM":                "-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----",
		"PEM in JSON":        `-----BEGIN PRIVATE KEY-----\nMIIEow==\n-----END PRIVATE KEY-----`,
		"Visa":               "4111111111111111",
		"Visa in groups":     "4111 1111 1111 1111",
		"Visa with dashes":   "4111-1111-1111-1111",
		"Visa, 13 digits":    "4222222222222",
		"American Express":   "3782 822463 10005",
		"Diners Club":        "30569309025904",
		"Mastercard":         "5555 5555 5555 4444",
		"Mastercard of 2017": "2223003122003222",
		"JCB":                "3530111333300000",
		"UnionPay, 19":       "6212345678901234569",
		"IBAN":               "DE89370400440532013000",
		"IBAN in groups":     "GB82 WEST 1234 5698 7654 32",
		"IBAN in lower case": "nl91abna0417164300",
	}
	within = map[string][2]string{
		"URL":                    {"connect to postgres://bob:hunter2@db:5432/x?sslmode=off failed", "hunter2"},
		"URL with a colon":       {"postgres://bob:hun:ter2@db/x", "hun:ter2"},
		"data source name":       {"bob:hunter2@tcp(db:3306)/x", "hunter2"},
		"socket":                 {"open bob:hunter2@unix(/tmp/x.sock)/x", "hunter2"},
		"keyword":                {"host=db user=bob password=hunter2 dbname=x", "hunter2"},
		"keyword, quoted":        {`host=db password='hun ter2' dbname=x`, "hun ter2"},
		"keyword with blanks":    {"password = hunter2", "hunter2"},
		"query of a link":        {"see https://x.example/reset?a=1&token=hunter2&b=2 now", "hunter2"},
		"S40 encoded name":       {"https://x.example/?%70assword=hunter2", "hunter2"},
		"S40 long s":             {"pa\u017f\u017fword=hunter2", "hunter2"},
		"JSON in text":           {`{"user":"bob","password":"hunter2","n":1}`, "hunter2"},
		"JSON with blanks":       {`{"password" : "hun\"ter2" }`, `hun\"ter2`},
		"JSON in JSON in text":   {`{"body":"{\"apiKey\":\"hunter2\"}"}`, "hunter2"},
		"JSON, a number":         {`{"pin":271828,"n":1}`, "271828"},
		"JSON, an object":        {`{"secret":{"a":["hunter2"]}}`, "hunter2"},
		"JSON that is cut":       {`{"user":"bob","password":"hunter2`, "hunter2"},
		"PEM that is cut":        {"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIhunter2", "MHcCAQEEIhunter2"},
		"card with its expiry":   {"card 4111 1111 1111 1111 12/27", "4111 1111 1111 1111"},
		"card after a number":    {"17 4111 1111 1111 1111", "4111 1111 1111 1111"},
		"card with an underline": {"card_4111111111111111", "4111111111111111"},
	}
)

func TestTextMasksWhatIsSecretByItsFormS50W26(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	for name, secret := range planted {
		for _, around := range [][2]string{{"", ""}, {"a ", " b"}, {"<", ">"}, {`{"x":"`, `"}`}, {"x=", "&y"}, {"(", ")."}, {"\u2028", "\u00e9"}, {"v: ", "\n"}} {
			got, mark := d.Text(around[0] + secret + around[1])
			require.NotContains(t, got, secret, name)
			require.Contains(t, got, entaudit.Redacted, name)
			require.True(t, strings.HasPrefix(got, around[0]), "%s: %q", name, got)
			require.True(t, strings.HasSuffix(got, around[1]), "%s: %q", name, got)
			require.Equal(t, entaudit.MarkRedacted, mark, name)
		}
	}
	for name, tt := range within {
		got, mark := d.Text(tt[0])
		require.NotContains(t, got, tt[1], name)
		require.Equal(t, entaudit.MarkRedacted, mark, name)
		again, _ := d.Text(got)
		require.Equal(t, got, again, "%s: masking twice changes it", name)
	}
	got, _ := d.Text("postgres://bob:hunter2@db/x?token=abc&n=1")
	require.Equal(t, "postgres://bob:[REDACTED]@db/x?token=[REDACTED]&n=1", got, "what is around it stays")
}

func TestTextKeepsWhatOnlyLooksSecretS50W26(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	for _, s := range []string{
		"", "-", "plain text, with a dot. And more.", "eyeballs.and.noses.are.not.tokens", "eyJ", "eyJhbGciOiJIUzI1NiJ9", "ewe.lamb.ram",
		"4111111111111112", "4111 1111 1111 1112", "41111111-1111-1111-1111-111111111111", "1732000000000000000", "0.4111111111111111",
		"x4111111111111111", "4111111111111111x", "41111111111111110000", "018f3c1e-7c3a-7c5e-8c3a-4111111111ab", "+49 30 901820",
		"2026-11-21T22:26:04.123456Z", "d41d8cd98f00b204e9800998ecf8427e", "DE89370400440532013001", "DE8937040044053201300",
		"AKIA", "AKIAIOSFODNN7EXAMPLES", "ghp_short", "xoxo-xoxo", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
		"https://x.example:8080/a@b?c=d", "bob@x.example", "a:b@c", "tokens=5", "token_count=7", "secretary=bob", "x == y", "if password == nil",
		`{"name":"bob","token_count":7}`, "http://[::1]:80/", "key: value", "password changed", "the token, expired",
	} {
		got, mark := d.Text(s)
		require.Equal(t, s, got)
		require.Empty(t, mark)
	}
	off := redactor(t, entaudit.Redact{KeepValues: true})
	got, mark := off.Text(planted["JWT"])
	require.Equal(t, planted["JWT"], got, "as it was asked for")
	require.Empty(t, mark)
}

func TestTextCutsWhatNobodyLooksAtS50(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	secret := planted["Visa"]
	long := strings.Repeat("word ", 16<<20/5-1)
	got, mark := d.Text(long + secret + " and more")
	require.Equal(t, entaudit.MarkCut, mark)
	require.Equal(t, long, got, "no half of a secret is left at the end")
	got, mark = d.Text(secret + strings.Repeat("x", 17<<20))
	require.Equal(t, entaudit.MarkCut, mark)
	require.Len(t, got, 16<<20-256, "a word longer than any secret")
}

// tedious are texts that make a careless scanner look at the same bytes again and
// again.
func tedious(n int) map[string]string {
	fill := func(s string) string { return strings.Repeat(s, n/len(s)) }
	return map[string]string{
		"one word":        fill("a"),
		"token starts":    fill("ey-"),
		"token dots":      fill("eyJ."),
		"nested tokens":   fill("eyJhbGciOiJub25lIn0"),
		"token ends":      fill("eyJhbGciOiJub25lIn0 ."),
		"digits":          fill("4"),
		"digit groups":    fill("4 "),
		"long groups":     fill("4111 "),
		"dashed groups":   fill("4111-"),
		"account numbers": fill("DE89 3704 0044 0532 0130 "),
		"countries":       fill("DE89"),
		"service keys":    fill("ghp_"),
		"slack":           fill("xoxb-"),
		"google":          fill("ya29."),
		"key starts":      fill("-----BEGIN RSA PRIVATE KEY----"),
		"public keys":     fill("-----BEGIN PUBLIC KEY-----"),
		"dashes":          fill("-"),
		"equals signs":    fill("="),
		"names":           fill("a-b_c.d") + "=",
		"masked names":    fill(`token=`),
		"quotes":          fill(`token="`),
		"other quotes":    fill(`"token":'`),
		"backslashes":     fill(`"token":"\`),
		"colons":          fill(`":`),
		"blank colons":    fill(`" :`),
		"blanks":          `"` + fill(" ") + ":",
		"URLs":            fill("://"),
		"users":           fill("://a:"),
		"at signs":        fill("@tcp("),
		"names of names":  fill("%70assword%3D=") + "x",
	}
}

func TestTextIsLinearS50(t *testing.T) {
	// Not parallel: it measures time.
	d := redactor(t, entaudit.Redact{})
	const n = 1 << 20
	for name, s := range tedious(n) {
		began := time.Now()
		d.Text(s)
		took := time.Since(began)
		require.Less(t, took, 5*time.Second, "%s: a scan that looks at bytes again would take minutes", name)
		t.Logf("%-16s %v", name, took)
	}
}

func TestJSONQueryAndMetadataMaskByFormS50(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	var marks []string
	got, err := d.JSON([]byte(`{"note":"card 4111111111111111, thanks","n":4111111111111111,"ok":[1,"x"]}`), func(path string, m entaudit.Mark) {
		require.Equal(t, entaudit.MarkRedacted, m)
		marks = append(marks, path)
	})
	require.NoError(t, err)
	require.Equal(t, `{"note":"card [REDACTED], thanks","n":"[REDACTED]","ok":[1,"x"]}`, string(got))
	require.Equal(t, []string{"note", "n"}, marks)

	query, mark := d.Query("a=1&next=%2Fx%3Ftoken%3Dabc&card=4111+1111+1111+1111")
	require.Equal(t, "a=1&next=[REDACTED]&card=[REDACTED]", query)
	require.Equal(t, entaudit.MarkRedacted, mark)
	query, mark = d.Query(planted["JWT"] + "&b=2")
	require.Equal(t, "[REDACTED]&b=2", query)
	require.Equal(t, entaudit.MarkRedacted, mark)

	marks = nil
	m := d.Metadata(map[string]any{"a": "Bearer " + planted["JWT"], "b": []string{"x", planted["IBAN"]}, "c": 1}, func(path string, m entaudit.Mark) {
		require.Equal(t, entaudit.MarkRedacted, m)
		marks = append(marks, path)
	})
	require.Equal(t, map[string]any{"a": "Bearer [REDACTED]", "b": []any{"x", "[REDACTED]"}, "c": json.Number("1")}, m)
	require.ElementsMatch(t, []string{"a", "b.[1]"}, marks)
}

func TestChangesAreSearchedOnRequestS50(t *testing.T) {
	t.Parallel()
	text := "card 4111111111111111"
	for _, tt := range []struct {
		name   string
		redact entaudit.Redact
		want   string
	}{
		{"not by default", entaudit.Redact{}, text},
		{"on request", entaudit.Redact{Changes: true}, "card [REDACTED]"},
		{"not where values are kept", entaudit.Redact{KeepValues: true}, text},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := redactor(t, tt.redact).ForChanges()
			got, _ := d.Text(text)
			require.Equal(t, tt.want, got)
			require.True(t, d.Name("password"), "names count in any case")
			require.Same(t, d, d.ForChanges())
		})
	}
	_, err := entaudit.NewRedactor(entaudit.Redact{Changes: true, KeepValues: true})
	require.EqualError(t, err, "entaudit: Config.Redact.Changes: KeepValues is set as well")
}

// failing is a value whose own encoding fails.
type failing struct{ panics bool }

func (f failing) MarshalJSON() ([]byte, error) {
	if f.panics {
		panic("hunter2")
	}
	return nil, errors.New("hunter2")
}

func TestValuesWhoseEncodingFailsS52(t *testing.T) {
	t.Parallel()
	d := redactor(t, entaudit.Redact{})
	in := map[string]any{"panics": failing{true}, "fails": failing{}, "kept": "x", "deep": map[string]any{"a": failing{true}}}
	marks := map[string]entaudit.Mark{}
	got := d.Metadata(in, func(path string, m entaudit.Mark) { marks[path] = m })
	require.Equal(t, "x", got["kept"])
	require.Equal(t, "entaudit_test.failing", got["panics"])
	require.Equal(t, map[string]entaudit.Mark{"panics": "unencodable", "fails": "unencodable", "deep": "unencodable"}, marks)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hunter2")
	require.Equal(t, failing{true}, in["panics"], "what was handed over is not altered")
}

func TestPasswordHashesAreSaidToChangeS49(t *testing.T) {
	t.Parallel()
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	e, err := rec.Prepare(t.Context(), entaudit.Entry{Action: "x", Changes: []entaudit.Change{
		{Field: "password_hash", Old: json.RawMessage(`"$2a$10$aaa"`), New: json.RawMessage(`"$2a$10$bbb"`)},
		{Field: "api_key", Old: json.RawMessage(`null`), New: json.RawMessage(`{"v":1}`)},
	}})
	require.NoError(t, err)
	masked := json.RawMessage(`"[REDACTED]"`)
	require.Equal(t, []entaudit.Change{
		{Field: "password_hash", Old: masked, New: masked},
		{Field: "api_key", Old: json.RawMessage(`null`), New: masked},
	}, e.Changes)
	require.Equal(t, map[string]entaudit.Mark{
		"changes.password_hash.old": "redacted", "changes.password_hash.new": "redacted", "changes.api_key.new": "redacted",
	}, e.Marks)
}

func FuzzRedactText(f *testing.F) {
	for name, s := range tedious(64) {
		f.Add(s, name)
	}
	for name, s := range within {
		f.Add(s[0], name)
	}
	d, err := entaudit.NewRedactor(entaudit.Redact{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		for name, secret := range planted {
			got, mark := d.Text(before + " " + secret + " " + after)
			if strings.Contains(got, secret) && !strings.Contains(before+after, secret) || mark == "" {
				t.Errorf("%s between %q and %q: %q", name, before, after, got)
			}
		}
		if got, mark := d.Text(before); (mark == "") != (got == before) && !strings.Contains(before, entaudit.Redacted) {
			t.Errorf("%q became %q, marked %q", before, got, mark)
		}
	})
}

func BenchmarkRedactorText(b *testing.B) {
	d, err := entaudit.NewRedactor(entaudit.Redact{})
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("The invoice 2026-1147 of 21 November was paid, said bob@x.example. ", 16)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		d.Text(text)
	}
}
