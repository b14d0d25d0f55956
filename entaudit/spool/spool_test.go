package spool

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
)

// firstRecord is where the first record of a file begins.
const firstRecord = int64(headerSize + batchSize)

// begin opens a spool in dir whose file system can be made to fail.
func begin(t *testing.T, dir string, cfg Config) (*Spool, *faulty) {
	t.Helper()
	return beginAhead(t, dir, cfg, 0)
}

// beginAhead is begin for a spool that sets room aside.
func beginAhead(t *testing.T, dir string, cfg Config, ahead int64) (*Spool, *faulty) {
	t.Helper()
	cfg.Dir = dir
	cfg, err := cfg.withDefaults()
	require.NoError(t, err)
	d, err := openDisk(dir)
	require.NoError(t, err)
	f := &faulty{files: d}
	s, err := open(cfg, f, ahead)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close(context.Background()) }) // for those that the test does not close
	return s, f
}

// crash ends s as a kill does: locks are free and nothing else happens.
func crash(t *testing.T, s *Spool) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.owners {
		require.NoError(t, o.lock.Close())
		o.lock = nopCloser{}
	}
	s.owners = nil
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }

// numbered returns entries that all take as many bytes, up to ten of them.
func numbered(from, to int) []entaudit.Entry {
	var entries []entaudit.Entry
	for i := from; i < to; i++ {
		entries = append(entries, entaudit.Entry{
			ID: uuid.Must(uuid.NewV7()), SchemaVersion: 1, Service: "billing", Kind: entaudit.KindManual, Action: strconv.Itoa(i),
			Outcome: entaudit.Success, OccurredAt: time.Now().UTC().Truncate(time.Second).Add(123456 * time.Microsecond), Marks: map[string]entaudit.Mark{"path": entaudit.MarkCut},
		})
	}
	return entries
}

// drain reads and acknowledges all.
func drain(t *testing.T, s *Spool) (actions []string) {
	t.Helper()
	for {
		entries, err := s.Read(t.Context(), max(7, s.Len()/100))
		require.NoError(t, err)
		if len(entries) == 0 {
			return actions
		}
		for _, e := range entries {
			actions = append(actions, e.Action)
		}
		require.NoError(t, s.Ack(len(entries)))
	}
}

func names(from, to int) (s []string) {
	for i := from; i < to; i++ {
		s = append(s, strconv.Itoa(i))
	}
	return s
}

// paths returns the files below dir but locks.
func paths(t *testing.T, dir string) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != lockName {
			all = append(all, p)
		}
		return err
	}))
	return all
}

