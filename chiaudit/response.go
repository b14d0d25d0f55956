package chiaudit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// tracker is a ResponseWriter that notes what is sent through it. It changes
// nothing. Like every ResponseWriter it is for one goroutine at a time.
type tracker struct {
	w        http.ResponseWriter
	status   int  // final status that was sent, 0 for none
	hijacked bool // the connection is no longer ours
	timedOut bool // http.TimeoutHandler around us has answered
	failed   bool // something that was to be sent could not be
	out      head // what was sent
	media    media
	stream   stream
	c        *capture
}

func (t *tracker) Header() http.Header { return t.w.Header() }

func (t *tracker) WriteHeader(status int) {
	t.w.WriteHeader(status) // first: it panics for a number that is no status
	if status >= 200 || status == http.StatusSwitchingProtocols {
		t.sent(status)
	}
}

func (t *tracker) Write(b []byte) (int, error) {
	n, err := t.w.Write(b)
	t.wrote(err)
	t.out.pass(b[:min(max(n, 0), len(b))], false)
	return n, err
}

// wrote notes that the handler wrote, which sends a status if none was sent.
func (t *tracker) wrote(err error) {
	switch {
	case err == nil:
	case errors.Is(err, http.ErrHijacked):
		t.hijacked = true
	case errors.Is(err, http.ErrHandlerTimeout):
		t.timedOut = true
	case errors.Is(err, http.ErrBodyNotAllowed), errors.Is(err, http.ErrContentLength):
		// The handler wrote too much; what may be sent is.
	default:
		t.failed = true
	}
	t.sent(http.StatusOK)
}

// flushed notes that the handler flushed, which sends a status as writing does.
func (t *tracker) flushed(err error) {
	if !errors.Is(err, http.ErrNotSupported) {
		t.wrote(err)
	}
}

// sent notes the status that goes out, unless one already has or none can.
func (t *tracker) sent(status int) {
	if t.status == 0 && !t.hijacked && !t.timedOut {
		t.status = status
		if streams(t.w.Header()) {
			t.open(streamEvents)
		}
		if t.out.room() > 0 {
			t.media = mediaOf(t.Header().Get("Content-Type"), t.Header().Get("Content-Encoding"))
		}
	}
}

// taken notes that the handler has taken over the connection.
func (t *tracker) taken() {
	t.hijacked = true
	t.open(t.c.takeover)
}

// probe finds out whether http.TimeoutHandler has answered while the handler
// was not looking.
func (t *tracker) probe() {
	if !t.hijacked && !t.timedOut && behindTimeoutHandler(t.w) {
		_, err := t.w.Write(nil) // goes into a buffer; nothing is sent by it
		t.timedOut = errors.Is(err, http.ErrHandlerTimeout)
	}
}

// behindTimeoutHandler reports whether w ends in the buffer of an
// http.TimeoutHandler, whose type is known by its name only.
func behindTimeoutHandler(w http.ResponseWriter) bool {
	for {
		if fmt.Sprintf("%T", w) == "*http.timeoutWriter" {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
}

// The abilities that a ResponseWriter may have besides, each for a tracker
// whose own writer has it.
type (
	flusher  tracker
	hijacker tracker
	readFrom tracker
	pusher   tracker
)

func (f *flusher) Flush() {
	f.w.(http.Flusher).Flush()
	(*tracker)(f).flushed(nil)
}

// FlushError is what http.ResponseController prefers to Flush.
func (f *flusher) FlushError() error {
	err := http.NewResponseController(f.w).Flush()
	(*tracker)(f).flushed(err)
	return err
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := h.w.(http.Hijacker).Hijack()
	if err == nil {
		(*tracker)(h).taken()
	}
	return conn, rw, err
}

func (f *readFrom) ReadFrom(src io.Reader) (int64, error) {
	t := (*tracker)(f)
	led, more, err := t.lead(src)
	if !more {
		return led, err
	}
	n, err := f.w.(io.ReaderFrom).ReadFrom(src)
	if n > 0 || err != nil && f.status != 0 {
		t.wrote(err) // nothing read leaves the header unsent
	}
	t.out.skip(n)
	return led + n, err
}

// lead writes as much of src as is kept, and reports whether there may be more of
// it. The rest can then take whatever way is fastest, past the program where the
// system sends files by itself.
func (t *tracker) lead(src io.Reader) (led int64, more bool, err error) {
	room := t.out.room()
	if room == 0 {
		return 0, true, nil
	}
	for b := make([]byte, min(room, 32<<10)); room > 0; room = t.out.room() {
		n, err := src.Read(b[:min(room, len(b))])
		if n > 0 {
			w, err := t.Write(b[:n])
			led += int64(w)
			if err == nil && w < n {
				err = io.ErrShortWrite
			}
			if err != nil {
				return led, false, err
			}
		}
		if err == io.EOF {
			return led, false, nil
		}
		if err != nil {
			return led, false, err
		}
	}
	return led, true, nil
}

func (p *pusher) Push(target string, opts *http.PushOptions) error {
	return p.w.(http.Pusher).Push(target, opts)
}
