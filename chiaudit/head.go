package chiaudit

import (
	"io"
	"sync"
)

// head is the beginning of a body that passes by, as much of it as may be
// recorded. The body itself is neither held up nor altered. It is safe for
// concurrent use: a handler that a timeout has cut off may go on reading.
type head struct {
	mu      sync.Mutex
	limit   int // bytes that are kept, 0 while nothing is
	sample  sample
	stopped bool // whatever passes from now on is not the request's any more
}

// sample is what a head has seen.
type sample struct {
	data   []byte // the beginning
	size   int64  // of all that passed
	ended  bool   // the end was seen
	missed bool   // data is not the beginning: some had passed before it was kept
	kept   bool   // it was to be kept
}

// keep sets how many bytes are kept, 0 for none.
func (h *head) keep(limit int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return
	}
	h.limit = limit
	h.sample.kept = limit > 0
	switch {
	case limit == 0:
		h.sample.data = nil
	case h.sample.size > int64(len(h.sample.data)):
		h.sample.missed = true
	}
}

// pass notes that b passes, and the end behind it.
func (h *head) pass(b []byte, end bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return
	}
	s := &h.sample
	if room := h.limit - len(s.data); room > 0 && !s.missed {
		s.data = append(s.data, b[:min(room, len(b))]...)
	}
	s.size += int64(len(b))
	s.ended = s.ended || end
}

// skip notes that n bytes pass unseen.
func (h *head) skip(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		h.sample.size += n
		h.sample.missed = h.sample.missed || n > 0 && h.limit > len(h.sample.data)
	}
}

// room returns how many further bytes are kept.
func (h *head) room() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped || h.sample.missed {
		return 0
	}
	return max(h.limit-len(h.sample.data), 0)
}

// passed returns the number of bytes that have passed.
func (h *head) passed() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sample.size
}

// stop ends it and returns what it has seen.
func (h *head) stop() sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	return h.sample
}

// requestBody is a request's body as the handler reads it. It reads nothing by
// itself: what the handler leaves unread stays with the server.
type requestBody struct {
	io.ReadCloser
	head head
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.head.pass(p[:max(n, 0)], err == io.EOF)
	return n, err
}
