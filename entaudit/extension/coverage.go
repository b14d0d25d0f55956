package extension

import (
	"bytes"
	"fmt"
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
	byName := make(map[string]typeInfo, len(types))
	for _, t := range types {
		byName[t.Name] = t
	}
	var c cover
	for _, n := range g.Nodes {
		a, err := annotationOf(n.Annotations)
		if err != nil {
			return nil, err
		}
		switch t := byName[n.Name]; {
		case t.Audited:
			c.add(n.Name, "audited as "+t.Resource)
			c.rows(n, t, names)
			c.direct(t, types)
		case n.IsView():
			c.add(n.Name, "view")
		case a.Unaudited != "":
			c.add(n.Name, "unaudited: "+a.Unaudited+t.beyond())
		default:
			c.add(n.Name, "NOT DECIDED"+t.beyond())
		}
	}
	return c.text(), nil
}

// beyond says whether the mutations of a type that is not audited leave entries.
func (t typeInfo) beyond() string {
	if !t.Watched {
		return ""
	}
	return "; what it does to audited rows and their links is recorded"
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

// direct says which links of an audited type are rows of a type that is not: where they
// are written as such, and not as links, nothing records that.
func (c *cover) direct(t typeInfo, types []typeInfo) {
	for _, e := range t.FarEdges {
		for _, o := range types {
			if e.Links && !e.Skip && !o.Audited && o.Table() == e.Table {
				c.add(t.Name+"."+e.Name, "NOT RECORDED when a row of "+o.Name+" is written for itself, which is not audited")
			}
		}
	}
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
