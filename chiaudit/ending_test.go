package chiaudit_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

// run serves a GET of / on a goroutine of its own and returns what it panicked
// with and whether it returned.
func run(h http.Handler, w http.ResponseWriter, r *http.Request) (p any, returned bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { p = recover() }()
		h.ServeHTTP(w, r)
		returned = true
	}()
	<-done
	return p, returned
}

func TestCaseH01F13PanicsGoOn(t *testing.T) {
	t.Parallel()
	cause := errors.New("boom")
	for _, tt := range []struct {
		name    string
		handler func(http.ResponseWriter)
		panics  any
		status  int
		outcome entaudit.Outcome
		reason  string
	}{
		{"panics", func(http.ResponseWriter) { panic(cause) }, cause, 500, entaudit.Failure, chiaudit.ReasonPanic},
		{"panics after the header", func(w http.ResponseWriter) { w.WriteHeader(202); panic(cause) }, cause, 202, entaudit.Failure, chiaudit.ReasonPanic},
		{"aborts", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, http.ErrAbortHandler, 0, entaudit.Aborted, chiaudit.ReasonAbortHandler},
		{"exits", func(http.ResponseWriter) { runtime.Goexit() }, nil, 0, entaudit.Aborted, chiaudit.ReasonGoexit},
		{"exits after the header", func(w http.ResponseWriter) { w.WriteHeader(200); runtime.Goexit() }, nil, 200, entaudit.Aborted, chiaudit.ReasonGoexit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			calls := 0
			r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
				calls++
				tt.handler(w)
			})
			p, returned := run(r, httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			require.False(t, returned)
			require.Equal(t, 1, calls)
			require.True(t, p == tt.panics, "the panic value is %v", p) //nolint:testifylint // identity
			e := m.only(t)
			require.Equal(t, tt.outcome, e.Outcome)
			require.Equal(t, tt.reason, e.Reason)
			require.Equal(t, tt.status, e.Request.StatusCode)
			require.Equal(t, tt.reason == chiaudit.ReasonPanic, e.Marks["status_code"] == entaudit.MarkUnknown, "whether anybody recovers is not known")
			require.Equal(t, "/", e.Request.Route)
		})
	}
	t.Run("panics with nil", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		r.Get("/", func(http.ResponseWriter, *http.Request) { panic(nil) })
		p, _ := run(r, httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		var none *runtime.PanicNilError
		require.ErrorAs(t, p.(error), &none)
		require.Equal(t, chiaudit.ReasonPanic, m.only(t).Reason)
	})
}

func TestW01W02F13HandlerRunsOnceBehindARecoverer(t *testing.T) {
	t.Parallel()
	rec, m := newRecorder(t)
	r := chi.NewRouter()
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}, chiaudit.Handler(rec, chiaudit.Options{}))
	calls := 0
	r.Post("/boom", func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		calls++
		panic("boom")
	})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/boom", strings.NewReader(`{"a":1}`)))
	require.Equal(t, 500, w.Code)
	require.Equal(t, 1, calls)
	e := m.only(t)
	require.Equal(t, 500, e.Request.StatusCode)
	require.Equal(t, entaudit.Failure, e.Outcome)
	require.Equal(t, "POST /boom", e.Action)
}

func TestW02F16ClientGone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		write   int
		status  int
		outcome entaudit.Outcome
	}{
		{"nothing written", 0, 0, entaudit.Aborted},
		{"written", 201, 201, entaudit.Success},
		{"error written", 500, 500, entaudit.Failure},
		{"refused all the same", 403, 403, entaudit.Denied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			r.Get("/", func(w http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
				if tt.write != 0 {
					w.WriteHeader(tt.write)
				}
			})
			r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
			e := m.only(t)
			require.Equal(t, tt.outcome, e.Outcome)
			require.Equal(t, chiaudit.ReasonClientGone, e.Reason)
			require.Equal(t, tt.status, e.Request.StatusCode)
		})
	}
	t.Run("over a connection", func(t *testing.T) {
		t.Parallel()
		r, _, m := setup(t, chiaudit.Options{})
		entered, left := make(chan struct{}), make(chan struct{})
		r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			r.ServeHTTP(w, q)
			close(left)
		}))
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-entered
			cancel()
		}()
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		require.NoError(t, err)
		_, err = s.Client().Do(q) //nolint:bodyclose // there is no response
		require.ErrorIs(t, err, context.Canceled)
		<-left
		require.Equal(t, entaudit.Aborted, m.only(t).Outcome)
		require.Equal(t, 0, m.only(t).Request.StatusCode)
	})
}

