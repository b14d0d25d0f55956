package audittest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/entaudit/audit/entaudit"
)

// Match tells whether an entry is meant.
type Match func(entaudit.Entry) bool

// Resource matches entries about one resource, or about all of a type where id
// is empty.
func Resource(typ, id string) Match {
	return func(e entaudit.Entry) bool { return e.Resource.Type == typ && is(id, e.Resource.ID) }
}

// Operation matches entries of an operation.
func Operation(op entaudit.Operation) Match {
	return func(e entaudit.Entry) bool { return e.Operation == op }
}

// Kind matches entries of a kind.
func Kind(k entaudit.Kind) Match { return func(e entaudit.Entry) bool { return e.Kind == k } }

// Action matches entries of an action.
func Action(a string) Match { return func(e entaudit.Entry) bool { return e.Action == a } }

// By matches entries of an actor.
func By(actorID string) Match { return func(e entaudit.Entry) bool { return e.Actor.ID == actorID } }

// For matches entries of a tenant.
func For(tenantID string) Match {
	return func(e entaudit.Entry) bool { return e.Tenant.ID == tenantID }
}

// Find returns the entries that all of ms match, ordered by time.
func (m *Memory) Find(ms ...Match) []entaudit.Entry {
	var found []entaudit.Entry
next:
	for _, e := range m.Entries() {
		for _, match := range ms {
			if !match(e) {
				continue next
			}
		}
		found = append(found, e)
	}
	return found
}

// One returns the one entry that all of ms match. The test fails where there is
// none or more than one, and prints what was recorded.
func (m *Memory) One(t testing.TB, ms ...Match) entaudit.Entry {
	t.Helper()
	found := m.Find(ms...)
	if len(found) != 1 {
		t.Fatalf("audittest: %d entries match, want 1; recorded:\n%s", len(found), dump(m.Entries()))
	}
	return found[0]
}

// RequireNone fails the test where an entry matches all of ms.
func (m *Memory) RequireNone(t testing.TB, ms ...Match) {
	t.Helper()
	if found := m.Find(ms...); len(found) > 0 {
		t.Fatalf("audittest: %d entries match, want none:\n%s", len(found), dump(found))
	}
}

// Absent stands for a side that a change does not have: the old one of a create,
// the new one of a delete. A nil stands for SQL NULL.
const Absent absent = "absent"

type absent string

// RequireChange fails the test unless e has a change of field from old to new,
// each compared as JSON.
func RequireChange(t testing.TB, e entaudit.Entry, field string, old, new any) {
	t.Helper()
	c, ok := e.Change(field)
	if !ok {
		t.Fatalf("audittest: no change of %s in\n%s", field, dump([]entaudit.Entry{e}))
	}
	requireSide(t, field, "old", old, c.Old)
	requireSide(t, field, "new", new, c.New)
}

func requireSide(t testing.TB, field, side string, want any, got json.RawMessage) {
	t.Helper()
	if want == Absent {
		if got != nil {
			t.Fatalf("audittest: change of %s: %s is %s, want none", field, side, got)
		}
		return
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatalf("audittest: change of %s: %s: %v", field, side, err)
	}
	if !sameJSON(data, got) {
		t.Fatalf("audittest: change of %s: %s is %s, want %s", field, side, printed(got), data)
	}
}

// sameJSON compares values regardless of how they are escaped and spaced.
// Numbers are compared by their digits.
func sameJSON(a, b []byte) bool {
	x, errX := canonical(a)
	y, errY := canonical(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func canonical(data []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func printed(v json.RawMessage) string {
	if v == nil {
		return "absent"
	}
	return string(v)
}

// dump returns entries as lines of JSON.
func dump(entries []entaudit.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		data, err := json.Marshal(e)
		if err != nil {
			data = []byte(err.Error())
		}
		b.Write(data)
		b.WriteByte('\n')
	}
	if b.Len() == 0 {
		return "nothing"
	}
	return b.String()
}
