package entaudit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
)

// Multi returns a Writer that hands every entry to each of ws, in order. One
// that fails or panics does not keep the entries from the others; their errors are
// joined. Closing it closes, and checking it checks, each of ws.
func Multi(ws ...Writer) Writer { return &multi{ws: ws} }

type multi struct {
	ws     []Writer
	closed atomic.Bool
}

func (m *multi) Write(ctx context.Context, entries []Entry) error {
	if m.closed.Load() {
		return fmt.Errorf("multi is %w", ErrClosed)
	}
	return m.each(func(w Writer) error { return write(ctx, w, entries) })
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

func (m *multi) each(f func(Writer) error) error {
	var errs []error
	for _, w := range m.ws {
		errs = append(errs, f(w))
	}
	return errors.Join(errs...)
}

func (m *multi) String() string {
	names := make([]string, len(m.ws))
	for i, w := range m.ws {
		names[i] = WriterName(w)
	}
	return "multi<" + strings.Join(names, ",") + ">"
}
