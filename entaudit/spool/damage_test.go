package spool

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit/queue"
)

// TestDamagedEnd has the end of a file be what no crash can have made of it.
func TestDamagedEnd(t *testing.T) {
	t.Parallel()
	const perFile = 3
	for _, tt := range []struct {
		name   string
		file   int
		damage func(t *testing.T, name string, size int64)
		left   int // entries of the file that can be read
		lost   int
	}{
		{"a bit of the last entry of a full file", 0, func(t *testing.T, name string, size int64) { flip(t, name, size-3) }, 2, 1},
		{"a bit of the mark of it", 0, func(t *testing.T, name string, size int64) { flip(t, name, size-(size-int64(headerSize))/perFile) }, 2, 1},
		{"bits of the last two", 0, func(t *testing.T, name string, size int64) {
			flip(t, name, size-3)
			flip(t, name, size-3-(size-int64(headerSize))/perFile)
		}, 1, 2},
		{"a full file that was cut", 1, func(t *testing.T, name string, size int64) { require.NoError(t, os.Truncate(name, size-3)) }, 2, 1},
		{"a full file that is all but gone", 1, func(t *testing.T, name string, _ int64) { require.NoError(t, os.Truncate(name, 5)) }, 0, 1},
		{"a bit of the last entry of all", 2, func(t *testing.T, name string, size int64) { flip(t, name, size-3) }, 2, 1},
		{"the file that was put in front first", 3, func(t *testing.T, name string, size int64) { require.NoError(t, os.Truncate(name, size-3)) }, 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "s")
			s, _ := begin(t, dir, Config{SegmentBytes: 1000})
			for at := range 3 {
				require.NoError(t, s.Append(t.Context(), numbered(perFile*at, perFile*at+perFile)))
			}
			files := paths(t, dir)
			require.Len(t, files, 3)
			want := names(0, 9)
			if tt.file == 3 { // put in front alone: two files, of which the second was written first
				require.NoError(t, s.Prepend(t.Context(), append(numbered(0, 3), numbered(0, 3)...)))
				files = append(files, paths(t, dir)[1])
				want = append(append(names(0, 3), names(0, 3)...), want...)
			}
			crash(t, s)
			info, err := os.Stat(files[tt.file])
			require.NoError(t, err)
			tt.damage(t, files[tt.file], info.Size())
			damaged, err := os.ReadFile(files[tt.file])
			require.NoError(t, err)
			first := perFile * (tt.file % 3)
			if tt.file == 3 {
				first = 3
			}
			want = append(want[:first+tt.left:first+tt.left], want[first+perFile:]...)

			s, _ = begin(t, dir, Config{})
			_, err = s.Read(t.Context(), 100)
			var lost *queue.LostError
			require.ErrorAs(t, err, &lost)
			require.Equal(t, tt.lost, lost.Entries)
			require.Equal(t, want, drain(t, s))
			require.Equal(t, tt.lost, s.Stats().Damaged)
			require.Zero(t, s.Stats().Torn)
			kept := paths(t, filepath.Join(dir, damagedDir))
			require.Len(t, kept, 1)
			data, err := os.ReadFile(kept[0])
			require.NoError(t, err)
			require.Equal(t, damaged[headerSize*min(1, tt.left):], data[headerSize*min(1, tt.left):], "as it was found")
		})
	}
}

// TestDamageWhileAppending has a reader find nothing but damage in a file while the next
// entry is being appended to it.
func TestDamageWhileAppending(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "s")
	s, f := begin(t, dir, Config{})
	require.NoError(t, s.Append(t.Context(), numbered(0, 1)))
	flip(t, paths(t, dir)[0], int64(headerSize+prefixSize+5))
	forget(s)
	lost, entries := 0, []string(nil)
	read := func() {
		got, err := s.Read(t.Context(), 10)
		var l *queue.LostError
		if errors.As(err, &l) {
			lost += l.Entries
		} else {
			require.NoError(t, err)
		}
		for _, e := range got {
			entries = append(entries, e.Action)
		}
		require.NoError(t, s.Ack(len(got)))
	}
	var once sync.Once
	f.will(func(op string) (int, error) {
		if strings.HasPrefix(op, "sync ") {
			once.Do(read)
		}
		return 0, nil
	})
	require.NoError(t, s.Append(t.Context(), numbered(1, 2)))
	read()
	read()
	require.NoError(t, s.Append(t.Context(), numbered(2, 3)))
	read()
	require.Equal(t, []string{"1", "2"}, entries)
	require.Equal(t, 1, lost)
	require.Zero(t, s.Len())
	require.Equal(t, 1, s.Stats().Damaged)
	require.Zero(t, s.Stats().Failures, "nobody has closed the file")
	require.Len(t, paths(t, filepath.Join(dir, damagedDir)), 1)
}
