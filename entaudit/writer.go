package entaudit

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Writer is a destination of entries.
//
// Write stores all entries or returns an error; after an error any part of them
// may have been stored, so that a caller who tries again relies on their ids.
// Entries and what they hold are shared and must not be modified or kept
// mutable. Write is called from many goroutines at once. It honours the
// cancellation of ctx; callers whose work must not be lost to a request's end
// pass a context of their own.
type Writer interface {
	Write(ctx context.Context, entries []Entry) error
}

// Closer is what a [Writer] implements that holds goroutines, files or
// connections of its own. Close drains what was accepted and returns what could
// not be done by the end of ctx. It is idempotent and safe for concurrent use: later
// calls wait for the same end and return the same error.
type Closer interface {
	Close(ctx context.Context) error
}

// WriterFunc is a function as a [Writer].
type WriterFunc func(ctx context.Context, entries []Entry) error

// Write calls f.
func (f WriterFunc) Write(ctx context.Context, entries []Entry) error { return f(ctx, entries) }

// Multi returns a Writer that hands every entry to each of ws, in order. One
// that fails or panics does not keep the entries from the others; their errors are
// joined.
func Multi(ws ...Writer) Writer { return multi(ws) }

type multi []Writer

func (m multi) Write(ctx context.Context, entries []Entry) error {
	var errs []error
	for _, w := range m {
		if err := write(ctx, w, entries); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (m multi) Close(ctx context.Context) error {
	var errs []error
	for _, w := range m {
		errs = append(errs, closeWriter(ctx, w))
	}
	return errors.Join(errs...)
}

func (m multi) String() string {
	names := make([]string, len(m))
	for i, w := range m {
		names[i] = WriterName(w)
	}
	return "multi<" + strings.Join(names, ",") + ">"
}

// WriterName returns how w prints in a pipeline such as "queue<store>".
func WriterName(w Writer) string {
	if s, ok := w.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", w)
}

// write calls w, which may panic. The value of the panic may hold what was written:
// nothing but its type is told.
func write(ctx context.Context, w Writer, entries []Entry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the writer panicked with %T", p)
		}
	}()
	return w.Write(ctx, entries)
}

func closeWriter(ctx context.Context, w Writer) error {
	if c, ok := w.(Closer); ok {
		return c.Close(ctx)
	}
	return nil
}
