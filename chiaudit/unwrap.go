package chiaudit

import (
	"bufio"
	"net"
	"net/http"
)

// Unwrap is for http.ResponseController, which looks for abilities one writer
// after the other. It would go past the tracker to those that only a writer
// further in has; so what is returned has them, and notes their use.
func (t *tracker) Unwrap() http.ResponseWriter {
	f, h := (*innerFlusher)(t), (*innerHijacker)(t)
	switch innerAbilities(t.w) {
	case flushes:
		return struct {
			inner
			*innerFlusher
		}{inner{t}, f}
	case hijacks:
		return struct {
			inner
			*innerHijacker
		}{inner{t}, h}
	case flushes | hijacks:
		return struct {
			inner
			*innerFlusher
			*innerHijacker
		}{inner{t}, f, h}
	}
	return t.w
}

// innerAbilities returns which of the abilities that end or begin a response w
// has, or a writer within it.
func innerAbilities(w http.ResponseWriter) int {
	has := 0
	for {
		if _, ok := w.(interface{ FlushError() error }); ok {
			has |= flushes
		}
		has |= abilities(w) & (flushes | hijacks)
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return has
		}
		w = u.Unwrap()
	}
}

// inner is the writer that a tracker wraps, still tracked.
type inner struct{ *tracker }

// Unwrap leads to what inner does not have, such as deadlines.
func (i inner) Unwrap() http.ResponseWriter { return i.w }

// The abilities of inner, by way of the writer that has them.
type (
	innerFlusher  tracker
	innerHijacker tracker
)

func (f *innerFlusher) Flush() { _ = f.FlushError() } // noted, and http.Flusher has no error

func (f *innerFlusher) FlushError() error {
	err := http.NewResponseController(f.w).Flush()
	(*tracker)(f).flushed(err)
	return err
}

func (h *innerHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.w).Hijack()
	if err == nil {
		(*tracker)(h).taken()
	}
	return conn, rw, err
}
