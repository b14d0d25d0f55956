package txdriver

import (
	"context"
	"sync"
	"time"
)

// lifetime is the context of one transaction. It ends with its parent until it is
// detached; from then on it outlives the parent's end by the grace. A nil lifetime
// does nothing.
type lifetime struct {
	ctx    context.Context
	parent context.Context
	grace  time.Duration
	cancel context.CancelCauseFunc
	stop   func() bool

	mu       sync.Mutex
	detached bool
	over     bool
	timer    *time.Timer
}

func newLifetime(parent context.Context, grace time.Duration) *lifetime {
	if parent.Done() == nil {
		return &lifetime{ctx: parent}
	}
	l := &lifetime{parent: parent, grace: grace}
	l.ctx, l.cancel = context.WithCancelCause(context.WithoutCancel(parent))
	l.stop = context.AfterFunc(parent, l.parentEnded)
	return l
}

// parentEnded runs in a goroutine of its own.
func (l *lifetime) parentEnded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over:
	case l.detached:
		l.timer = time.AfterFunc(l.grace, func() { l.cancel(context.DeadlineExceeded) })
	default:
		l.cancel(context.Cause(l.parent))
	}
}

// detach makes the lifetime independent of its parent's end, or returns why the
// parent has ended already.
func (l *lifetime) detach() error {
	if l == nil || l.cancel == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parent.Err() != nil {
		return context.Cause(l.parent)
	}
	l.detached = true
	return nil
}

// end releases what the lifetime holds.
func (l *lifetime) end() {
	if l == nil || l.cancel == nil {
		return
	}
	l.stop()
	l.mu.Lock()
	l.over = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	l.cancel(nil)
}
