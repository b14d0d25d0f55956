package jsonl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/jsonl"
)

// open opens a writer that is closed with the test.
func open(t *testing.T, path string, c jsonl.Config) *jsonl.Writer {
	t.Helper()
	w, err := jsonl.Open(path, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close(context.Background())) })
	return w
}

// read returns all entries written to path. Every line has to be one.
func read(t testing.TB, path string) []entaudit.Entry {
	t.Helper()
	files, err := jsonl.Files(path)
	require.NoError(t, err)
	var entries []entaudit.Entry
	for _, name := range files {
		for e, err := range jsonl.Read(name) {
			require.NoError(t, err)
			entries = append(entries, e)
		}
	}
	return entries
}

func ids(entries ...entaudit.Entry) []string {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID.String())
	}
	return ids
}

func TestKeepsTheContractOfAWriter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]jsonl.Config{
		"each":     {MaxSize: 1 << 20},
		"interval": {Sync: jsonl.SyncInterval, Interval: time.Millisecond},
		"never":    {Sync: jsonl.SyncNever, MaxSize: 100 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audittest.Writer(t, func(t *testing.T) entaudit.Writer { return open(t, filepath.Join(t.TempDir(), "audit.jsonl"), c) })
			audittest.Delivers(t, func(t *testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
				path := filepath.Join(t.TempDir(), "audit.jsonl")
				return open(t, path, c), func(t testing.TB) []entaudit.Entry { return read(t, path) }
			})
			audittest.Hangs(t, func(t *testing.T) entaudit.Writer {
				w, err := jsonl.Open(filepath.Join(t.TempDir(), "audit.jsonl"), c)
				require.NoError(t, err)
				t.Cleanup(func() { _ = w.Close(context.Background()) }) // it has been closed too late before
				t.Cleanup(jsonl.Hold(w))
				return w
			})
		})
	}
}

func TestOneLineForEachEntryS56(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	w := open(t, path, jsonl.Config{})
	entries := audittest.Hostile(t)
	entries[0].Changes = []entaudit.Change{{Field: "a", New: json.RawMessage("{\n\"a\":\r\n1\n}")}}
	require.NoError(t, w.Write(t.Context(), entries))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, len(entries), bytes.Count(data, []byte("\n")))
	require.Len(t, read(t, path), len(entries))
}

func TestEntryThatCannotBeEncodedF22(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	w := open(t, path, jsonl.Config{})
	entries := audittest.Sample(t, 3)
	entries[1].Metadata = map[string]any{"f": func() {}}
	err := w.Write(t.Context(), entries)
	require.ErrorContains(t, err, entries[1].ID.String())
	require.Equal(t, ids(entries[0], entries[2]), ids(read(t, path)...), "one poisons no others")
}

func TestOnlyItsOwnerReadsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.jsonl")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	require.NoError(t, os.Chmod(path, 0o644))
	w := open(t, path, jsonl.Config{MaxSize: 1})
	for range 2 {
		require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	}
	files, err := jsonl.Files(path)
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, name := range files {
		info, err := os.Lstat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	require.NoError(t, os.WriteFile(target, []byte("x"), 0o600))
	link, dangling, pipe := filepath.Join(dir, "link"), filepath.Join(dir, "dangling"), filepath.Join(dir, "pipe")
	require.NoError(t, os.Symlink(target, link))
	require.NoError(t, os.Symlink(filepath.Join(dir, "elsewhere"), dangling))
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	taken := filepath.Join(dir, "taken")
	open(t, taken, jsonl.Config{})
	for name, path := range map[string]string{
		"a folder": dir, "a link": link, "a link to nothing": dangling, "a pipe": pipe,
		"no folder": filepath.Join(dir, "no", "audit.jsonl"), "another's": taken, "no name": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := jsonl.Open(path, jsonl.Config{})
			require.ErrorContains(t, err, "jsonl: open: ")
		})
	}
	t.Cleanup(func() {
		data, err := os.ReadFile(target)
		require.NoError(t, err)
		require.Equal(t, "x", string(data))
		require.NoFileExists(t, filepath.Join(dir, "elsewhere"))
	})
	for field, c := range map[string]jsonl.Config{
		"Sync": {Sync: 3}, "Interval": {Interval: -1}, "MaxAge": {MaxAge: -1}, "Keep": {Keep: -1},
	} {
		_, err := jsonl.Open(filepath.Join(dir, "audit.jsonl"), c)
		require.ErrorContains(t, err, "jsonl: Config."+field+":")
		require.Equal(t, err, c.Validate())
	}
}

func TestFileOfSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, says string
		prepare    func(path string) error
	}{
		{"another user's", "belongs to user 65534", func(path string) error { return os.Chown(path, 65534, 65534) }},
		{"another name", "has 2 names", func(path string) error { return os.Link(path, path+".mine") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			require.NoError(t, os.WriteFile(path, []byte("{"), 0o600)) // it would be cut off
			err := tt.prepare(path)
			if errors.Is(err, os.ErrPermission) {
				t.Skip("only root gives files away")
			}
			require.NoError(t, err)
			_, err = jsonl.Open(path, jsonl.Config{})
			require.ErrorContains(t, err, tt.says)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, "{", string(data), "nothing was done to it")
		})
	}
}

