package chiaudit

import (
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/entaudit/audit/entaudit"
)

// Handler returns chi middleware that records one entry of kind request for
// every request, and makes the request's facts, actor and tenant known to
// everything that runs under its context (see [entaudit.WithRequest]).
//
// It panics while the router is built when rec is nil or opts make no sense. A
// request never panics or fails because of it: what the Recorder's Config.OnError
// does not settle is logged through slog. The one thing that it adds to a response
// is the header X-Request-Id, set before the next handler runs, which can remove
// or replace it.
//
// Wire it with Use, before the middleware that authenticates and after chi's
// RequestID if that is used. Timeouts belong inside it: what a timeout outside
// answers after the handler has returned cannot be known here. Wired twice for
// the same Recorder it records once; the inner Options then supply the actor and
// the tenant where the outer ones found none, and what they find wrong is told on
// the one entry.
//
// The route is known where chi's routing is visible: with Use and With, and where
// the next handler is a chi router itself. In front of anything else, such as
// other middleware around a router or an http.ServeMux, the entry has no route and
// says with a mark that it is not known. The action then ends in "unknown-route",
// whereas "unmatched" means that the router has no such route.
//
// The entry holds what the client saw: the status that was sent, 200 where the
// handler wrote nothing, and 0 where nothing was sent or cannot be known. A
// handler that panics before it has sent anything is entered with 500, which is
// what a recoverer outside sends; without one net/http cuts the connection, so
// that the status of a handler that panicked is marked as not certain. A client
// that goes away leaves the reason client_gone; the request is aborted where
// nothing was sent or a write failed, and has the outcome of its status otherwise.
// The address is that of the TCP peer, unless Options.Proxies or chi's ClientIPFrom
// middleware in front says more. Of chi's middleware.RealIP, which takes it from a
// header of the client's, it panics where it can see it: behind it, or on the router
// that it is put in front of. In front of it nobody can see it when the router is
// built: the address is then recorded as unknown, with a mark, and a warning is
// logged. Middleware that writes an address with a made-up port cannot be told from a
// connection.
//
// The entry is handed to the Recorder's Writer before the request ends, so that
// a Writer that waits for a database makes requests wait: put a queue in front.
func Handler(rec *entaudit.Recorder, opts Options) func(http.Handler) http.Handler {
	if rec == nil {
		panic("chiaudit: Handler: the Recorder is nil")
	}
	if err := opts.validate(); err != nil {
		panic(err.Error())
	}
	rcd, err := newRecording(rec, opts)
	if err != nil {
		panic(err.Error())
	}
	h := &handler{rec: rec, opts: opts, recording: rcd, now: time.Now}
	h.routes.New = func() any { return chi.NewRouteContext() }
	h.prepare()
	return func(next http.Handler) http.Handler {
		if next == nil {
			panic("chiaudit: Handler: the next handler is nil")
		}
		refuseRealIP(next)
		if rec.Off() {
			return h.silent(next)
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serveHTTP(w, r, next) })
	}
}

// handler is the middleware of one [Handler] call.
type handler struct {
	rec      *entaudit.Recorder
	opts     Options
	now      func() time.Time
	routes   sync.Pool // of *chi.Context
	failures failureLog
	warned   sync.Once
	tenants  []TenantFunc
	proxies  proxies
	recording
}

func (h *handler) serveHTTP(w http.ResponseWriter, r *http.Request, next http.Handler) {
	outer, _ := r.Context().Value(captureKey{}).(*capture)
	if c := outer.of(h.rec); c != nil {
		c.findings.add(h.identify(r))
		next.ServeHTTP(w, r)
		return
	}
	c := h.begin(w, r, next, outer)
	defer c.end() //nolint:contextcheck // c is the request's context
	r = c.wrap(r) //nolint:contextcheck // with a context made from r's
	c.findings.add(h.identify(r))
	next.ServeHTTP(c.tracker.writer(), r)
	c.returned = true
}
