package chiaudit_test

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// hunter is a secret that must not be found in any entry.
const hunter = "hunter2-correct-horse"

var bodyKey = bytes.Repeat([]byte("k"), 32)

// described is what an entry says of a body.
type described struct {
	Size      int64           `json:"size"`
	MediaType string          `json:"media_type"`
	Body      json.RawMessage `json:"body"`
	Reason    string          `json:"reason"`
	Captured  int             `json:"captured"`
	HMAC      string          `json:"hmac"`
}

// bodyIn returns the described body of an entry as readers of JSON see it.
func bodyIn(t *testing.T, e entaudit.Entry, name string) described {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	require.NotContains(t, string(data), hunter)
	var entry struct {
		Metadata map[string]json.RawMessage `json:"metadata"`
	}
	require.NoError(t, json.Unmarshal(data, &entry))
	var d described
	if raw, ok := entry.Metadata[name]; ok {
		require.NoError(t, json.Unmarshal(raw, &d))
	}
	return d
}

// drain reads all of the request's body and answers with what it got.
func drain(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	_, _ = io.Copy(w, r.Body) // compared by the caller
}

// post sends a body through the middleware to a handler that returns it.
func post(t *testing.T, opts chiaudit.Options, contentType, body string, mod ...func(*http.Request)) entaudit.Entry {
	t.Helper()
	r, _, m := setup(t, opts)
	r.Post("/", drain)
	q := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	q.Header.Set("Content-Type", contentType)
	for _, f := range mod {
		f(q)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	require.Equal(t, body, w.Body.String(), "the body was altered")
	return m.only(t)
}

func sumOf(body string) string {
	h := hmac.New(sha256.New, bodyKey)
	h.Write([]byte(body))
	return hex.EncodeToString(h.Sum(nil))
}

func TestS43BodiesByStructure(t *testing.T) {
	t.Parallel()
	const secret = `{"user":"bob","password":"` + hunter + `","n":12345678901234567890}`
	const masked = `{"user":"bob","password":"[REDACTED]","n":12345678901234567890}`
	for _, tt := range []struct{ name, contentType, body, want, reason string }{
		{"JSON", "application/json; charset=utf-8", secret, masked, ""},
		{"JSON of another kind", "application/vnd.api+json", secret, masked, ""},
		{"JSON as text", "text/plain", secret, masked, ""},
		{"JSON as a form, as curl -d has it", "application/x-www-form-urlencoded", secret, masked, ""},
		{"JSON of a bad media type", "application/;;", secret, masked, ""},
		{"JSON of an endless media type", "application/json; x=" + strings.Repeat("a", 1000), secret, masked, ""},
		{"JSON without a media type", "", secret, masked, ""},
		{"S40 another spelling", "application/json", `{"pa\u017f\u017fword":"` + hunter + `"}`, `{"paſſword":"[REDACTED]"}`, ""},
		{"W13 broken JSON", "application/json", secret[:len(secret)-1], "", "unparsable"},
		{"two JSON values", "application/json", secret + secret, "", "unparsable"},
		{"S39 deep JSON", "application/json", strings.Repeat("[", 100) + strings.Repeat("]", 100), "", "unparsable"},
		{"one string", "application/json", `"` + hunter + `"`, "", "unnamed"},
		{"text", "text/plain", hunter, "", "media_type"},
		{"XML", "application/xml", "<password>" + hunter + "</password>", "", "media_type"},
		{"text that looks like JSON", "text/plain", "{" + hunter, "", "unparsable"},
		{"W09 bytes", "application/octet-stream", "\xff\xfe" + hunter, "", "media_type"},
		{"W09 JSON that is not UTF-8", "application/json", "{\"a\":\"\xff" + hunter + "\"}", "", "unparsable"},
		{"S38 gzip", "application/json", string(gzipped(t, hunter)), "", "unnamed"},
		{"W13 form", "application/x-www-form-urlencoded", "user=bob&password=" + hunter, `{"user":"bob","password":"[REDACTED]"}`, ""},
		{"W14 form in other words", "application/x-www-form-urlencoded", "%70assword=" + hunter + "&a=1&a=2&user[pwd]=" + hunter, `{"password":"[REDACTED]","a":["1","2"],"user[pwd]":"[REDACTED]"}`, ""},
		{"form with JSON in it", "application/x-www-form-urlencoded", `payload={"token":"` + hunter + `"}`, `{"payload":{"token":"[REDACTED]"}}`, ""},
		{"form with broken JSON in it", "application/x-www-form-urlencoded", `payload={"token":"` + hunter, `{"payload":{"unparsed":31}}`, ""},
		{"form without names", "application/x-www-form-urlencoded", hunter + "&" + hunter + "=%zz", `{"[unparsed]":[{"unparsed":21},{"unparsed":25}]}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := post(t, chiaudit.Options{ResponseBody: true, Key: bodyKey}, tt.contentType, tt.body)
			for _, name := range []string{"request_body", "response_body"} {
				d := bodyIn(t, e, name)
				require.Equal(t, int64(len(tt.body)), d.Size, name)
				require.Equal(t, tt.reason, d.Reason, name)
				require.Equal(t, tt.want, string(d.Body), name)
				if tt.reason != "" {
					require.Equal(t, sumOf(tt.body), d.HMAC, name)
				}
			}
		})
	}
	t.Run("marks", func(t *testing.T) {
		t.Parallel()
		e := post(t, chiaudit.Options{ResponseBody: true}, "application/json", secret)
		require.Equal(t, entaudit.MarkRedacted, e.Marks["metadata.request_body.body.password"])
		require.Equal(t, entaudit.MarkRedacted, e.Marks["metadata.response_body.body.password"])
	})
	t.Run("no key, no hash", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, bodyIn(t, post(t, chiaudit.Options{}, "text/plain", hunter), "request_body").HMAC)
	})
	t.Run("names of the application's own", func(t *testing.T) {
		t.Parallel()
		e := post(t, chiaudit.Options{Redact: entaudit.Redact{Keys: []string{"note"}}}, "application/json", `{"note":"`+hunter+`","pin":"1"}`)
		require.JSONEq(t, `{"note":"[REDACTED]","pin":"[REDACTED]"}`, string(bodyIn(t, e, "request_body").Body))
	})
}

func gzipped(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, s)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// A body that is recorded up to 64 MB.
func TestS39EndlessNesting(t *testing.T) {
	t.Parallel()
	m := &memory{}
	rec, err := entaudit.New(entaudit.Config{Writer: m, MaxValue: 80 << 20})
	require.NoError(t, err)
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, chiaudit.Options{MaxBody: 80 << 20, Key: bodyKey}))
	r.Post("/", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }) // read from memory
	for name, body := range map[string]string{
		"64 MB":                    strings.Repeat("[", 64<<20),
		"100,000 deep":             strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"objects":                  strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000),
		"behind a name":            `{"password":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}",
		"one more than is allowed": strings.Repeat("[", 66) + strings.Repeat("]", 66),
	} {
		m.entries = nil
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
		d := bodyIn(t, m.only(t), "request_body")
		require.Nil(t, d.Body, name)
		require.Equal(t, "unparsable", d.Reason, name)
		require.Equal(t, int64(len(body)), d.Size, name)
		require.Equal(t, sumOf(body), d.HMAC, name)
	}
}

func TestS38EncodedBodies(t *testing.T) {
	t.Parallel()
	bomb := string(gzipped(t, strings.Repeat("[", 1<<20)))
	for _, encoding := range []string{"gzip", "br", "zstd", "gzip, gzip"} {
		e := post(t, chiaudit.Options{Key: bodyKey}, "application/json", bomb, header("Content-Encoding", encoding))
		d := bodyIn(t, e, "request_body")
		require.Equal(t, int64(len(bomb)), d.Size)
		require.Equal(t, "encoded", d.Reason)
		require.NotEmpty(t, d.HMAC)
	}
	e := post(t, chiaudit.Options{}, "application/json", `{"a":1}`, header("Content-Encoding", "identity"))
	require.JSONEq(t, `{"a":1}`, string(bodyIn(t, e, "request_body").Body))
}

func TestS42CutInASecret(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, contentType, body string }{
		{"JSON", "application/json", `{"password":"` + hunter + `"}`},
		{"form", "application/x-www-form-urlencoded", "password=" + hunter},
		{"text", "text/plain", hunter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for limit := 1; limit < len(tt.body); limit++ {
				e := post(t, chiaudit.Options{MaxBody: limit, ResponseBody: true, Key: bodyKey}, tt.contentType, tt.body)
				for _, name := range []string{"request_body", "response_body"} {
					d := bodyIn(t, e, name)
					require.Empty(t, d.Body)
					require.Equal(t, "truncated", d.Reason)
					require.Equal(t, int64(len(tt.body)), d.Size)
					require.Equal(t, limit, d.Captured)
					require.Equal(t, sumOf(tt.body[:limit]), d.HMAC)
				}
			}
		})
	}
	t.Run("W15 a body of just the limit", func(t *testing.T) {
		t.Parallel()
		e := post(t, chiaudit.Options{MaxBody: 7}, "application/json", `{"a":1}`)
		require.JSONEq(t, `{"a":1}`, string(bodyIn(t, e, "request_body").Body))
	})
}

