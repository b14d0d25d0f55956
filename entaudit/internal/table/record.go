package table

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// appendRecords returns entries as a JSON array of objects for PostgreSQL's
// json_to_recordset. Columns that are JSON themselves travel as strings: their
// text is stored as it is, whatever it holds.
func appendRecords(entries []entaudit.Entry, common bool) string {
	size := 2
	for i := range entries {
		size += sizeOf(&entries[i]) * 5 / 4
	}
	r := record{b: make([]byte, 0, size)}
	sep := byte('[')
	for i := range entries {
		r.b = append(r.b, sep)
		r.entry(&entries[i], !common)
		sep = ','
	}
	return string(append(r.b, ']'))
}

type record struct {
	b   []byte
	sep byte
}

// entry appends e as an object, with or without the columns of its origin.
func (r *record) entry(e *entaudit.Entry, origin bool) {
	j := encode(e)
	r.sep = '{'
	r.uuid("id", e.ID)
	r.text("action", e.Action)
	r.text("operation", string(e.Operation))
	r.time("occurred_at", e.OccurredAt)
	r.number("duration_us", e.Duration.Microseconds())
	r.text("tenant_id", e.Tenant.ID)
	r.text("tenant_slug", e.Tenant.Slug)
	r.text("resource_type", e.Resource.Type)
	r.text("resource_id", e.Resource.ID)
	r.text("resource_label", e.Resource.Label)
	r.text("resource_schema", e.Resource.Schema)
	r.text("changes", j.changes)
	r.text("edges", j.edges)
	r.text("changed_fields", j.fields)
	r.uuid("cause_id", e.CauseID)
	r.number("tx_seq", int64(e.TxSeq))
	r.text("metadata", j.metadata)
	r.text("marks", j.marks)
	if origin {
		r.origin(e, j.chain)
	}
	r.b = append(r.b, '}')
}

// origin appends the columns for which column.origin is true.
func (r *record) origin(e *entaudit.Entry, chain string) {
	r.key("schema_version")
	r.b = strconv.AppendInt(r.b, int64(e.SchemaVersion), 10)
	r.text("service", e.Service)
	r.text("kind", string(e.Kind))
	r.text("outcome", string(e.Outcome))
	r.text("reason", e.Reason)
	r.text("actor_id", e.Actor.ID)
	r.text("actor_type", string(e.Actor.Type))
	r.text("actor_email", e.Actor.Email)
	r.text("impersonator_id", e.Actor.ImpersonatorID)
	r.text("actor_chain", chain)
	r.text("actor_tenant_id", e.ActorTenantID)
	r.uuid("tx_id", e.TxID)
	r.text("request_id", e.Request.ID)
	r.text("trace_id", e.Request.TraceID)
	r.text("method", e.Request.Method)
	r.text("path", e.Request.Path)
	r.text("route", e.Request.Route)
	r.text("query", e.Request.Query)
	r.number("status_code", int64(e.Request.StatusCode))
	r.text("ip_address", e.Request.IP)
	r.text("user_agent", e.Request.UserAgent)
}

// oneOrigin reports whether all entries have the columns of the origin in common.
func oneOrigin(entries []entaudit.Entry) bool {
	a := &entries[0]
	for i := range entries[1:] {
		b := &entries[i+1]
		if a.SchemaVersion != b.SchemaVersion || a.Service != b.Service || a.Kind != b.Kind || a.Outcome != b.Outcome ||
			a.Reason != b.Reason || a.ActorTenantID != b.ActorTenantID || a.TxID != b.TxID || a.Request != b.Request ||
			!sameActor(a.Actor, b.Actor) {
			return false
		}
	}
	return true
}

func sameActor(a, b entaudit.Actor) bool {
	return a.ID == b.ID && a.Type == b.Type && a.Email == b.Email && a.ImpersonatorID == b.ImpersonatorID &&
		slices.Equal(a.Chain, b.Chain)
}

func (r *record) key(name string) {
	r.b = append(append(append(r.b, r.sep, '"'), name...), '"', ':')
	r.sep = ','
}

func (r *record) text(name, s string) {
	if s != "" {
		r.key(name)
		r.b = entaudit.AppendString(r.b, s)
	}
}

func (r *record) number(name string, n int64) {
	if n != 0 {
		r.key(name)
		r.b = strconv.AppendInt(r.b, n, 10)
	}
}

func (r *record) time(name string, t time.Time) {
	r.key(name)
	r.b = append(r.b, '"')
	r.b = t.UTC().Truncate(time.Microsecond).AppendFormat(r.b, time.RFC3339Nano)
	r.b = append(r.b, '"')
}

func (r *record) uuid(name string, id uuid.UUID) {
	if id != uuid.Nil {
		r.key(name)
		r.b = append(appendUUID(append(r.b, '"'), id), '"')
	}
}

// appendUUID appends the canonical text of id.
func appendUUID(b []byte, id uuid.UUID) []byte {
	const digits = "0123456789abcdef"
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}
