package jsonl_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/jsonl"
)

func lines(t testing.TB, entries []entaudit.Entry) string {
	t.Helper()
	var b strings.Builder
	for _, e := range entries {
		data, err := e.MarshalJSON()
		require.NoError(t, err)
		b.Write(append(data, '\n'))
	}
	return b.String()
}

func file(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestReadGoesOnBehindDamagedLines(t *testing.T) {
	t.Parallel()
	entries := audittest.Sample(t, 2)
	text := lines(t, entries[:1]) + "{\"id\":\n\n" + strings.Repeat("x", 65<<20) + "\n" + lines(t, entries[1:]) + `{"id"`
	path := file(t, text)
	var got []entaudit.Entry
	var damaged []int
	for e, err := range jsonl.Read(path) {
		var bad *jsonl.LineError
		if err == nil {
			got = append(got, e)
			continue
		}
		require.ErrorAs(t, err, &bad)
		require.Less(t, len(err.Error()), 500)
		damaged = append(damaged, bad.Line)
	}
	require.Equal(t, ids(entries...), ids(got...))
	require.Equal(t, []int{2, 3, 4, 6}, damaged)

	for _, err := range jsonl.Read(path) {
		require.NoError(t, err)
		break // a caller who has seen enough
	}
	for _, err := range jsonl.Read(filepath.Join(t.TempDir(), "none")) {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

// picky is a writer that refuses some entries, and batches that they are in.
type picky struct {
	audittest.Memory

	refuses func(uuid.UUID) bool
	calls   int
}

func (p *picky) Write(ctx context.Context, entries []entaudit.Entry) error {
	p.calls++
	for _, e := range entries {
		if p.refuses(e.ID) {
			return errors.New("refused")
		}
	}
	return p.Memory.Write(ctx, entries)
}

func TestReplayF22(t *testing.T) {
	t.Parallel()
	entries := audittest.Sample(t, 250)
	path := file(t, lines(t, entries[:120])+"garbage\n"+lines(t, entries[120:]))
	w := &picky{refuses: func(id uuid.UUID) bool { return id == entries[7].ID }}
	done, err := jsonl.Replay(t.Context(), path, w)
	require.Equal(t, jsonl.Replayed{Written: 249, Refused: 1, Damaged: 1}, done)
	require.ErrorContains(t, err, entries[7].ID.String())
	require.ErrorContains(t, err, ":121: ")
	require.Equal(t, 103, w.calls)

	w.refuses = func(uuid.UUID) bool { return false }
	done, err = jsonl.Replay(t.Context(), file(t, lines(t, entries)), w)
	require.NoError(t, err)
	require.Equal(t, jsonl.Replayed{Written: 250}, done)
	require.Equal(t, ids(entries...), ids(w.Entries()...), "what was there already is there once")
}

func TestReplayGivesUpOnAWriterThatIsDown(t *testing.T) {
	t.Parallel()
	w := &picky{refuses: func(uuid.UUID) bool { return true }}
	done, err := jsonl.Replay(t.Context(), file(t, lines(t, audittest.Sample(t, 250))), w)
	require.Equal(t, jsonl.Replayed{Refused: 100}, done)
	require.Error(t, err)
	require.Equal(t, 101, w.calls)
	_, err = jsonl.Replay(t.Context(), filepath.Join(t.TempDir(), "none"), w)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(lines(f, audittest.Sample(f, 2))))
	f.Add([]byte("{}\n\x00\n[]\n{\"id\":\"\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := file(t, string(data))
		var before []entaudit.Entry
		torn := false
		for e, err := range jsonl.Read(path) {
			if torn = err != nil; !torn {
				before = append(before, e)
			}
		}
		w, err := jsonl.Open(path, jsonl.Config{Sync: jsonl.SyncNever})
		require.NoError(t, err)
		require.NoError(t, w.Write(t.Context(), audittest.Sample(t, 1)))
		require.NoError(t, w.Close(t.Context()))
		n := 0
		for _, err := range jsonl.Read(path) {
			if err == nil {
				n++
			}
		}
		require.GreaterOrEqual(t, n, len(before)+1, "opening and writing must not cost a line")
	})
}

func Example() {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "audit.jsonl")

	w, err := jsonl.Open(path, jsonl.Config{Keep: 10})
	if err != nil {
		panic(err)
	}
	rec, err := entaudit.New(entaudit.Config{Writer: w})
	if err != nil {
		panic(err)
	}
	if err := rec.Log(context.Background(), "invoice.send", "invoice", "7"); err != nil {
		panic(err)
	}
	if err := rec.Close(context.Background()); err != nil {
		panic(err)
	}
	for e, err := range jsonl.Read(path) {
		fmt.Println(e.Action, e.Resource.ID, err)
	}
	done, err := jsonl.Replay(context.Background(), path, &audittest.Memory{})
	fmt.Println(done.Written, err)
	// Output:
	// invoice.send 7 <nil>
	// 1 <nil>
}
