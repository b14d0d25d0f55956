package chiaudit_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestW02F16ClientThatClosesItsSideOnly(t *testing.T) {
	t.Parallel()
	url, entry := serveOne(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		_, _ = io.WriteString(w, "the whole list") // the client tells
	})
	conn, err := net.Dial("tcp", url[len("http://"):])
	require.NoError(t, err)
	defer func() { _ = conn.Close() }() // read to its end
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "the whole list", string(body))
	e := entry()
	require.Equal(t, 200, e.Request.StatusCode)
	require.Equal(t, entaudit.Success, e.Outcome)
	require.Equal(t, chiaudit.ReasonClientGone, e.Reason)
}

func TestW02F16WriteFailedWithTheClientGone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		under   func(plain) http.ResponseWriter
		handler http.HandlerFunc
		status  int
		outcome entaudit.Outcome
	}{
		{"write", func(p plain) http.ResponseWriter { return broken{p} }, func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write([]byte("x"))
			require.ErrorIs(t, err, net.ErrClosed)
		}, 200, entaudit.Aborted},
		{"flush", func(p plain) http.ResponseWriter { return cut{p} }, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			require.ErrorIs(t, http.NewResponseController(w).Flush(), net.ErrClosed)
		}, 201, entaudit.Aborted},
		{"file", func(p plain) http.ResponseWriter { return cut{p} }, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(206)
			_, err := w.(io.ReaderFrom).ReadFrom(http.NoBody)
			require.ErrorIs(t, err, net.ErrClosed)
		}, 206, entaudit.Aborted},
		{"refusal", func(p plain) http.ResponseWriter { return broken{p} }, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			_, err := w.Write([]byte("x"))
			require.ErrorIs(t, err, net.ErrClosed)
		}, 403, entaudit.Denied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			r.Get("/", func(w http.ResponseWriter, r *http.Request) {
				cancel()
				tt.handler(w, r)
			})
			under := tt.under(plain{httptest.NewRecorder()})
			r.ServeHTTP(under, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
			e := m.only(t)
			require.Equal(t, tt.status, e.Request.StatusCode)
			require.Equal(t, tt.outcome, e.Outcome)
			require.Equal(t, chiaudit.ReasonClientGone, e.Reason)
		})
	}
}

// A timeout handler answers 503 itself once the context is cancelled, whatever
// the handler within has written.
func TestH05F16F17ClientGoneBehindATimeout(t *testing.T) {
	t.Parallel()
	rec, m := newRecorder(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	h := chiaudit.Handler(rec, chiaudit.Options{})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		cancel()
	}))
	outside := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		h.ServeHTTP(w, r)
	}), time.Hour, "late")
	outside.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
	<-left
	e := m.only(t)
	require.Equal(t, entaudit.Aborted, e.Outcome)
	require.Equal(t, chiaudit.ReasonClientGone, e.Reason)
	require.Equal(t, entaudit.MarkUnknown, e.Marks["status_code"])
}

// broken fails to write, as a connection does whose other end is gone.
type broken struct{ plain }

func (broken) Write([]byte) (int, error) { return 0, net.ErrClosed }

// cut is broken for all that goes round Write.
type cut struct{ plain }

func (cut) Flush()                            {}
func (cut) FlushError() error                 { return net.ErrClosed }
func (cut) ReadFrom(io.Reader) (int64, error) { return 0, net.ErrClosed }
