package chiaudit_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestH04W32F15WebSocket(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{StreamOpenings: true, ResponseBody: true})
	left, opened := make(chan struct{}), make(chan int, 1)
	r.Get("/ws/{room}", func(w http.ResponseWriter, r *http.Request) {
		as(r.Context())
		conn, rw, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		require.IsType(t, &net.TCPConn{}, conn, "it is not wrapped")
		opened <- len(m.all())
		_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		require.NoError(t, err)
		line, err := rw.ReadString('\n')
		require.NoError(t, err)
		_, err = io.WriteString(conn, "echo "+line)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		defer close(left)
		r.ServeHTTP(w, q)
	}))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }() // the other side has closed it
	_, err = io.WriteString(conn, "GET /ws/7?token=x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nhello\n")
	require.NoError(t, err)
	answer := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answer, nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 101, resp.StatusCode)
	line, err := answer.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "echo hello\n", line)
	<-left
	require.Equal(t, 1, <-opened, "the opening is recorded while the connection is open")
	entries := m.all()
	require.Len(t, entries, 2)
	for i, want := range []string{chiaudit.ReasonOpened, chiaudit.ReasonHijacked} {
		e := entries[i]
		require.Equal(t, want, e.Reason)
		require.Equal(t, entaudit.Unknown, e.Outcome)
		require.Equal(t, "GET /ws/{room}", e.Action)
		require.Equal(t, alice, e.Actor)
		require.Equal(t, entries[0].Request.ID, e.Request.ID)
		require.Equal(t, "token=[REDACTED]", e.Request.Query)
		require.Equal(t, "websocket", e.Metadata["stream"].(map[string]any)["kind"])
	}
	require.NotEqual(t, entries[0].ID, entries[1].ID)
	require.Positive(t, entries[1].Duration)
}

func TestH04W32F15EventStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, openings := range []bool{false, true} {
			r, _, m := setup(t, chiaudit.Options{StreamOpenings: openings})
			r.Get("/events", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
				time.Sleep(time.Second)
				for range 3 {
					_, err := fmt.Fprint(w, "data: x\n\n")
					require.NoError(t, err)
					time.Sleep(time.Hour)
				}
			})
			get(r, "/events")
			entries := m.all()
			if openings {
				require.Len(t, entries, 2)
				require.Equal(t, chiaudit.ReasonOpened, entries[0].Reason)
				require.Equal(t, 200, entries[0].Request.StatusCode)
				entries = entries[1:]
			}
			require.Len(t, entries, 1)
			require.Equal(t, entaudit.Success, entries[0].Outcome)
			require.Equal(t, 3*time.Hour+time.Second, entries[0].Duration)
			require.Equal(t, map[string]any{"kind": "event_stream", "opened_after_us": int64(1_000_000), "bytes": int64(27)}, entries[0].Metadata["stream"])
		}
	})
	t.Run("H10 excluded", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{StreamOpenings: true, Exclude: []chiaudit.Rule{{Prefix: "/events"}}})
		r.Get("/events", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.WriteHeader(200)
		})
		get(r, "/events")
		require.Empty(t, m.all())
	})
}
