package chiaudit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// It replaces the program's default logger, so that nothing else may run.
func TestH15CanariesAreFoundNowhere(t *testing.T) { //nolint:paralleltest // see above
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)
	rec, err := entaudit.New(entaudit.Config{}) // entries go to the log too
	require.NoError(t, err)
	kept := &memory{}
	both, err := entaudit.New(entaudit.Config{Writer: kept})
	require.NoError(t, err)
	opts := chiaudit.Options{
		Actor: newJWT(t, chiaudit.JWTConfig{Secret: secret}).Actor, ResponseBody: true, Key: bodyKey,
		Headers:  []string{"Referer", "Location", "Accept", "Host"},
		Identify: func(*http.Request) (entaudit.Actor, bool) { panic(canary) },
	}
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, opts), chiaudit.Handler(both, opts))
	r.Post("/things/{session_key}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		w.Header().Set("Set-Cookie", "sid="+canary)
		w.Header().Set("Location", "/?reset_token="+canary)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set(http.TrailerPrefix+"X-Trailer", canary)
		_, _ = w.Write([]byte(`{"access_token":"` + canary + `"}`)) // nothing to fail
		chiaudit.Annotate(r.Context(), entaudit.Metadata(map[string]any{"password": canary, "nested": map[string]any{"api_key": canary}}))
		chiaudit.Annotate(r.Context(), func(*entaudit.Entry) { panic(canary) })
		if bytes.Contains(body, []byte("panic")) {
			panic(errors.New(canary))
		}
	})
	contentType, form := upload(t, canary)
	for _, body := range []struct{ contentType, text string }{
		{"application/json", `{"password":"` + canary + `","list":[{"Access-Token":"` + canary + `"}]}`},
		{"application/json", `{"panic":1,"secret":"` + canary + `"`},
		{"application/x-www-form-urlencoded", "pwd=" + canary},
		{contentType, strings.ReplaceAll(form, hunter, canary)},
		{"application/xml", "<password>" + canary + "</password>"},
		{"application/octet-stream", canary},
	} {
		q := httptest.NewRequest(http.MethodPost, "/things/"+canary+"?token="+canary+"&%70assword="+canary+"&jwt="+canary, strings.NewReader(body.text))
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "X-Csrf-Token", "X-Request-Id", "Traceparent", "Upgrade", "Content-Encoding-X"} {
			q.Header.Set(name, "Bearer "+canary)
		}
		q.Header.Set("Referer", "https://example.com/?code=1&session_id="+canary)
		q.Header.Set("Content-Type", body.contentType)
		q.Header.Set("User-Agent", "app/1 token="+canary)
		q.Header.Set("Accept", "text/plain; password="+canary)
		q.Trailer = http.Header{"X-Trailer": {canary}}
		run(r, httptest.NewRecorder(), q)
	}
	entries, err := json.Marshal(kept.all())
	require.NoError(t, err)
	require.Len(t, kept.all(), 6)
	require.NotContains(t, string(entries), canary)
	require.Contains(t, logged.String(), "POST /things/{session_key}")
	require.NotContains(t, logged.String(), canary)
}

func TestW03FailsAfterReading(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{})
	left := make(chan struct{})
	r.Post("/", func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		w.WriteHeader(http.StatusInternalServerError)
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		defer close(left)
		r.ServeHTTP(w, q)
	}))
	defer s.Close()
	c := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Post(s.URL, "application/json", strings.NewReader(`{"a":1}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 500, resp.StatusCode)
	<-left
	e := m.only(t)
	require.Equal(t, entaudit.Failure, e.Outcome)
	require.JSONEq(t, `{"a":1}`, string(bodyIn(t, e, "request_body").Body))
}
