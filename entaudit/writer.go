package entaudit

import (
	"context"
	"fmt"
)

// Writer is a destination of entries.
//
// Write stores all entries or returns an error; after an error any part of them
// may have been stored, so that a caller who tries again relies on their ids: the
// same entries can be written any number of times. No entries are no error, and a
// writer divides what is too much for one step by itself. Entries reach their
// destination with all their fields, in the order in which they were written.
//
// Entries and what they hold are shared with other writers and must not be
// modified. The slice itself is the caller's, who may reuse it once Write has
// returned; what its elements refer to does not change any more and can be kept.
//
// Write is called from many goroutines at once. It returns when ctx is done, with an
// error where it cannot tell that all is stored; callers whose work must not be lost to
// a request's end pass a context of their own.
//
// A Writer is a [fmt.Stringer] that prints as a short noun, or as "noun<inner>" around
// another. What it can do beyond writing it says by implementing [Closer],
// [Checker] and [Prober]; whatever wraps a Writer passes them on. The suite
// audittest.Writer checks all of it.
type Writer interface {
	Write(ctx context.Context, entries []Entry) error
}

// Closer is what a [Writer] implements that holds goroutines, files or
// connections of its own. Close drains what was accepted and returns what could
// not be done by the end of ctx. It is idempotent and safe for concurrent use: later
// calls wait for the same end and return the same error. A closed Writer refuses
// entries with an error.
type Closer interface {
	Close(ctx context.Context) error
}

// Checker is what a [Writer] implements that can tell before its first entry whether
// it will work: whether the destination is there, takes entries and has the
// form that this version writes. Check leaves nothing behind, may take as long as
// ctx allows and is meant for the start of a program.
type Checker interface {
	Check(ctx context.Context) error
}

// Prober is what a [Writer] implements that knows how it is doing. Health returns an
// error while entries wait or get lost. It does no I/O of its own: readiness
// probes ask often.
type Prober interface {
	Health(ctx context.Context) error
}

// WriterFunc is a function as a [Writer].
type WriterFunc func(ctx context.Context, entries []Entry) error

// Write calls f.
func (f WriterFunc) Write(ctx context.Context, entries []Entry) error { return f(ctx, entries) }

// WriterName returns how w prints in a pipeline such as "queue<store>".
func WriterName(w Writer) string {
	if s, ok := w.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", w)
}

// CallWriter has w write entries, and returns an error where it panics. The value of the
// panic may hold what was written: nothing but its type is told.
func CallWriter(ctx context.Context, w Writer, entries []Entry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the writer panicked with %T", p)
		}
	}()
	return w.Write(ctx, entries)
}

// CloseWriter closes w where it is a [Closer]. Writers around another use it, and
// [CallWriter], [CheckWriter] and [ProbeWriter], to pass on what they are asked.
func CloseWriter(ctx context.Context, w Writer) error {
	if c, ok := w.(Closer); ok {
		return c.Close(ctx)
	}
	return nil
}

// CheckWriter checks w where it is a [Checker].
func CheckWriter(ctx context.Context, w Writer) error {
	if c, ok := w.(Checker); ok {
		return c.Check(ctx)
	}
	return nil
}

// ProbeWriter asks w for its health where it is a [Prober].
func ProbeWriter(ctx context.Context, w Writer) error {
	if p, ok := w.(Prober); ok {
		return p.Health(ctx)
	}
	return nil
}
