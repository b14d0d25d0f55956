package chiaudit_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// Writers with every combination of abilities, made of these.
type (
	plain   struct{ http.ResponseWriter }
	flusher struct{}
	hijack  struct{}
	readsIn struct{}
	pushes  struct{}
)

func (flusher) Flush()                                       {}
func (hijack) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return nil, nil, nil }
func (readsIn) ReadFrom(src io.Reader) (int64, error)        { return io.Copy(io.Discard, src) }
func (pushes) Push(target string, o *http.PushOptions) error { return http.ErrNotSupported }
func abilities(w http.ResponseWriter) (f, h, r, p, flushErr bool) {
	_, f = w.(http.Flusher)
	_, h = w.(http.Hijacker)
	_, r = w.(io.ReaderFrom)
	_, p = w.(http.Pusher)
	_, flushErr = w.(interface{ FlushError() error })
	return f, h, r, p, flushErr
}

func TestWriterHasWhatTheOtherHas(t *testing.T) {
	t.Parallel()
	w := plain{httptest.NewRecorder()}
	for _, under := range []http.ResponseWriter{
		w,
		struct {
			plain
			flusher
		}{w, flusher{}},
		struct {
			plain
			hijack
		}{w, hijack{}},
		struct {
			plain
			flusher
			hijack
		}{w, flusher{}, hijack{}},
		struct {
			plain
			readsIn
		}{w, readsIn{}},
		struct {
			plain
			flusher
			readsIn
		}{w, flusher{}, readsIn{}},
		struct {
			plain
			hijack
			readsIn
		}{w, hijack{}, readsIn{}},
		struct {
			plain
			flusher
			hijack
			readsIn
		}{w, flusher{}, hijack{}, readsIn{}},
		struct {
			plain
			pushes
		}{w, pushes{}},
		struct {
			plain
			flusher
			pushes
		}{w, flusher{}, pushes{}},
		struct {
			plain
			hijack
			pushes
		}{w, hijack{}, pushes{}},
		struct {
			plain
			flusher
			hijack
			pushes
		}{w, flusher{}, hijack{}, pushes{}},
		struct {
			plain
			readsIn
			pushes
		}{w, readsIn{}, pushes{}},
		struct {
			plain
			flusher
			readsIn
			pushes
		}{w, flusher{}, readsIn{}, pushes{}},
		struct {
			plain
			hijack
			readsIn
			pushes
		}{w, hijack{}, readsIn{}, pushes{}},
		struct {
			plain
			flusher
			hijack
			readsIn
			pushes
		}{w, flusher{}, hijack{}, readsIn{}, pushes{}},
	} {
		rec, _ := newRecorder(t)
		called := false
		h := chiaudit.Handler(rec, chiaudit.Options{})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			called = true
			f, h, r, p, _ := abilities(under)
			gotF, gotH, gotR, gotP, flushErr := abilities(w)
			require.Equal(t, []bool{f, h, r, p, f}, []bool{gotF, gotH, gotR, gotP, flushErr}, "%T", under)
			next := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
			gotF, gotH, _, _, flushErr = abilities(next)
			require.Equal(t, []bool{f, h, f}, []bool{gotF, gotH, flushErr}, "%T", under)
			if f || h {
				next = next.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
			}
			require.Equal(t, under, next)
			if gotP {
				require.ErrorIs(t, w.(http.Pusher).Push("/x", nil), http.ErrNotSupported)
			}
		}))
		h.ServeHTTP(under, httptest.NewRequest(http.MethodGet, "/", nil))
		require.True(t, called)
	}
}

// serveOne starts a server with one route, and returns its address and what
// waits for the entry.
func serveOne(t *testing.T, handler http.HandlerFunc) (url string, entry func() entaudit.Entry) {
	t.Helper()
	r, _, m := setup(t, chiaudit.Options{})
	r.Get("/", handler)
	left := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		defer close(left)
		r.ServeHTTP(w, q)
	}))
	s.Config.ErrorLog = quiet()
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, func() entaudit.Entry {
		<-left
		return m.only(t)
	}
}

func TestHijack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before func(http.ResponseWriter)
		take   func(http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error)
		status int
	}{
		{"asserted", func(http.ResponseWriter) {}, func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
			return w.(http.Hijacker).Hijack()
		}, 0},
		{"by controller", func(http.ResponseWriter) {}, func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
			return http.NewResponseController(w).Hijack()
		}, 0},
		{"after 101", func(w http.ResponseWriter) {
			w.Header().Set("Upgrade", "echo")
			w.Header().Set("Connection", "Upgrade")
			w.WriteHeader(101)
		}, func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) { return w.(http.Hijacker).Hijack() }, 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, entry := serveOne(t, func(w http.ResponseWriter, _ *http.Request) {
				tt.before(w)
				conn, rw, err := tt.take(w)
				if err != nil {
					panic(err)
				}
				if tt.status == 0 {
					_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n") // the client tells
				}
				_ = rw.Flush()      // the client tells
				_ = conn.Close()    // nothing else is sent
				w.WriteHeader(500)  // has no effect any more
				_, _ = w.Write(nil) // fails
			})
			resp, err := fetch(url)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, 101, resp.StatusCode)
			e := entry()
			require.Equal(t, entaudit.Unknown, e.Outcome)
			require.Equal(t, chiaudit.ReasonHijacked, e.Reason)
			require.Equal(t, tt.status, e.Request.StatusCode)
		})
	}
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
			_, _, err := http.NewResponseController(w).Hijack()
			require.ErrorIs(t, err, http.ErrNotSupported)
		})
		get(r, "/")
		require.Equal(t, entaudit.Success, m.only(t).Outcome)
	})
}

func TestStreamsAndFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "big")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("0123456789", 100_000)), 0o600))
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		size    int
		status  int
	}{
		{"file", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }, 1_000_000, 200},
		{"copy", func(w http.ResponseWriter, _ *http.Request) {
			f, err := os.Open(file)
			if err != nil {
				panic(err)
			}
			defer func() { _ = f.Close() }() // only read
			w.WriteHeader(206)
			_, _ = io.Copy(w, f) // the client counts
		}, 1_000_000, 206},
		{"flushed", func(w http.ResponseWriter, _ *http.Request) {
			c := http.NewResponseController(w)
			for range 10 {
				_, _ = io.WriteString(w, "data: x\n\n") // the client counts
				if err := c.Flush(); err != nil {
					panic(err)
				}
			}
		}, 90, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, entry := serveOne(t, tt.handler)
			resp, err := fetch(url)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Len(t, body, tt.size)
			require.Equal(t, tt.status, resp.StatusCode)
			require.Equal(t, tt.status, entry().Request.StatusCode)
			require.Equal(t, entaudit.Success, entry().Outcome)
		})
	}
}
