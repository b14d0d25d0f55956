package entaudit

import (
	"context"
	"sync"
	"time"
)

// grace is a context for work that outlives its caller: it has the values of
// the caller's context but not its cancellation, and a time limit of its own.
// The limit runs from when somebody first asks for it or waits: a Writer that
// only takes entries over does neither, and is called for every request.
type grace struct {
	context.Context

	limit time.Duration

	mu     sync.Mutex
	over   bool
	timer  context.Context // nil until somebody asks
	cancel context.CancelFunc
}

func withGrace(ctx context.Context, limit time.Duration) *grace {
	return &grace{Context: ctx, limit: limit}
}

// start starts the timer, once.
func (g *grace) start() context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer == nil {
		g.timer, g.cancel = context.WithTimeout(context.WithoutCancel(g.Context), g.limit)
	}
	if g.over {
		g.cancel()
	}
	return g.timer
}

// end ends the context and releases its timer.
func (g *grace) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	if g.timer != nil {
		g.cancel()
	}
}

func (g *grace) Deadline() (time.Time, bool) { return g.start().Deadline() }

func (g *grace) Done() <-chan struct{} { return g.start().Done() }

func (g *grace) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.timer != nil:
		return g.timer.Err()
	case g.over:
		return context.Canceled
	}
	return nil
}

// Value asks the timer where there is one, so that contexts derived from g hang
// on it directly.
func (g *grace) Value(key any) any {
	g.mu.Lock()
	timer := g.timer
	g.mu.Unlock()
	if timer != nil {
		return timer.Value(key)
	}
	return g.Context.Value(key)
}
