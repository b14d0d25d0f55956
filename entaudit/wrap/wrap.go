// Package wrap has writers around writers: [Filter], [Retry], [Fallback], [Breaker] and
// [Timeout]. Each changes one thing about how entries are written and passes on what it is
// asked besides: Close, Check and Health reach every writer inside, and a pipeline
// prints as retry<timeout<webhook>>.
//
// A queue retries by itself. Behind one, Timeout, Breaker and Fallback decide what a
// writer does that hangs or fails:
//
//	w := wrap.Fallback(wrap.Timeout(hook, 5*time.Second), file)
//	q, err := queue.New(w, queue.Config{})
package wrap

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/entaudit/audit/entaudit"
)

// around is what writers around writers have in common.
type around struct {
	name   string
	ws     []entaudit.Writer
	closed atomic.Bool
}

// open returns an error once the writer is closed.
func (a *around) open() error {
	if a.closed.Load() {
		return fmt.Errorf("%s is %w", a.name, entaudit.ErrClosed)
	}
	return nil
}

func (a *around) String() string {
	names := make([]string, len(a.ws))
	for i, w := range a.ws {
		names[i] = entaudit.WriterName(w)
	}
	return a.name + "<" + strings.Join(names, ",") + ">"
}

func (a *around) Close(ctx context.Context) error {
	a.closed.Store(true)
	return entaudit.CloseWriter(ctx, a.all())
}

func (a *around) Check(ctx context.Context) error {
	return entaudit.CheckWriter(ctx, a.all())
}

func (a *around) Health(ctx context.Context) error {
	return entaudit.ProbeWriter(ctx, a.all())
}

// all asks each writer at the same time: one that hangs takes no time from the others.
func (a *around) all() entaudit.Writer { return entaudit.Multi(a.ws...) }
