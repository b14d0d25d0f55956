package spool

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWarnings is not parallel: the log is everybody's.
func TestWarnings(t *testing.T) {
	var log bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(was)

	dir := filepath.Join(t.TempDir(), "s")
	s, f := begin(t, dir, Config{})
	for i := range 6 {
		f.will(on("sync ", 1, syscall.EIO))
		require.NoError(t, s.Append(t.Context(), numbered(i, i+1)))
	}
	require.Equal(t, 1, strings.Count(log.String(), "a file failed"), log.String())

	// What others left is trouble, and no reason to withhold entries.
	log.Reset()
	require.NoError(t, os.Mkdir(filepath.Join(dir, ownerPrefix+"x"), 0o700))
	f.will(on("lock ", -1, syscall.EACCES))
	for range 3 {
		later(s, rescan)
		entries, err := s.Read(t.Context(), 2)
		require.NoError(t, err)
		require.NotEmpty(t, entries)
	}
	require.Equal(t, 1, strings.Count(log.String(), "permission denied"), log.String())
	require.Equal(t, names(0, 6), drain(t, s))
	later(s, rescan)
	_, err := s.Read(t.Context(), 2)
	require.ErrorIs(t, err, syscall.EACCES)
}
