package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
)

// bundle is the service on an empty database, with people to send requests as.
type bundle struct {
	app    *app
	people seeded
	cast   cast
	url    string
	client *http.Client
	seeds  int // entries of what the database begins with
}

func setup(t *testing.T, dialectName string) *bundle {
	t.Helper()
	driver, dsn := testdb.DSN(t, dialectName)
	a, err := newApp(t.Context(), source{dialect: dialectName, driver: driver, dsn: dsn, shown: dialectName, spool: t.TempDir()}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.close(context.WithoutCancel(t.Context()))) }) // it has ended by then
	b := &bundle{app: a}
	b.people, err = a.seed(t.Context())
	require.NoError(t, err)
	b.seeds = len(b.stored(t))
	b.cast, err = newCast(a.issuer, b.people)
	require.NoError(t, err)
	srv := httptest.NewServer(a.router)
	t.Cleanup(srv.Close)
	b.url, b.client = srv.URL, srv.Client()
	return b
}

// each runs f on every dialect.
func each(t *testing.T, f func(t *testing.T, b *bundle)) {
	t.Helper()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			f(t, setup(t, d))
		})
	}
}

// answer is what came back for a request.
type answer struct {
	status    int
	requestID string
	body      []byte
}

func (b *bundle) send(t *testing.T, who person, method, path, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	if who.token != "" {
		r.Header.Set("Authorization", "Bearer "+who.token)
	}
	if who.tenant != "" {
		r.Header.Set(tenantHeader, who.tenant)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := b.client.Do(r)
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return answer{resp.StatusCode, resp.Header.Get("X-Request-Id"), data}
}

// ok sends a request that must succeed and returns the id in the answer.
func (b *bundle) ok(t *testing.T, who person, method, path, body string) int {
	t.Helper()
	a := b.send(t, who, method, path, body)
	require.Less(t, a.status, 300, "%s %s: %s", method, path, a.body)
	var made struct{ ID int }
	if a.status == http.StatusCreated {
		require.NoError(t, json.Unmarshal(a.body, &made))
	}
	return made.ID
}

// stored returns the entries that are stored by now: those of changes, and maybe
// some of requests.
func (b *bundle) stored(t *testing.T) []entaudit.Entry {
	t.Helper()
	entries, err := b.app.all(t.Context())
	require.NoError(t, err)
	return entries
}

// entries ends recording and returns all entries but those of the seed.
func (b *bundle) entries(t *testing.T) []entaudit.Entry {
	t.Helper()
	require.NoError(t, b.app.flush(t.Context()))
	return b.stored(t)[b.seeds:]
}

// only returns the one entry of an action.
func only(t *testing.T, entries []entaudit.Entry, action string) entaudit.Entry {
	t.Helper()
	found := (&trace{entries: entries}).of(action)
	require.Len(t, found, 1, action)
	return found[0]
}

// mutations returns the entries of changes.
func mutations(entries []entaudit.Entry) []entaudit.Entry {
	var list []entaudit.Entry
	for _, e := range entries {
		if e.Kind == entaudit.KindMutation {
			list = append(list, e)
		}
	}
	return list
}

func requireChange(t *testing.T, e entaudit.Entry, field, before, after string) {
	t.Helper()
	c, ok := e.Change(field)
	require.True(t, ok, "%s: no change of %s", e.Action, field)
	require.Equal(t, before+" → "+after, string(c.Old)+" → "+string(c.New), "%s: %s", e.Action, field)
}

const logoInvoice = `{"number":"A-1","customer":"Initech","due_on":"2020-01-31","note":"for Milton only",
	"lines":[{"text":"Logo","quantity":2,"price":"450.25"}]}`

func future() time.Time { return time.Now().Add(time.Hour) }

// page is the answer of GET /audit.
type page struct {
	Entries []entaudit.Entry
	Next    string
}

func list(t *testing.T, b *bundle, path string) page {
	t.Helper()
	a := b.send(t, b.cast.alice, "GET", path, "")
	require.Equal(t, http.StatusOK, a.status, "%s", a.body)
	var p page
	require.NoError(t, json.Unmarshal(a.body, &p))
	return p
}
