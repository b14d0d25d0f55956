package spool

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

// sector is how much a disk writes as a whole, or not at all.
const sector = 512

// written returns where what was written to a file ends.
func written(data []byte) int { return len(bytes.TrimRight(data, "\x00")) }

// unsynced returns what a file held before a sync of its last batch returned.
func unsynced(data []byte) []byte {
	data = slices.Clone(data)
	clear(data[written(data)-batchSize:])
	return data
}

// batches returns what a file holds after each of three batches of ten entries, for which
// room was set aside.
func batches(t *testing.T) (files [][]byte) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "s")
	s, _ := beginAhead(t, dir, Config{}, 20_000)
	for i := range 3 {
		require.NoError(t, s.Append(t.Context(), numbered(10*i, 10*i+10)))
		data, err := os.ReadFile(paths(t, dir)[0])
		require.NoError(t, err)
		require.True(t, isBatch(data[written(data)-batchSize:], int64(written(data)-batchSize)))
		files = append(files, data)
	}
	require.Len(t, files[2], len(files[0]), "a batch changes nothing but contents")
	return files
}

// left opens a spool in which a process that is gone has left one file.
func left(t *testing.T, data []byte) *Spool {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "s")
	gone := filepath.Join(dir, ownerPrefix+"gone")
	require.NoError(t, os.MkdirAll(gone, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(gone, fileName(firstNumber)), data, 0o600))
	s, _ := begin(t, dir, Config{})
	return s
}

// mixed is what a disk holds that got to some of the sectors of a write before it failed.
func mixed(before, after []byte, written func(sector int) bool) []byte {
	data := slices.Clone(before)
	for at := 0; at < len(data); at += sector {
		if end := min(at+sector, len(data)); written(at / sector) {
			copy(data[at:end], after[at:end])
		}
	}
	return data
}

// TestF02PowerFailure has the disk write any of the sectors of the last batch: what was
// accepted before is there, and nothing is called damaged.
func TestF02PowerFailure(t *testing.T) {
	t.Parallel()
	files := batches(t)
	before, after := files[1], unsynced(files[2])
	var changed []int
	for at := 0; at < len(before); at += sector {
		if end := min(at+sector, len(before)); string(before[at:end]) != string(after[at:end]) {
			changed = append(changed, at/sector)
		}
	}
	require.Greater(t, len(changed), 4)
	require.Less(t, len(changed), 10)
	record := (written(before) - batchSize - int(firstRecord) - batchSize) / 20
	for _, acked := range []int{0, 5, 15, 20} {
		for set := range 1 << len(changed) {
			data := mixed(before, after, func(n int) bool {
				i := slices.Index(changed, n)
				return i >= 0 && set&(1<<i) != 0
			})
			if acked > 0 {
				copy(data, header(firstRecord+int64(acked*record+acked/11*batchSize)))
			}
			s := left(t, data)
			require.Zero(t, s.Stats().Damaged, "%d acknowledged, sectors %b of %d", acked, set, len(changed))
			got := drain(t, s)
			require.GreaterOrEqual(t, len(got), 20-acked, "%d acknowledged, sectors %b", acked, set)
			require.Equal(t, names(acked, acked+len(got)), got, "%d acknowledged, sectors %b", acked, set)
			require.Equal(t, set == 1<<len(changed)-1, acked+len(got) == 30, "%d acknowledged, sectors %b", acked, set)
		}
	}
}

// TestF02EndThatWasNotSynced has a power failure leave any part of what tells in an old file
// that its last batch was synced, which is not synced itself.
func TestF02EndThatWasNotSynced(t *testing.T) {
	t.Parallel()
	_, files := filled(t)
	whole, err := os.ReadFile(files[0])
	require.NoError(t, err)
	end := len(whole) - batchSize
	for _, acked := range []bool{false, true} {
		for length := end; length <= len(whole); length++ {
			for from := end; from <= length; from += 3 {
				dir, files := filled(t)
				data := slices.Clone(whole[:length])
				clear(data[from:])
				want := names(0, 9)
				if acked {
					copy(data, header(int64(end)))
					want = want[3:]
				}
				require.NoError(t, os.WriteFile(files[0], data, 0o600))
				s, _ := begin(t, dir, Config{})
				require.Zero(t, s.Stats().Damaged, "%d bytes of %d", from-end, length-end)
				require.Equal(t, want, drain(t, s))
			}
		}
	}
}

// TestF01KilledWhileWriting has a write come to a sudden end anywhere.
func TestF01KilledWhileWriting(t *testing.T) {
	t.Parallel()
	files := batches(t)
	whole := unsynced(files[2])
	end := written(whole)
	for cut := written(files[1]); cut < end; cut += 13 {
		s := left(t, slices.Concat(whole[:cut], make([]byte, len(whole)-cut)))
		require.Zero(t, s.Stats().Damaged, "%d of %d bytes", cut, end)
		got := drain(t, s)
		require.GreaterOrEqual(t, len(got), 20)
		require.Less(t, len(got), 30)
		require.Equal(t, names(0, len(got)), got)
	}
}

