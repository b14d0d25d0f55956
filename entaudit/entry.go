package entaudit

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// SchemaVersion is the version of the entry format that this library writes.
const SchemaVersion = 1

// Entry is one audit record: who did what to which resource, when, in which
// request, and what changed.
//
// The zero value of a field means "does not apply" and is stored as NULL and
// left out of JSON. An Entry handed to a [Writer] is shared between writers and
// must not be modified.
type Entry struct {
	ID            uuid.UUID // UUIDv7 made by this library: the time order and the idempotency key
	SchemaVersion int
	Service       string
	Kind          Kind
	Action        string // "user.update", "POST /invoices/{id}" or the caller's own verb
	Operation     Operation
	Outcome       Outcome
	Reason        string        // why the outcome is not success, or why a mutation was skipped
	OccurredAt    time.Time     // UTC, microseconds
	RecordedAt    time.Time     // the database's clock; set by it, zero until read back
	Duration      time.Duration // microseconds

	Actor         Actor
	Tenant        Tenant // of the row where the schema names its tenant column, else of the actor
	ActorTenantID string // tenant the actor acted under

	Resource Resource
	Changes  []Change
	Edges    []EdgeChange

	CauseID uuid.UUID // first entry of the mutation that caused this one
	TxID    uuid.UUID // shared by all entries of one transaction
	TxSeq   int       // order within the transaction, from 1

	Request  Request
	Metadata map[string]any

	// Marks says which values are not verbatim, by their JSON path in the entry
	// ("changes.password.new", "path"). See [Mark].
	Marks map[string]Mark
}

// Resource names the entity an entry is about.
type Resource struct {
	Type   string // stable name: the mixin's Resource, else the schema's name in snake case
	ID     string // decimal, canonical uuid, text, hex for bytes, JSON array for composite ids
	Label  string // a human name copied at the time of the change
	Schema string // database schema of the table, where it is not the default
}

// Change is one field's old and new value as the database holds them, encoded
// as JSON. A nil Old or New means that side does not exist: no Old for a
// create, no New for a delete. SQL NULL is the JSON value null.
type Change struct {
	Field    string
	Old, New json.RawMessage
}

// EdgeChange lists the ids that one edge gained or lost in rows outside the
// entity's own table.
type EdgeChange struct {
	Edge           string
	Added, Removed []string
	Unknown        bool // the edge was written, but which links changed could not be told
}

// Kind tells where an entry comes from.
type Kind string

// Kinds of entries.
const (
	KindMutation Kind = "mutation" // a row changed through an audited client
	KindRequest  Kind = "request"  // a request was served
	KindManual   Kind = "manual"   // the program recorded something itself
	KindJob      Kind = "job"      // a job, cron run or command-line program
	KindSystem   Kind = "system"   // about auditing itself: skip, gap, switch
)

func (k Kind) known() bool {
	switch k {
	case KindMutation, KindRequest, KindManual, KindJob, KindSystem:
		return true
	}
	return false
}

// Operation tells what happened to the resource.
type Operation string

// Operations of entries.
const (
	OpCreate     Operation = "create"
	OpUpdate     Operation = "update"
	OpDelete     Operation = "delete"
	OpSoftDelete Operation = "soft_delete"
	OpRestore    Operation = "restore"
	OpSummary    Operation = "summary" // many rows in one entry
	OpSkip       Operation = "skip"    // kind system: a mutation was left out on purpose
	OpGap        Operation = "gap"     // kind system: entries were dropped, or come late
	OpSwitch     Operation = "switch"  // kind system: recording was switched off or on
	OpRawSQL     Operation = "raw_sql" // kind system: statements that are not audited ran in a transaction
)

func (o Operation) known() bool {
	switch o {
	case OpCreate, OpUpdate, OpDelete, OpSoftDelete, OpRestore, OpSummary, OpSkip, OpGap, OpSwitch, OpRawSQL:
		return true
	}
	return false
}

// Outcome tells how the action ended. It is never success by default.
type Outcome string

// Outcomes of entries.
const (
	Success Outcome = "success"
	Failure Outcome = "failure"
	Denied  Outcome = "denied"
	Aborted Outcome = "aborted"
	Unknown Outcome = "unknown"
)

func (o Outcome) known() bool {
	switch o {
	case Success, Failure, Denied, Aborted, Unknown:
		return true
	}
	return false
}

// Mark says in what way a value in an entry is not verbatim.
type Mark string

// Marks of values.
const (
	MarkRedacted    Mark = "redacted"    // a secret: only the fact that it was set is kept
	MarkCut         Mark = "cut"         // longer than its limit; the rest is gone
	MarkHashed      Mark = "hashed"      // longer than its limit; replaced by its SHA-256
	MarkEscaped     Mark = "escaped"     // had NUL bytes or invalid UTF-8; \xNN escapes, backslashes doubled
	MarkBase64      Mark = "base64"      // bytes
	MarkText        Mark = "text"        // a number that JSON readers would round or cannot hold, as text
	MarkUnknown     Mark = "unknown"     // could not be told
	MarkUnencodable Mark = "unencodable" // could not be represented; replaced by the name of its type
	MarkReplaced    Mark = "replaced"    // given in an unusable form; one of ours stands in its place
	MarkRawSQL      Mark = "raw_sql"     // statements that are not audited ran in the transaction (path "tx_id")
	MarkUnverified  Mark = "unverified"  // claimed by a client, and proved by nothing
	MarkOverride    Mark = "override"    // set by the caller instead of taken from the context, or from the request
)

// mark notes that the value at path is not verbatim.
func (e *Entry) mark(path string, m Mark) {
	if e.Marks == nil {
		e.Marks = make(map[string]Mark)
	}
	e.Marks[path] = m
}

// Change returns the change of the named field and whether there is one.
func (e *Entry) Change(field string) (Change, bool) {
	for _, c := range e.Changes {
		if c.Field == field {
			return c, true
		}
	}
	return Change{}, false
}
