package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/entaudit/audit/entaudit"
)

// encoded holds the columns of an entry that are JSON, "" where they are NULL.
type encoded struct {
	chain, changes, edges, fields, metadata, marks string
}

func encode(e *entaudit.Entry) encoded {
	j := encoded{chain: array(e.Actor.Chain), changes: storable(entaudit.EncodeChanges(e.Changes)), fields: fields(e.Changes)}
	marks := e.Marks
	if len(e.Edges) > 0 {
		edges, err := entaudit.EncodeEdges(e.Edges)
		if err != nil {
			marks = with(marks, "edges", entaudit.MarkUnencodable)
		}
		j.edges = storable(edges)
	}
	if len(e.Metadata) > 0 {
		j.metadata, marks = metadata(e.Metadata, marks)
	}
	j.marks = encodeMarks(marks)
	return j
}

// with returns marks and one more, without changing the map of the entry.
func with(marks map[string]entaudit.Mark, path string, m entaudit.Mark) map[string]entaudit.Mark {
	c := make(map[string]entaudit.Mark, len(marks)+1)
	maps.Copy(c, marks)
	c[path] = m
	return c
}

// storable returns JSON as text that every database takes. What the library
// encodes is that already; a caller's own raw values may not be.
func storable(data []byte) string {
	if utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 {
		return string(data)
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(data), "\ufffd"), "\x00", "\ufffd")
}

func array(values []string) string {
	if len(values) == 0 {
		return ""
	}
	b := make([]byte, 0, 40*len(values))
	sep := byte('[')
	for _, s := range values {
		b = entaudit.AppendString(append(b, sep), s)
		sep = ','
	}
	return string(append(b, ']'))
}

// fields returns the names of the changed fields as a JSON array.
func fields(changes []entaudit.Change) string {
	if len(changes) == 0 {
		return ""
	}
	var buf [256]byte
	b := buf[:0]
	sep := byte('[')
	for _, c := range changes {
		b = entaudit.AppendString(append(b, sep), c.Field)
		sep = ','
	}
	return string(append(b, ']'))
}

func encodeMarks(marks map[string]entaudit.Mark) string {
	if len(marks) == 0 {
		return ""
	}
	b := make([]byte, 0, 48*len(marks))
	sep := byte('{')
	for _, path := range slices.Sorted(maps.Keys(marks)) {
		b = append(entaudit.AppendString(append(b, sep), path), ':')
		b = entaudit.AppendString(b, string(marks[path]))
		sep = ','
	}
	return string(append(b, '}'))
}

// metadata returns m as a JSON object. A value that JSON cannot hold becomes the
// name of its type, and a mark says so.
func metadata(m map[string]any, marks map[string]entaudit.Mark) (string, map[string]entaudit.Mark) {
	b := make([]byte, 0, 64*len(m))
	sep := byte('{')
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b = append(entaudit.AppendString(append(b, sep), name), ':')
		sep = ','
		start := len(b)
		var err error
		if b, err = appendValue(b, m[name], 0); err != nil {
			b = entaudit.AppendString(b[:start], fmt.Sprintf("%T", m[name]))
			marks = with(marks, "metadata."+name, entaudit.MarkUnencodable)
		}
	}
	return string(append(b, '}')), marks
}

// maxDepth is how deep values may be nested.
const maxDepth = 64

var (
	errDepth  = errors.New("nested too deep")
	errNumber = errors.New("not a JSON number")
)

func appendValue(b []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return b, errDepth
	}
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return entaudit.AppendString(b, v), nil
	case json.Number:
		if c := v[:min(len(v), 1)]; c == "" || c != "-" && (c < "0" || c > "9") || !json.Valid([]byte(v)) {
			return b, errNumber
		}
		return append(b, v...), nil
	case []any:
		return appendArray(b, v, depth)
	case map[string]any:
		return appendObject(b, v, depth)
	}
	plain, err := viaJSON(v)
	if err != nil {
		return b, err
	}
	return appendValue(b, plain, depth+1)
}

func appendArray(b []byte, values []any, depth int) ([]byte, error) {
	b = append(b, '[')
	var err error
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, v, depth+1); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, m map[string]any, depth int) ([]byte, error) {
	b = append(b, '{')
	var err error
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(entaudit.AppendString(b, name), ':')
		if b, err = appendValue(b, m[name], depth+1); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// viaJSON returns v as JSON gives it back. A MarshalJSON that panics is an
// error: it must not take the mutation down.
func viaJSON(v any) (plain any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%T panics: %v", v, p)
		}
	}()
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return decodeAny(data)
}

// decodeAny decodes one JSON value; numbers keep all their digits.
func decodeAny(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}
