package chiaudit

import (
	"net/http"
	"strings"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// stream is a response that goes on until somebody ends it.
type stream struct {
	kind  string        // "" for a response that is none
	after time.Duration // since the request began
}

// Kinds of streams.
const (
	streamHijacked  = "hijacked"
	streamWebSocket = "websocket"
	streamEvents    = "event_stream"
)

// takenOver is the kind of a connection that the handler takes over.
func takenOver(r *http.Request) string {
	if strings.EqualFold(r.Header.Get("Upgrade"), streamWebSocket) {
		return streamWebSocket
	}
	return streamHijacked
}

// streams reports whether a header announces server-sent events.
func streams(header http.Header) bool {
	values := header["Content-Type"]
	return len(values) == 1 && strings.HasPrefix(values[0], "text/event-stream")
}

// open notes that the response has become a stream, and announces it where that is
// asked for.
func (t *tracker) open(kind string) {
	c := t.c
	if t.stream.kind != "" {
		return
	}
	t.stream = stream{kind, c.h.now().Sub(c.begun)}
	if c.h.opts.StreamOpenings {
		c.announce()
	}
}

// announce records that a stream has begun. How it ended is on the request's own
// entry, which has the same request id.
func (c *capture) announce() {
	defer c.survive()
	e := c.h.rec.NewEntry(entaudit.KindRequest, c.h.rec.Origin(c))
	e.Action = c.method + " " + c.route.expectation()
	e.Reason = ReasonOpened
	e.Request.Query, e.Request.StatusCode = c.query, c.tracker.status
	if wanted, _ := c.selects(&e); !wanted {
		return
	}
	e.Metadata = map[string]any{"stream": c.tracker.stream.describe()}
	c.h.rec.Finish(&e)
	if err := c.h.rec.Deliver(c, e); err != nil {
		c.h.failures.log(c, err)
	}
}

// describe returns what an entry says of a stream.
func (s stream) describe() map[string]any {
	return map[string]any{"kind": s.kind, "opened_after_us": s.after.Microseconds()}
}

// streamed adds what is known of a stream. Of what passes over a connection that was
// taken over nothing is.
func (c *capture) streamed() {
	s := c.tracker.stream
	if s.kind == "" {
		return
	}
	d := s.describe()
	if s.kind == streamEvents {
		d["bytes"] = c.tracker.out.passed()
	}
	c.note("stream", d)
}
