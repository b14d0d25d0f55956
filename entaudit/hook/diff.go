package hook

import (
	"bytes"
	"slices"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// differ builds the changes of one entry. Its buffer holds all encoded values of a
// mutation.
type differ struct {
	p   *plan
	enc encoder
	buf []byte
}

func (s *scope) differ() *differ {
	return &differ{p: s.p, enc: encoder{redact: s.in.rec.Redactor().ForChanges(), limit: s.in.rec.Config().MaxValue}}
}

// encode returns the value of a field as JSON, and its mark. The result stays valid
// when the buffer grows.
func (d *differ) encode(field int, v any) ([]byte, entaudit.Mark) {
	from := len(d.buf)
	var m entaudit.Mark
	d.buf, m = d.enc.append(d.buf, d.p.Fields[field].Kind, v)
	return d.buf[from:len(d.buf):len(d.buf)], m
}

var (
	null   = []byte("null")
	masked = []byte(`"` + entaudit.Redacted + `"`)
)

// side returns one side of a change as it may leave the mutation.
func (d *differ) side(e *entaudit.Entry, field int, name string, data []byte, m entaudit.Mark) []byte {
	f := d.p.Fields[field]
	if d.p.masked[field] && !bytes.Equal(data, null) {
		data, m = masked, entaudit.MarkRedacted
	}
	if m != "" {
		if e.Marks == nil {
			e.Marks = make(map[string]entaudit.Mark)
		}
		e.Marks["changes."+f.Name+"."+name] = m
	}
	return data
}

// whole adds the values of a row that came into being or went.
func (d *differ) whole(e *entaudit.Entry, fields []int, values []any, created bool) {
	if cap(d.buf) == 0 {
		d.buf = make([]byte, 0, 48*len(fields))
	}
	e.Changes = slices.Grow(e.Changes, len(fields))
	for i, f := range fields {
		if values[i] == nil || d.p.Fields[f].Ignore {
			continue
		}
		data, m := d.encode(f, values[i])
		if bytes.Equal(data, null) {
			continue
		}
		c := entaudit.Change{Field: d.p.Fields[f].Name}
		if created {
			c.New = d.side(e, f, "new", data, m)
		} else {
			c.Old = d.side(e, f, "old", data, m)
		}
		e.Changes = append(e.Changes, c)
	}
	trim(e)
}

// maxChanges is about how many bytes the changes of one entry take. It keeps clear of
// the smallest usual limit of a statement, 16 MiB on MariaDB: a row must not become too
// large to be changed because it is audited.
const maxChanges = 4 << 20

// trim cuts the largest values of an entry that is too large, with marks.
func trim(e *entaudit.Entry) {
	total := 0
	for _, c := range e.Changes {
		total += len(c.Old) + len(c.New)
	}
	if total <= maxChanges {
		return
	}
	limit := maxChanges / (2 * len(e.Changes))
	cut := func(c entaudit.Change, side string, data []byte) []byte {
		if len(data) <= limit {
			return data
		}
		s, _ := entaudit.Bound(string(data), limit/2) // quotes take two bytes
		e.Marks = withMark(e.Marks, "changes."+c.Field+"."+side, entaudit.MarkCut)
		return entaudit.AppendString(nil, s)
	}
	for i, c := range e.Changes {
		e.Changes[i].Old, e.Changes[i].New = cut(c, "old", c.Old), cut(c, "new", c.New)
	}
}

// between adds what differs between two readings of a row. It reports whether
// anything but fields that every update sets is among it.
func (d *differ) between(e *entaudit.Entry, fields []int, before, after []any) (more bool) {
	for i, f := range fields {
		if d.p.Fields[f].Ignore || same(before[i], after[i]) {
			continue
		}
		o, om := d.encode(f, before[i])
		n, nm := d.encode(f, after[i])
		if bytes.Equal(o, n) && om == nm && (!lossy(om) || text(plainValue(before[i])) == text(plainValue(after[i]))) {
			continue
		}
		more = more || !d.p.Fields[f].Touch
		e.Changes = append(e.Changes, entaudit.Change{
			Field: d.p.Fields[f].Name,
			Old:   d.side(e, f, "old", o, om),
			New:   d.side(e, f, "new", n, nm),
		})
	}
	trim(e)
	return more
}

// lossy reports whether different values may have the same form under a mark.
func lossy(m entaudit.Mark) bool { return m == entaudit.MarkCut || m == entaudit.MarkRedacted }

// same reports whether two values of a driver are equal without encoding them.
func same(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	case string, int64, bool:
		return a == b
	}
	return false
}

// describe fills in tenant and label from a row.
func (d *differ) describe(e *entaudit.Entry, fields []int, values []any) {
	for _, f := range d.p.extra {
		i := slices.Index(fields, f)
		if i < 0 || values[i] == nil {
			continue
		}
		switch v := idText(d.p.Fields[f].Kind, values[i]); d.p.Fields[f].Column {
		case d.p.Tenant:
			if d.p.masked[f] {
				v = entaudit.Redacted
			}
			if v != e.Tenant.ID {
				e.Tenant = entaudit.Tenant{ID: v}
			}
		case d.p.Label:
			e.Resource.Label, _ = d.enc.redact.Text(v)
			if d.p.masked[f] {
				e.Resource.Label = entaudit.Redacted
			}
		}
	}
}
