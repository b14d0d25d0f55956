package entaudit

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// OriginVersion is the version of the JSON form of an [Origin].
const OriginVersion = 1

// originJSON is an Origin as JSON: the names of an entry's JSON. A change that an older
// program would misread has a new version; what it can leave out has not.
type originJSON struct {
	Version        int             `json:"version"`
	ActorID        string          `json:"actor_id,omitempty"`
	ActorType      ActorType       `json:"actor_type,omitempty"`
	ActorEmail     string          `json:"actor_email,omitempty"`
	ImpersonatorID string          `json:"impersonator_id,omitempty"`
	ActorChain     []string        `json:"actor_chain,omitempty"`
	TenantID       string          `json:"tenant_id,omitempty"`
	TenantSlug     string          `json:"tenant_slug,omitempty"`
	RequestID      string          `json:"request_id,omitempty"`
	TraceID        string          `json:"trace_id,omitempty"`
	Method         string          `json:"method,omitempty"`
	Path           string          `json:"path,omitempty"`
	Route          string          `json:"route,omitempty"`
	Query          string          `json:"query,omitempty"`
	StatusCode     int             `json:"status_code,omitempty"`
	IPAddress      string          `json:"ip_address,omitempty"`
	UserAgent      string          `json:"user_agent,omitempty"`
	Marks          map[string]Mark `json:"marks,omitempty"`
}

// MarshalJSON encodes the origin as one flat JSON object, for the payload of a queue's
// job: "version", and what is known under the names that it has in an entry's JSON. It
// says who acts and is not signed: it belongs where nobody else can write.
func (o Origin) MarshalJSON() ([]byte, error) {
	return marshalVisible(originJSON{
		Version: OriginVersion,
		ActorID: o.Actor.ID, ActorType: o.Actor.Type, ActorEmail: o.Actor.Email,
		ImpersonatorID: o.Actor.ImpersonatorID, ActorChain: o.Actor.Chain,
		TenantID: o.Tenant.ID, TenantSlug: o.Tenant.Slug,
		RequestID: o.Request.ID, TraceID: o.Request.TraceID, Method: o.Request.Method, Path: o.Request.Path,
		Route: o.Request.Route, Query: o.Request.Query, StatusCode: o.Request.StatusCode,
		IPAddress: o.Request.IP, UserAgent: o.Request.UserAgent,
		Marks: o.Marks,
	})
}

// UnmarshalJSON decodes what MarshalJSON writes. Names are told apart by case, those that
// it does not know are left out, and a version that it does not know is an error.
func (o *Origin) UnmarshalJSON(data []byte) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return fmt.Errorf("entaudit: decode origin: %w", err)
	}
	known := reflect.TypeFor[originJSON]()
	names := make(map[string]bool, known.NumField())
	for i := range known.NumField() {
		name, _, _ := strings.Cut(known.Field(i).Tag.Get("json"), ",")
		names[name] = true
	}
	// Or encoding/json would take ACTOR_ID for actor_id.
	maps.DeleteFunc(given, func(name string, _ json.RawMessage) bool { return !names[name] })
	data, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("entaudit: decode origin: %w", err)
	}
	var j originJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("entaudit: decode origin: %w", err)
	}
	if j.Version != OriginVersion {
		return fmt.Errorf("entaudit: decode origin: version %d is not known", j.Version)
	}
	*o = Origin{
		Actor: Actor{
			ID: j.ActorID, Type: j.ActorType, Email: j.ActorEmail, ImpersonatorID: j.ImpersonatorID, Chain: j.ActorChain,
		},
		Tenant: Tenant{ID: j.TenantID, Slug: j.TenantSlug},
		Request: Request{
			ID: j.RequestID, TraceID: j.TraceID, Method: j.Method, Path: j.Path, Route: j.Route, Query: j.Query,
			StatusCode: j.StatusCode, IP: j.IPAddress, UserAgent: j.UserAgent,
		},
		Marks: j.Marks,
	}
	return nil
}
