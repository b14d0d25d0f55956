package chiaudit_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// only has no ability but to be unwrapped, as writers of many middlewares.
type only struct{ http.ResponseWriter }

func (o only) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// over serves one request over a connection, with the middleware between two
// that wrap the writer, and returns the response and the entry.
func over(t *testing.T, handler http.HandlerFunc) (int, entaudit.Entry) {
	t.Helper()
	rec, m := newRecorder(t)
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(only{w}, r) })
	}
	left := make(chan struct{})
	r := chi.NewRouter()
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(left)
			next.ServeHTTP(w, r)
		})
	}, wrap, wrap, chiaudit.Handler(rec, chiaudit.Options{}), wrap)
	r.Get("/", handler)
	s := httptest.NewUnstartedServer(r)
	s.Config.ErrorLog = quiet()
	s.Start()
	defer s.Close()
	resp, err := fetch(s.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	<-left
	return resp.StatusCode, m.only(t)
}

func TestAbilitiesOfAWriterFurtherIn(t *testing.T) {
	t.Parallel()
	for name, flush := range map[string]func(http.ResponseWriter) error{
		"by controller": func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
		"by unwrapping": func(w http.ResponseWriter) error {
			for {
				if f, ok := w.(http.Flusher); ok {
					f.Flush()
					return nil
				}
				w = w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
			}
		},
	} {
		t.Run("H05 flush "+name, func(t *testing.T) {
			t.Parallel()
			code, e := over(t, func(w http.ResponseWriter, _ *http.Request) {
				if err := flush(w); err != nil {
					panic(err)
				}
				w.WriteHeader(500)
			})
			require.Equal(t, 200, code)
			require.Equal(t, 200, e.Request.StatusCode)
			require.Equal(t, entaudit.Success, e.Outcome)
		})
	}
	t.Run("H05 hijack", func(t *testing.T) {
		t.Parallel()
		code, e := over(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 503 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") // the client tells
			_ = conn.Close()                                                                                 // the client tells
		})
		require.Equal(t, 503, code)
		require.Equal(t, 0, e.Request.StatusCode)
		require.Equal(t, entaudit.Unknown, e.Outcome)
		require.Equal(t, chiaudit.ReasonHijacked, e.Reason)
	})
	t.Run("H05 deadline", func(t *testing.T) {
		t.Parallel()
		code, e := over(t, func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
				panic(err)
			}
			w.WriteHeader(418)
		})
		require.Equal(t, 418, code)
		require.Equal(t, 418, e.Request.StatusCode)
	})
	t.Run("H05 none has it", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
			c := http.NewResponseController(w)
			_, _, err := c.Hijack()
			require.ErrorIs(t, err, http.ErrNotSupported)
			require.ErrorIs(t, c.Flush(), http.ErrNotSupported)
			w.WriteHeader(500)
		})
		w := httptest.NewRecorder()
		r.ServeHTTP(only{plain{w}}, httptest.NewRequest(http.MethodGet, "/", nil))
		require.Equal(t, 500, w.Code)
		require.Equal(t, 500, m.only(t).Request.StatusCode)
	})
	t.Run("H05 unsupported in the end", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
			require.ErrorIs(t, http.NewResponseController(w).Flush(), http.ErrNotSupported)
			w.WriteHeader(500)
		})
		w := httptest.NewRecorder()
		r.ServeHTTP(unflushable{plain{w}}, httptest.NewRequest(http.MethodGet, "/", nil))
		require.Equal(t, 500, w.Code)
		require.Equal(t, 500, m.only(t).Request.StatusCode)
	})
}

// unflushable learns only when it flushes that it cannot.
type unflushable struct{ plain }

func (unflushable) Flush()            {}
func (unflushable) FlushError() error { return http.ErrNotSupported }

func TestHijackThenPanic(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{})
	r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		_, _, err := w.(http.Hijacker).Hijack()
		require.NoError(t, err)
		panic("boom")
	})
	w := struct {
		plain
		hijack
	}{plain{httptest.NewRecorder()}, hijack{}}
	require.Panics(t, func() { r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil)) })
	e := m.only(t)
	require.Equal(t, 0, e.Request.StatusCode, "what was sent is not known")
	require.Equal(t, entaudit.Failure, e.Outcome)
	require.Equal(t, chiaudit.ReasonPanic, e.Reason)
}
