package wrap_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/wrap"
)

var errDisk = errors.New("disk full")

// flaky is a writer whose funcs, where set, answer before its memory.
type flaky struct {
	audittest.Memory

	write         func(ctx context.Context, try int) error
	check, health error
	tries, closed atomic.Int32
}

func (f *flaky) Write(ctx context.Context, entries []entaudit.Entry) error {
	try := f.tries.Add(1)
	if f.write != nil {
		if err := f.write(ctx, int(try)); err != nil {
			return err
		}
	}
	return f.Memory.Write(ctx, entries)
}

func (f *flaky) Close(context.Context) error  { f.closed.Add(1); return nil }
func (f *flaky) Check(context.Context) error  { return f.check }
func (f *flaky) Health(context.Context) error { return f.health }

// wrappers are all writers of this package, around w.
func wrappers(w entaudit.Writer) map[string]entaudit.Writer {
	return map[string]entaudit.Writer{
		"filter":   wrap.Filter(w, func(*entaudit.Entry) bool { return true }),
		"retry":    wrap.Retry(w, wrap.RetryOptions{MinWait: time.Microsecond}),
		"fallback": wrap.Fallback(w),
		"breaker":  wrap.Breaker(w, wrap.BreakerOptions{}),
		"timeout":  wrap.Timeout(w, time.Hour),
	}
}

func TestKeepTheContractOfAWriter(t *testing.T) {
	t.Parallel()
	for name := range wrappers(nil) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audittest.Writer(t, func(*testing.T) entaudit.Writer { return wrappers(&audittest.Memory{})[name] })
			audittest.Delivers(t, func(*testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
				m := &audittest.Memory{}
				return wrappers(m)[name], func(testing.TB) []entaudit.Entry { return m.Entries() }
			})
			audittest.Hangs(t, func(*testing.T) entaudit.Writer { return wrappers(audittest.Hung())[name] })
		})
	}
	t.Run("retry of a writer that fails every other time", func(t *testing.T) {
		t.Parallel()
		audittest.Delivers(t, func(*testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
			f := &flaky{write: func(_ context.Context, try int) error {
				if try%2 == 1 {
					return errDisk
				}
				return nil
			}}
			w := wrap.Retry(f, wrap.RetryOptions{Tries: 1000, MinWait: time.Microsecond, MaxWait: time.Microsecond})
			return w, func(testing.TB) []entaudit.Entry { return f.Entries() }
		})
	})
}

func TestPassOnWhatTheyAreAsked(t *testing.T) {
	t.Parallel()
	for name := range wrappers(nil) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &flaky{check: errors.New("no table"), health: errors.New("behind")}
			w := wrappers(f)[name]
			require.Equal(t, name+"<memory>", entaudit.WriterName(w))
			require.ErrorIs(t, entaudit.CheckWriter(t.Context(), w), f.check)
			require.ErrorIs(t, entaudit.ProbeWriter(t.Context(), w), f.health)
			require.NoError(t, entaudit.CloseWriter(t.Context(), w))
			require.EqualValues(t, 1, f.closed.Load())
			require.ErrorIs(t, w.Write(t.Context(), audittest.Sample(t, 1)), entaudit.ErrClosed)
			require.Zero(t, f.tries.Load())
		})
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	f := &flaky{}
	w := wrap.Filter(f, func(e *entaudit.Entry) bool { return e.Resource.ID == "1" })
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 3)))
	require.Equal(t, "1", f.One(t).Resource.ID)
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	require.EqualValues(t, 1, f.tries.Load(), "nothing is left to write")
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{write: func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }}
		begun := time.Now()
		err := wrap.Timeout(f, 5*time.Second).Write(t.Context(), audittest.Sample(t, 1))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "timeout of 5s")
		require.Equal(t, 5*time.Second, time.Since(begun))
	})
}

// refused is an error that knows what to do about it.
type refused struct {
	permanent bool
	after     time.Duration
}

func (r refused) Error() string             { return "refused" }
func (r refused) Permanent() bool           { return r.permanent }
func (r refused) RetryAfter() time.Duration { return r.after }

func TestRetry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		errs     []error
		tries    int
		min, max time.Duration
		err      error
	}{
		{"at once", nil, 1, 0, 0, nil},
		{"third time", []error{errDisk, errDisk}, 3, 1250 * time.Millisecond, 3750 * time.Millisecond, nil},
		{"never", []error{errDisk, errDisk, errDisk, errDisk}, 4, time.Second, 20 * time.Second, errDisk},
		{"no use", []error{fmt.Errorf("x: %w", refused{permanent: true})}, 1, 0, 0, refused{permanent: true}},
		{"closed", []error{entaudit.ErrClosed}, 1, 0, 0, entaudit.ErrClosed},
		{"no use for one of two", []error{errors.Join(refused{permanent: true}, errDisk)}, 2, 500 * time.Millisecond, 1500 * time.Millisecond, nil},
		{"no use for either", []error{errors.Join(refused{permanent: true}, fmt.Errorf("x: %w", entaudit.ErrClosed))}, 1, 0, 0, entaudit.ErrClosed},
		{"two told when", []error{errors.Join(refused{after: 2 * time.Second}, refused{after: 4 * time.Second})}, 2, 4 * time.Second, 4 * time.Second, nil},
		{"told when", []error{refused{after: 3 * time.Second}}, 2, 3 * time.Second, 3 * time.Second, nil},
		{"told to wait for too long", []error{refused{after: time.Hour}}, 2, 5 * time.Second, 5 * time.Second, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &flaky{write: func(_ context.Context, try int) error {
					if try <= len(tt.errs) {
						return tt.errs[try-1]
					}
					return nil
				}}
				begun := time.Now()
				w := wrap.Retry(f, wrap.RetryOptions{Tries: 4, MinWait: time.Second, MaxWait: 5 * time.Second})
				err := w.Write(t.Context(), audittest.Sample(t, 1))
				require.ErrorIs(t, err, tt.err)
				require.EqualValues(t, tt.tries, f.tries.Load())
				require.GreaterOrEqual(t, time.Since(begun), tt.min)
				require.LessOrEqual(t, time.Since(begun), tt.max)
			})
		})
	}
}