func TestTornLineIsRepaired(t *testing.T) {
	t.Parallel()
	whole, err := audittest.Sample(t, 1)[0].MarshalJSON()
	require.NoError(t, err)
	line := string(whole) + "\n"
	long := string(bytes.Repeat([]byte("x"), 200<<10))
	for _, tt := range []struct {
		name, before string
		entries      int
	}{
		{"whole", line + line, 2},
		{"empty", "", 0},
		{"cut", line + line[:len(line)/2], 1},
		{"cut in its first line", line[:20], 0},
		{"lacks its end only", line + line[:len(line)-1], 2},
		{"zeros, as after a power cut", line + "\x00\x00\x00\x00", 1},
		{"longer than is read at once", line + `{"a":"` + long, 1},
		{"a number", line + "12", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			require.NoError(t, os.WriteFile(path, []byte(tt.before), 0o600))
			w := open(t, path, jsonl.Config{})
			require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
			require.Len(t, read(t, path), tt.entries+1)
		})
	}
}

func TestRotatesBySizeAndKeeps(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	require.NoError(t, os.WriteFile(path+".mine", []byte("x"), 0o600))
	w := open(t, path, jsonl.Config{MaxSize: 5000, Keep: 2})
	entries := audittest.Sample(t, 20)
	for i := range entries {
		require.NoError(t, w.Write(t.Context(), entries[i:i+1]))
	}
	files, err := jsonl.Files(path)
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, name := range files {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(5000))
		require.Greater(t, info.Size(), int64(2000))
	}
	kept := read(t, path)
	require.Equal(t, ids(entries[len(entries)-len(kept):]...), ids(kept...), "the oldest go first")
	require.FileExists(t, path+".mine")
}

func TestRotatesByAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "audit.jsonl")
		write := func(w *jsonl.Writer) { require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1))) }
		files := func() int {
			names, err := jsonl.Files(path)
			require.NoError(t, err)
			return len(names)
		}
		w, err := jsonl.Open(path, jsonl.Config{MaxAge: time.Hour})
		require.NoError(t, err)
		write(w)
		<-time.After(50 * time.Minute)
		write(w)
		require.Equal(t, 1, files())
		require.NoError(t, w.Close(t.Context()))

		w, err = jsonl.Open(path, jsonl.Config{MaxAge: time.Hour})
		require.NoError(t, err)
		<-time.After(10 * time.Minute)
		write(w)
		require.Equal(t, 2, files(), "its age is that of its first entry, also for another program")
		write(w)
		require.Equal(t, 2, files())
		require.NoError(t, w.Close(t.Context()))
	})
}

func TestGoesOnWhereItsFileIsMovedAway(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	w := open(t, path, jsonl.Config{Sync: jsonl.SyncInterval})
	entries := audittest.Sample(t, 3)
	require.NoError(t, w.Write(t.Context(), entries[:1]))
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, w.Write(t.Context(), entries[1:2]))
	require.Equal(t, ids(entries[0]), ids(read(t, path+".1")...))
	require.Equal(t, ids(entries[1]), ids(read(t, path)...))

	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("elsewhere", path))
	require.Error(t, w.Write(t.Context(), entries[2:]), "a link is not followed later either")
	require.Error(t, w.Check(t.Context()))
	require.Error(t, w.Health(t.Context()))
	require.NoError(t, os.Remove(path))
	require.NoError(t, w.Check(t.Context()))
	require.NoError(t, w.Write(t.Context(), entries[2:]))
	require.NoError(t, w.Health(t.Context()))
	require.Equal(t, ids(entries[2]), ids(read(t, path)...))
}

func TestWriteReturnsWhileTheDiskHangsF05(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	w := open(t, path, jsonl.Config{})
	release := jsonl.Hold(w)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Write(ctx, audittest.Sample(t, 1)) }()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	release()
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
}

// TestFileIsClosedWhenTheDiskIsBackF05 has nobody left who would close it.
func TestFileIsClosedWhenTheDiskIsBackF05(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	w, err := jsonl.Open(path, jsonl.Config{Sync: jsonl.SyncInterval, Interval: time.Hour})
	require.NoError(t, err)
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	d := jsonl.Break(w)
	release := jsonl.Hold(w)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.Close(ctx), context.Canceled)
	release()
	require.Equal(t, 1, d.Synced())
	require.ErrorIs(t, w.Write(t.Context(), audittest.Sample(t, 1)), entaudit.ErrClosed)
	require.ErrorIs(t, w.Close(t.Context()), context.Canceled, "as before")
	open(t, path, jsonl.Config{}) // nobody has it open
}

func TestCloseTellsEveryCaller(t *testing.T) {
	t.Parallel()
	w, err := jsonl.Open(filepath.Join(t.TempDir(), "audit.jsonl"), jsonl.Config{Sync: jsonl.SyncInterval})
	require.NoError(t, err)
	require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
	d := jsonl.Break(w)
	d.SyncErr = errors.New("input/output error")
	for range 2 {
		require.ErrorIs(t, w.Close(t.Context()), d.SyncErr)
	}
}
