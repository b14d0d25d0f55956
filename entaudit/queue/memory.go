package queue

import (
	"slices"
	"time"
	"unsafe"

	"github.com/entaudit/audit/entaudit"
)

// memory is the part of a queue that is in memory, in the order in which it came.
type memory struct {
	chunks       []chunk // each a batch; only the last may be less than full
	count, bytes int
	size, limit  int // of a chunk, in entries and bytes
}

type chunk struct {
	entries []entaudit.Entry
	bytes   int
	since   time.Time // when its first entry came; monotonic
}

func (m *memory) add(entries []entaudit.Entry, now time.Time) {
	for i := range entries {
		n := size(&entries[i])
		last := len(m.chunks) - 1
		if last < 0 || m.chunks[last].full(m, n) {
			m.chunks = append(m.chunks, chunk{since: now})
			last++
		}
		c := &m.chunks[last]
		c.entries = append(c.entries, entries[i])
		c.bytes += n
		m.bytes += n
	}
	m.count += len(entries)
}

// full reports whether an entry of n bytes does not belong into c any more.
func (c *chunk) full(m *memory, n int) bool {
	return len(c.entries) >= m.size || c.bytes+n > m.limit && len(c.entries) > 0
}

// batch returns the oldest entries, as many as are written at once.
func (m *memory) batch() []entaudit.Entry {
	if len(m.chunks) == 0 {
		return nil
	}
	return slices.Clip(m.chunks[0].entries)
}

// ready reports whether the oldest batch cannot grow.
func (m *memory) ready() bool {
	return len(m.chunks) > 1 || len(m.chunks) == 1 && m.chunks[0].full(m, 1)
}

// remove takes out the oldest n entries, which are all of one batch. Writers may keep
// them, so that they are not overwritten.
func (m *memory) remove(n int) {
	c := &m.chunks[0]
	for i := range c.entries[:n] {
		b := size(&c.entries[i])
		c.bytes -= b
		m.bytes -= b
	}
	m.count -= n
	if c.entries = c.entries[n:]; len(c.entries) == 0 {
		m.chunks[0] = chunk{}
		m.chunks = m.chunks[1:]
	}
}

// clear takes everything out.
func (m *memory) clear() []entaudit.Entry {
	var all []entaudit.Entry
	for _, c := range m.chunks {
		all = append(all, c.entries...)
	}
	m.chunks, m.count, m.bytes = nil, 0, 0
	return all
}

const (
	perValue = 16 // an interface, a slice's or text's header
	perPair  = 48 // an element of a map, with its share of the table
	maxDepth = 16
)

// size estimates how many bytes e takes in memory.
func size(e *entaudit.Entry) int {
	n := int(unsafe.Sizeof(*e)) +
		len(e.Service) + len(e.Kind) + len(e.Action) + len(e.Operation) + len(e.Outcome) + len(e.Reason) +
		len(e.Actor.ID) + len(e.Actor.Type) + len(e.Actor.Email) + len(e.Actor.ImpersonatorID) +
		len(e.Tenant.ID) + len(e.Tenant.Slug) + len(e.ActorTenantID) +
		len(e.Resource.Type) + len(e.Resource.ID) + len(e.Resource.Label) + len(e.Resource.Schema) +
		len(e.Request.ID) + len(e.Request.TraceID) + len(e.Request.Method) + len(e.Request.Path) + len(e.Request.Route) +
		len(e.Request.Query) + len(e.Request.IP) + len(e.Request.UserAgent) +
		texts(e.Actor.Chain)
	for i := range e.Changes {
		c := &e.Changes[i]
		n += int(unsafe.Sizeof(*c)) + len(c.Field) + len(c.Old) + len(c.New)
	}
	for i := range e.Edges {
		c := &e.Edges[i]
		n += int(unsafe.Sizeof(*c)) + len(c.Edge) + texts(c.Added) + texts(c.Removed)
	}
	for k, m := range e.Marks {
		n += perPair + len(k) + len(m)
	}
	for k, v := range e.Metadata {
		n += perPair + len(k) + value(v, maxDepth)
	}
	return n
}

func sizes(entries []entaudit.Entry) int {
	n := 0
	for i := range entries {
		n += size(&entries[i])
	}
	return n
}

func texts(list []string) int {
	n := 0
	for _, s := range list {
		n += perValue + len(s)
	}
	return n
}

// value estimates what is in metadata, which is a tree of JSON.
func value(v any, depth int) int {
	n := perValue
	if depth == 0 {
		return n
	}
	switch v := v.(type) {
	case string:
		n += len(v)
	case []byte:
		n += len(v)
	case interface{ String() string }: // json.Number and the like
		n += perValue
	case []string:
		n += texts(v)
	case []any:
		for _, e := range v {
			n += value(e, depth-1)
		}
	case map[string]any:
		for k, e := range v {
			n += perPair + len(k) + value(e, depth-1)
		}
	}
	return n
}
