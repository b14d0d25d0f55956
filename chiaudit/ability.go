package chiaudit

import (
	"io"
	"net/http"
)

// Bits of the abilities that a ResponseWriter has.
const (
	flushes = 1 << iota
	hijacks
	readsFrom
	pushes
)

func abilities(w http.ResponseWriter) int {
	has := 0
	if _, ok := w.(http.Flusher); ok {
		has |= flushes
	}
	if _, ok := w.(http.Hijacker); ok {
		has |= hijacks
	}
	if _, ok := w.(io.ReaderFrom); ok {
		has |= readsFrom
	}
	if _, ok := w.(http.Pusher); ok {
		has |= pushes
	}
	return has
}

// writer returns t as a ResponseWriter with exactly the abilities of the writer
// it wraps: handlers ask for them by type assertion, and choose another way when
// they are not there.
func (t *tracker) writer() http.ResponseWriter {
	f, h, r, p := (*flusher)(t), (*hijacker)(t), (*readFrom)(t), (*pusher)(t)
	switch abilities(t.w) {
	case flushes:
		return struct {
			*tracker
			*flusher
		}{t, f}
	case hijacks:
		return struct {
			*tracker
			*hijacker
		}{t, h}
	case flushes | hijacks:
		return struct {
			*tracker
			*flusher
			*hijacker
		}{t, f, h}
	case readsFrom:
		return struct {
			*tracker
			*readFrom
		}{t, r}
	case flushes | readsFrom:
		return struct {
			*tracker
			*flusher
			*readFrom
		}{t, f, r}
	case hijacks | readsFrom:
		return struct {
			*tracker
			*hijacker
			*readFrom
		}{t, h, r}
	case flushes | hijacks | readsFrom:
		return struct {
			*tracker
			*flusher
			*hijacker
			*readFrom
		}{t, f, h, r}
	case pushes:
		return struct {
			*tracker
			*pusher
		}{t, p}
	case flushes | pushes:
		return struct {
			*tracker
			*flusher
			*pusher
		}{t, f, p}
	case hijacks | pushes:
		return struct {
			*tracker
			*hijacker
			*pusher
		}{t, h, p}
	case flushes | hijacks | pushes:
		return struct {
			*tracker
			*flusher
			*hijacker
			*pusher
		}{t, f, h, p}
	case readsFrom | pushes:
		return struct {
			*tracker
			*readFrom
			*pusher
		}{t, r, p}
	case flushes | readsFrom | pushes:
		return struct {
			*tracker
			*flusher
			*readFrom
			*pusher
		}{t, f, r, p}
	case hijacks | readsFrom | pushes:
		return struct {
			*tracker
			*hijacker
			*readFrom
			*pusher
		}{t, h, r, p}
	case flushes | hijacks | readsFrom | pushes:
		return struct {
			*tracker
			*flusher
			*hijacker
			*readFrom
			*pusher
		}{t, f, h, r, p}
	}
	return t
}
