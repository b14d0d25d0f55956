package entaudit

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// object is a JSON object while it is put together. Members that are empty are left out.
type object struct {
	b   []byte
	err error // the first; what comes after it makes no difference
}

func (o *object) key(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) text(name, s string) {
	if s != "" {
		o.always(name, s)
	}
}

func (o *object) always(name, s string) {
	o.key(name)
	o.string(s)
}

func (o *object) number(name string, n int64) {
	if n != 0 {
		o.key(name)
		o.b = strconv.AppendInt(o.b, n, 10)
	}
}

func (o *object) uuid(name string, id uuid.UUID) {
	if id != uuid.Nil {
		o.always(name, id.String())
	}
}

func (o *object) time(name string, t time.Time) {
	o.key(name)
	b, err := t.AppendText(append(o.b, '"'))
	if err != nil {
		o.fail(err)
		return
	}
	o.b = append(b, '"')
}

// other adds v, of whatever type, as package json encodes it.
func (o *object) other(v any) {
	b, err := marshalVisible(v)
	if err != nil {
		o.fail(err)
		return
	}
	o.b = append(o.b, b...)
}

func (o *object) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// string adds s. Finished entries have no text that AppendString would alter.
func (o *object) string(s string) {
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		o.other(s)
		return
	}
	o.b = AppendString(o.b, s)
}

// raw adds JSON that somebody has encoded.
func (o *object) raw(name string, data []byte) {
	if len(data) == 0 {
		return
	}
	o.key(name)
	begin, buf := len(o.b), bytes.NewBuffer(o.b)
	if err := json.Compact(buf, data); err != nil {
		o.fail(err)
		return
	}
	o.b = buf.Bytes()
	if visible := escapeInvisible(o.b[begin:]); len(visible) > len(o.b)-begin { // else it is the same
		o.b = append(o.b[:begin], visible...)
	}
}

// maxPlainDepth is how deep values are nested that are not left to package json, which
// knows what to do where they have no end.
const maxPlainDepth = 64

// value adds what comes out of JSON, as the metadata of finished entries does, and leaves all
// else to package json.
func (o *object) value(v any, depth int) {
	switch v := v.(type) {
	case nil:
		o.b = append(o.b, "null"...)
		return
	case bool:
		o.b = strconv.AppendBool(o.b, v)
		return
	case string:
		o.string(v)
		return
	case int:
		o.b = strconv.AppendInt(o.b, int64(v), 10)
		return
	case json.Number:
		if v != "" && (v[0] == '-' || '0' <= v[0] && v[0] <= '9') && json.Valid([]byte(v)) && v[len(v)-1] > ' ' {
			o.b = append(o.b, v...)
			return
		}
	case []any:
		if v != nil && depth < maxPlainDepth {
			o.b = append(o.b, '[')
			for i, e := range v {
				if i > 0 {
					o.b = append(o.b, ',')
				}
				o.value(e, depth+1)
			}
			o.b = append(o.b, ']')
			return
		}
	case map[string]any:
		if v != nil && depth < maxPlainDepth {
			o.members(v, depth)
			return
		}
	}
	o.other(v)
}

// members adds an object in the order of its names.
func (o *object) members(m map[string]any, depth int) {
	inOrder(o, m, func(v any) { o.value(v, depth+1) })
}

func (o *object) edges(edges map[string]edgeJSON) {
	inOrder(o, edges, func(e edgeJSON) {
		sep := byte('{')
		for _, part := range []struct {
			name string
			ids  []string
		}{{`"added":`, e.Added}, {`"removed":`, e.Removed}} {
			if len(part.ids) > 0 {
				o.b = append(append(o.b, sep), part.name...)
				o.list(part.ids)
				sep = ','
			}
		}
		if e.Unknown {
			o.b = append(append(o.b, sep), `"unknown":true`...)
			sep = ','
		}
		if sep == '{' {
			o.b = append(o.b, sep)
		}
		o.b = append(o.b, '}')
	})
}

func (o *object) list(list []string) {
	o.b = append(o.b, '[')
	for i, s := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.string(s)
	}
	o.b = append(o.b, ']')
}

// inOrder adds an object of what m holds, in the order of the names.
func inOrder[V any](o *object, m map[string]V, add func(V)) {
	var few [16]string
	names := slices.AppendSeq(few[:0], maps.Keys(m))
	slices.Sort(names)
	o.b = append(o.b, '{')
	for i, name := range names {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.string(name)
		o.b = append(o.b, ':')
		add(m[name])
	}
	o.b = append(o.b, '}')
}

// appendEntry returns e as JSON: the names of the table's columns, empty ones left out.
func appendEntry(b []byte, e *Entry) ([]byte, error) {
	o := object{b: append(b, '{')}
	o.always("id", e.ID.String())
	o.key("schema_version")
	o.b = strconv.AppendInt(o.b, int64(e.SchemaVersion), 10)
	o.text("service", e.Service)
	o.always("kind", string(e.Kind))
	o.text("action", e.Action)
	o.text("operation", string(e.Operation))
	o.always("outcome", string(e.Outcome))
	o.text("reason", e.Reason)
	o.time("occurred_at", e.OccurredAt)
	if !e.RecordedAt.IsZero() {
		o.time("recorded_at", e.RecordedAt)
	}
	o.number("duration_us", e.Duration.Microseconds())
	o.text("actor_id", e.Actor.ID)
	o.text("actor_type", string(e.Actor.Type))
	o.text("actor_email", e.Actor.Email)
	o.text("impersonator_id", e.Actor.ImpersonatorID)
	if len(e.Actor.Chain) > 0 {
		o.key("actor_chain")
		o.list(e.Actor.Chain)
	}
	o.text("tenant_id", e.Tenant.ID)
	o.text("tenant_slug", e.Tenant.Slug)
	o.text("actor_tenant_id", e.ActorTenantID)
	o.text("resource_type", e.Resource.Type)
	o.text("resource_id", e.Resource.ID)
	o.text("resource_label", e.Resource.Label)
	o.text("resource_schema", e.Resource.Schema)
	o.raw("changes", EncodeChanges(e.Changes))
	if len(e.Edges) > 0 {
		o.key("edges")
		o.edges(edgesToJSON(e.Edges))
	}
	o.uuid("cause_id", e.CauseID)
	o.uuid("tx_id", e.TxID)
	o.number("tx_seq", int64(e.TxSeq))
	o.request(&e.Request)
	if len(e.Metadata) > 0 {
		o.key("metadata")
		o.value(e.Metadata, 0)
	}
	if len(e.Marks) > 0 {
		o.key("marks")
		inOrder(&o, e.Marks, func(m Mark) { o.string(string(m)) })
	}
	return append(o.b, '}'), o.err
}

func (o *object) request(r *Request) {
	o.text("request_id", r.ID)
	o.text("trace_id", r.TraceID)
	o.text("method", r.Method)
	o.text("path", r.Path)
	o.text("route", r.Route)
	o.text("query", r.Query)
	o.number("status_code", int64(r.StatusCode))
	o.text("ip_address", r.IP)
	o.text("user_agent", r.UserAgent)
}
