package audittest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// ReadWriter is what [Reader] checks. Adapt a reader to it in a few lines.
type ReadWriter interface {
	entaudit.Writer
	// List returns a page of entries and the cursor of the next, "" on the last.
	List(ctx context.Context, f Filter) (entries []entaudit.Entry, next string, err error)
	// Get returns an entry and whether there is one.
	Get(ctx context.Context, id uuid.UUID) (entaudit.Entry, bool, error)
}

// Reader checks that the stores made by open give back what was written: all of
// it, nothing else, in order, page by page. A failure says which rule is broken.
func Reader(t *testing.T, open func(t *testing.T) ReadWriter) {
	for _, rule := range []struct {
		name  string
		check func(t *testing.T, s ReadWriter)
	}{
		{"verbatim", readsVerbatim},
		{"get", getsOne},
		{"conflict", refusesConflict},
		{"once", keepsOnce},
		{"order", ordersByTime},
		{"pages", pagesCoverAll},
		{"cursor", refusesForeignCursors},
		{"filters", filtersExactly},
		{"times", filtersTimes},
		{"limits", limitsPages},
		{"invalid", refusesInvalidFilters},
	} {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			rule.check(t, open(t))
		})
	}
}

// write stores entries or ends the test.
func write(t *testing.T, s ReadWriter, entries ...entaudit.Entry) {
	t.Helper()
	if err := s.Write(t.Context(), entries); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// list returns a page or ends the test.
func list(t *testing.T, s ReadWriter, f Filter) ([]entaudit.Entry, string) {
	t.Helper()
	entries, next, err := s.List(t.Context(), f)
	if err != nil {
		t.Fatalf("list %+v: %v", f, err)
	}
	return entries, next
}

// plain returns an entry as JSON without what the store adds.
func plain(t *testing.T, e entaudit.Entry) string {
	t.Helper()
	e.RecordedAt = time.Time{}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func readsVerbatim(t *testing.T, s ReadWriter) {
	want := append(Sample(t, 3), Hostile(t)...)
	write(t, s, want...)
	got, _ := list(t, s, Filter{Oldest: true})
	if len(got) != len(want) {
		t.Fatalf("%d entries come back of %d", len(got), len(want))
	}
	for i := range want {
		if g, w := plain(t, got[i]), plain(t, want[i]); g != w {
			t.Errorf("an entry comes back as\n%s\nwant\n%s", g, w)
		}
	}
}

func getsOne(t *testing.T, s ReadWriter) {
	entries := Sample(t, 2)
	write(t, s, entries[0])
	e, ok, err := s.Get(t.Context(), entries[0].ID)
	if err != nil || !ok || plain(t, e) != plain(t, entries[0]) {
		t.Errorf("Get of a stored id: %v, %v, %s", ok, err, plain(t, e))
	}
	if _, ok, err := s.Get(t.Context(), entries[1].ID); ok || err != nil {
		t.Errorf("Get of an unknown id: %v, %v; want no entry and no other error", ok, err)
	}
}

func refusesConflict(t *testing.T, s ReadWriter) {
	entries := Sample(t, 3)
	write(t, s, entries[1])
	forged := entries[1]
	forged.Actor.ID = "mallory"
	err := s.Write(t.Context(), []entaudit.Entry{entries[0], forged, entries[2]})
	if err == nil || !strings.Contains(err.Error(), forged.ID.String()) {
		t.Errorf("an id with other content: %v\nIt is an alarm, not a duplicate: an error that names the id.", err)
	}
	got, _ := list(t, s, Filter{Oldest: true})
	if len(got) != 3 || got[1].Actor.ID != entries[1].Actor.ID {
		t.Errorf("after a conflict %d entries are stored\nThe first content stays, and the entries beside it are stored.", len(got))
	}
}

func keepsOnce(t *testing.T, s ReadWriter) {
	entries := Sample(t, 3)
	write(t, s, entries[0], entries[0])
	write(t, s, entries...)
	write(t, s, entries...)
	if got, _ := list(t, s, Filter{}); len(got) != 3 {
		t.Errorf("entries delivered several times are listed %d times, want 3", len(got))
	}
}

func ordersByTime(t *testing.T, s ReadWriter) {
	entries := Sample(t, 20)
	write(t, s, entries[10:]...)
	write(t, s, entries[:10]...)
	newest, _ := list(t, s, Filter{})
	oldest, _ := list(t, s, Filter{Oldest: true})
	if len(newest) != 20 || len(oldest) != 20 {
		t.Fatalf("%d and %d entries, want 20", len(newest), len(oldest))
	}
	for i := range entries {
		if oldest[i].ID != entries[i].ID || newest[19-i].ID != entries[i].ID {
			t.Fatalf("entry %d is out of order\nEntries are listed newest first, or oldest first, by id.", i)
		}
	}
}

func pagesCoverAll(t *testing.T, s ReadWriter) {
	entries := Sample(t, 25)
	write(t, s, entries...)
	for _, oldest := range []bool{false, true} {
		seen := map[uuid.UUID]bool{}
		f := Filter{TenantID: "acme", Oldest: oldest, Limit: 7}
		for pages := 1; ; pages++ {
			page, next := list(t, s, f)
			for _, e := range page {
				if seen[e.ID] {
					t.Fatalf("entry %s is on two pages", e.ID)
				}
				seen[e.ID] = true
			}
			if next == "" {
				if want := 4; pages < want {
					t.Errorf("%d pages, want at least %d", pages, want)
				}
				break
			}
			if !oldest {
				write(t, s, Sample(t, 1)...) // newer than the page: must not shift it
			}
			f.Cursor = next
		}
		for _, e := range entries {
			if !seen[e.ID] {
				t.Fatalf("entry %s is on no page", e.ID)
			}
		}
	}
}

func refusesForeignCursors(t *testing.T, s ReadWriter) {
	write(t, s, Sample(t, 5)...)
	f := Filter{TenantID: "acme", Limit: 2}
	_, next := list(t, s, f)
	if next == "" {
		t.Fatal("no cursor although entries are left")
	}
	refuse := func(what string, f Filter) {
		if _, _, err := s.List(t.Context(), f); err == nil {
			t.Errorf("%s is accepted\nA cursor works with the filter that it was returned for, unchanged.", what)
		}
	}
	f.Cursor = next
	other := f
	other.TenantID = "other"
	refuse("a cursor of another tenant", other)
	other = f
	other.Oldest = true
	refuse("a cursor of the other order", other)
	for i := range next {
		other = f
		b := []byte(next)
		b[i] ^= 1
		other.Cursor = string(b)
		refuse("a cursor with a changed byte", other)
	}
	other.Cursor = next[:len(next)-1]
	refuse("a cut cursor", other)
	other.Cursor = "' OR 1=1"
	refuse("nonsense", other)
	f.Limit = 3
	if page, _ := list(t, s, f); len(page) != 3 {
		t.Errorf("the limit cannot be changed between pages: %d entries, want 3", len(page))
	}
}