// TestRetryGoesOnForTheOther has a writer that will never take the entries beside one that
// takes them the second time.
func TestRetryGoesOnForTheOther(t *testing.T) {
	t.Parallel()
	for name, join := range map[string]func(...entaudit.Writer) entaudit.Writer{"multi": entaudit.Multi, "fallback": wrap.Fallback} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hook := &flaky{write: func(context.Context, int) error { return refused{permanent: true} }}
			file := &flaky{write: func(_ context.Context, try int) error {
				if try == 1 {
					return errDisk
				}
				return nil
			}}
			w := wrap.Retry(join(hook, file), wrap.RetryOptions{Tries: 3, MinWait: time.Microsecond, MaxWait: time.Microsecond})
			_ = w.Write(t.Context(), audittest.Sample(t, 1)) // the hook's refusal, with Multi
			require.Equal(t, 1, file.Len())
		})
	}
}

func TestRetryEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{write: func(context.Context, int) error { return errDisk }}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begun := time.Now()
		err := wrap.Retry(f, wrap.RetryOptions{Tries: 100, MinWait: time.Minute, MaxWait: time.Minute}).Write(ctx, audittest.Sample(t, 1))
		require.ErrorIs(t, err, errDisk)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(begun))
	})
}

func TestFallback(t *testing.T) {
	t.Parallel()
	down := true
	first := &flaky{write: func(_ context.Context, try int) error {
		switch {
		case try == 2:
			panic("canary")
		case down:
			return errDisk
		}
		return nil
	}}
	second := &flaky{}
	w := wrap.Fallback(first, second)
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	require.Equal(t, []int{0, 2}, []int{first.Len(), second.Len()})
	err := entaudit.ProbeWriter(t.Context(), w)
	require.ErrorContains(t, err, "entries go to a fallback: memory: the writer panicked with string")
	require.NotContains(t, err.Error(), "canary")

	down = false
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	require.Equal(t, []int{1, 2}, []int{first.Len(), second.Len()})
	require.NoError(t, entaudit.ProbeWriter(t.Context(), w))

	broken := &flaky{write: func(context.Context, int) error { return errDisk }}
	err = wrap.Fallback(broken, broken).Write(t.Context(), audittest.Sample(t, 1))
	require.EqualError(t, err, "memory: disk full\nmemory: disk full")
	require.Error(t, wrap.Fallback().Write(t.Context(), audittest.Sample(t, 1)), "nobody has taken it")
	require.Equal(t, "fallback<memory,memory>", fmt.Sprint(w))
}

// TestCloseDoesNotWaitForOneAfterTheOther has a writer that takes all the time there is
// for closing.
func TestCloseDoesNotWaitForOneAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spare := &stubborn{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, entaudit.CloseWriter(ctx, wrap.Fallback(&stubborn{hangs: true}, spare)), context.DeadlineExceeded)
		require.NoError(t, spare.err)
	})
}

// stubborn notes whether there was time left when it was closed.
type stubborn struct {
	audittest.Memory

	hangs bool
	err   error
}

func (s *stubborn) Close(ctx context.Context) error {
	s.err = ctx.Err()
	if s.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// TestFallbackForgets has nobody write any more, as where a probe that fails takes the
// traffic away.
func TestFallbackForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := wrap.Fallback(&flaky{write: func(context.Context, int) error { return errDisk }}, &flaky{})
		require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
		<-time.After(wrap.FallbackNote - time.Second)
		require.ErrorIs(t, entaudit.ProbeWriter(t.Context(), w), errDisk)
		<-time.After(2 * time.Second)
		require.NoError(t, entaudit.ProbeWriter(t.Context(), w))
		require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
		require.ErrorIs(t, entaudit.ProbeWriter(t.Context(), w), errDisk)
	})
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		f := &flaky{write: func(ctx context.Context, _ int) error {
			if down {
				return errDisk
			}
			return ctx.Err()
		}}
		w := wrap.Breaker(f, wrap.BreakerOptions{Failures: 3, Open: time.Minute})
		write := func(ctx context.Context) error { return w.Write(ctx, audittest.Sample(t, 1)) }
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 5 {
			require.ErrorIs(t, write(gone), errDisk) // the caller's own doing
		}
		for range 3 {
			require.NoError(t, entaudit.ProbeWriter(t.Context(), w))
			require.ErrorIs(t, write(t.Context()), errDisk)
		}
		before := f.tries.Load()
		require.ErrorIs(t, write(t.Context()), wrap.ErrOpen)
		require.ErrorIs(t, entaudit.ProbeWriter(t.Context(), w), wrap.ErrOpen)
		require.Equal(t, before, f.tries.Load(), "it is left alone")

		<-time.After(time.Minute + time.Second)
		require.NoError(t, entaudit.ProbeWriter(t.Context(), w), "a write would be let through")
		require.ErrorIs(t, write(t.Context()), errDisk, "one is let through")
		require.ErrorIs(t, write(t.Context()), wrap.ErrOpen)

		down = false
		<-time.After(time.Minute + time.Second)
		require.NoError(t, write(t.Context()))
		require.NoError(t, write(t.Context()))
		require.NoError(t, entaudit.ProbeWriter(t.Context(), w))
	})
}
