package spool

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
		{"a bit of the mark of it", 0, func(t *testing.T, name string, size int64) { flip(t, name, size-(size-firstRecord)/perFile) }, 2, 1},
		{"bits of the last two", 0, func(t *testing.T, name string, size int64) {
			flip(t, name, size-3)
			flip(t, name, size-3-(size-firstRecord)/perFile)
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
			tt.damage(t, files[tt.file], info.Size()-int64(batchSize))
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
	flip(t, paths(t, dir)[0], firstRecord+int64(prefixSize)+5)
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

// filled returns a folder in which a process that is gone left three files of three entries.
func filled(t *testing.T) (dir string, files []string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "s")
	s, _ := begin(t, dir, Config{SegmentBytes: 1000})
	for at := 0; at < 9; at += 3 {
		require.NoError(t, s.Append(t.Context(), numbered(at, at+3)))
	}
	crash(t, s)
	files = paths(t, dir)
	require.Len(t, files, 3)
	return dir, files
}

// later has time pass for a spool.
func later(s *Spool, d time.Duration) {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.scanned = s.scanned.Add(-d)
	for name, since := range s.unreadable {
		s.unreadable[name] = since.Add(-d)
	}
}

func TestF02FileThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	for name, lasting := range map[string]bool{"for a while": false, "for good": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, files := filled(t)
			flip(t, files[0], firstRecord+int64(prefixSize)+5)
			d, err := openDisk(dir)
			require.NoError(t, err)
			f := &faulty{files: d}
			f.will(on("read "+filepath.Base(files[1]), -1, syscall.EIO))
			s, err := open(Config{Dir: dir, SegmentBytes: 1000, MaxBytes: 1 << 20}, f, 0)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
			_, err = s.Read(t.Context(), 10)
			require.NoError(t, err)
			require.Zero(t, s.Stats(), "the folder is left alone as a whole")
			if !lasting {
				f.will(nil)
			}
			later(s, rescan)
			_, err = s.Read(t.Context(), 10)
			var lost *queue.LostError
			require.ErrorAs(t, err, &lost)
			want, told := append(names(1, 3), names(6, 9)...), 2 // nobody can tell how many the other held
			if !lasting {
				want, told = names(1, 9), 1
			}
			require.Equal(t, told, lost.Entries)
			require.Equal(t, want, drain(t, s))
		})
	}
}

func TestF02FileThatCannotBeReadAnyMore(t *testing.T) {
	t.Parallel()
	dir, files := filled(t)
	s, f := begin(t, dir, Config{SegmentBytes: 1000})
	var synced []string
	fails := on("read "+filepath.Base(files[0]), -1, syscall.EIO)
	f.will(func(op string) (int, error) {
		if strings.HasPrefix(op, "syncdir ") {
			synced = append(synced, op)
		}
		return fails(op)
	})
	_, err := s.Read(t.Context(), 10)
	require.ErrorIs(t, err, syscall.EIO)
	later(s, patience/2)
	_, err = s.Read(t.Context(), 10)
	require.ErrorIs(t, err, syscall.EIO, "it may be a matter of seconds")
	later(s, patience/2)
	_, err = s.Read(t.Context(), 10)
	var lost *queue.LostError
	require.ErrorAs(t, err, &lost)
	require.Equal(t, 3, lost.Entries)
	require.Equal(t, names(3, 9), drain(t, s))
	require.Len(t, paths(t, filepath.Join(dir, damagedDir)), 1)
	require.Equal(t, []string{"syncdir .", "syncdir " + damagedDir}, synced, "the new folder too")
}

// TestF02OldFileWithoutItsEnd has an end be missing, in whatever way, of a file that others
// followed.
func TestF02OldFileWithoutItsEnd(t *testing.T) {
	t.Parallel()
	_, files := filled(t)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	end := len(data) - batchSize
	record := (end - int(firstRecord)) / 3
	for name, tt := range map[string]struct {
		data []byte
		lost int
	}{
		"a few bytes are left of the last record":   {data[:end-record+10], 1},
		"its mark is left":                          {data[:end-record+len(mark)], 1},
		"half of it is left":                        {data[:end-record/2], 1},
		"half of it is left and zeros":              {slices.Concat(data[:end-record/2], make([]byte, 100)), 1},
		"zeros are left of it":                      {slices.Concat(data[:end-record], make([]byte, record)), 1},
		"a few bytes are left behind the header":    {data[:headerSize+5], 1},
		"as much as the beginning of a batch":       {data[:headerSize+batchSize+10], 1},
		"zeros are left behind the header":          {slices.Concat(data[:headerSize], make([]byte, 3*record)), 1},
		"zeros are left":                            {make([]byte, len(data)), 1},
		"all but what tells that it is the end":     {data[:end], 0},
		"room that has not been given back is left": {slices.Concat(data, make([]byte, 5000)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir, files := filled(t)
			require.NoError(t, os.WriteFile(files[0], tt.data, 0o600))
			s, _ := begin(t, dir, Config{})
			if tt.lost == 0 {
				require.Equal(t, names(0, 9), drain(t, s))
				require.Zero(t, s.Stats().Damaged)
				return
			}
			_, err := s.Read(t.Context(), 10)
			var l *queue.LostError
			require.ErrorAs(t, err, &l)
			require.GreaterOrEqual(t, l.Entries, tt.lost)
			got := drain(t, s)
			require.Equal(t, names(3, 9), got[len(got)-6:])
			require.Len(t, paths(t, filepath.Join(dir, damagedDir)), 1)
		})
	}
}

