package spool

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit/queue"
)

func TestF02DiskErrors(t *testing.T) {
	t.Parallel()
	for code, errno := range faults {
		for _, op := range []string{"write ", "sync ", "syncdir ", "create "} {
			t.Run(op+code+" once", func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "s")
				s, f := begin(t, dir, Config{})
				if op != "syncdir " { // of the first file alone
					require.NoError(t, s.Append(t.Context(), numbered(0, 1)))
				}
				if op == "create " {
					s.seal(s.active)
				}
				f.will(on(op, 1, errno))
				err := s.Append(t.Context(), numbered(1, 2))
				if op == "create " {
					require.ErrorIs(t, err, errno)
				} else {
					require.NoError(t, err, "another file takes its place")
					require.Equal(t, 1, s.Stats().Failures)
				}
				require.NoError(t, s.Append(t.Context(), numbered(2, 3)))
				want := []string{"0", "1", "2"}
				switch op {
				case "syncdir ":
					want = want[1:]
				case "create ":
					want = []string{"0", "2"}
				}
				crash(t, s)
				s, _ = begin(t, dir, Config{})
				require.Equal(t, want, drain(t, s), "each once")
			})
			t.Run(op+code+" for good", func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "s")
				s, f := begin(t, dir, Config{})
				require.NoError(t, s.Append(t.Context(), numbered(0, 1)))
				if op == "create " || op == "syncdir " {
					s.seal(s.active)
				}
				f.will(on(op, -1, errno))
				for i := range 5 {
					require.ErrorIs(t, s.Append(t.Context(), numbered(1+i, 2+i)), errno)
				}
				require.Len(t, paths(t, dir), 1, "a full disk is not filled up with files")
				f.will(nil)
				require.NoError(t, s.Append(t.Context(), numbered(6, 7)))
				crash(t, s)
				s, _ = begin(t, dir, Config{})
				require.Equal(t, []string{"0", "6"}, drain(t, s), "what was not acknowledged is not there")
			})
		}
		t.Run("a file whose sync failed is not used again "+code, func(t *testing.T) {
			t.Parallel()
			s, f := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
			require.NoError(t, s.Append(t.Context(), numbered(0, 1)))
			failed := s.active.name
			f.will(on("sync ", 1, errno))
			require.NoError(t, s.Append(t.Context(), numbered(1, 2)))
			require.NotEqual(t, failed, s.active.name)
			f.will(func(op string) (int, error) {
				require.NotEqual(t, "write "+filepath.Base(failed), op)
				return 0, nil
			})
			require.NoError(t, s.Append(t.Context(), numbered(2, 3)))
			f.will(nil)
			require.Equal(t, names(0, 3), drain(t, s))
		})
		t.Run("what cannot be taken back is called unknown "+code, func(t *testing.T) {
			t.Parallel()
			s, f := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
			require.NoError(t, s.Append(t.Context(), numbered(0, 1)))
			f.will(func(op string) (int, error) {
				if strings.HasPrefix(op, "sync ") || strings.HasPrefix(op, "truncate ") {
					return 0, errno
				}
				return 0, nil
			})
			require.ErrorContains(t, s.Append(t.Context(), numbered(1, 2)), "unknown whether it is stored")
		})
		t.Run("acknowledging "+code, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "s")
			s, f := begin(t, dir, Config{})
			require.NoError(t, s.Append(t.Context(), numbered(0, 3)))
			_, err := s.Read(t.Context(), 1)
			require.NoError(t, err)
			f.will(on("write ", 1, errno))
			require.ErrorIs(t, s.Ack(1), errno)
			require.Equal(t, names(1, 3), drain(t, s), "it is acknowledged all the same, until a restart")
		})
		t.Run("reading "+code, func(t *testing.T) {
			t.Parallel()
			s, f := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
			require.NoError(t, s.Append(t.Context(), numbered(0, 3)))
			forget(s)
			f.will(on("read ", 1, errno))
			_, err := s.Read(t.Context(), 1)
			require.ErrorIs(t, err, errno)
			require.Equal(t, names(0, 3), drain(t, s))
		})
	}
}