// TestF02HoleInWhatWasSynced has a disk lose a sector of what was accepted.
func TestF02HoleInWhatWasSynced(t *testing.T) {
	t.Parallel()
	files := batches(t)
	hole := func(at int) []byte {
		data := slices.Clone(files[2])
		clear(data[at : at+sector])
		return data
	}
	check := func(name string, s *Spool, all int) {
		lost := s.Stats().Damaged
		_, err := s.Read(t.Context(), 10)
		var l *queue.LostError
		require.ErrorAs(t, err, &l, name)
		require.Equal(t, lost, l.Entries, name)
		got := drain(t, s)
		require.InDelta(t, all-len(got), lost, 1, name)
		require.GreaterOrEqual(t, len(got), all-4, name)
	}
	for at := written(files[0])/sector*sector + sector; at+sector < written(files[2])-batchSize; at += sector {
		check("of a process that was killed", left(t, hole(at)), 30)
	}
	for name, put := range map[string]func(s *Spool, ctx context.Context, entries []entaudit.Entry) error{
		"of a file that was closed": (*Spool).Append, "of what was put in front": (*Spool).Prepend,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "s")
			s, _ := beginAhead(t, dir, Config{}, 20_000)
			require.NoError(t, put(s, t.Context(), numbered(0, 10)))
			require.NoError(t, s.Close(t.Context()))
			data, err := os.ReadFile(paths(t, dir)[0])
			require.NoError(t, err)
			clear(data[2*sector : 3*sector])
			check(name, left(t, data), 10)
		})
	}
}

func TestRoomThatIsSetAside(t *testing.T) {
	t.Parallel()
	size := func(t *testing.T, name string) int64 {
		t.Helper()
		info, err := os.Stat(name)
		require.NoError(t, err)
		return info.Size()
	}
	t.Run("stays within the limits and is given back", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "s")
		s, _ := beginAhead(t, dir, Config{MaxBytes: 25_000, SegmentBytes: 10_000}, 1<<20)
		n := 0
		for ; ; n++ {
			if err := s.Append(t.Context(), numbered(n, n+1)); err != nil {
				require.ErrorIs(t, err, queue.ErrFull)
				break
			}
			total := int64(0)
			for _, name := range paths(t, dir) {
				require.LessOrEqual(t, size(t, name), int64(10_000))
				total += size(t, name)
			}
			require.LessOrEqual(t, total, int64(25_000), "after %d entries", n+1)
		}
		require.Len(t, paths(t, dir), 3)
		require.Greater(t, s.Stats().Bytes, int64(24_000), "room that is set aside is not in the way")
		require.Equal(t, names(0, n), drain(t, s))
		require.NoError(t, s.Append(t.Context(), numbered(0, 2)))
		name, end := filepath.Join(dir, s.active.name), s.active.end
		require.Equal(t, int64(10_000), size(t, name))
		require.NoError(t, s.Close(t.Context()))
		require.Equal(t, end+int64(batchSize), size(t, name))
		s, _ = begin(t, dir, Config{})
		require.Zero(t, s.Stats().Torn)
		require.Equal(t, names(0, 2), drain(t, s))
	})
	t.Run("is given back by whoever takes the file over", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "s")
		s, _ := beginAhead(t, dir, Config{}, 10_000)
		require.NoError(t, s.Append(t.Context(), numbered(0, 2)))
		name := paths(t, dir)[0]
		require.Greater(t, size(t, name), int64(10_000))
		crash(t, s)
		s, _ = begin(t, dir, Config{})
		require.Less(t, size(t, name), int64(2000))
		require.Zero(t, s.Stats().Torn)
		require.Equal(t, names(0, 2), drain(t, s))
	})
	t.Run("is no reason to fail on a disk that is full", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "s")
		s, f := beginAhead(t, dir, Config{}, 100_000)
		writes := 0
		f.will(func(op string) (int, error) {
			if strings.HasPrefix(op, "write ") {
				if writes++; writes > 2 { // the header and the batch
					return 7, syscall.ENOSPC
				}
			}
			return 0, nil
		})
		require.NoError(t, s.Append(t.Context(), numbered(0, 1)))
		require.Equal(t, 4, writes, "room, and what tells that the batch was synced")
		require.Less(t, size(t, paths(t, dir)[0]), int64(1000), "what it took of the last room is given back")
		f.will(nil)
		require.NoError(t, s.Append(t.Context(), numbered(1, 2)))
		require.Less(t, size(t, paths(t, dir)[0]), int64(1000), "it is not tried again")
		require.Zero(t, s.Stats().Failures)
		crash(t, s)
		s, _ = begin(t, dir, Config{})
		require.Equal(t, names(0, 2), drain(t, s))
	})
}
