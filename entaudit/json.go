package entaudit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// entryJSON is an entry as JSON, as it is decoded.
type entryJSON struct {
	ID             uuid.UUID           `json:"id"`
	SchemaVersion  int                 `json:"schema_version"`
	Service        string              `json:"service,omitempty"`
	Kind           Kind                `json:"kind"`
	Action         string              `json:"action,omitempty"`
	Operation      Operation           `json:"operation,omitempty"`
	Outcome        Outcome             `json:"outcome"`
	Reason         string              `json:"reason,omitempty"`
	OccurredAt     time.Time           `json:"occurred_at"`
	RecordedAt     time.Time           `json:"recorded_at,omitzero"`
	DurationUS     int64               `json:"duration_us,omitempty"`
	ActorID        string              `json:"actor_id,omitempty"`
	ActorType      ActorType           `json:"actor_type,omitempty"`
	ActorEmail     string              `json:"actor_email,omitempty"`
	ImpersonatorID string              `json:"impersonator_id,omitempty"`
	ActorChain     []string            `json:"actor_chain,omitempty"`
	TenantID       string              `json:"tenant_id,omitempty"`
	TenantSlug     string              `json:"tenant_slug,omitempty"`
	ActorTenantID  string              `json:"actor_tenant_id,omitempty"`
	ResourceType   string              `json:"resource_type,omitempty"`
	ResourceID     string              `json:"resource_id,omitempty"`
	ResourceLabel  string              `json:"resource_label,omitempty"`
	ResourceSchema string              `json:"resource_schema,omitempty"`
	Changes        json.RawMessage     `json:"changes,omitempty"`
	Edges          map[string]edgeJSON `json:"edges,omitempty"`
	CauseID        uuid.UUID           `json:"cause_id,omitzero"`
	TxID           uuid.UUID           `json:"tx_id,omitzero"`
	TxSeq          int                 `json:"tx_seq,omitempty"`
	RequestID      string              `json:"request_id,omitempty"`
	TraceID        string              `json:"trace_id,omitempty"`
	Method         string              `json:"method,omitempty"`
	Path           string              `json:"path,omitempty"`
	Route          string              `json:"route,omitempty"`
	Query          string              `json:"query,omitempty"`
	StatusCode     int                 `json:"status_code,omitempty"`
	IPAddress      string              `json:"ip_address,omitempty"`
	UserAgent      string              `json:"user_agent,omitempty"`
	Metadata       map[string]any      `json:"metadata,omitempty"`
	Marks          map[string]Mark     `json:"marks,omitempty"`
}

type edgeJSON struct {
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
	Unknown bool     `json:"unknown,omitempty"`
}

// MarshalJSON encodes the entry as one JSON object with the names of the
// table's columns, on one line, in which invisible characters are escaped.
func (e Entry) MarshalJSON() ([]byte, error) {
	return e.AppendJSON(make([]byte, 0, typicalEntry))
}

// AppendJSON appends what MarshalJSON returns to b. After an error the result is of no use.
func (e *Entry) AppendJSON(b []byte) ([]byte, error) { return appendEntry(b, e) }

// typicalEntry is how many bytes most entries take.
const typicalEntry = 1024

// UnmarshalJSON decodes what MarshalJSON writes.
func (e *Entry) UnmarshalJSON(data []byte) error {
	var j entryJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // metadata keeps the digits of its numbers
	if err := dec.Decode(&j); err != nil {
		return fmt.Errorf("entaudit: decode entry: %w", err)
	}
	changes, err := DecodeChanges(j.Changes)
	if err != nil {
		return err
	}
	*e = Entry{
		ID: j.ID, SchemaVersion: j.SchemaVersion, Service: j.Service, Kind: j.Kind,
		Action: j.Action, Operation: j.Operation, Outcome: j.Outcome, Reason: j.Reason,
		OccurredAt: j.OccurredAt, RecordedAt: j.RecordedAt,
		Duration: time.Duration(j.DurationUS) * time.Microsecond,
		Actor: Actor{
			ID: j.ActorID, Type: j.ActorType, Email: j.ActorEmail,
			ImpersonatorID: j.ImpersonatorID, Chain: j.ActorChain,
		},
		Tenant: Tenant{ID: j.TenantID, Slug: j.TenantSlug}, ActorTenantID: j.ActorTenantID,
		Resource: Resource{Type: j.ResourceType, ID: j.ResourceID, Label: j.ResourceLabel, Schema: j.ResourceSchema},
		Changes:  changes, Edges: edgesFromJSON(j.Edges),
		CauseID: j.CauseID, TxID: j.TxID, TxSeq: j.TxSeq,
		Request: Request{
			ID: j.RequestID, TraceID: j.TraceID, Method: j.Method, Path: j.Path, Route: j.Route,
			Query: j.Query, StatusCode: j.StatusCode, IP: j.IPAddress, UserAgent: j.UserAgent,
		},
		Metadata: j.Metadata, Marks: j.Marks,
	}
	return nil
}