// TestF02PutInFrontPartly has each operation of putting several files in front fail.
func TestF02PutInFrontPartly(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"create ", "write ", "sync ", "syncdir "} {
		for n := range 4 {
			t.Run(op+strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "s")
				s, f := begin(t, dir, Config{SegmentBytes: 1000})
				require.NoError(t, s.Append(t.Context(), numbered(20, 22)))
				before := s.Stats()
				if op == "write " && n > 1 {
					n++ // the third tells that the second was synced, which need not be told
				}
				seen := 0
				f.will(func(name string) (int, error) {
					if strings.HasPrefix(name, op) {
						if seen++; seen == n+1 {
							return 7, syscall.ENOSPC
						}
					}
					return 0, nil
				})
				require.ErrorIs(t, s.Prepend(t.Context(), numbered(0, 20)), syscall.ENOSPC)
				f.will(nil)
				require.Equal(t, before, s.Stats())
				require.Len(t, paths(t, dir), 1)
				crash(t, s)
				s, _ = begin(t, dir, Config{SegmentBytes: 1000})
				require.Equal(t, names(20, 22), drain(t, s), "all or none")
				require.NoError(t, s.Prepend(t.Context(), numbered(0, 20)))
				require.Equal(t, names(0, 20), drain(t, s))
			})
		}
	}
}

func TestF02TornRename(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "s")
	s, _ := begin(t, dir, Config{})
	require.NoError(t, s.Append(t.Context(), numbered(0, 5)))
	flip(t, paths(t, dir)[0], 400)
	crash(t, s)
	s, f := begin(t, dir, Config{})
	f.will(on("rename ", 1, syscall.EIO))
	_, err := s.Read(t.Context(), 10)
	var lost *queue.LostError
	require.ErrorAs(t, err, &lost)
	require.Equal(t, 1, lost.Entries)
	got, err := s.Read(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, got, 4)
	require.ErrorIs(t, s.Ack(4), syscall.EIO)
	crash(t, s)
	s, _ = begin(t, dir, Config{})
	_, err = s.Read(t.Context(), 10)
	require.Condition(t, func() bool { return err == nil || errors.As(err, &lost) }, "acknowledged or told of again: %v", err)
	require.Empty(t, drain(t, s))
}

// flip changes a byte of a file.
func flip(t *testing.T, name string, at int64) {
	t.Helper()
	flipped(t, name, at)
}

// flipped is flip and returns what the file holds then.
func flipped(t *testing.T, name string, at int64) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	data[at] ^= 0x55
	require.NoError(t, os.WriteFile(name, data, 0o600))
	return data
}

func TestTornTailIsCutOffAndReported(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "s")
	s, _ := begin(t, whole, Config{})
	require.NoError(t, s.Append(t.Context(), numbered(0, 3)))
	name := paths(t, whole)[0]
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	data = data[:s.active.end]
	record := (int64(len(data)) - firstRecord) / 3
	for cut := int64(0); cut < int64(len(data)); cut += 7 {
		left := int(max(0, cut-firstRecord) / record)
		dir := filepath.Join(t.TempDir(), "s")
		owner := filepath.Join(dir, ownerPrefix+"gone")
		require.NoError(t, os.MkdirAll(owner, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(owner, filepath.Base(name)), data[:cut], 0o600))
		s, _ := begin(t, dir, Config{})
		if left > 0 {
			info, err := os.Stat(paths(t, dir)[0])
			require.NoError(t, err)
			require.Equal(t, firstRecord+int64(left)*record, info.Size(), "%d of %d bytes", cut, len(data))
		}
		require.Equal(t, names(0, left), drain(t, s), "%d of %d bytes", cut, len(data))
		if written := len(bytes.TrimRight(data[:cut], "\x00")); left > 0 {
			require.Equal(t, written-int(firstRecord+int64(left)*record), s.Stats().Torn)
		} else if cut > firstRecord {
			require.Equal(t, written-int(firstRecord), s.Stats().Torn)
		} else if cut > int64(headerSize) {
			require.Equal(t, written-headerSize, s.Stats().Torn)
		}
		require.Zero(t, s.Stats().Damaged)
		require.NoError(t, s.Close(t.Context()))
		require.Empty(t, paths(t, dir))
	}
}

func TestDamageIsReportedAndKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "s")
	s, _ := begin(t, dir, Config{})
	require.NoError(t, s.Append(t.Context(), numbered(0, 10)))
	data, err := os.ReadFile(paths(t, dir)[0])
	require.NoError(t, err)
	flip(t, paths(t, dir)[0], int64(bytes.LastIndex(data, []byte("billing")))) // it is JSON all the same
	forget(s)
	var got []string
	for { // while it is in use
		entries, err := s.Read(t.Context(), 3)
		var lost *queue.LostError
		if errors.As(err, &lost) {
			require.Equal(t, 1, lost.Entries)
			break
		}
		require.NoError(t, err)
		require.NotEmpty(t, entries, "after %v", got)
		for _, e := range entries {
			got = append(got, e.Action)
		}
		require.NoError(t, s.Ack(len(entries)))
	}
	require.Len(t, got, 9)
	require.Equal(t, 1, s.Len(), "until whoever was told has counted it")
	require.Empty(t, drain(t, s))
	require.Zero(t, s.Len())
	require.NoError(t, s.Append(t.Context(), numbered(10, 11)), "to another file")
	require.Equal(t, names(10, 11), drain(t, s))
	kept := paths(t, filepath.Join(dir, damagedDir))
	require.Len(t, kept, 1, "somebody may want to look at it")
}

func TestF25OrphansAreAdoptedOnce(t *testing.T) {
	t.Parallel()
	t.Run("by whoever comes", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "s")
		owner, _ := begin(t, dir, Config{SegmentBytes: 1000})
		require.NoError(t, owner.Append(t.Context(), numbered(0, 50)))
		beside, _ := begin(t, dir, Config{})
		require.Zero(t, beside.Len(), "its owner is alive")
		require.NoError(t, beside.Append(t.Context(), numbered(50, 60)))
		crash(t, owner)
		var wg sync.WaitGroup
		spools := make([]*Spool, 8)
		for i := range spools {
			wg.Go(func() { spools[i], _ = begin(t, dir, Config{}) })
		}
		wg.Wait()
		var all []string
		for _, s := range spools {
			if n := s.Len(); n > 0 {
				require.Equal(t, 50, n, "whole")
				require.Equal(t, 1, s.Stats().Adopted)
			} else {
				require.Zero(t, s.Stats().Adopted)
			}
			all = append(all, drain(t, s)...)
		}
		require.Equal(t, names(0, 50), all)
		require.Equal(t, names(50, 60), drain(t, beside))
	})
	t.Run("by one that is running", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "s")
		owner, _ := begin(t, dir, Config{})
		beside, _ := begin(t, dir, Config{})
		require.NoError(t, owner.Append(t.Context(), numbered(0, 5)))
		crash(t, owner)
		require.Empty(t, drain(t, beside))
		beside.scanned = beside.scanned.Add(-rescan)
		require.Equal(t, names(0, 5), drain(t, beside))
	})
	t.Run("from where the owner stopped", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "s")
		owner, _ := begin(t, dir, Config{})
		require.NoError(t, owner.Append(t.Context(), numbered(0, 5)))
		_, err := owner.Read(t.Context(), 5)
		require.NoError(t, err)
		require.NoError(t, owner.Ack(2))
		crash(t, owner)
		s, _ := begin(t, dir, Config{})
		require.Equal(t, names(2, 5), drain(t, s))
	})
}

// forget makes s read from the disk what it has in memory too.
func forget(s *Spool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remembered -= s.active.forget()
}
