package chiaudit_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

type headers struct {
	Values map[string]string `json:"values"`
	Others []string          `json:"others"`
}

func headersIn(t *testing.T, e entaudit.Entry, name string) headers {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	require.NotContains(t, string(data), hunter)
	raw, err := json.Marshal(e.Metadata[name])
	require.NoError(t, err)
	var h headers
	require.NoError(t, json.Unmarshal(raw, &h))
	return h
}

func TestS47Headers(t *testing.T) {
	t.Parallel()
	secrets := []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "X-Something"}
	send := func(q *http.Request) {
		for _, name := range secrets {
			q.Header.Set(name, hunter)
		}
		q.Header.Set("Referer", "https://example.com/a?page=2&token="+hunter+"#access_token="+hunter)
		q.Header.Set("Accept", "text/plain")
	}
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", hunter)
		w.Header().Set("Location", "/done?code=1&id_token="+hunter)
		w.WriteHeader(302)
	}
	t.Run("nothing by default", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/", answer)
		get(r, "/", send)
		require.Empty(t, m.only(t).Metadata)
	})
	t.Run("S51 those on the list", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Headers: []string{"accept", "Referer", "Location"}})
		r.Get("/", answer)
		get(r, "/", send)
		e := m.only(t)
		h := headersIn(t, e, "request_headers")
		require.Equal(t, map[string]string{"Accept": "text/plain", "Referer": "https://example.com/a?page=2&token=[REDACTED]#access_token=[REDACTED]"}, h.Values)
		require.ElementsMatch(t, secrets, h.Others)
		require.Equal(t, entaudit.MarkRedacted, e.Marks["metadata.request_headers.values.Referer"])
		h = headersIn(t, e, "response_headers")
		require.Equal(t, map[string]string{"Location": "/done?code=1&id_token=[REDACTED]"}, h.Values)
		require.ElementsMatch(t, []string{"Set-Cookie", "X-Request-Id"}, h.Others)
	})
	t.Run("S50 secrets by their form", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Headers: []string{"Accept"}})
		r.Get("/", answer)
		token := sign(t, claims{"sub": "alice", "note": strings.Repeat("x", 2000)})
		get(r, "/", header("Accept", "a "+token))
		require.Equal(t, "a [REDACTED]", headersIn(t, m.only(t), "request_headers").Values["Accept"])
		require.Equal(t, entaudit.MarkRedacted, m.only(t).Marks["metadata.request_headers.values.Accept"])
		_, masked := post(t, chiaudit.Options{}, "application/x-www-form-urlencoded", "comment="+token).Marks["metadata.request_body.body.comment"]
		require.True(t, masked)
	})
	t.Run("W10 very many, very long", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{Headers: []string{"Accept"}})
		r.Get("/", answer)
		get(r, "/", func(q *http.Request) {
			q.Header.Set("Accept", strings.Repeat("é", 1<<19))
			for i := range 1000 {
				q.Header.Set(fmt.Sprintf("X-%d", i)+strings.Repeat("x", 500), "x")
			}
		})
		e := m.only(t)
		data, err := json.Marshal(e)
		require.NoError(t, err)
		require.Less(t, len(data), 12_000)
		require.Equal(t, entaudit.MarkCut, e.Marks["metadata.request_headers.others"])
		require.Equal(t, entaudit.MarkCut, e.Marks["metadata.request_headers.values.Accept"])
	})
	rec, _ := newRecorder(t)
	for _, name := range append([]string{"a b", "X-Auth-Token", "set-cookie"}, secrets[:4]...) {
		require.Panics(t, func() { chiaudit.Handler(rec, chiaudit.Options{Headers: []string{name}}) }, name)
	}
}

func TestS36HostIsWhatTheClientSays(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{Headers: []string{"Host"}, TenantHeader: "X-Tenant"})
	r.Get("/", status(200))
	get(r, "/", func(q *http.Request) { q.Host = "acme.example.com\n" + strings.Repeat("x", 1000) })
	e := m.only(t)
	require.Equal(t, "acme.example.com\n"+strings.Repeat("x", 111), headersIn(t, e, "request_headers").Values["Host"], "it is among the client's headers")
	require.True(t, e.Tenant.IsZero(), "nothing follows from it")
	require.Equal(t, "192.0.2.1", e.Request.IP)
}
