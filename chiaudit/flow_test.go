package chiaudit_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// endless is a body that ends only where its reader is limited.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	if len(p) > 0 {
		p[0] = '['
		for n := 1; n < len(p); n *= 2 {
			copy(p[n:], p[:n])
		}
	}
	return len(p), nil
}

// allocated returns how many bytes f allocates in all, garbage included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// readsAll is a blank ResponseWriter that takes over what it is to read, as that of a
// server does with files.
type readsAll struct{ *blank }

func (r readsAll) ReadFrom(src io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{r.blank}, src, make([]byte, 1<<16))
}

// huge has an upload, and downloads of down bytes that are made on the way: one that
// is written and flushed, one that the writer reads by itself.
func huge(r chi.Router, down int64) {
	r.Post("/up", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, make([]byte, 1<<16))
	})
	r.Get("/written", func(w http.ResponseWriter, _ *http.Request) {
		b := make([]byte, 1<<16)
		for range down / int64(len(b)) {
			_, _ = w.Write(b)
			w.(http.Flusher).Flush()
		}
	})
	r.Get("/read", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, io.LimitReader(endless{}, down))
	})
}

// What is kept of a body is all that it costs: not in what is left on the heap, but in
// what is ever allocated, beside what the same requests allocate on the bare router. It
// counts what the whole program allocates, so that nothing else may run.
func TestS37H04W15W16LargeBodiesCostNothing(t *testing.T) { //nolint:paralleltest // see above
	up, down := int64(1<<30), int64(10<<30)
	if testing.Short() {
		up, down = up/16, down/16
	}
	bare := chi.NewRouter()
	huge(bare, down)
	r, _, m := setup(t, chiaudit.Options{ResponseBody: true, Key: bodyKey})
	huge(r, down)
	const kept = chiaudit.DefaultMaxBody
	for _, tt := range []struct {
		method, path, body string
		size               int64
	}{
		{http.MethodPost, "/up", "request_body", up},
		{http.MethodGet, "/written", "response_body", down},
		{http.MethodGet, "/read", "response_body", down},
	} {
		cost := func(h http.Handler) uint64 {
			q := httptest.NewRequest(tt.method, tt.path, nil)
			if tt.method == http.MethodPost {
				q = httptest.NewRequest(tt.method, tt.path, io.LimitReader(endless{}, up))
			}
			return allocated(func() { h.ServeHTTP(readsAll{&blank{header: http.Header{}}}, q) })
		}
		under := cost(bare)
		over := cost(r)
		// Bytes that are kept are moved to a larger place as they come, and ReadFrom has a
		// buffer for as many; the rest is the entry.
		require.Less(t, over, under+4*kept+1<<13, tt.path)
		entries := m.all()
		d := bodyIn(t, entries[len(entries)-1], tt.body)
		require.Equal(t, tt.size, d.Size, tt.path)
		require.Equal(t, kept, d.Captured, tt.path)
	}
}

// counting counts what is read from a body.
type counting struct {
	io.Reader
	read int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

func TestH03S37NothingIsReadAhead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		read   int64
		reason string
	}{
		{"S37 nothing", 0, "unread"},
		{"a part", 10, "partial"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			r.Post("/", func(w http.ResponseWriter, r *http.Request) {
				_, err := io.CopyN(io.Discard, r.Body, tt.read)
				require.NoError(t, err)
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			})
			body := &counting{Reader: io.LimitReader(endless{}, 1<<20)}
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", body))
			require.Equal(t, 413, w.Code)
			require.Equal(t, int(tt.read), body.read)
			d := bodyIn(t, m.only(t), "request_body")
			require.Equal(t, tt.read, d.Size)
			require.Equal(t, tt.reason, d.Reason)
		})
	}
	t.Run("as much as a JSON decoder needs", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Post("/", func(_ http.ResponseWriter, r *http.Request) {
			var v map[string]any
			require.NoError(t, json.NewDecoder(r.Body).Decode(&v))
		})
		body := io.MultiReader(strings.NewReader(`{"a":1}`), endless{})
		q := httptest.NewRequest(http.MethodPost, "/", body)
		q.Header.Set("Content-Type", "application/json")
		r.ServeHTTP(httptest.NewRecorder(), q)
		require.JSONEq(t, `{"a":1}`, string(bodyIn(t, m.only(t), "request_body").Body))
	})
	t.Run("a body that does not come is waited for by nobody", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		left := make(chan struct{})
		r.Post("/", status(413))
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			defer close(left)
			r.ServeHTTP(w, q)
		}))
		defer s.Close()
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 413, resp.StatusCode, "no 100: nobody asked for the body")
		<-left
		require.Equal(t, "unread", bodyIn(t, m.only(t), "request_body").Reason)
	})
	t.Run("100-continue", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		left := make(chan struct{})
		r.Post("/", drain)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			defer close(left)
			r.ServeHTTP(w, q)
		}))
		defer s.Close()
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n")
		require.NoError(t, err)
		answer := bufio.NewReader(conn)
		line, err := answer.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "100 Continue")
		_, err = io.WriteString(conn, `{"a":1}`)
		require.NoError(t, err)
		<-left
		require.JSONEq(t, `{"a":1}`, string(bodyIn(t, m.only(t), "request_body").Body))
	})
}

