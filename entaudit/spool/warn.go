package spool

import (
	"log/slog"
	"sync"
	"time"
)

// quiet is how long a warning is not repeated.
const quiet = time.Minute

// warner keeps warnings from filling the log.
type warner struct {
	mu   sync.Mutex
	last map[string]time.Time
	held map[string]int
}

// warn logs msg, unless it has been logged just now.
func (w *warner) warn(msg string, err error) {
	w.mu.Lock()
	now := time.Now()
	if last, ok := w.last[msg]; ok && now.Sub(last) < quiet {
		w.held[msg]++
		w.mu.Unlock()
		return
	}
	if w.last == nil {
		w.last, w.held = make(map[string]time.Time), make(map[string]int)
	}
	args := []any{"error", err}
	if n := w.held[msg]; n > 0 {
		args = append(args, "not_logged", n)
	}
	w.last[msg], w.held[msg] = now, 0
	w.mu.Unlock()
	slog.Warn(msg, args...)
}
