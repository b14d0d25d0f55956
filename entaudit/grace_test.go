package entaudit

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGrace(t *testing.T) {
	t.Parallel()
	type key struct{}
	setup := func(t *testing.T) (*grace, context.CancelFunc) {
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
		return withGrace(ctx, time.Minute), cancel
	}
	t.Run("outlives its caller", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g, cancel := setup(t)
			defer g.end()
			cancel()
			require.NoError(t, g.Err())
			require.Equal(t, "v", g.Value(key{}))
			deadline, ok := g.Deadline()
			require.True(t, ok)
			require.Equal(t, time.Now().Add(time.Minute), deadline)
			began := time.Now()
			<-g.Done()
			require.Equal(t, time.Minute, time.Since(began))
			require.ErrorIs(t, g.Err(), context.DeadlineExceeded)
			require.Equal(t, "v", g.Value(key{}))
		})
	})
	t.Run("derived contexts end with it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g, cancel := setup(t)
			defer cancel()
			child, stop := context.WithCancel(g)
			defer stop()
			g.end()
			<-child.Done()
			require.ErrorIs(t, child.Err(), context.Canceled)
		})
	})
	t.Run("over before anybody waits", func(t *testing.T) {
		t.Parallel()
		g, cancel := setup(t)
		defer cancel()
		g.end()
		require.ErrorIs(t, g.Err(), context.Canceled)
		<-g.Done()
		require.ErrorIs(t, g.Err(), context.Canceled)
		g.end()
	})
}
