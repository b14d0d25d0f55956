package chiaudit

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// captureKey is the context key of *capture.
type captureKey struct{}

// capture is one request while it is recorded. It is also the context that the
// next handler gets.
type capture struct {
	context.Context

	h        *handler
	outer    *capture // of another Recorder around this one
	entry    *entaudit.Entry
	entries  []entaudit.Entry // of the one entry, as it goes to the Recorder
	begun    time.Time
	route    route
	tracker  tracker
	findings findings
	query    string    // as this Recorder redacts it
	header   [1]string // the request id as the response's header holds it
	newID    bool      // the client's request id could not be used
	returned bool
	method   string
	path     string
	remarks  remarks
	unneeded bool   // the entry is not to be written
	takeover string // what a connection that is taken over becomes
	in       requestBody
	// The address of the connection was overwritten from a header.
	overwritten bool
	announced   int64 // Content-Length of the request, -1 where it is not known
	media       media // of the request
}

func (c *capture) Value(key any) any {
	if key == (captureKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// of returns the capture that already records the request for rec, else nil.
func (c *capture) of(rec *entaudit.Recorder) *capture {
	for c != nil && c.h.rec != rec {
		c = c.outer
	}
	return c
}

// begin notes what is known before the next handler runs.
func (h *handler) begin(w http.ResponseWriter, r *http.Request, next http.Handler, outer *capture) *capture {
	c := &capture{
		h:       h,
		outer:   outer,
		entries: []entaudit.Entry{h.rec.NewEntry(entaudit.KindRequest, entaudit.Origin{})},
		begun:   h.now(),
		tracker: tracker{w: w},
		method:  r.Method,
		path:    r.URL.EscapedPath(),
	}
	c.entry = &c.entries[0]
	c.takeover = takenOver(r)
	c.tracker.c = c
	ctx := r.Context()
	c.route, ctx = h.enter(ctx, r, next)
	c.query = c.masked("query", h.mask.Query, r.URL.RawQuery)
	if outer != nil {
		c.Context, c.newID = ctx, outer.newID                // the request is known, with the actor set so far
		entaudit.SetRequest(ctx, func(q *entaudit.Request) { // for changes, which take it as it is
			q.Query, _ = h.mask.Query(q.Query)
			q.Path = c.masked("path", c.maskPath, q.Path)
			q.UserAgent = c.masked("user_agent", h.mask.Text, q.UserAgent)
		})
		return c
	}
	q := entaudit.Request{
		TraceID:   traceID(r.Header),
		Method:    r.Method,
		Path:      c.masked("path", c.maskPath, c.path),
		Route:     c.route.expected,
		Query:     c.query,
		IP:        peer(r.RemoteAddr),
		UserAgent: c.masked("user_agent", h.mask.Text, r.UserAgent()),
	}
	if c.overwritten = overwritten(r.RemoteAddr); c.overwritten {
		h.warnOverwritten(ctx)
	}
	q.ID, c.newID = requestID(ctx, r.Header)
	c.header[0] = q.ID
	w.Header()[requestIDHeader] = c.header[:]
	c.Context = entaudit.WithRequest(ctx, q)
	return c
}

// end records the request. It is deferred: it runs for a handler that returned,
// that panicked and whose goroutine was ended, and lets the latter two go on.
func (c *capture) end() {
	if c.returned {
		c.record(c.tracker.returnEnding(c))
		return
	}
	p := recover()
	if p == nil {
		c.record(ending{status: c.tracker.status, outcome: entaudit.Aborted, reason: ReasonGoexit})
		return
	}
	c.record(c.tracker.panicEnding(c, p))
	panic(p)
}

// record completes the entry and delivers it. Whatever goes wrong in it is not
// the request's business, and what cannot be told is left out of the entry.
func (c *capture) record(end ending) {
	defer c.deliver()
	defer c.survive()
	e := c.entry
	e.Duration = c.h.now().Sub(c.begun).Truncate(time.Microsecond)
	e.Outcome, e.Reason = end.outcome, end.reason
	pattern, action := c.locate(end.status)
	entaudit.SetRequest(c, func(q *entaudit.Request) {
		q.Route, q.StatusCode = pattern, end.status
	})
	e.Request, _ = entaudit.RequestFrom(c)
	e.Request.Query = c.query
	e.Request.Path = c.masked("path", c.maskPath, e.Request.Path) // the router may have gone another way
	e.Action = e.Request.Method + " " + action
	c.explain(end)
	c.attribute()
	c.enrich()
	c.spell()
	wanted, share := c.selects(e)
	if c.unneeded = !wanted; c.unneeded {
		return
	}
	if share < 1 {
		c.note("sample", share)
	}
	c.streamed()
	c.headers("response_headers", c.tracker.Header(), "")
	c.bodies()
}

// deliver hands the entry over as it is by now. It is deferred, so that it does
// whatever happened to the rest.
func (c *capture) deliver() {
	defer c.survive()
	if c.unneeded {
		return
	}
	c.h.rec.Finish(c.entry)
	if err := c.h.rec.Deliver(c, c.entries...); err != nil {
		c.h.failures.log(c, err)
	}
}

// survive is deferred to keep a panic from the request.
func (c *capture) survive() {
	if p := recover(); p != nil {
		c.h.failures.log(c, fmt.Errorf("chiaudit: panic of type %T while recording\n%s", p, debug.Stack()))
	}
}

// locate returns the pattern of the route, and what stands for it in the action.
func (c *capture) locate(status int) (pattern, action string) {
	located := false
	defer func() {
		if !located {
			c.mark("route", entaudit.MarkUnknown)
			pattern, action = "", "unknown-route"
		}
	}()
	defer c.survive() // the router may be the application's own
	pattern, located = c.route.final(c.h, status)
	return pattern, cmp.Or(pattern, "unmatched")
}

// attribute says who acted, and for which tenant.
func (c *capture) attribute() {
	e := c.entry
	told := false
	defer func() {
		if !told { // whoever was asked may have meant somebody else than the context
			e.Actor, e.Tenant, e.ActorTenantID = entaudit.Actor{Type: entaudit.ActorAnonymous}, entaudit.Tenant{}, ""
			c.mark("actor", entaudit.MarkUnknown)
			c.mark("tenant", entaudit.MarkUnknown)
		}
	}()
	o := c.h.rec.Origin(c)
	e.Actor, e.Tenant, e.ActorTenantID = o.Actor, o.Tenant, o.Tenant.ID
	e.Request.TraceID = o.Request.TraceID
	for path, m := range o.Marks {
		c.mark(path, m)
	}
	told = true
}

// explain adds what the plain fields of the entry do not say.
func (c *capture) explain(end ending) {
	e := c.entry
	auth, badTenant := c.findings.all()
	if e.Reason == "" && len(auth) > 0 {
		e.Reason, auth = auth[0], auth[1:]
	}
	if len(auth) > 0 {
		c.note("authentication", strings.Join(auth, " "))
	}
	if badTenant {
		c.mark("tenant_id", entaudit.MarkUnknown)
	}
	c.findings.describe(c.note, c.mark)
	if c.newID {
		c.mark("request_id", entaudit.MarkReplaced)
	}
	if c.overwritten && e.Request.IP == "" {
		c.mark("ip_address", entaudit.MarkUnknown)
	}
	if end.doubtful {
		c.mark("status_code", entaudit.MarkUnknown)
	}
	if n := len(e.Request.UserAgent); n > entaudit.LimitUserAgent {
		c.note("user_agent_length", n)
	}
}

// masked returns what a Redactor leaves of a text, and marks it.
func (c *capture) masked(path string, mask func(string) (string, entaudit.Mark), s string) string {
	s, how := mask(s)
	if how != "" {
		c.mark(path, how)
	}
	return s
}

func (c *capture) maskPath(path string) (string, entaudit.Mark) {
	return c.h.maskPath(path, c.route.secrets)
}

func (c *capture) mark(path string, m entaudit.Mark) {
	if c.entry.Marks == nil {
		c.entry.Marks = make(map[string]entaudit.Mark)
	}
	c.entry.Marks[path] = m
}

func (c *capture) note(name string, value any) {
	if c.entry.Metadata == nil {
		c.entry.Metadata = make(map[string]any)
	}
	c.entry.Metadata[name] = value
}