// upload returns a multipart form with a secret and a file in it.
func upload(t *testing.T, content string) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	require.NoError(t, w.WriteField("title", "report"))
	require.NoError(t, w.WriteField("Pass-Word", hunter))
	require.NoError(t, w.WriteField("options", `{"token":"`+hunter+`"}`))
	f, err := w.CreateFormFile("document", hunter+".txt")
	require.NoError(t, err)
	_, err = io.WriteString(f, content)
	require.NoError(t, err)
	p, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="meta"`}, "Content-Type": {"application/json"},
	})
	require.NoError(t, err)
	_, err = io.WriteString(p, `{"pin":"`+hunter+`","pages":3}`)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return w.FormDataContentType(), b.String()
}

func TestS45Multipart(t *testing.T) {
	t.Parallel()
	contentType, body := upload(t, "content with "+hunter)
	sum := sha256.Sum256([]byte("content with " + hunter))
	e := post(t, chiaudit.Options{Key: bodyKey}, contentType, body)
	d := bodyIn(t, e, "request_body")
	require.JSONEq(t, `{"title":"report","Pass-Word":"[REDACTED]","options":{"token":"[REDACTED]"},
		"document":{"size":34,"sha256":"`+hex.EncodeToString(sum[:])+`","name_hmac":"`+sumOf(hunter+".txt")+`"},
		"meta":{"pin":"[REDACTED]","pages":3}}`, string(d.Body))
	require.Equal(t, "multipart/form-data", d.MediaType)
	t.Run("without a key a name is not hashed", func(t *testing.T) {
		t.Parallel()
		d := bodyIn(t, post(t, chiaudit.Options{}, contentType, body), "request_body")
		require.NotContains(t, string(d.Body), "name_hmac")
	})
	t.Run("S42 cut anywhere", func(t *testing.T) {
		t.Parallel()
		for limit := 1; limit < len(body); limit++ {
			d := bodyIn(t, post(t, chiaudit.Options{MaxBody: limit}, contentType, body), "request_body")
			require.Contains(t, []string{"truncated", "unparsable"}, d.Reason)
		}
	})
	t.Run("no part, no name, no end", func(t *testing.T) {
		t.Parallel()
		const contentType = "multipart/form-data; boundary=x"
		for body, want := range map[string]string{
			"--x\r\n\r\n" + hunter + "\r\n--x--\r\n":                                                         `{"[unparsed]":{"unparsed":21}}`,
			"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n" + hunter:                                 `{"a":{"unparsed":21}}`,
			"--x\r\nContent-Disposition: form-data; name=\"" + hunter + "\xff\"\r\n\r\nv\r\n--x--\r\n":       `{"[unparsed]":{"unparsed":1}}`,
			"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n" + "\xff" + hunter + "\r\n--x--\r\n":      `{"a":{"unparsed":22}}`,
			"--x\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain\r\n\r\n\r\n--x--\r\n": `{"a":{"size":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}`,
			hunter: ``,
		} {
			d := bodyIn(t, post(t, chiaudit.Options{}, contentType, body), "request_body")
			require.Equal(t, want, string(d.Body), body)
		}
	})
}

func TestW13DefaultsOfBodies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method      string
		opts              chiaudit.Options
		request, response bool
	}{
		{"S51 a change", "POST", chiaudit.Options{}, true, false},
		{"another change", "DELETE", chiaudit.Options{}, true, false},
		{"a question", "GET", chiaudit.Options{}, false, false},
		{"a question about what is there", "HEAD", chiaudit.Options{ResponseBody: true}, false, false},
		{"off", "POST", chiaudit.Options{NoRequestBody: true}, false, false},
		{"S51 responses", "GET", chiaudit.Options{ResponseBody: true}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, tt.opts)
			r.HandleFunc("/", drain)
			q := httptest.NewRequest(tt.method, "/", strings.NewReader(`{"a":1}`))
			r.ServeHTTP(httptest.NewRecorder(), q)
			e := m.only(t)
			require.Equal(t, tt.request, e.Metadata["request_body"] != nil)
			require.Equal(t, tt.response, e.Metadata["response_body"] != nil)
		})
	}
	rec, _ := newRecorder(t)
	for want, opts := range map[string]chiaudit.Options{
		"chiaudit: Options.MaxBody: -1 is negative":                           {MaxBody: -1},
		"chiaudit: Options.Key: has 3 bytes, and at least 32 are needed":      {Key: []byte("abc")},
		"chiaudit: Options.Redact.Keys: one of them has no letters or digits": {Redact: entaudit.Redact{Keys: []string{"--"}}},
	} {
		require.PanicsWithValue(t, want, func() { chiaudit.Handler(rec, opts) })
	}
}

// What is marked must be there.
func TestS39MarksOfABodyThatIsNotRecorded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, mediaType, body, reason string }{
		{"not JSON in the end", "application/json", `{"password":"` + hunter + `","a":{"token":"` + hunter + `"}`, "unparsable"},
		{"more than one value", "application/json", `{"password":"` + hunter + `"} {}`, "unparsable"},
		{"nested too deep", "text/plain", `{"password":"` + hunter + `","a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}", "unparsable"},
		{"JSON", "application/json", `{"password":"` + hunter + `"}`, ""},
		{"a form", "application/x-www-form-urlencoded", "password=" + hunter, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := post(t, chiaudit.Options{ResponseBody: true}, tt.mediaType, tt.body)
			for _, name := range []string{"request_body", "response_body"} {
				d := bodyIn(t, e, name)
				require.Equal(t, tt.reason, d.Reason)
				require.Equal(t, tt.reason == "", d.Body != nil)
				require.Equal(t, tt.reason == "", e.Marks["metadata."+name+".body.password"] == entaudit.MarkRedacted)
			}
			if tt.reason != "" {
				require.Empty(t, e.Marks)
			}
		})
	}
}
