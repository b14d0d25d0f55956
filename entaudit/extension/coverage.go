package extension

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit"
)

// coverage returns the text of the coverage file: every type, field and edge with
// its treatment, one per line, so that a change of it is a line in a review.
func coverage(g *gen.Graph) ([]byte, error) {
	types, err := describe(g)
	if err != nil {
		return nil, err
	}
	names, err := entaudit.NewRedactor(entaudit.Redact{})
	if err != nil {
		return nil, err
	}
	audited := make(map[string]typeInfo, len(types))
	for _, t := range types {
		if t.Audited {
			audited[t.Name] = t
		}
	}
	var c cover
	for _, n := range g.Nodes {
		a, err := annotationOf(n.Annotations)
		if err != nil {
			return nil, err
		}
		t, ok := audited[n.Name]
		switch {
		case ok:
			c.add(n.Name, "audited as "+t.Resource)
			c.rows(n, t, names)
			c.foreign(g, n, audited)
			c.cascades(t, types)
		case n.IsView():
			c.add(n.Name, "view")
		case a.Unaudited != "":
			c.add(n.Name, "unaudited: "+a.Unaudited)
		default:
			c.add(n.Name, "NOT DECIDED")
		}
	}
	return c.text(), nil
}

// cover is the coverage file as it grows: names and how they are recorded.
type cover [][2]string

func (c *cover) add(name, how string) { *c = append(*c, [2]string{name, how}) }

// text returns the file with its second column aligned.
func (c cover) text() []byte {
	width := 0
	for _, line := range c {
		width = max(width, len(line[0]))
	}
	var b bytes.Buffer
	b.WriteString("# How each type, field and edge is recorded. Generated; do not edit.\n")
	for _, line := range c {
		fmt.Fprintf(&b, "%-*s  %s\n", width, line[0], line[1])
	}
	return b.Bytes()
}

// foreign says which columns of an audited type are written through edges of types that
// are not audited: nothing records that.
func (c *cover) foreign(g *gen.Graph, n *gen.Type, audited map[string]typeInfo) {
	for _, owner := range g.MutableNodes() {
		if _, ok := audited[owner.Name]; ok {
			continue
		}
		for _, e := range owner.Edges {
			if e.Type == n && (e.O2M() || e.O2O() && !e.IsInverse()) {
				c.add(n.Name+"."+e.Rel.Columns[0], "NOT RECORDED when written through "+owner.Name+"."+e.Name+", which is not audited")
			}
		}
	}
}

// cascades says which rows and links of an audited type go or change when a row of a
// type that is not audited is deleted: nothing records that.
func (c *cover) cascades(t typeInfo, types []typeInfo) {
	ownEntries := func(table string) bool {
		return slices.ContainsFunc(types, func(o typeInfo) bool { return o.Audited && o.Table() == table })
	}
	for _, parent := range types {
		if parent.Audited {
			continue
		}
		how := "NOT RECORDED when a row of " + parent.Name + " is deleted, which is not audited"
		for _, ref := range parent.Refs {
			if ref.Table == t.Table() {
				c.add(t.Name+"."+ref.Column, how)
			}
			for _, e := range t.FarEdges {
				if e.Table == ref.Table && t.links(e) && !e.Skip && !ownEntries(e.Table) {
					c.add(t.Name+"."+e.Name, how)
				}
			}
		}
	}
}

// links reports whether an edge is kept as rows of links.
func (t typeInfo) links(e edgeInfo) bool {
	return slices.ContainsFunc(t.Edges, func(g *gen.Edge) bool { return g.Name == e.Name && g.M2M() })
}

// rows adds the fields and edges of an audited type.
func (c *cover) rows(n *gen.Type, t typeInfo, names *entaudit.Redactor) {
	for _, f := range t.RowFields {
		how := "recorded"
		switch {
		case f.Skip:
			how = "ignored"
		case f.Sensitive:
			how = "sensitive"
		case f.Personal:
			how = "personal"
		}
		var notes []string
		if !f.Skip && !f.Sensitive && names.Name(f.Name) {
			notes = append(notes, "masked for its name unless Config.Redact allows it")
		}
		if f.Column == t.TenantCol {
			notes = append(notes, "tenant")
		}
		if f.Column == t.LabelCol {
			notes = append(notes, "label")
		}
		if len(notes) > 0 {
			how += ", " + strings.Join(notes, ", ")
		}
		c.add(n.Name+"."+f.Name, how)
	}
	for _, e := range n.Edges {
		far := false
		for _, f := range t.FarEdges {
			far = far || f.Name == e.Name && !f.Skip
		}
		switch {
		case far:
			c.add(n.Name+"."+e.Name, "edge: recorded, with the links that came and went")
		case !e.OwnFK():
			c.add(n.Name+"."+e.Name, "edge: ignored")
		}
	}
}