// TestF02LastEntriesOfOneEach has the last entries be damaged, each of which is a batch.
func TestF02LastEntriesOfOneEach(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 4; n++ {
		dir := filepath.Join(t.TempDir(), "s")
		s, _ := begin(t, dir, Config{})
		var ends []int64
		for i := range 6 {
			require.NoError(t, s.Append(t.Context(), numbered(i, i+1)))
			ends = append(ends, s.active.end)
		}
		s.seal(s.active)
		require.NoError(t, s.Append(t.Context(), numbered(6, 7)))
		files := paths(t, dir)
		for _, end := range ends[6-n:] {
			flip(t, files[0], end-5)
		}
		torn := len(flipped(t, files[1], s.active.end-5)) - 5 - int(firstRecord)
		require.NoError(t, os.Truncate(files[1], s.active.end-5)) // and the only one of the newest file is torn
		require.Positive(t, torn)
		crash(t, s)
		s, _ = begin(t, dir, Config{})
		_, err := s.Read(t.Context(), 10)
		var l *queue.LostError
		require.ErrorAs(t, err, &l)
		require.Equal(t, n, l.Entries)
		require.Equal(t, names(0, 6-n), drain(t, s))
		require.Positive(t, s.Stats().Torn)
	}
}

// TestF02TornBehindDamage has the last batch be torn, and the one before it be damaged.
func TestF02TornBehindDamage(t *testing.T) {
	t.Parallel()
	for _, where := range []int64{5, -1} { // from the end of the record, or its mark
		dir := filepath.Join(t.TempDir(), "s")
		s, _ := begin(t, dir, Config{})
		var ends []int64
		for i := range 3 {
			require.NoError(t, s.Append(t.Context(), numbered(i, i+1)))
			ends = append(ends, s.active.end)
		}
		name := paths(t, dir)[0]
		at := ends[1] - where
		if where < 0 {
			at = ends[0] + int64(batchSize) + 1
		}
		damaged := flipped(t, name, at)
		require.NoError(t, os.Truncate(name, ends[2]-7))
		crash(t, s)
		s, _ = begin(t, dir, Config{})
		_, err := s.Read(t.Context(), 10)
		var l *queue.LostError
		require.ErrorAs(t, err, &l)
		require.Equal(t, 1, l.Entries)
		require.Equal(t, names(0, 1), drain(t, s))
		kept, err := os.ReadFile(paths(t, filepath.Join(dir, damagedDir))[0])
		require.NoError(t, err)
		require.Equal(t, damaged[headerSize:ends[1]], kept[headerSize:ends[1]], "what is damaged is kept")
		require.Equal(t, int(ends[2]-7-ends[1])-batchSize, s.Stats().Torn)
	}
}

// TestF02FileThatCannotBeCut adopts a file from which room cannot be taken.
func TestF02FileThatCannotBeCut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "s")
	s, _ := beginAhead(t, dir, Config{}, 10_000)
	require.NoError(t, s.Append(t.Context(), numbered(0, 30)))
	crash(t, s)
	d, err := openDisk(dir)
	require.NoError(t, err)
	f := &faulty{files: d}
	f.will(on("truncate ", -1, syscall.EIO))
	s, err = open(Config{Dir: dir, SegmentBytes: 1000, MaxBytes: 1 << 20}, f, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	require.Equal(t, names(0, 30), drain(t, s))
	require.Zero(t, s.Stats().Damaged)
}

// TestF02FailingWhileReading has a reader look at files that fail and go.
func TestF02FailingWhileReading(t *testing.T) {
	t.Parallel()
	s, f := begin(t, filepath.Join(t.TempDir(), "s"), Config{})
	f.will(on("sync ", -1, syscall.EIO))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_, err := s.Read(t.Context(), 10)
				assert.NoError(t, err)
			}
		}
	})
	for i := range 500 {
		err := s.Append(t.Context(), numbered(i%10, i%10+1))
		require.ErrorIs(t, err, syscall.EIO)
		require.NotContains(t, err.Error(), "unknown")
	}
	close(stop)
	wg.Wait()
	require.Zero(t, s.Stats().Bytes)
}
