package spool

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/entaudit/audit/entaudit"
)

// encoded is entries as records, the length of each, and the entries as they come back.
type encoded struct {
	records []byte
	lengths []int
	entries []entaudit.Entry
}

// encode takes entries over, in the place of others. One that cannot be encoded is stored
// without what stands in the way, with a mark.
func (c *encoded) encode(entries []entaudit.Entry) error {
	c.entries = append(c.entries[:0], entries...) // the caller may reuse his
	c.lengths = slices.Grow(c.lengths[:0], len(entries))
	c.records = slices.Grow(c.records[:0], typicalRecord*len(entries))
	for i := range c.entries {
		e, before := &c.entries[i], len(c.records)
		records, err := appendRecord(c.records, e)
		if err == nil && !plain(e.Metadata, 0) {
			err = e.UnmarshalJSON(records[before+prefixSize:]) // it is the same before a crash and after it
		}
		if err != nil {
			*e = bare(*e, err)
			if records, err = appendRecord(c.records, e); err != nil {
				return fmt.Errorf("spool: entry %s: %w", e.ID, err)
			}
		}
		c.records = records
		c.lengths = append(c.lengths, len(records)-before)
	}
	return nil
}

// typicalRecord is how many bytes most records take.
const typicalRecord = 1280

// maxDepth is how deep values are nested that are looked at, rather than decoded.
const maxDepth = 16

// plain reports whether v is what comes out of JSON, as it is in finished entries.
func plain(v any, depth int) bool {
	switch v := v.(type) {
	case nil, bool, string:
		return true
	case json.Number:
		return v != ""
	case []any:
		return v != nil && depth < maxDepth && !slices.ContainsFunc(v, func(e any) bool { return !plain(e, depth+1) })
	case map[string]any:
		if v == nil {
			return depth == 0
		}
		for _, e := range v {
			if depth == maxDepth || !plain(e, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// marshal appends e to buf. Values in its metadata may panic.
func marshal(buf []byte, e *entaudit.Entry) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("encoding panicked with %T", p)
		}
	}()
	return e.AppendJSON(buf)
}

// bare returns e without what may be no JSON: finished entries have nothing of the kind.
func bare(e entaudit.Entry, err error) entaudit.Entry {
	e.Metadata = map[string]any{"encode_failed": entaudit.ErrorCode(err)}
	e.Changes, e.Edges = nil, nil
	e.Marks = map[string]entaudit.Mark{
		"metadata": entaudit.MarkUnencodable, "changes": entaudit.MarkUnencodable, "edges": entaudit.MarkUnencodable,
	}
	return e
}
