package spool

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestF23MemoryOfABacklog is not parallel: others would use the heap that it measures.
func TestF23MemoryOfABacklog(t *testing.T) {
	s, err := Open(Config{Dir: filepath.Join(t.TempDir(), "s"), SegmentBytes: 1 << 20})
	require.NoError(t, err)
	before := heap()
	const batches, batch = 150, 200
	for n := range batches {
		entries := numbered(n*batch, (n+1)*batch)
		for i := range entries {
			entries[i].Request.UserAgent = strings.Repeat("x", 1000) + strconv.Itoa(i)
		}
		require.NoError(t, s.Append(t.Context(), entries))
	}
	require.Greater(t, s.Stats().Bytes, int64(6*maxRecent))
	require.LessOrEqual(t, s.remembered, int64(maxRecent))
	require.Less(t, heap()-before, int64(3*maxRecent), "with %d bytes on disk", s.Stats().Bytes)
	require.Equal(t, names(0, batches*batch), drain(t, s))
	require.Zero(t, s.remembered, "all of it is free again")
	require.NoError(t, s.Append(t.Context(), numbered(0, 3)))
	require.Positive(t, s.remembered)
	require.NoError(t, s.Close(t.Context()))
}