func TestH02W04HalfBodies(t *testing.T) { //nolint:paralleltest // it counts the goroutines of the program, to which Eventually adds its own
	r, _, m := setup(t, chiaudit.Options{})
	r.Post("/", drain)
	r.Get("/ping", status(204))
	s := httptest.NewUnstartedServer(r)
	s.Config.ErrorLog = quiet()
	s.Start()
	defer s.Close()
	before := runtime.NumGoroutine()
	for range 100 {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"a\":")
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
		require.NoError(t, conn.Close())
	}
	resp, err := fetch(s.URL + "/ping")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 204, resp.StatusCode)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+3 }, 10*time.Second, 10*time.Millisecond)
	for _, e := range m.all() { // a connection may end before its request has begun
		if e.Request.Method == "POST" {
			require.NotEqual(t, entaudit.Success, e.Outcome, "%s %d", e.Reason, e.Request.StatusCode)
		}
	}
}

func TestH04FilesGoTheirWay(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file.json")
	content := `{"password":"` + hunter + `","rest":"` + strings.Repeat("x", 100_000) + `"}`
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	for _, tt := range []struct {
		name   string
		opts   chiaudit.Options
		reason string
	}{
		{"not recorded", chiaudit.Options{}, ""},
		{"recorded in part", chiaudit.Options{ResponseBody: true}, "truncated"},
		{"recorded as a whole", chiaudit.Options{ResponseBody: true, MaxBody: 1 << 20}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, tt.opts)
			left := make(chan struct{})
			r.Get("/", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) })
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				defer close(left)
				r.ServeHTTP(&files{ResponseWriter: w, t: t, limit: tt.opts.MaxBody}, q)
			}))
			defer s.Close()
			resp, err := fetch(s.URL)
			require.NoError(t, err)
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, content, string(got))
			<-left
			d := bodyIn(t, m.only(t), "response_body")
			require.Equal(t, tt.reason, d.Reason)
			if tt.opts.ResponseBody {
				require.Equal(t, int64(len(content)), d.Size)
			}
			require.Equal(t, tt.opts.MaxBody > 0, d.Body != nil)
		})
	}
}

// files is a writer that must get files as such, or the system cannot send them by
// itself.
type files struct {
	http.ResponseWriter
	t     *testing.T
	limit int
}

func (f *files) ReadFrom(src io.Reader) (int64, error) {
	l, ok := src.(*io.LimitedReader)
	if ok {
		_, ok = l.R.(*os.File)
	}
	require.True(f.t, ok, "%T", src)
	return f.ResponseWriter.(io.ReaderFrom).ReadFrom(src)
}

func TestH04Streams(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %t", http2), func(t *testing.T) {
			t.Parallel()
			rec, m := newRecorder(t)
			r := chi.NewRouter()
			r.Use(chiaudit.Handler(rec, chiaudit.Options{ResponseBody: true}))
			next, left := make(chan struct{}), make(chan struct{})
			r.Post("/", func(w http.ResponseWriter, r *http.Request) {
				c := http.NewResponseController(w)
				_ = c.EnableFullDuplex() // HTTP/2 always is
				require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Minute)))
				require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
				w.Header().Set("Content-Type", "text/event-stream")
				for i := range 3 {
					_, err := fmt.Fprintf(w, "data: %d\n\n", i)
					require.NoError(t, err)
					require.NoError(t, c.Flush())
					<-next
				}
				_, err := io.Copy(io.Discard, r.Body)
				require.NoError(t, err)
			})
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				defer close(left)
				r.ServeHTTP(w, q)
			}))
			s.EnableHTTP2 = http2
			s.StartTLS()
			defer s.Close()
			body, feed := io.Pipe()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, body)
			require.NoError(t, err)
			q.Header.Set("Content-Type", "application/json")
			resp, err := s.Client().Do(q)
			require.NoError(t, err)
			lines := bufio.NewReader(resp.Body)
			for i := range 3 { // each arrives before the handler goes on
				line, err := lines.ReadString('\n')
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("data: %d\n", i), line)
				_, err = lines.ReadString('\n')
				require.NoError(t, err)
				next <- struct{}{}
			}
			_, err = io.WriteString(feed, `{"a":1}`)
			require.NoError(t, err)
			require.NoError(t, feed.Close())
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			<-left
			e := m.only(t)
			require.Equal(t, entaudit.Success, e.Outcome)
			require.JSONEq(t, `{"a":1}`, string(bodyIn(t, e, "request_body").Body))
			require.Equal(t, int64(27), bodyIn(t, e, "response_body").Size)
		})
	}
}