func TestSpool(t *testing.T) {
	t.Parallel()
	t.Run("keeps everything in order, over several files", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "a", "b")
		s, _ := begin(t, dir, Config{SegmentBytes: 2000})
		entries := numbered(0, 100)
		for _, e := range entries {
			require.NoError(t, s.Append(t.Context(), []entaudit.Entry{e}))
		}
		require.Equal(t, 100, s.Len())
		require.Greater(t, len(paths(t, dir)), 5)
		got, err := s.Read(t.Context(), 3)
		require.NoError(t, err)
		require.Equal(t, entries[:3], got, "to the last field")
		again, err := s.Read(t.Context(), 3)
		require.NoError(t, err)
		require.Equal(t, got, again, "until they are acknowledged")
		require.Error(t, s.Ack(4))
		require.NoError(t, s.Ack(1))
		require.Equal(t, names(1, 100), drain(t, s))
		require.Zero(t, s.Len())
		require.Len(t, paths(t, dir), 1, "the one that is appended to")
		require.NoError(t, s.Close(t.Context()))
		require.NoError(t, s.Close(t.Context()))
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
		require.ErrorIs(t, s.Append(t.Context(), entries), queue.ErrClosed)
	})
	t.Run("is readable by its user alone", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "spool")
		s, _ := begin(t, dir, Config{})
		require.NoError(t, s.Append(t.Context(), numbered(0, 1)))
		require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			require.NoError(t, err)
			info, err := d.Info()
			require.NoError(t, err)
			require.Zero(t, info.Mode().Perm()&0o077, p)
			return nil
		}))
	})
	t.Run("makes folders that outlive a power failure", func(t *testing.T) {
		t.Parallel()
		top := t.TempDir()
		var synced []string
		sync := func(dir string) error { synced = append(synced, dir); return syncDir(dir) }
		dir := filepath.Join(top, "a", "b", "c")
		require.NoError(t, makeDir(dir, sync))
		require.Equal(t, []string{top, filepath.Join(top, "a"), filepath.Join(top, "a", "b")}, synced)
		require.NoError(t, makeDir(dir, sync))
		require.Len(t, synced, 3, "it is there already")
		require.ErrorIs(t, makeDir(filepath.Join(dir, "d"), func(string) error { return syscall.EIO }), syscall.EIO)
	})
	t.Run("refuses a folder that is a link or open to others", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		open := filepath.Join(dir, "open")
		require.NoError(t, os.Mkdir(open, 0o700))
		require.NoError(t, os.Chmod(open, 0o777))
		_, err := Open(Config{Dir: open})
		require.ErrorContains(t, err, "others can write to it")
		require.NoError(t, os.Chmod(open, 0o700))
		link := filepath.Join(dir, "link")
		require.NoError(t, os.Symlink(open, link))
		_, err = Open(Config{Dir: link})
		require.ErrorContains(t, err, "is not a folder")
	})
	t.Run("does not follow links inside", func(t *testing.T) {
		t.Parallel()
		dir, elsewhere := filepath.Join(t.TempDir(), "spool"), t.TempDir()
		s, _ := begin(t, elsewhere, Config{})
		require.NoError(t, s.Append(t.Context(), numbered(0, 3)))
		crash(t, s)
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Symlink(filepath.Dir(paths(t, elsewhere)[0]), filepath.Join(dir, ownerPrefix+"x")))
		s, _ = begin(t, dir, Config{})
		require.Zero(t, s.Len())
		require.NotEmpty(t, paths(t, elsewhere))
	})
	t.Run("is bounded", func(t *testing.T) {
		t.Parallel()
		s, _ := begin(t, filepath.Join(t.TempDir(), "s"), Config{MaxBytes: 5000, SegmentBytes: 1000})
		var err error
		n := 0
		for ; err == nil; n++ {
			err = s.Append(t.Context(), numbered(n, n+1))
		}
		require.ErrorIs(t, err, queue.ErrFull)
		require.LessOrEqual(t, s.Stats().Bytes, int64(5000))
		require.Equal(t, n-1, s.Len())
		require.Equal(t, names(0, n-1), drain(t, s))
		require.NoError(t, s.Append(t.Context(), numbered(0, 5)))
	})
	t.Run("puts in front", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "s")
		s, _ := begin(t, dir, Config{SegmentBytes: 1000})
		require.NoError(t, s.Append(t.Context(), numbered(40, 60)))
		_, err := s.Read(t.Context(), 7)
		require.NoError(t, err)
		require.NoError(t, s.Ack(5))
		require.NoError(t, s.Prepend(t.Context(), numbered(10, 40)))
		require.NoError(t, s.Prepend(t.Context(), numbered(0, 10)))
		require.NoError(t, s.Close(t.Context()))
		s, _ = begin(t, dir, Config{})
		require.Equal(t, append(names(0, 40), names(45, 60)...), drain(t, s))
	})
	t.Run("F14 stores what cannot be encoded without it", func(t *testing.T) {
		t.Parallel()
		s, _ := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
		entries := numbered(0, 3)
		entries[0].Metadata = map[string]any{"f": func() {}}
		entries[1].Metadata = map[string]any{"p": bomb{}}
		require.NoError(t, s.Append(t.Context(), entries))
		got, err := s.Read(t.Context(), 3)
		require.NoError(t, err)
		require.Len(t, got, 3)
		for i, e := range got[:2] {
			require.Equal(t, entries[i].ID, e.ID)
			require.Equal(t, entaudit.MarkUnencodable, e.Marks["metadata"])
			require.NotContains(t, e.Metadata["encode_failed"], "s3cret")
		}
	})
	t.Run("F12 a caller that leaves is told whether that is known", func(t *testing.T) {
		t.Parallel()
		s, f := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
		ctx, cancel := context.WithCancel(t.Context())
		var once sync.Once
		entered, release := make(chan struct{}), make(chan struct{})
		f.will(func(op string) (int, error) {
			if strings.HasPrefix(op, "sync ") {
				once.Do(func() { close(entered) })
				<-release
			}
			return 0, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() { require.ErrorContains(t, s.Append(ctx, numbered(0, 1)), "unknown whether it is stored") })
		<-entered
		wg.Go(func() {
			err := s.Append(ctx, numbered(1, 2))
			require.ErrorIs(t, err, context.Canceled)
			require.NotContains(t, err.Error(), "unknown")
		})
		cancel()
		wg.Wait()
		close(release)
		require.NoError(t, s.Append(t.Context(), numbered(2, 3)))
		require.Equal(t, []string{"0", "2"}, drain(t, s))
	})
}

// bomb is a value that panics when it is encoded.
type bomb struct{}

func (bomb) MarshalJSON() ([]byte, error) { panic("s3cret") }

// TestSameEntryBeforeACrashAndAfterIt has values that are another thing once they have been
// JSON: whoever compares an entry that comes twice must find no difference.
func TestSameEntryBeforeACrashAndAfterIt(t *testing.T) {
	t.Parallel()
	deep := any("x")
	for range 70 {
		deep = []any{deep}
	}
	for name, v := range map[string]any{
		"nil map": map[string]any(nil), "nil slice": []string(nil), "nil values": []any(nil), "deep": deep, "deep in a struct": struct{ A any }{deep},
		"struct": struct{ B, A int }{1, 2}, "float": 1e21, "int": 1, "no number": json.Number(""), "time": time.Now(), "bytes": []byte{1, 2, 255},
		"in a list": []any{map[string]any(nil)}, "plain": map[string]any{"a": []any{nil, true, "b", json.Number("1e3")}},
	} {
		s, _ := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
		entry := numbered(0, 1)
		entry[0].Metadata = map[string]any{"v": v}
		require.NoError(t, s.Append(t.Context(), entry))
		before, err := s.Read(t.Context(), 1)
		require.NoError(t, err)
		forget(s)
		after, err := s.Read(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, before, after, name)
		require.Equal(t, v, entry[0].Metadata["v"], "the caller's own stays as it is")
	}
}

func TestRoundTripIsExact(t *testing.T) {
	t.Parallel()
	s, _ := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
	entries := append(audittest.Sample(t, 3), audittest.Hostile(t)...)
	require.NoError(t, s.Append(t.Context(), entries))
	got, err := s.Read(t.Context(), len(entries))
	require.NoError(t, err)
	require.Equal(t, entries[:3], got[:3])
	for i := range entries {
		want, err := entries[i].MarshalJSON()
		require.NoError(t, err)
		have, err := got[i].MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, string(want), string(have))
		require.Equal(t, entries[i].Marks, got[i].Marks)
	}
}
