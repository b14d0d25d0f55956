package wrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/entaudit/audit/entaudit"
)

// Defaults of [BreakerOptions].
const (
	DefaultFailures = 5
	DefaultOpen     = 10 * time.Second
)

// BreakerOptions are the settings of a [Breaker]. The zero value is usable.
type BreakerOptions struct {
	// Failures is how many writes have to fail in a row until writes are refused. Zero means
	// DefaultFailures.
	Failures uint32
	// Open is how long they are refused before one is let through to see. Zero means
	// DefaultOpen.
	Open time.Duration
}

// ErrOpen is returned, wrapped, while a [Breaker] refuses writes.
var ErrOpen = errors.New("the writer has failed too often and is left alone")

// Breaker returns a Writer that leaves w alone once it has failed several times in a
// row: further writes fail at once with [ErrOpen], which saves their callers the wait
// and w the load, until a single one that is let through succeeds. A write that its own
// caller cancelled counts neither way. Health returns an error while writes are refused,
// and not once one would be let through: without traffic nobody would find out.
func Breaker(w entaudit.Writer, o BreakerOptions) entaudit.Writer {
	failures := cmp.Or(o.Failures, DefaultFailures)
	return &breaker{
		around: around{name: "breaker", ws: []entaudit.Writer{w}},
		cb: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Timeout:     cmp.Or(max(o.Open, 0), DefaultOpen),
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failures },
			IsExcluded:  func(err error) bool { return errors.As(err, new(cancelled)) },
		}),
	}
}

type breaker struct {
	around

	cb *gobreaker.CircuitBreaker[struct{}]
}

// cancelled is an error of a write whose caller gave up.
type cancelled struct{ error }

func (c cancelled) Unwrap() error { return c.error }

func (b *breaker) Write(ctx context.Context, entries []entaudit.Entry) error {
	if err := b.open(); err != nil {
		return err
	}
	_, err := b.cb.Execute(func() (struct{}, error) {
		err := entaudit.CallWriter(ctx, b.ws[0], entries)
		if err != nil && errors.Is(ctx.Err(), context.Canceled) {
			err = cancelled{err}
		}
		return struct{}{}, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return fmt.Errorf("breaker: %w", ErrOpen)
	}
	return err
}

func (b *breaker) Health(ctx context.Context) error {
	var err error
	if b.cb.State() == gobreaker.StateOpen {
		err = fmt.Errorf("breaker of %s: %w", entaudit.WriterName(b.ws[0]), ErrOpen)
	}
	return errors.Join(err, b.around.Health(ctx))
}
