package oracle

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Type is a type of a generated graph, as ent's own generated code describes it.
type Type struct {
	Name    string // of its package
	Table   string
	Columns map[string]string // by field, and by edge for keys that have no field
	Edges   []Edge
}

// Edge is an edge of a type.
type Edge struct {
	Name    string
	Rel     string // O2O, O2M, M2O or M2M
	Inverse bool
	Table   string   // that holds its links
	Key     []string // of a table of links: both columns
	Column  string   // else: the foreign key
}

// What ent generates into the package of a type.
var (
	tableConst   = regexp.MustCompile(`(?m)^\tTable = "(.+)"$`)
	fieldConst   = regexp.MustCompile(`(?m)^\t// Field\w+ holds the string denoting the (\S+) field in the database\.\n\t\w+ = "(.+)"$`)
	edgeTable    = regexp.MustCompile(`(?m)^\t// (\w+)Table is the table that holds the (\S+) relation/edge\..*\n\t\w+ = "(.+)"$`)
	edgeColumn   = regexp.MustCompile(`(?m)^\t(\w+)Column = "(.+)"$`)
	edgeKey      = regexp.MustCompile(`(?m)^\t(\w+)PrimaryKey = \[\]string\{"(.+)", "(.+)"\}$`)
	edgeRelation = regexp.MustCompile(`sqlgraph\.Edge\(sqlgraph\.(\w+), (true|false), (\w+)Table, `)
)

// Types returns the types of the graph that ent generated into a folder.
func Types(dir string) ([]Type, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "where.go"))
	if err != nil {
		return nil, err
	}
	var types []Type
	for _, path := range paths {
		pkg := filepath.Dir(path)
		text, err := os.ReadFile(filepath.Join(pkg, filepath.Base(pkg)+".go")) //nolint:gosec // generated code of a test's own folder
		if err != nil {
			return nil, fmt.Errorf("oracle: %w", err)
		}
		types = append(types, newType(filepath.Base(pkg), string(text)))
	}
	return types, nil
}

func newType(name, text string) Type {
	t := Type{Name: name, Columns: make(map[string]string)}
	if m := tableConst.FindStringSubmatch(text); m != nil {
		t.Table = m[1]
	}
	columns, keys, relations := make(map[string]string), make(map[string][]string), make(map[string][]string)
	for _, m := range edgeColumn.FindAllStringSubmatch(text, -1) {
		columns[m[1]] = m[2]
	}
	for _, m := range edgeKey.FindAllStringSubmatch(text, -1) {
		keys[m[1]] = m[2:]
	}
	for _, m := range edgeRelation.FindAllStringSubmatch(text, -1) {
		relations[m[3]] = m[1:]
	}
	for _, m := range edgeTable.FindAllStringSubmatch(text, -1) {
		e := Edge{Name: m[2], Table: m[3], Column: columns[m[1]], Key: keys[m[1]]}
		if r := relations[m[1]]; r != nil {
			e.Rel, e.Inverse = r[0], r[1] == "true"
		}
		t.Edges = append(t.Edges, e)
		if e.Table == t.Table && e.Column != "" {
			t.Columns[e.Name] = e.Column
		}
	}
	for _, m := range fieldConst.FindAllStringSubmatch(text, -1) {
		t.Columns[strings.TrimSpace(m[1])] = m[2]
	}
	return t
}
