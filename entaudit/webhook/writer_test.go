package webhook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/webhook"
)

var (
	secret = bytes.Repeat([]byte("s"), 32)
	second = bytes.Repeat([]byte("t"), 32)
)

// transport is a receiver without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, header http.Header, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body)}
}

// receiver verifies requests and keeps their entries.
type receiver struct {
	t  *testing.T
	mu sync.Mutex

	entries []entaudit.Entry
	got     []*webhook.Delivery
}

func (rc *receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	d, err := webhook.Verify(r, secret, 0)
	if err != nil {
		rc.t.Error(err)
		return answer(http.StatusUnauthorized, nil, http.NoBody), nil
	}
	entries, err := d.Entries()
	if err != nil {
		rc.t.Error(err)
		return answer(http.StatusBadRequest, nil, http.NoBody), nil
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.entries = append(rc.entries, entries...)
	rc.got = append(rc.got, d)
	return answer(http.StatusNoContent, nil, http.NoBody), nil
}

func setup(t *testing.T, c webhook.Config) *webhook.Writer {
	t.Helper()
	if c.URL == "" {
		c.URL = "https://audit.example.org/in?token=canary"
	}
	if c.Secrets == nil {
		c.Secrets = [][]byte{secret}
	}
	w, err := webhook.New(c)
	require.NoError(t, err)
	return w
}

func TestKeepsTheContractOfAWriter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]webhook.Config{
		"array":  {MaxEntries: 7},
		"ndjson": {Format: webhook.NDJSON, MaxBytes: 5000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := func(t *testing.T) (*webhook.Writer, *receiver) {
				rc := &receiver{t: t}
				c := c
				c.Transport = rc
				return setup(t, c), rc
			}
			audittest.Writer(t, func(t *testing.T) entaudit.Writer { w, _ := open(t); return w })
			audittest.Delivers(t, func(t *testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
				w, rc := open(t)
				return w, func(testing.TB) []entaudit.Entry { return rc.entries }
			})
			audittest.Hangs(t, func(t *testing.T) entaudit.Writer {
				return setup(t, webhook.Config{Transport: transport(func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})})
			})
		})
	}
}

func TestOverTheWire(t *testing.T) {
	t.Parallel()
	rc := &receiver{t: t}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := rc.RoundTrip(r)
		if err != nil {
			t.Error(err)
			return
		}
		_ = resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
	}))
	t.Cleanup(s.Close)
	w := setup(t, webhook.Config{
		URL: s.URL, Secrets: [][]byte{second, secret}, Transport: s.Client().Transport,
		Header: http.Header{"X-Tenant": {"acme"}},
	})
	entries := audittest.Sample(t, 3)
	for range 2 {
		require.NoError(t, w.Write(t.Context(), entries))
	}
	require.NoError(t, w.Write(t.Context(), entries[:2]))
	require.Len(t, rc.entries, 8)
	require.Equal(t, rc.got[0].ID, rc.got[1].ID, "the same entries are the same message")
	require.NotEqual(t, rc.got[0].ID, rc.got[2].ID)
	require.Regexp(t, "^msg_[0-9a-f]{32}$", rc.got[0].ID)
	require.WithinDuration(t, time.Now(), rc.got[0].Time, time.Minute)
}

func TestDividesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	rc := &receiver{t: t}
	w := setup(t, webhook.Config{Transport: rc, MaxBytes: 4000, MaxEntries: 10})
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 9)))
	require.Len(t, rc.entries, 9)
	require.Greater(t, len(rc.got), 2)
	for _, d := range rc.got {
		require.LessOrEqual(t, len(d.Body), 4000)
	}
	rc = &receiver{t: t}
	w = setup(t, webhook.Config{Transport: rc, MaxBytes: 10})
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 2)))
	require.Len(t, rc.got, 2, "one that is too large goes by itself")
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status    int
		after     string
		permanent bool
		wait      time.Duration
	}{
		{301, "", true, 0},
		{308, "", true, 0},
		{400, "", true, 0},
		{401, "", true, 0},
		{403, "", true, 0},
		{404, "", true, 0},
		{410, "", true, 0},
		{413, "", true, 0},
		{408, "", false, 0},
		{425, "", false, 0},
		{429, "7", false, 7 * time.Second},
		{500, "", false, 0},
		{502, "", false, 0},
		{503, "3", false, 3 * time.Second},
	} {
		t.Run(strconv.Itoa(tt.status), func(t *testing.T) {
			t.Parallel()
			calls := 0
			w := setup(t, webhook.Config{Transport: transport(func(*http.Request) (*http.Response, error) {
				calls++
				h := http.Header{"Location": {"https://elsewhere.example.org"}, "Retry-After": {tt.after}}
				return answer(tt.status, h, strings.NewReader("canary")), nil
			})})
			err := w.Write(t.Context(), audittest.Sample(t, 1))
			var e *webhook.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.status, e.Status)
			require.Equal(t, tt.permanent, e.Permanent())
			require.Equal(t, tt.wait, e.RetryAfter())
			require.NotContains(t, err.Error(), "canary")
			require.Equal(t, 1, calls, "a redirect was followed")
		})
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	gone := errors.New("connection reset")
	w := setup(t, webhook.Config{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, gone })})
	err := w.Write(t.Context(), audittest.Sample(t, 1))
	require.ErrorIs(t, err, gone)
	require.EqualError(t, err, "webhook: no answer: connection reset", "the URL may hold a token")
	var e *webhook.Error
	require.ErrorAs(t, err, &e)
	require.False(t, e.Permanent())
}

