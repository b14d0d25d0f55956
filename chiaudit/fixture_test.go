package chiaudit_test

import (
	"context"
	"log" //nolint:depguard // the type of http.Server.ErrorLog
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// memory is a Writer that keeps what it gets.
type memory struct {
	mu      sync.Mutex
	entries []entaudit.Entry
}

func (m *memory) Write(_ context.Context, entries []entaudit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, entries...)
	return nil
}

func (m *memory) all() []entaudit.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]entaudit.Entry(nil), m.entries...)
}

// take returns what it has and forgets it.
func (m *memory) take() []entaudit.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := m.entries
	m.entries = nil
	return entries
}

// only returns the one entry that there must be.
func (m *memory) only(t *testing.T) entaudit.Entry {
	t.Helper()
	entries := m.all()
	require.Len(t, entries, 1)
	return entries[0]
}

func newRecorder(t *testing.T) (*entaudit.Recorder, *memory) {
	t.Helper()
	m := &memory{}
	rec, err := entaudit.New(entaudit.Config{Service: "billing", Writer: m})
	require.NoError(t, err)
	return rec, m
}

// setup returns a router with the middleware in it.
func setup(t *testing.T, opts chiaudit.Options) (*chi.Mux, *entaudit.Recorder, *memory) {
	t.Helper()
	rec, m := newRecorder(t)
	r := chi.NewRouter()
	r.Use(chiaudit.Handler(rec, opts))
	return r, rec, m
}

// get sends a request that mod may change and returns the response.
func get(h http.Handler, target string, mod ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for _, f := range mod {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// quiet is for servers that complain about what the test does on purpose.
func quiet() *log.Logger { return slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) }

// fetch is http.Get without the connections that all tests would share: closing
// any test server cuts those.
func fetch(url string) (*http.Response, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return c.Get(url)
}
