package chiaudit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// failureLog logs that requests could not be recorded, at most once a second so
// that a broken store does not flood the log. It is safe for concurrent use.
type failureLog struct {
	mu         sync.Mutex
	last       time.Time
	suppressed int
}

func (l *failureLog) log(ctx context.Context, err error) {
	l.mu.Lock()
	now := time.Now()
	if !l.last.IsZero() && now.Sub(l.last) < time.Second {
		l.suppressed++
		l.mu.Unlock()
		return
	}
	n := l.suppressed
	l.last, l.suppressed = now, 0
	l.mu.Unlock()
	slog.ErrorContext(ctx, "chiaudit: request not recorded as it should be", "error", err, "suppressed", n)
}
