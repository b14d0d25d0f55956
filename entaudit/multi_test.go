package entaudit_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestMulti(t *testing.T) {
	t.Parallel()
	a, b := &memory{}, &memory{}
	broken := entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return errors.New("one") })
	worse := entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return errors.New("two") })
	w := entaudit.Multi(a, broken, b, worse)

	err := w.Write(t.Context(), []entaudit.Entry{{Action: "look"}})
	require.ErrorContains(t, err, "one")
	require.ErrorContains(t, err, "two")
	require.Equal(t, "look", a.one(t).Action)
	require.Equal(t, "look", b.one(t).Action)
	require.Equal(t, "multi<memory,entaudit.WriterFunc,memory,entaudit.WriterFunc>", fmt.Sprint(w))

	rec, err := entaudit.New(entaudit.Config{Writer: entaudit.Multi(a, b)})
	require.NoError(t, err)
	require.Equal(t, "recorder<multi<memory,memory>>", rec.String())
	require.NoError(t, rec.Close(t.Context()))
	require.Equal(t, []int{1, 1}, []int{a.closed, b.closed})

	require.ErrorIs(t, rec.Config().Writer.Write(t.Context(), []entaudit.Entry{{}}), entaudit.ErrClosed)
	require.Len(t, a.all(), 1)

	require.NoError(t, entaudit.Multi().Write(t.Context(), nil))
}

// TestF05MultiGoesOn has a writer hang for as long as it is let, before and behind
// another, and one that ends its goroutine.
func TestF05MultiGoesOn(t *testing.T) {
	t.Parallel()
	hangs := &memory{write: func(ctx context.Context, _ []entaudit.Entry) error { <-ctx.Done(); return ctx.Err() }}
	gone := &memory{write: func(context.Context, []entaudit.Entry) error { runtime.Goexit(); return nil }}
	there := &memory{write: func(ctx context.Context, _ []entaudit.Entry) error { return ctx.Err() }}
	for _, w := range []entaudit.Writer{entaudit.Multi(hangs, there), entaudit.Multi(there, hangs), entaudit.Multi(gone, there)} {
		synctest.Test(t, func(t *testing.T) {
			before := len(there.all())
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			failed := make(chan error)
			go func() { failed <- w.Write(ctx, []entaudit.Entry{{Action: "look"}}) }()
			synctest.Wait()
			require.Len(t, there.all(), before+1, "while the other one hangs")
			require.Error(t, <-failed)
		})
	}
}
