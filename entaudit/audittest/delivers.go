package audittest

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Delivers checks that what is written to the writers made by open arrives: all of it,
// nothing else, with every field, in order. Read returns what has arrived at the
// writer's destination, in order of arrival, or in that of ids; it is called once the
// writer is closed, where it is an [entaudit.Closer]. A failure says which rule is
// broken and why it matters. It complements [Writer].
func Delivers(t *testing.T, open func(t *testing.T) (w entaudit.Writer, read func(t testing.TB) []entaudit.Entry)) {
	for _, rule := range []struct {
		name  string
		check func(t *testing.T, w entaudit.Writer, arrived func() []entaudit.Entry)
	}{
		{"verbatim", deliversVerbatim},
		{"reuse", copiesTheSlice},
		{"again", deliversAgain},
		{"order", deliversInOrder},
	} {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			w, read := open(t)
			rule.check(t, w, func() []entaudit.Entry {
				shut(t, w)
				return read(t)
			})
		})
	}
}

func deliversVerbatim(t *testing.T, w entaudit.Writer, arrived func() []entaudit.Entry) {
	want := slices.Concat(Sample(t, 3), Hostile(t), Large(t, 1))
	deliver(t, w, want[:2]...)
	deliver(t, w, want[2:]...)
	got := arrived()
	if len(got) != len(want) {
		t.Fatalf("%d entries arrive of %d", len(got), len(want))
	}
	for i := range want {
		if g, w := plain(t, got[i]), plain(t, want[i]); g != w {
			t.Errorf("an entry arrives as\n%.9000s\nwant\n%.9000s\nEvery field of an entry arrives as it was written.", g, w)
		}
	}
}

func copiesTheSlice(t *testing.T, w entaudit.Writer, arrived func() []entaudit.Entry) {
	entries := Sample(t, 5)
	want := ids(entries)
	deliver(t, w, entries...)
	clear(entries)
	if got := ids(arrived()); !slices.Equal(got, want) {
		t.Errorf("after the caller cleared its slice these arrive: %v\nwant %v\nThe slice is the caller's again once "+
			"Write has returned.", got, want)
	}
}

func deliversAgain(t *testing.T, w entaudit.Writer, arrived func() []entaudit.Entry) {
	entries := Sample(t, 4)
	for i := range entries {
		deliver(t, w, entries[i])
		deliver(t, w, entries...)
	}
	seen := map[uuid.UUID]int{}
	for _, e := range arrived() {
		seen[e.ID]++
		if i := e.TxSeq - 1; i < 0 || i >= len(entries) || plain(t, e) != plain(t, entries[i]) {
			t.Errorf("written several times, an entry arrives as\n%s", plain(t, e))
		}
	}
	for _, e := range entries {
		if seen[e.ID] == 0 {
			t.Errorf("entry %s was written several times and did not arrive\nA writer may leave out what it has, and "+
				"nothing else.", e.ID)
		}
	}
}

func deliversInOrder(t *testing.T, w entaudit.Writer, arrived func() []entaudit.Entry) {
	var wg sync.WaitGroup
	callers := make([][]entaudit.Entry, 8)
	for i := range callers {
		callers[i] = Sample(t, 20)
		wg.Go(func() {
			for _, e := range callers[i] {
				deliver(t, w, e)
			}
		})
	}
	wg.Wait()
	place := map[uuid.UUID]int{}
	for i, e := range arrived() {
		place[e.ID] = i
	}
	for _, entries := range callers {
		last := -1
		for _, e := range entries {
			i, ok := place[e.ID]
			if !ok || i < last {
				t.Fatalf("entry %s arrived: %v, in place %d after %d\nEntries that were written one after the other arrive "+
					"in that order, and all of them, whatever other goroutines write.", e.ID, ok, i, last)
			}
			last = i
		}
	}
}

// deliver writes entries. It is used by several goroutines and does not end the test.
func deliver(t testing.TB, w entaudit.Writer, entries ...entaudit.Entry) {
	if err := w.Write(t.Context(), entries); err != nil {
		t.Errorf("write: %v", err)
	}
}

func ids(entries []entaudit.Entry) []uuid.UUID {
	ids := make([]uuid.UUID, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return ids
}
