package entaudit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Multi returns a Writer that hands every entry to each of ws, to all at the same time.
// One that fails, panics or hangs does not keep the entries from the others, though the
// caller waits for it; their errors are joined. Closing it closes, and checking it checks,
// each of ws.
func Multi(ws ...Writer) Writer { return &multi{ws: ws} }

type multi struct {
	ws     []Writer
	closed atomic.Bool
}

func (m *multi) Write(ctx context.Context, entries []Entry) error {
	if m.closed.Load() {
		return fmt.Errorf("multi is %w", ErrClosed)
	}
	return m.each(func(w Writer) error { return w.Write(ctx, entries) })
}

func (m *multi) Close(ctx context.Context) error {
	m.closed.Store(true)
	return m.each(func(w Writer) error { return CloseWriter(ctx, w) })
}

func (m *multi) Check(ctx context.Context) error {
	return m.each(func(w Writer) error { return CheckWriter(ctx, w) })
}

func (m *multi) Health(ctx context.Context) error {
	return m.each(func(w Writer) error { return ProbeWriter(ctx, w) })
}

// each calls f with each writer at the same time. One that panics or ends its goroutine
// has failed.
func (m *multi) each(f func(Writer) error) error {
	errs := make([]error, len(m.ws))
	var wg sync.WaitGroup
	for i, w := range m.ws {
		wg.Go(func() {
			returned := false
			defer func() {
				if p := recover(); !returned {
					errs[i] = fmt.Errorf("the writer panicked with %T", p) // the value may hold what was written
				}
			}()
			errs[i] = f(w)
			returned = true
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (m *multi) String() string {
	names := make([]string, len(m.ws))
	for i, w := range m.ws {
		names[i] = WriterName(w)
	}
	return "multi<" + strings.Join(names, ",") + ">"
}
