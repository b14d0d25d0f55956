package chiaudit_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// canary is a secret that no fuzzer finds by itself.
const canary = "cAnArY-8c1d0b7e"

// fuzzed serves a body of the given type, whose pieces are read one after the other,
// and returns its entry. Handler and response must not notice.
func fuzzed(t *testing.T, contentType, body string, limit int) entaudit.Entry {
	t.Helper()
	m := &memory{}
	rec, err := entaudit.New(entaudit.Config{Writer: m})
	require.NoError(t, err)
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, chiaudit.Options{ResponseBody: true, MaxBody: limit, Key: bodyKey, Headers: []string{"Content-Type"}}))
	r.Post("/", drain)
	q := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	q.Header["Content-Type"] = []string{contentType}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	require.Equal(t, 200, w.Code)
	require.Equal(t, body, w.Body.String())
	e := m.only(t)
	require.Equal(t, entaudit.Success, e.Outcome)
	data, err := json.Marshal(e)
	require.NoError(t, err, "the entry cannot be stored")
	var back entaudit.Entry
	require.NoError(t, json.Unmarshal(data, &back))
	for _, name := range []string{"request_body", "response_body"} {
		if body != "" {
			require.Contains(t, e.Metadata, name)
		}
	}
	return e
}

func requireNoCanary(t *testing.T, e entaudit.Entry) {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	require.NotContains(t, string(data), canary)
}

// FuzzBodyJSON has a secret behind a masked name, and anything around it.
func FuzzBodyJSON(f *testing.F) {
	f.Add("application/json", `{"a":[1,`, `],"b":{}}`, 0)
	f.Add("text/plain", `{"a":"`, `"}`, 30)
	f.Add("application/x-www-form-urlencoded", `[{"a":null},`, `]`, 1000)
	f.Add("multipart/form-data; boundary=x", ` {"\u0061":"\ud800",`, `}`, 7)
	f.Add("", ``, ``, 1)
	f.Fuzz(func(t *testing.T, contentType, before, after string, limit int) {
		limit = max(limit%100_000, 0)
		if len(contentType) > 1000 || strings.Contains(contentType, canary) {
			return
		}
		fuzzed(t, contentType, before+after, limit)
		whole := before + `{"password":"` + canary + `"}` + after
		var d struct {
			Body json.RawMessage `json:"body"`
		}
		e := fuzzed(t, contentType, whole, limit)
		raw, err := json.Marshal(e.Metadata["request_body"])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &d))
		if json.Valid([]byte(whole)) { // elsewhere what looks like a name may be a value
			if !insideText(whole) {
				requireNoCanary(t, e)
			}
		} else if !strings.Contains(contentType, "form") {
			require.Nil(t, d.Body, "what is no JSON is recorded")
			requireNoCanary(t, e)
		}
	})
}

// insideText reports whether the secret of a JSON text is not the value of the name
// that it seems to follow.
func insideText(whole string) bool {
	masked := false
	dec := json.NewDecoder(strings.NewReader(whole))
	last := ""
	for {
		t, err := dec.Token()
		if err != nil {
			return !masked
		}
		s, ok := t.(string)
		if ok && s == canary && last == "password" {
			masked = true
		}
		if last = ""; ok {
			last = s
		}
	}
}

// FuzzBodyForm has a secret behind a masked name, in any encoding, and pairs around.
func FuzzBodyForm(f *testing.F) {
	f.Add("a=1&b=2", "c=3", 0)
	f.Add("a=%zz&;", "&&=&", 3)
	f.Add("payload={", "}", 90)
	f.Add("password=1", "password", 10)
	f.Fuzz(func(t *testing.T, before, after string, limit int) {
		limit = max(limit%100_000, 0)
		if strings.ContainsAny(strings.TrimLeft(before, " \t\r\n")+" ", "[{") {
			return // JSON is another target's
		}
		for _, name := range []string{"password", "%70assword", "user[pwd]", "Access-Token"} {
			requireNoCanary(t, fuzzed(t, "application/x-www-form-urlencoded", before+"&"+name+"="+canary+"&"+after, limit))
		}
		e := fuzzed(t, "application/x-www-form-urlencoded", "a="+url.QueryEscape(before), 0)
		if strings.TrimSpace(before) == before {
			require.Contains(t, e.Metadata["request_body"], "body")
		}
	})
}

// FuzzBodyMultipart has a secret in a part with a masked name, in a file and in the
// name of one.
func FuzzBodyMultipart(f *testing.F) {
	f.Add("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n", "--x--\r\n", 0)
	f.Add("", "--x--", 100)
	f.Add("preamble\r\n", "", 200)
	f.Add("--x\r\nContent-Disposition: form-data; name=a; filename=b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41\r\n", "\r\n--x--\r\n", 300)
	f.Fuzz(func(t *testing.T, before, after string, limit int) {
		limit = max(limit%100_000, 0)
		fuzzed(t, "multipart/form-data; boundary=x", before+after, limit)
		part := "\r\n--x\r\nContent-Disposition: form-data; name=password\r\n\r\n" + canary +
			"\r\n--x\r\nContent-Disposition: form-data; name=f; filename=" + canary + "\r\n\r\n" + canary + "\r\n--x\r\n"
		e := fuzzed(t, "multipart/form-data; boundary=x", part+after, limit)
		requireNoCanary(t, e)
		if !strings.Contains(before, "\n") { // a preamble, of which nothing is recorded
			requireNoCanary(t, fuzzed(t, "multipart/form-data; boundary=x", before+part+after, limit))
		}
	})
}

// FuzzS47Headers has a secret in links, of which there may be several in a header.
func FuzzS47Headers(f *testing.F) {
	f.Add("https://example.com/a", "#b")
	f.Add("<https://example.com/?x=%zz>; rel=next, </y", ">; rel=prev")
	f.Add("0;url=/?", "?#&;")
	f.Fuzz(func(t *testing.T, before, after string) {
		m := &memory{}
		rec, err := entaudit.New(entaudit.Config{Writer: m})
		require.NoError(t, err)
		h := chiaudit.Handler(rec, chiaudit.Options{Headers: []string{"Referer", "Location"}})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = []string{before + "?token=" + canary + "&x=1", after}
		}))
		get(h, "/", func(q *http.Request) {
			q.Header["Referer"] = []string{before + "#access_token=" + canary + "#" + after}
		})
		requireNoCanary(t, m.only(t))
	})
}
