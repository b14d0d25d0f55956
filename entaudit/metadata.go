package entaudit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
)

// Metadata returns a deep copy of m with the values of masked names and what
// [Redactor.Text] finds replaced, and calls mark with the path of what is not verbatim. A value that JSON cannot
// hold becomes the name of its type. One that is longer than Config.MaxValue as
// JSON is cut, and becomes text where it was none. All of them together have room
// for that and DefaultMaxValue more; smaller ones are given it first. Those that
// there is no room for are left out, and mark is called with the path "" once.
func (d *Redactor) Metadata(m map[string]any, mark func(path string, m Mark)) map[string]any {
	if len(m) == 0 {
		return nil
	}
	values := make([]value, 0, len(m))
	renamed := make(map[string]Mark)
	for name, v := range m {
		secret := d.Name(name) && v != nil && v != ""
		name, how := boundName(name)
		if how != "" {
			renamed[name] = how
		}
		c := value{name: name}
		if secret {
			c.stand(Redacted, MarkRedacted)
		} else {
			d.encode(&c, v)
		}
		values = append(values, c)
	}
	out := make(map[string]any, len(m))
	room := budget{each: d.limit, total: d.limit + DefaultMaxValue}
	left := false
	for _, i := range smallestFirst(values) {
		v := &values[i]
		if !room.admit(v) {
			left = true
			continue
		}
		out[v.name] = v.decoded()
		if how := renamed[v.name]; how != "" {
			mark(v.name, how)
		}
		for path, how := range v.marks {
			mark(within(v.name, path), how)
		}
	}
	if left {
		mark("", MarkCut)
	}
	return out
}

// admit makes v fit, or reports that not even its name does.
func (b *budget) admit(v *value) bool {
	around := len(AppendString(nil, v.name)) + 2 // colon and comma
	if b.total < around {
		return false
	}
	b.total -= around
	size := v.size()
	n := b.take(v)
	v.cut(n)
	return n > 0 && !v.fixed || n == size
}

// encode sets c to v as JSON, with secrets masked.
func (d *Redactor) encode(c *value, v any) {
	if s, ok := v.(string); ok {
		s, found := d.Text(s)
		s, m := Bound(s, d.limit)
		c.json = AppendString(nil, s)
		if m = cmp.Or(m, found); m != "" {
			c.mark("", m)
		}
		return
	}
	data, err := marshalForeign(v)
	if err == nil {
		c.json, err = d.JSON(data, c.mark)
	}
	if err != nil {
		c.unencodable(v)
	}
}

// decoded returns the value as JSON gives it back.
func (v *value) decoded() any {
	dec := json.NewDecoder(bytes.NewReader(v.json))
	dec.UseNumber()
	var c any
	if err := dec.Decode(&c); err != nil {
		return string(v.json) // cannot be: it is JSON of our own
	}
	return c
}

// marshalForeign encodes v, whose own methods may panic.
func marshalForeign(v any) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return json.Marshal(v)
}
