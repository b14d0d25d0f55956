package extension

import (
	"fmt"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/entc/gen"

	"github.com/entaudit/audit/entaudit"
)

// tableInfo is what is generated for any table of the graph, those of unaudited types
// and of links included: changes of audited rows reach others through them.
type tableInfo struct {
	Space    string // name of its schema in ent's SchemaConfig
	IDFields []fieldInfo
	Keys     [][]string // columns of the unique indexes
	Refs     []refInfo
	Ends     []endInfo
}

// refInfo is a foreign key of another table that does something when a row of this one
// is deleted.
type refInfo struct{ Table, Column, Action string }

// endInfo is one end of the links that a table holds: the type whose id its column
// holds, and the name of that type's edge, if it has one that is recorded.
type endInfo struct{ Column, Type, Edge string }

// joinInfo is what is generated for a table of links that has no type of its own.
type joinInfo struct {
	tableInfo
	Name string
}

// add takes over what is known of the table from the database's point of view.
func (t *tableInfo) add(o *tableInfo) {
	if o != nil {
		t.Keys, t.Refs, t.Ends = o.Keys, o.Refs, o.Ends
	}
}

// tablesOf returns the tables of g by name.
func tablesOf(g *gen.Graph) (map[string]*tableInfo, error) {
	tables, err := g.Tables()
	if err != nil {
		return nil, fmt.Errorf("entaudit: tables of the graph: %w", err)
	}
	infos := make(map[string]*tableInfo, len(tables))
	for _, t := range tables {
		infos[t.Name] = &tableInfo{Keys: keysOf(t)}
	}
	actions := map[schema.ReferenceOption]string{
		schema.Cascade: "Cascade", schema.SetNull: "SetNull", schema.SetDefault: "SetDefault",
	}
	for _, t := range tables {
		for _, fk := range t.ForeignKeys {
			action := actions[fk.OnDelete]
			if parent := infos[fk.RefTable.Name]; parent != nil && action != "" {
				parent.Refs = append(parent.Refs, refInfo{Table: t.Name, Column: fk.Columns[0].Name, Action: action})
			}
		}
	}
	for _, n := range g.MutableNodes() {
		for _, e := range n.Edges {
			if t := infos[e.Rel.Table]; t != nil && e.M2M() && !e.IsInverse() {
				if err := t.link(n, e); err != nil {
					return nil, err
				}
			}
		}
	}
	return infos, nil
}

// keysOf returns the columns of the unique indexes of a table.
func keysOf(t *schema.Table) (keys [][]string) {
	for _, c := range t.Columns {
		if c.Unique && len(t.PrimaryKey) > 0 && c != t.PrimaryKey[0] {
			keys = append(keys, []string{c.Name})
		}
	}
	for _, i := range t.Indexes {
		if !i.Unique {
			continue
		}
		var columns []string
		for _, c := range i.Columns {
			columns = append(columns, c.Name)
		}
		keys = append(keys, columns)
	}
	return keys
}

// link notes that the table holds the links of the edge e of n.
func (t *tableInfo) link(n *gen.Type, e *gen.Edge) error {
	name := func(e *gen.Edge) (string, error) {
		if e == nil {
			return "", nil
		}
		a, err := annotationOf(e.Annotations)
		if err != nil || a.Ignore {
			return "", err
		}
		return e.Name, nil
	}
	from, err := name(e)
	if err != nil {
		return err
	}
	to := ""
	if !e.Bidi { // the other direction is another row
		if to, err = name(e.Ref); err != nil {
			return err
		}
	}
	t.Ends = []endInfo{{e.Rel.Columns[0], n.Name, from}, {e.Rel.Columns[1], e.Type.Name, to}}
	if e.Through != nil {
		return nil
	}
	t.Space = n.Name + e.StructField()
	for i, id := range []*gen.Field{n.ID, e.Type.ID} {
		f := describeField(id, entaudit.Annotation{})
		f.Name, f.Column = e.Rel.Columns[i], e.Rel.Columns[i]
		t.IDFields = append(t.IDFields, f)
	}
	return nil
}

// describeJoins returns the tables of links that have no type of their own, in order.
func describeJoins(g *gen.Graph) ([]joinInfo, error) {
	tables, err := g.Tables()
	if err != nil {
		return nil, fmt.Errorf("entaudit: tables of the graph: %w", err)
	}
	infos, err := tablesOf(g)
	if err != nil {
		return nil, err
	}
	var joins []joinInfo
	for _, t := range tables {
		if info := infos[t.Name]; len(info.IDFields) > 0 {
			joins = append(joins, joinInfo{tableInfo: *info, Name: t.Name})
		}
	}
	return joins, nil
}
