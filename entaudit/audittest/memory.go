package audittest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Memory is a [entaudit.Writer] and a reader that keeps entries in memory. It is
// safe for concurrent use; the zero value is ready.
type Memory struct {
	mu      sync.Mutex
	entries []entaudit.Entry
	json    map[uuid.UUID][]byte
}

// New returns a recorder that keeps all its entries in a [Memory], those of
// mutations once their transaction has committed, so that the test's database
// needs no audit table. What a rolled back savepoint undid is kept, since nothing tells
// the recorder. [Recorded] gives access to them.
func New(t testing.TB) *entaudit.Recorder {
	t.Helper()
	r, err := entaudit.New(entaudit.Config{Writer: &Memory{}, AfterCommit: true})
	if err != nil {
		t.Fatalf("audittest: %v", err)
	}
	return r
}

// Recorded returns the Memory of a recorder made by [New], or by entaudit.New
// with a *Memory as Config.Writer.
func Recorded(t testing.TB, r *entaudit.Recorder) *Memory {
	t.Helper()
	m, ok := r.Config().Writer.(*Memory)
	if !ok {
		t.Fatalf("audittest: %s does not write to a Memory: make the recorder with audittest.New", r)
	}
	return m
}

// String returns "memory".
func (m *Memory) String() string { return "memory" }

// Write keeps entries. One that is kept already is left as it is; the same id
// with other content is an error.
func (m *Memory) Write(ctx context.Context, entries []entaudit.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.json == nil {
		m.json = make(map[uuid.UUID][]byte)
	}
	var errs []error
	for _, e := range entries {
		data, err := json.Marshal(e)
		if err != nil {
			errs = append(errs, fmt.Errorf("memory: entry %s: %w", e.ID, err))
			continue
		}
		if kept, ok := m.json[e.ID]; ok {
			if !bytes.Equal(kept, data) {
				errs = append(errs, fmt.Errorf("memory: entry %s: stored already with other content", e.ID))
			}
			continue
		}
		m.json[e.ID] = data
		m.entries = append(m.entries, e)
	}
	return errors.Join(errs...)
}

// Entries returns all entries, ordered by id and so by time.
func (m *Memory) Entries() []entaudit.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := slices.Clone(m.entries)
	slices.SortFunc(entries, byID)
	return entries
}

func byID(a, b entaudit.Entry) int { return bytes.Compare(a.ID[:], b.ID[:]) }

// Len returns the number of entries.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}

// Reset forgets all entries, as between the arrangement of a test and what it is
// about.
func (m *Memory) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries, m.json = nil, nil
}

// List returns the entries that f selects as [ReadWriter] asks for it. A cursor is
// the filter and the id of the last entry.
func (m *Memory) List(ctx context.Context, f Filter) (entries []entaudit.Entry, next string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if f.ResourceID != "" && f.ResourceType == "" {
		return nil, "", errors.New("memory: list: Filter.ResourceID needs ResourceType")
	}
	if f.Limit < 0 || !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return nil, "", errors.New("memory: list: bad Limit or Until")
	}
	after, err := m.after(f)
	if err != nil {
		return nil, "", err
	}
	all := m.Entries()
	if !f.Oldest {
		slices.Reverse(all)
	}
	limit := min(cmp.Or(f.Limit, defaultLimit), maxLimit)
	for _, e := range all {
		c := bytes.Compare(e.ID[:], after[:])
		if f.Cursor != "" && (f.Oldest && c <= 0 || !f.Oldest && c >= 0) || !f.selects(e) {
			continue
		}
		if len(entries) == limit {
			return entries, f.key() + entries[limit-1].ID.String(), nil
		}
		entries = append(entries, e)
	}
	return entries, "", nil
}

// after returns the id in the cursor of f.
func (m *Memory) after(f Filter) (uuid.UUID, error) {
	if f.Cursor == "" {
		return uuid.Nil, nil
	}
	key := f.key()
	if len(f.Cursor) != len(key)+36 || f.Cursor[:len(key)] != key {
		return uuid.Nil, errors.New("memory: list: not a cursor of this filter")
	}
	id, err := uuid.Parse(f.Cursor[len(key):])
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.json[id]; err != nil || !ok || id.String() != f.Cursor[len(key):] {
		return uuid.Nil, errors.New("memory: list: not a cursor of this filter")
	}
	return id, nil
}

// Get returns one entry and whether there is one, as [ReadWriter] asks for it.
func (m *Memory) Get(_ context.Context, id uuid.UUID) (entaudit.Entry, bool, error) {
	for _, e := range m.Entries() {
		if e.ID == id {
			return e, true, nil
		}
	}
	return entaudit.Entry{}, false, nil
}

// Filter selects entries; see the Filter of package store.
type Filter struct {
	TenantID       string
	ActorID        string
	ImpersonatorID string
	ResourceType   string
	ResourceID     string
	RequestID      string
	Outcome        entaudit.Outcome
	Kind           entaudit.Kind
	Operation      entaudit.Operation
	Since          time.Time
	Until          time.Time
	Oldest         bool
	Limit          int
	Cursor         string
}

// Numbers of entries in a page.
const (
	defaultLimit = 50
	maxLimit     = 1000
)

// key tells filters apart that a cursor must not be carried between.
func (f Filter) key() string {
	f.Limit, f.Cursor = 0, ""
	return fmt.Sprintf("%q", fmt.Sprintf("%+v", f))
}

func (f Filter) selects(e entaudit.Entry) bool {
	return is(f.TenantID, e.Tenant.ID) && is(f.ActorID, e.Actor.ID) &&
		is(f.ImpersonatorID, e.Actor.ImpersonatorID) &&
		is(f.ResourceType, e.Resource.Type) && is(f.ResourceID, e.Resource.ID) &&
		is(f.RequestID, e.Request.ID) && is(f.Outcome, e.Outcome) &&
		is(f.Kind, e.Kind) && is(f.Operation, e.Operation) &&
		(f.Since.IsZero() || !e.OccurredAt.Before(f.Since)) &&
		(f.Until.IsZero() || e.OccurredAt.Before(f.Until))
}

// is reports whether a filter's field holds for a value.
func is[T ~string](want, got T) bool { return want == "" || want == got }
