package entaudit

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
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

// key adds what is before a value: a comma, unless it is the first, the name and a colon.
func (o *object) key(key string) { o.b = append(o.b, key...) }

func (o *object) text(key, s string) {
	if s != "" {
		o.always(key, s)
	}
}

func (o *object) always(key, s string) {
	o.key(key)
	o.string(s)
}

func (o *object) number(key string, n int64) {
	if n != 0 {
		o.key(key)
		o.b = strconv.AppendInt(o.b, n, 10)
	}
}

func (o *object) uuid(key string, id uuid.UUID) {
	o.key(key)
	text := []byte(`"........-....-....-....-............"`)
	hex.Encode(text[1:], id[:4])
	hex.Encode(text[10:], id[4:6])
	hex.Encode(text[15:], id[6:8])
	hex.Encode(text[20:], id[8:10])
	hex.Encode(text[25:], id[10:])
	o.b = append(o.b, text...)
}

func (o *object) time(key string, t time.Time) {
	o.key(key)
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
	if plainText(s) {
		o.b = append(append(append(o.b, '"'), s...), '"')
		return
	}
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		o.other(s)
		return
	}
	o.b = AppendString(o.b, s)
}

// plainText reports whether s is the same in JSON.
func plainText[T string | []byte](s T) bool {
	for i := range len(s) {
		if !plainByte[s[i]] {
			return false
		}
	}
	return true
}

var plainByte = func() (plain [256]bool) {
	for c := byte(' '); c <= '~'; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// plainJSON reports whether data is JSON of one word, in the form that it is stored in. It
// knows only what is seen at a glance.
func plainJSON(data []byte) bool {
	if n := len(data); n > 1 && data[0] == '"' && data[n-1] == '"' {
		return plainText(data[1 : n-1])
	}
	switch string(data) {
	case "true", "false", "null":
		return true
	}
	return plainNumber(data)
}

// plainNumber reports whether data is a number without an exponent.
func plainNumber(data []byte) bool {
	whole, fraction, point := bytes.Cut(bytes.TrimPrefix(data, []byte("-")), []byte("."))
	return digits(whole) && (len(whole) == 1 || whole[0] != '0') && (!point || digits(fraction))
}

func digits(data []byte) bool {
	for _, c := range data {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(data) > 0
}

// raw appends JSON that somebody has encoded to b.
func (o *object) raw(b []byte, data json.RawMessage) []byte {
	if plainJSON(data) {
		return append(b, data...)
	}
	begin, buf := len(b), bytes.NewBuffer(b)
	if err := json.Compact(buf, data); err != nil {
		o.fail(err)
		return b
	}
	b = buf.Bytes()
	if visible := escapeInvisible(b[begin:]); len(visible) > len(b)-begin { // else it is the same
		b = append(b[:begin], visible...)
	}
	return b
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

// edges adds edges as [EncodeEdges] encodes them.
func (o *object) edges(edges []EdgeChange) {
	if !slices.IsSortedFunc(edges, func(a, b EdgeChange) int { return cmp.Or(strings.Compare(a.Edge, b.Edge), -1) }) {
		edges = edgesFromJSON(edgesToJSON(edges))
	}
	o.b = append(o.b, '{')
	for i := range edges {
		e := &edges[i]
		o.member(i, e.Edge)
		sep := byte('{')
		for _, part := range []struct {
			key string
			ids []string
		}{{`"added":`, e.Added}, {`"removed":`, e.Removed}} {
			if len(part.ids) > 0 {
				o.b = append(o.b, sep)
				o.key(part.key)
				o.list(part.ids)
				sep = ','
			}
		}
		if e.Unknown {
			o.b = append(o.b, sep)
			o.key(`"unknown":true`)
			sep = ','
		}
		if sep == '{' {
			o.b = append(o.b, sep)
		}
		o.b = append(o.b, '}')
	}
	o.b = append(o.b, '}')
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
	names := few[:0]
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	o.b = append(o.b, '{')
	for i, name := range names {
		o.member(i, name)
		add(m[name])
	}
	o.b = append(o.b, '}')
}

// member begins the i-th member of an object whose names may be any text.
func (o *object) member(i int, name string) {
	if i > 0 {
		o.b = append(o.b, ',')
	}
	o.string(name)
	o.b = append(o.b, ':')
}

// appendEntry returns e as JSON: the names of the table's columns, empty ones left out.
func appendEntry(b []byte, e *Entry) ([]byte, error) {
	o := object{b: b}
	o.uuid(`{"id":`, e.ID)
	o.key(`,"schema_version":`)
	o.b = strconv.AppendInt(o.b, int64(e.SchemaVersion), 10)
	o.text(`,"service":`, e.Service)
	o.always(`,"kind":`, string(e.Kind))
	o.text(`,"action":`, e.Action)
	o.text(`,"operation":`, string(e.Operation))
	o.always(`,"outcome":`, string(e.Outcome))
	o.text(`,"reason":`, e.Reason)
	o.time(`,"occurred_at":`, e.OccurredAt)
	if !e.RecordedAt.IsZero() {
		o.time(`,"recorded_at":`, e.RecordedAt)
	}
	o.number(`,"duration_us":`, e.Duration.Microseconds())
	o.text(`,"actor_id":`, e.Actor.ID)
	o.text(`,"actor_type":`, string(e.Actor.Type))
	o.text(`,"actor_email":`, e.Actor.Email)
	o.text(`,"impersonator_id":`, e.Actor.ImpersonatorID)
	if len(e.Actor.Chain) > 0 {
		o.key(`,"actor_chain":`)
		o.list(e.Actor.Chain)
	}
	o.text(`,"tenant_id":`, e.Tenant.ID)
	o.text(`,"tenant_slug":`, e.Tenant.Slug)
	o.text(`,"actor_tenant_id":`, e.ActorTenantID)
	o.text(`,"resource_type":`, e.Resource.Type)
	o.text(`,"resource_id":`, e.Resource.ID)
	o.text(`,"resource_label":`, e.Resource.Label)
	o.text(`,"resource_schema":`, e.Resource.Schema)
	if len(e.Changes) > 0 {
		o.key(`,"changes":`)
		o.b = appendChanges(o.b, e.Changes, o.raw)
	}
	if len(e.Edges) > 0 {
		o.key(`,"edges":`)
		o.edges(e.Edges)
	}
	if e.CauseID != uuid.Nil {
		o.uuid(`,"cause_id":`, e.CauseID)
	}
	if e.TxID != uuid.Nil {
		o.uuid(`,"tx_id":`, e.TxID)
	}
	o.number(`,"tx_seq":`, int64(e.TxSeq))
	o.request(&e.Request)
	if len(e.Metadata) > 0 {
		o.key(`,"metadata":`)
		o.value(e.Metadata, 0)
	}
	if len(e.Marks) > 0 {
		o.key(`,"marks":`)
		inOrder(&o, e.Marks, func(m Mark) { o.string(string(m)) })
	}
	return append(o.b, '}'), o.err
}

func (o *object) request(r *Request) {
	o.text(`,"request_id":`, r.ID)
	o.text(`,"trace_id":`, r.TraceID)
	o.text(`,"method":`, r.Method)
	o.text(`,"path":`, r.Path)
	o.text(`,"route":`, r.Route)
	o.text(`,"query":`, r.Query)
	o.number(`,"status_code":`, int64(r.StatusCode))
	o.text(`,"ip_address":`, r.IP)
	o.text(`,"user_agent":`, r.UserAgent)
}
