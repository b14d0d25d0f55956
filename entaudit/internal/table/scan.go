package table

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Row receives one row of the audit table.
type Row struct {
	id, causeID, txID      uuid.NullUUID
	version, seq, status   sql.NullInt64
	duration               sql.NullInt64
	occurred, recorded     timestamp
	service, kind, action  sql.NullString
	operation, outcome     sql.NullString
	reason, actorID        sql.NullString
	actorType, email       sql.NullString
	impersonator, chain    sql.NullString
	tenant, slug           sql.NullString
	actorTenant            sql.NullString
	resType, resID         sql.NullString
	resLabel, resSchema    sql.NullString
	changes, edges, fields sql.NullString
	requestID, traceID     sql.NullString
	method, path, route    sql.NullString
	query, ip, agent       sql.NullString
	metadata, marks        sql.NullString
}

// Dest returns where to scan the columns of [SelectList] to.
func (r *Row) Dest() []any {
	return []any{
		&r.id, &r.version, &r.service, &r.kind, &r.action, &r.operation, &r.outcome, &r.reason,
		&r.occurred, &r.recorded, &r.duration,
		&r.actorID, &r.actorType, &r.email, &r.impersonator, &r.chain,
		&r.tenant, &r.slug, &r.actorTenant,
		&r.resType, &r.resID, &r.resLabel, &r.resSchema,
		&r.changes, &r.edges, &r.fields,
		&r.causeID, &r.txID, &r.seq,
		&r.requestID, &r.traceID, &r.method, &r.path, &r.route, &r.query, &r.status, &r.ip, &r.agent,
		&r.metadata, &r.marks,
	}
}

// Entry returns the entry of the row scanned last. JSON that cannot be decoded,
// which this library does not write, is returned as text with a mark, so that
// one damaged row does not hide the others.
func (r *Row) Entry() (entaudit.Entry, error) {
	if !r.id.Valid {
		return entaudit.Entry{}, errNoRow
	}
	e := entaudit.Entry{
		ID: r.id.UUID, SchemaVersion: int(r.version.Int64), Service: r.service.String,
		Kind: entaudit.Kind(r.kind.String), Action: r.action.String,
		Operation: entaudit.Operation(r.operation.String), Outcome: entaudit.Outcome(r.outcome.String),
		Reason: r.reason.String, OccurredAt: r.occurred.Time, RecordedAt: r.recorded.Time,
		Duration: time.Duration(r.duration.Int64) * time.Microsecond,
		Actor: entaudit.Actor{
			ID: r.actorID.String, Type: entaudit.ActorType(r.actorType.String), Email: r.email.String,
			ImpersonatorID: r.impersonator.String,
		},
		Tenant: entaudit.Tenant{ID: r.tenant.String, Slug: r.slug.String}, ActorTenantID: r.actorTenant.String,
		Resource: entaudit.Resource{
			Type: r.resType.String, ID: r.resID.String, Label: r.resLabel.String, Schema: r.resSchema.String,
		},
		CauseID: r.causeID.UUID, TxID: r.txID.UUID, TxSeq: int(r.seq.Int64),
		Request: entaudit.Request{
			ID: r.requestID.String, TraceID: r.traceID.String, Method: r.method.String, Path: r.path.String,
			Route: r.route.String, Query: r.query.String, StatusCode: int(r.status.Int64),
			IP: r.ip.String, UserAgent: r.agent.String,
		},
	}
	r.decode(&e)
	return e, nil
}

// decode fills in what is stored as JSON.
func (r *Row) decode(e *entaudit.Entry) {
	damaged := map[string]entaudit.Mark{}
	if err := unmarshal(r.marks, &e.Marks); err != nil {
		damaged["marks"] = entaudit.MarkUnencodable
	}
	if err := unmarshal(r.chain, &e.Actor.Chain); err != nil {
		e.Actor.Chain = []string{r.chain.String}
		damaged["actor_chain"] = entaudit.MarkUnencodable
	}
	var err error
	if e.Changes, err = entaudit.DecodeChanges([]byte(r.changes.String)); err != nil {
		e.Changes = []entaudit.Change{{Field: "changes", New: entaudit.AppendString(nil, r.changes.String)}}
		damaged["changes"] = entaudit.MarkUnencodable
	}
	if e.Edges, err = entaudit.DecodeEdges([]byte(r.edges.String)); err != nil {
		e.Edges = []entaudit.EdgeChange{{Edge: r.edges.String, Unknown: true}}
		damaged["edges"] = entaudit.MarkUnencodable
	}
	if r.metadata.String != "" {
		v, err := decodeAny([]byte(r.metadata.String))
		m, ok := v.(map[string]any)
		if err != nil || !ok {
			m = map[string]any{"metadata": r.metadata.String}
			damaged["metadata"] = entaudit.MarkUnencodable
		}
		e.Metadata = m
	}
	for path, m := range damaged {
		e.Marks = with(e.Marks, path, m)
	}
}

func unmarshal(s sql.NullString, v any) error {
	if s.String == "" {
		return nil
	}
	return json.Unmarshal([]byte(s.String), v)
}

// timestamp scans a time in whatever form a driver hands it over.
type timestamp struct{ time.Time }

// Scan implements sql.Scanner.
func (t *timestamp) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		t.Time = time.Time{}
	case time.Time:
		t.Time = src.UTC()
	case string:
		return t.parse(src)
	case []byte:
		return t.parse(string(src))
	default:
		return fmt.Errorf("scan time: unexpected %T", src)
	}
	return nil
}

func (t *timestamp) parse(s string) error {
	for _, layout := range []string{
		"2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999",
		time.RFC3339Nano,
		"2006-01-02 15:04:05.999999999 -0700 MST",
	} {
		if v, err := time.Parse(layout, s); err == nil {
			t.Time = v.UTC()
			return nil
		}
	}
	return fmt.Errorf("scan time: %q is not a time", s)
}
