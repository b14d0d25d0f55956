package wrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/entaudit/audit/entaudit"
)

// Defaults of [RetryOptions].
const (
	DefaultTries   = 5
	DefaultMinWait = 100 * time.Millisecond
	DefaultMaxWait = 10 * time.Second
)

// RetryOptions are the settings of a [Retry]. The zero value is usable.
type RetryOptions struct {
	// Tries is how often a write is tried at most. Zero means DefaultTries.
	Tries uint
	// MinWait is the wait before the second try. It grows by half with every further one up
	// to MaxWait, and is made longer or shorter at random by up to a half. Zero means
	// DefaultMinWait.
	MinWait time.Duration
	// MaxWait bounds the wait, also that which an error asks for. Zero means
	// DefaultMaxWait.
	MaxWait time.Duration
}

// Permanent is what errors implement that know whether trying again is of any use, such as
// those of package webhook.
type Permanent interface {
	error
	Permanent() bool
}

// Retry returns a Writer that tries a write again that w failed at, for as long as ctx
// allows, and not before [entaudit.RetryAfter], unless the error says that it is
// [Permanent]; of several that were joined, as those of [entaudit.Multi] and [Fallback]
// are, each. Its caller waits: in front of it belongs a queue, which has retries of its
// own, or a program that has time. The error is that of the last try.
func Retry(w entaudit.Writer, o RetryOptions) entaudit.Writer {
	o.Tries = cmp.Or(o.Tries, DefaultTries)
	o.MinWait = cmp.Or(max(o.MinWait, 0), DefaultMinWait)
	o.MaxWait = max(cmp.Or(max(o.MaxWait, 0), DefaultMaxWait), o.MinWait)
	return &retry{around: around{name: "retry", ws: []entaudit.Writer{w}}, opts: o}
}

type retry struct {
	around

	opts RetryOptions
}

func (r *retry) Write(ctx context.Context, entries []entaudit.Entry) error {
	if err := r.open(); err != nil {
		return err
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = r.opts.MinWait, r.opts.MaxWait
	var last error
	try := func() (struct{}, error) {
		last = entaudit.CallWriter(ctx, r.ws[0], entries)
		return struct{}{}, r.verdict(last)
	}
	_, err := backoff.Retry(ctx, try, backoff.WithBackOff(wait), backoff.WithMaxTries(r.opts.Tries), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(last, cause) {
		return fmt.Errorf("%w: %w", last, cause)
	}
	return last
}

// verdict returns what the library is to make of an error.
func (r *retry) verdict(err error) error {
	if err == nil {
		return nil
	}
	if permanent(err) {
		return backoff.Permanent(err)
	}
	if after := entaudit.RetryAfter(err); after > 0 {
		return &backoff.RetryAfterError{Duration: min(after, r.opts.MaxWait)}
	}
	return err
}

// permanent reports whether trying again is of no use. One part of a joined error may be
// that of a writer that would take the entries now.
func permanent(err error) bool {
	if p, ok := err.(Permanent); ok { //nolint:errorlint // each error of the tree is looked at
		return p.Permanent()
	}
	switch u := err.(type) { //nolint:errorlint // the same
	case interface{ Unwrap() error }:
		return permanent(u.Unwrap())
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(u.Unwrap(), func(part error) bool { return !permanent(part) })
	}
	return errors.Is(err, entaudit.ErrClosed)
}
