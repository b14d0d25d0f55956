package chiaudit_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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

// BenchmarkHandlerBodies has JSON of one kilobyte in both directions.
func BenchmarkHandlerBodies(b *testing.B) {
	body := []byte(`{"items":[` + strings.Repeat(`{"id":12345,"name":"something","price":"12.50","token":"abc"},`, 16) + `{}]}`)
	for _, recorded := range []bool{false, true} {
		b.Run(fmt.Sprintf("recorded=%t", recorded), func(b *testing.B) {
			var opts *chiaudit.Options
			if recorded {
				opts = &chiaudit.Options{ResponseBody: true}
			}
			r := benchRouter(b, opts).(*chi.Mux)
			r.Post("/invoices", func(w http.ResponseWriter, r *http.Request) {
				data, err := io.ReadAll(r.Body)
				if err != nil {
					b.Error(err)
				}
				_, _ = w.Write(data) // nothing to fail
			})
			b.ReportAllocs()
			w := &blank{header: http.Header{"Content-Type": {"application/json"}}}
			q := httptest.NewRequest(http.MethodPost, "/invoices", nil)
			q.Header.Set("Content-Type", "application/json")
			q.ContentLength = int64(len(body))
			reader := bytes.NewReader(nil)
			for b.Loop() {
				reader.Reset(body)
				q.Body = io.NopCloser(reader)
				r.ServeHTTP(w, q)
			}
		})
	}
}
