package chiaudit_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// blank is a ResponseWriter that costs nothing.
type blank struct{ header http.Header }

func (b *blank) Header() http.Header         { return b.header }
func (b *blank) Write(p []byte) (int, error) { return len(p), nil }
func (b *blank) WriteHeader(int)             {}
func (b *blank) Flush()                      {}

func benchRouter(tb testing.TB, opts *chiaudit.Options) http.Handler {
	tb.Helper()
	r := chi.NewRouter()
	if opts != nil {
		discard := entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return nil })
		rec, err := entaudit.New(entaudit.Config{Writer: discard})
		require.NoError(tb, err)
		r.Use(chiaudit.Handler(rec, *opts))
	}
	r.Get("/invoices/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	return r
}

func serve(b *testing.B, h http.Handler, header http.Header) {
	b.ReportAllocs()
	w := &blank{header: http.Header{}}
	r := httptest.NewRequest(http.MethodGet, "/invoices/42?page=2", nil)
	r.Header = header
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}

var browser = http.Header{"User-Agent": {"Mozilla/5.0"}}

func BenchmarkBareRouter(b *testing.B) { serve(b, benchRouter(b, nil), browser) }

func BenchmarkHandler(b *testing.B) { serve(b, benchRouter(b, &chiaudit.Options{}), browser) }

func BenchmarkHandlerParallel(b *testing.B) {
	h := benchRouter(b, &chiaudit.Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w := &blank{header: http.Header{}}
		r := httptest.NewRequest(http.MethodGet, "/invoices/42?page=2", nil)
		for pb.Next() {
			h.ServeHTTP(w, r)
		}
	})
}
