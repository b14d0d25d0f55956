package hook

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func records(t *testing.T, s *spill) [][]byte {
	t.Helper()
	var got [][]byte
	for r, err := range s.all() {
		require.NoError(t, err)
		got = append(got, r)
	}
	return got
}

func TestSpillKeepsOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := &spill{dir: dir, limit: 100}
	var want [][]byte
	for i := range 300 {
		want = append(want, bytes.Repeat([]byte{byte(i)}, i%70))
		require.NoError(t, s.append(want[i]))
	}
	require.NotNil(t, s.file, "most of it is in the file")
	require.Less(t, len(s.memory), 30)
	require.Equal(t, want, records(t, s))
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, names, "nobody else finds the file")
	require.NoError(t, s.close())
	require.NoError(t, s.close())
}

func TestSpillWithoutDisk(t *testing.T) {
	t.Parallel()
	s := &spill{dir: filepath.Join(t.TempDir(), "none"), limit: 10}
	for range 20 {
		require.NoError(t, s.append([]byte("0123456789")))
	}
	require.Len(t, records(t, s), 20)
	require.NoError(t, s.close())
}

func TestSpillTellsOfALostFile(t *testing.T) {
	t.Parallel()
	s := &spill{dir: t.TempDir(), limit: 1}
	for range 20 {
		require.NoError(t, s.append([]byte("0123456789")))
	}
	require.NoError(t, s.w.Flush())
	require.NoError(t, s.file.Truncate(30))
	var last error
	for _, err := range s.all() {
		last = err
	}
	require.ErrorContains(t, last, "read temporary file")
	require.NoError(t, s.close())
}
