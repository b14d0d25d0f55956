package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// Numbers of entries in a [Page].
const (
	DefaultLimit = 50
	MaxLimit     = 1000
)

// Filter selects entries. Blank fields select all; those that are set must all
// hold, and texts are compared exactly.
//
// Every field down to Outcome has an index, except that Kind, Operation and
// times alone are found by going through the entries in the order of time.
type Filter struct {
	TenantID       string
	ActorID        string
	ImpersonatorID string
	ResourceType   string
	ResourceID     string // needs ResourceType
	RequestID      string
	Outcome        entaudit.Outcome
	Kind           entaudit.Kind
	Operation      entaudit.Operation
	Since          time.Time // occurred at this time or later
	Until          time.Time // occurred before this time

	// Oldest lists the oldest entries first, instead of the newest.
	Oldest bool
	// Limit is how many entries a page has. Zero means DefaultLimit; more than
	// MaxLimit is MaxLimit.
	Limit int
	// Cursor is the Next of the page before, with the same fields above.
	Cursor string
}

// Page is one page of entries.
type Page struct {
	Entries []entaudit.Entry
	// Next is the Cursor of the next page, empty on the last.
	Next string
}

func (f Filter) validate() error {
	switch {
	case f.ResourceID != "" && f.ResourceType == "":
		return errors.New("Filter.ResourceID: needs ResourceType")
	case f.Limit < 0:
		return fmt.Errorf("Filter.Limit: %d is negative", f.Limit)
	case !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until):
		return errors.New("Filter.Until: is not after Since")
	}
	for name, t := range map[string]time.Time{"Filter.Since": f.Since, "Filter.Until": f.Until} {
		if !t.IsZero() && (t.Year() < 1 || t.Year() > 9999) {
			return fmt.Errorf("%s: year %d is out of range", name, t.Year())
		}
	}
	return nil
}

// limit is how many entries a page has.
func (f Filter) limit() int {
	if f.Limit == 0 {
		return DefaultLimit
	}
	return min(f.Limit, MaxLimit)
}

// apply adds the conditions of f to q.
func (f Filter) apply(q *query) {
	q.equal("tenant_id", f.TenantID)
	q.equal("actor_id", f.ActorID)
	q.equal("impersonator_id", f.ImpersonatorID)
	q.equal("resource_type", f.ResourceType)
	q.equal("resource_id", f.ResourceID)
	q.equal("request_id", f.RequestID)
	q.equal("outcome", string(f.Outcome))
	q.equal("kind", string(f.Kind))
	q.equal("operation", string(f.Operation))
	if !f.Since.IsZero() {
		q.compare("occurred_at", ">=", table.Time(q.dialect, f.Since))
		q.id(">=", firstID(f.Since.Add(-leeway)))
	}
	if !f.Until.IsZero() {
		q.compare("occurred_at", "<", table.Time(q.dialect, f.Until))
	}
}

// leeway is how much earlier than it says to have occurred an entry's id may be
// made. Later is usual: an entry may be made long after what it tells of.
const leeway = time.Minute

// firstID returns the least id that is made at t.
func firstID(t time.Time) uuid.UUID {
	var id uuid.UUID
	if ms := t.UnixMilli(); ms > 0 {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(ms)<<16)
		copy(id[:6], b[:6])
	}
	return id
}
