package wrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// Fallback returns a Writer that hands entries to the first of ws that takes them, in
// order, and fails where none does. What one did not take in time, the next has what is
// left of the context for: put [Timeout] around writers that may hang. Since a
// write that failed may have stored a part, entries may be in more than one place, with
// the same ids.
//
// That a write went past a writer, and that one is back, is logged once each. Health says
// so until a write does not, and for [FallbackNote] at most: where nobody writes, nobody
// finds out that it is back.
func Fallback(ws ...entaudit.Writer) entaudit.Writer {
	return &fallback{around: around{name: "fallback", ws: ws}}
}

// FallbackNote is how long Health tells of a write that went past a writer of a
// [Fallback].
const FallbackNote = time.Minute

type fallback struct {
	around

	mu      sync.Mutex
	skipped error     // why the last write went past a writer
	at      time.Time // when that was
}

func (f *fallback) Write(ctx context.Context, entries []entaudit.Entry) error {
	if err := f.open(); err != nil {
		return err
	}
	var errs []error
	for _, w := range f.ws {
		err := entaudit.CallWriter(ctx, w, entries)
		if err == nil {
			f.note(ctx, w, errors.Join(errs...))
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", entaudit.WriterName(w), err))
	}
	if len(errs) == 0 {
		return errors.New("fallback: there is no writer")
	}
	return errors.Join(errs...)
}

// note remembers why w was used, and logs what is new.
func (f *fallback) note(ctx context.Context, w entaudit.Writer, err error) {
	f.mu.Lock()
	before := f.skipped
	f.skipped, f.at = err, time.Now()
	f.mu.Unlock()
	switch {
	case err != nil && before == nil:
		slog.WarnContext(ctx, "wrap: entries go to a fallback", "writer", entaudit.WriterName(w), "error", err)
	case err == nil && before != nil:
		slog.InfoContext(ctx, "wrap: entries go to the first writer again", "writer", entaudit.WriterName(w))
	}
}

func (f *fallback) Health(ctx context.Context) error {
	f.mu.Lock()
	skipped, at := f.skipped, f.at
	f.mu.Unlock()
	var err error
	if skipped != nil && time.Since(at) < FallbackNote {
		err = fmt.Errorf("entries go to a fallback: %w", skipped)
	}
	return errors.Join(err, f.around.Health(ctx))
}
