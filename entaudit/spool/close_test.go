package spool

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// hangSync has each sync hang until the returned function is called.
func hangSync(f *faulty) (free func()) {
	hung := make(chan struct{})
	f.will(func(op string) (int, error) {
		if strings.HasPrefix(op, "sync ") {
			<-hung
		}
		return 0, nil
	})
	return func() { close(hung) }
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	t.Run("for a disk that hangs", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "s")
		synctest.Test(t, func(t *testing.T) {
			s, f := begin(t, dir, Config{})
			free := hangSync(f)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			appended := make(chan error, 1)
			go func() { appended <- s.Append(context.Background(), numbered(0, 1)) }()
			synctest.Wait()
			began := time.Now()
			short, stop := context.WithTimeout(t.Context(), time.Second)
			defer stop()
			require.ErrorContains(t, s.Prepend(short, numbered(1, 2)), "unknown whether it is stored")
			require.Equal(t, time.Second, time.Since(began))
			require.ErrorIs(t, s.Close(ctx), context.DeadlineExceeded)
			require.Equal(t, 10*time.Second, time.Since(began))
			require.ErrorIs(t, s.Close(ctx), context.DeadlineExceeded)
			require.Equal(t, 10*time.Second+closeGrace, time.Since(began), "a little while, also when ctx has ended")
			free()
			require.NoError(t, <-appended)
			require.NoError(t, s.Close(ctx))
		})
		s, _ := begin(t, dir, Config{})
		require.Equal(t, []string{"1", "0"}, drain(t, s), "its folder is free once the disk has answered")
	})
	t.Run("for whoever looks at dead letters", func(t *testing.T) {
		t.Parallel()
		s, _ := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
		require.NoError(t, s.Append(t.Context(), numbered(0, 1)))
		d := &Dead{s}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range d.All() {
			require.NoError(t, err)
			require.ErrorIs(t, d.Close(ctx), context.Canceled) // after closeGrace: waiting for a lock stops no clock
		}
		require.NoError(t, d.Close(t.Context()))
	})
}