func TestCaseH05Status(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		want    int
		outcome entaudit.Outcome
	}{
		{"nothing written", func(http.ResponseWriter, *http.Request) {}, 200, entaudit.Success},
		{"body only", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }, 200, entaudit.Success}, // checked by the client
		{"empty body, then a header", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(nil); w.WriteHeader(404) }, 200, entaudit.Success},
		{"empty file, then a header", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, io.LimitReader(strings.NewReader("x"), 0))
			w.WriteHeader(404)
		}, 404, entaudit.Failure},
		{"flush, then a header", func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); w.WriteHeader(404) }, 200, entaudit.Success},
		{"header twice", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(200) }, 404, entaudit.Failure},
		{"1xx first", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(102)
			w.WriteHeader(201)
		}, 201, entaudit.Success},
		{"1xx only", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103) }, 200, entaudit.Success},
		{"no content", status(204), 204, entaudit.Success},
		{"redirect", status(302), 302, entaudit.Success},
		{"unauthorized", status(401), 401, entaudit.Denied},
		{"forbidden", status(403), 403, entaudit.Denied},
		{"bad request", status(400), 400, entaudit.Failure},
		{"server error", status(502), 502, entaudit.Failure},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _, m := setup(t, chiaudit.Options{})
			r.Get("/", tt.handler)
			left := make(chan struct{})
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				defer close(left)
				r.ServeHTTP(w, q)
			}))
			s.Config.ErrorLog = quiet()
			s.Start()
			defer s.Close()
			client := s.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			resp, err := client.Get(s.URL)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, resp.Body) // to its end: a client that is gone is another case
			require.NoError(t, resp.Body.Close())
			<-left
			e := m.only(t)
			require.Equal(t, tt.want, resp.StatusCode)
			require.Equal(t, tt.want, e.Request.StatusCode)
			require.Equal(t, tt.outcome, e.Outcome)
			require.Empty(t, e.Reason)
		})
	}
}

func TestCaseH05InvalidStatusPanics(t *testing.T) {
	t.Parallel()
	r, _, m := setup(t, chiaudit.Options{})
	r.Get("/", status(42))
	require.Panics(t, func() { get(r, "/") })
	require.Equal(t, 500, m.only(t).Request.StatusCode)
}

func TestCaseH05F17Timeouts(t *testing.T) {
	t.Parallel()
	inTime := func(t *testing.T, limit time.Duration, within bool, handler http.HandlerFunc) (seen int, e entaudit.Entry) {
		rec, m := newRecorder(t)
		r := chi.NewRouter()
		timeout := func(next http.Handler) http.Handler { return http.TimeoutHandler(next, limit, "late") }
		audit := chiaudit.Handler(rec, chiaudit.Options{})
		if within {
			r.Use(audit, timeout)
		} else {
			r.Use(timeout, audit)
		}
		r.Get("/slow/{id}", handler)
		seen = get(r, "/slow/1").Code
		<-time.After(2 * time.Hour) // of the bubble: the handler has returned too
		return seen, m.only(t)
	}
	late := func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		synctestWait()
		_, _ = w.Write([]byte("done")) // the error is what is tested
	}
	for _, tt := range []struct {
		name    string
		within  bool
		handler http.HandlerFunc
	}{
		{"outside, handler writes late", false, late},
		{"outside, handler wrote early", false, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			<-r.Context().Done()
			synctestWait()
		}},
		{"outside, handler writes nothing", false, func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			synctestWait()
		}},
		{"inside, handler writes late", true, late},
		{"inside, handler ignores it", true, func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(time.Hour)
			w.WriteHeader(200)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				seen, e := inTime(t, time.Second, tt.within, tt.handler)
				require.Equal(t, 503, seen)
				require.Equal(t, 503, e.Request.StatusCode)
				require.Equal(t, entaudit.Failure, e.Outcome)
				require.Equal(t, "GET /slow/{id}", e.Action)
				if !tt.within {
					require.Equal(t, chiaudit.ReasonTimeout, e.Reason)
				}
			})
		})
	}
	t.Run("outside, handler panics late", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen, e := inTime(t, time.Second, false, func(w http.ResponseWriter, r *http.Request) {
				late(w, r)
				panic("boom")
			})
			require.Equal(t, 503, seen)
			require.Equal(t, 503, e.Request.StatusCode)
			require.Equal(t, chiaudit.ReasonPanic, e.Reason)
		})
	})
	t.Run("outside, in time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen, e := inTime(t, time.Second, false, status(201))
			require.Equal(t, 201, seen)
			require.Equal(t, 201, e.Request.StatusCode)
			require.Equal(t, entaudit.Success, e.Outcome)
		})
	})
}

// synctestWait lets the other goroutines of the bubble go on first.
func synctestWait() { <-time.After(time.Millisecond) }

func TestCaseH05F17Deadlines(t *testing.T) {
	t.Parallel()
	serve := func(t *testing.T, handler http.HandlerFunc) (int, entaudit.Entry) {
		rec, m := newRecorder(t)
		r := chi.NewRouter()
		r.Use(middleware.Timeout(time.Second), chiaudit.Handler(rec, chiaudit.Options{}))
		r.Get("/", handler)
		code := get(r, "/").Code
		return code, m.only(t)
	}
	t.Run("another layer answers", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			code, e := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			require.Equal(t, 504, code)
			require.Equal(t, 0, e.Request.StatusCode, "what the other layer answers is not known")
			require.Equal(t, entaudit.Unknown, e.Outcome)
			require.Equal(t, chiaudit.ReasonTimeout, e.Reason)
			require.Equal(t, entaudit.MarkUnknown, e.Marks["status_code"])
		})
	})
	t.Run("the handler answers", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			_, e := serve(t, func(w http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				w.WriteHeader(504)
			})
			require.Equal(t, 504, e.Request.StatusCode)
			require.Equal(t, entaudit.Failure, e.Outcome)
			require.Equal(t, chiaudit.ReasonTimeout, e.Reason)
		})
	})
	t.Run("duration to the end", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, e := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(200)
				<-time.After(30 * time.Millisecond)
			})
			require.Equal(t, 30*time.Millisecond, e.Duration)
			require.True(t, began.Equal(e.OccurredAt))
		})
	})
}
