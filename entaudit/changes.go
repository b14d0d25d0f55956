package entaudit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// EncodeChanges returns changes as the JSON object that the changes column
// holds: {"field": {"old": ..., "new": ...}}, or nil where there are none.
func EncodeChanges(changes []Change) json.RawMessage {
	if len(changes) == 0 {
		return nil
	}
	size := 2
	for _, c := range changes {
		size += len(c.Field) + len(c.Old) + len(c.New) + 22
	}
	return appendChanges(make([]byte, 0, size), changes, func(b []byte, v json.RawMessage) []byte { return append(b, v...) })
}

// appendChanges appends changes as JSON, whose values add appends.
func appendChanges(b []byte, changes []Change, add func(b []byte, v json.RawMessage) []byte) []byte {
	sep := byte('{')
	for i := range changes {
		c := &changes[i]
		b = append(AppendString(append(b, sep), c.Field), ':', '{')
		if c.Old != nil {
			b = add(append(b, `"old":`...), c.Old)
		}
		if c.New != nil {
			if c.Old != nil {
				b = append(b, ',')
			}
			b = add(append(b, `"new":`...), c.New)
		}
		b = append(b, '}')
		sep = ','
	}
	return append(b, '}')
}

// DecodeChanges decodes what [EncodeChanges] returns, in the same order.
// Numbers keep all their digits.
func DecodeChanges(data []byte) ([]Change, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("entaudit: decode changes: %w", err)
	} else if t != json.Delim('{') {
		return nil, fmt.Errorf("entaudit: decode changes: %v is not an object", t)
	}
	var changes []Change
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("entaudit: decode changes: %w", err)
		}
		var sides map[string]json.RawMessage
		if err := dec.Decode(&sides); err != nil {
			return nil, fmt.Errorf("entaudit: decode changes: %w", err)
		}
		changes = append(changes, Change{Field: name.(string), Old: sides["old"], New: sides["new"]})
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("entaudit: decode changes: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("entaudit: decode changes: more than one object")
	}
	return changes, nil
}

// EncodeEdges returns edges as the JSON object that the edges column holds:
// {"edge": {"added": [ids], "removed": [ids]}}, or nil where there are none.
func EncodeEdges(edges []EdgeChange) (json.RawMessage, error) {
	if len(edges) == 0 {
		return nil, nil
	}
	return json.Marshal(edgesToJSON(edges))
}

// DecodeEdges decodes what [EncodeEdges] returns, ordered by edge.
func DecodeEdges(data []byte) ([]EdgeChange, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var m map[string]edgeJSON
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("entaudit: decode edges: %w", err)
	}
	return edgesFromJSON(m), nil
}

func edgesToJSON(edges []EdgeChange) map[string]edgeJSON {
	if len(edges) == 0 {
		return nil
	}
	m := make(map[string]edgeJSON, len(edges))
	for _, c := range edges {
		j := m[c.Edge]
		j.Added = append(slices.Clip(j.Added), c.Added...)
		j.Removed = append(slices.Clip(j.Removed), c.Removed...)
		j.Unknown = j.Unknown || c.Unknown
		m[c.Edge] = j
	}
	return m
}

func edgesFromJSON(m map[string]edgeJSON) []EdgeChange {
	var edges []EdgeChange
	for name, j := range m {
		edges = append(edges, EdgeChange{Edge: name, Added: j.Added, Removed: j.Removed, Unknown: j.Unknown})
	}
	slices.SortFunc(edges, func(a, b EdgeChange) int { return strings.Compare(a.Edge, b.Edge) })
	return edges
}
