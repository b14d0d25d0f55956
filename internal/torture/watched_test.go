package torture_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"entgo.io/ent/dialect/sql/schema"

	"github.com/entaudit/audit/internal/oracle"
	"github.com/entaudit/audit/internal/torture/ent/migrate"
)

// graph is what is audited, by what ent generated and the coverage file.
type graph struct {
	types   map[string]auditedType   // by name in entries
	ofTable map[string]string        // name in entries by table
	tables  map[string]*schema.Table // by name of the type's package
	links   map[string]bool          // tables of links that are no types
	sides   []linkSide
	ignored map[string]bool // "table.column" that is left out of entries
}

type auditedType struct {
	oracle.Type
	table *schema.Table
}

// linkSide is an edge whose links are rows of a table that is no type.
type linkSide struct {
	resource, edge, table string
	first                 bool // its own id comes first in the key of the table
}

var (
	auditedLine = regexp.MustCompile(`(?m)^(\w+) +audited as (\w+)`)
	ignoredLine = regexp.MustCompile(`(?m)^(\w+)\.(\w+) +ignored`)
)

// watched returns the graph that the tests use.
var watched = sync.OnceValue(func() *graph {
	types, err := oracle.Types("ent")
	if err != nil {
		panic(err)
	}
	coverage, err := os.ReadFile("ent/audit_coverage.txt")
	if err != nil {
		panic(err)
	}
	g := &graph{
		types: make(map[string]auditedType), ofTable: make(map[string]string), tables: make(map[string]*schema.Table),
		links: make(map[string]bool), ignored: make(map[string]bool),
	}
	byName, tables := make(map[string]oracle.Type), make(map[string]*schema.Table)
	for _, t := range migrate.Tables {
		tables[t.Name] = t
		g.links[t.Name] = true
	}
	for _, t := range types {
		byName[t.Name] = t
		g.tables[t.Name] = tables[t.Table]
		delete(g.links, t.Table)
	}
	for _, m := range auditedLine.FindAllStringSubmatch(string(coverage), -1) {
		t := byName[strings.ToLower(m[1])]
		g.types[m[2]] = auditedType{Type: t, table: tables[t.Table]}
		g.ofTable[t.Table] = m[2]
		g.addSides(m[2], t)
	}
	for _, m := range ignoredLine.FindAllStringSubmatch(string(coverage), -1) {
		t := byName[strings.ToLower(m[1])]
		g.ignored[t.Table+"."+t.Columns[m[2]]] = true
	}
	return g
})

func (g *graph) addSides(resource string, t oracle.Type) {
	for _, e := range t.Edges {
		if g.links[e.Table] {
			g.sides = append(g.sides, linkSide{resource: resource, edge: e.Name, table: e.Table, first: !e.Inverse})
		}
	}
}

// compares reports whether what happens to a table must be told.
func (g *graph) compares(table string) bool {
	return g.ofTable[table] != "" || slices.ContainsFunc(g.sides, func(s linkSide) bool { return s.table == table })
}

// touch reports whether nothing changed but a column that every update sets, where the
// type says that this is not recorded.
func (g *graph) touch(c oracle.Change) bool {
	if c.Table != "kinds" {
		return false
	}
	_, touched := c.Columns["touched_at"]
	return touched && len(c.Columns) == 1
}

// strip takes the columns that are left out of entries from a change.
func (g *graph) strip(c *oracle.Change) {
	if g.links[c.Table] {
		clear(c.Columns) // they are the id
	}
	for name := range c.Columns {
		if g.ignored[c.Table+"."+name] {
			delete(c.Columns, name)
		}
	}
}

// column returns the column that a field of an entry is.
func (t auditedType) column(field string) *schema.Column {
	name, ok := t.Columns[field]
	if !ok {
		name = field // a key that no edge of this type names
	}
	for _, c := range t.table.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}