func TestHangingReceiverF05(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, webhook.Config{Timeout: 3 * time.Second, Transport: transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})})
		begun := time.Now()
		require.ErrorIs(t, w.Write(t.Context(), audittest.Sample(t, 1)), context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(begun))
	})
}

// endless is an answer without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }

func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	body := &endless{}
	w := setup(t, webhook.Config{Transport: transport(func(*http.Request) (*http.Response, error) { return answer(200, nil, body), nil })})
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	require.LessOrEqual(t, body.read, 128<<10)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		c     webhook.Config
		field string
	}{
		{"no URL", webhook.Config{URL: "-"}, "URL"},
		{"no host", webhook.Config{URL: "https:///in"}, "URL"},
		{"in clear", webhook.Config{URL: "http://example.org"}, "URL"},
		{"another scheme", webhook.Config{URL: "ftp://example.org", InsecureHTTP: true}, "URL"},
		{"a password", webhook.Config{URL: "https://u:canary@example.org"}, "URL"},
		{"broken", webhook.Config{URL: "https://canary\x7f"}, "URL"},
		{"no secret", webhook.Config{Secrets: [][]byte{}}, "Secrets"},
		{"a short secret", webhook.Config{Secrets: [][]byte{secret, []byte("canary")}}, "Secrets[1]"},
		{"a format", webhook.Config{Format: "xml"}, "Format"},
		{"negative time", webhook.Config{Timeout: -1}, "Timeout"},
		{"negative size", webhook.Config{MaxBytes: -1}, "MaxBytes"},
		{"negative number", webhook.Config{MaxEntries: -1}, "MaxEntries"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.c.URL == "" {
				tt.c.URL = "https://example.org"
			}
			if tt.c.Secrets == nil {
				tt.c.Secrets = [][]byte{secret}
			}
			_, err := webhook.New(tt.c)
			require.ErrorContains(t, err, "webhook: Config."+tt.field+":")
			require.NotContains(t, err.Error(), "canary")
		})
	}
	setup(t, webhook.Config{URL: "http://127.0.0.1:1", InsecureHTTP: true})
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	got, err := webhook.ParseSecret("whsec_c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M=")
	require.NoError(t, err)
	require.Equal(t, secret, got)
	for _, s := range []string{"", "c3M=", "whsec_", "whsec_canary!", "whsec_Y2FuYXJ5", "whsec_" + base64.StdEncoding.EncodeToString(secret[:23])} {
		_, err := webhook.ParseSecret(s)
		require.ErrorContains(t, err, "webhook: parse secret:", s)
		require.NotContains(t, err.Error(), "canary")
	}
}

// A receiver keeps what comes from who has the secret.
func ExampleVerify() {
	key := []byte("at least thirty-two random bytes!")
	kept := &audittest.Memory{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, err := webhook.Verify(r, key, 0)
		if err != nil {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		entries, err := d.Entries()
		if err == nil {
			err = kept.Write(r.Context(), entries)
		}
		if err != nil {
			http.Error(w, "", http.StatusInternalServerError)
		}
	}))
	defer s.Close()

	w, err := webhook.New(webhook.Config{URL: s.URL, Secrets: [][]byte{key}, InsecureHTTP: true})
	if err != nil {
		panic(err)
	}
	rec, err := entaudit.New(entaudit.Config{Writer: w})
	if err != nil {
		panic(err)
	}
	if err := rec.Log(context.Background(), "invoice.send", "invoice", "7"); err != nil {
		panic(err)
	}
	fmt.Println(rec, kept.Len())
	// Output: recorder<webhook> 1
}
