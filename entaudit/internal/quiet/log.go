// Package quiet keeps messages that come again and again from filling the log.
package quiet

import (
	"log/slog"
	"sync"
	"time"
)

// For is how long a message is not repeated.
const For = time.Minute

// Log logs each message at most once in a while, and how often it was not logged. The zero
// value is ready; it is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	last map[string]time.Time
	held map[string]int
}

// Warn logs msg, unless it has been logged just now.
func (l *Log) Warn(msg string, args ...any) { l.log(slog.Warn, msg, args) }

// Error logs msg, unless it has been logged just now.
func (l *Log) Error(msg string, args ...any) { l.log(slog.Error, msg, args) }

func (l *Log) log(write func(msg string, args ...any), msg string, args []any) {
	l.mu.Lock()
	now := time.Now()
	if last, ok := l.last[msg]; ok && now.Sub(last) < For {
		l.held[msg]++
		l.mu.Unlock()
		return
	}
	if l.last == nil {
		l.last, l.held = make(map[string]time.Time), make(map[string]int)
	}
	if n := l.held[msg]; n > 0 {
		args = append(args, "not_logged", n)
	}
	l.last[msg], l.held[msg] = now, 0
	l.mu.Unlock()
	write(msg, args...)
}
