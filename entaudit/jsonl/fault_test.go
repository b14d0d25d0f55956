package jsonl_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/jsonl"
)

func TestFullDiskLeavesWholeLinesF02(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	w := open(t, path, jsonl.Config{})
	entries := audittest.Sample(t, 3)
	require.NoError(t, w.Write(t.Context(), entries[:1]))
	d := jsonl.Break(w)
	d.Room = 1500 // one entry and a part of the next
	d.WriteErr = syscall.ENOSPC
	require.ErrorIs(t, w.Write(t.Context(), entries[1:]), syscall.ENOSPC)
	require.ErrorIs(t, w.Health(t.Context()), syscall.ENOSPC)
	require.NoError(t, w.Write(t.Context(), entries[1:]))
	require.NoError(t, w.Health(t.Context()))
	got := ids(read(t, path)...)
	require.Equal(t, ids(entries[1:]...), got[len(got)-2:])
	require.Equal(t, ids(entries[:2]...), got[:2], "the whole line stays")
	require.Len(t, got, 4)
}

// TestFileIsNotTrustedAfterFailedSyncF02 has a disk that lost what it had taken: Linux
// reports that once and then says that all is well.
func TestFileIsNotTrustedAfterFailedSyncF02(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	w := open(t, path, jsonl.Config{})
	entries := audittest.Sample(t, 2)
	require.NoError(t, w.Write(t.Context(), entries[:1]))
	d := jsonl.Break(w)
	d.SyncErr = syscall.EIO
	require.ErrorIs(t, w.Write(t.Context(), entries[1:]), syscall.EIO, "it is not there for certain")
	require.NoError(t, w.Write(t.Context(), entries[1:]))
	require.Equal(t, 1, d.Syncs, "the file is asked again")
	files, err := jsonl.Files(path)
	require.NoError(t, err)
	require.Len(t, files, 2, "it is written to a new file")
	require.Equal(t, ids(entries[1]), ids(read(t, path)[2:]...))
}

func TestIntervalSyncsWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "audit.jsonl")
		w, err := jsonl.Open(path, jsonl.Config{Sync: jsonl.SyncInterval, Interval: time.Second})
		require.NoError(t, err)
		d := jsonl.Break(w)
		for range 3 {
			require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
		}
		require.Zero(t, d.Synced())
		<-time.After(1100 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 1, d.Synced())
		<-time.After(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, d.Synced(), "nothing has been written meanwhile")

		broken := errors.New("input/output error")
		d.FailSync(broken)
		require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
		<-time.After(1100 * time.Millisecond)
		synctest.Wait()
		require.ErrorIs(t, w.Health(t.Context()), broken, "nobody waits for it: a probe has to see it")
		require.NoError(t, w.Close(t.Context()))
	})
}

func TestDurabilityIsAChoice(t *testing.T) {
	t.Parallel()
	for sync, want := range map[jsonl.Sync]int{jsonl.SyncEach: 3, jsonl.SyncInterval: 1, jsonl.SyncNever: 0} {
		w, err := jsonl.Open(filepath.Join(t.TempDir(), "audit.jsonl"), jsonl.Config{Sync: sync, Interval: time.Hour})
		require.NoError(t, err)
		d := jsonl.Break(w)
		for range 3 {
			require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
		}
		require.NoError(t, w.Close(t.Context()))
		require.Equal(t, want, d.Syncs)
	}
}

func TestClockThatGoesBackF18(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	w := open(t, path, jsonl.Config{MaxSize: 1})
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	// The time in the name of a file that is later than the clock is not used again.
	later := path + "." + time.Now().UTC().Add(time.Hour).Format("20060102T150405.000000Z")
	require.NoError(t, os.WriteFile(later, nil, 0o600))
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	files, err := jsonl.Files(path)
	require.NoError(t, err)
	require.Len(t, files, 3)
	require.Greater(t, files[1], later, "order is that of writing, whatever the clock says")
}
