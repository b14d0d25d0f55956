package extension

import (
	"encoding/json"
	"fmt"
	"slices"

	"entgo.io/ent/entc/gen"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// typeInfo is what is generated for a type of the graph.
type typeInfo struct {
	*gen.Type
	tableInfo
	Audited     bool
	Watched     bool // not audited, but its mutations may change what is recorded of others
	Resource    string
	TenantCol   string
	LabelCol    string
	IgnoreTouch bool
	WholeRows   bool
	RowFields   []fieldInfo
	FarEdges    []edgeInfo
}

// fieldInfo is a column of an audited type.
type fieldInfo struct {
	Name, Column                                          string
	Kind                                                  string // name of the constant in ent's schema/field
	Plain, Default, Key, Touch, Sensitive, Personal, Skip bool
}

// edgeInfo is an edge whose links lie in other tables.
type edgeInfo struct {
	Name, Table, Column  string
	Inverse, Links, Skip bool
}

// annotationOf returns what the annotations of a schema, field or edge say about
// auditing.
func annotationOf(all gen.Annotations) (a entaudit.Annotation, err error) {
	raw, ok := all[entaudit.AnnotationName]
	if !ok {
		return a, nil
	}
	if given, ok := raw.(entaudit.Annotation); ok {
		return given, nil
	}
	data, err := json.Marshal(raw)
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	return a, err
}

// describe returns the mutable types of g in order.
func describe(g *gen.Graph) ([]typeInfo, error) {
	tables, err := tablesOf(g)
	if err != nil {
		return nil, err
	}
	var types []typeInfo
	for _, n := range g.MutableNodes() {
		a, err := annotationOf(n.Annotations)
		if err != nil {
			return nil, err
		}
		t, err := describeType(n, a)
		if err != nil {
			return nil, fmt.Errorf("entaudit: %s: %w", n.Name, err)
		}
		t.add(tables[n.Table()])
		types = append(types, t)
	}
	watch(types, tables)
	return types, nil
}

// audited returns those of types that are audited.
func audited(types []typeInfo) []typeInfo {
	return slices.DeleteFunc(slices.Clone(types), func(t typeInfo) bool { return !t.Audited })
}

func describeType(n *gen.Type, a entaudit.Annotation) (typeInfo, error) {
	t := typeInfo{Type: n, Audited: a.Audited, Resource: a.Resource, IgnoreTouch: a.IgnoreTouch, WholeRows: a.WholeRows}
	t.Space = n.Name
	if t.Resource == "" {
		t.Resource = n.Label()
	}
	unique := uniqueColumns(n)
	ids := n.EdgeSchema.ID
	if n.HasOneFieldID() {
		ids = []*gen.Field{n.ID}
	}
	for _, f := range ids {
		t.IDFields = append(t.IDFields, fieldInfo{Name: f.Name, Column: f.StorageKey(), Kind: f.Type.ConstName()})
	}
	for _, f := range n.Fields {
		fa, err := annotationOf(f.Annotations)
		if err != nil {
			return t, fmt.Errorf("field %s: %w", f.Name, err)
		}
		i := describeField(f, fa)
		i.Skip = i.Skip || slices.Contains(a.IgnoreNames, f.Name)
		i.Key = i.Key || unique[i.Column]
		t.RowFields = append(t.RowFields, i)
		switch f.Name {
		case a.Tenant:
			t.TenantCol = i.Column
		case a.Label:
			t.LabelCol = i.Column
		}
	}
	return t, describeEdges(&t, n)
}

func describeField(f *gen.Field, a entaudit.Annotation) fieldInfo {
	i := fieldInfo{
		Name: f.Name, Column: f.StorageKey(), Kind: f.Type.ConstName(),
		Key: f.Unique, Touch: f.UpdateDefault, Sensitive: f.Sensitive() || a.Sensitive,
		Personal: a.Personal, Skip: a.Ignore,
	}
	if sql := f.EntSQL(); sql != nil {
		i.Default = sql.Default != "" || sql.DefaultExpr != "" || len(sql.DefaultExprs) > 0
	}
	custom := f.HasGoType() || f.HasValueScanner() || len(f.Column().SchemaType) > 0
	switch t := f.Type.Type; {
	case custom:
	case t == field.TypeString, t == field.TypeEnum, t == field.TypeBool, t == field.TypeUUID:
		i.Plain = true
	default:
		i.Plain = t.Integer()
	}
	return i
}

// uniqueColumns returns the columns that are part of a unique index.
func uniqueColumns(n *gen.Type) map[string]bool {
	unique := make(map[string]bool)
	for _, idx := range n.Indexes {
		for _, c := range idx.Columns {
			unique[c] = unique[c] || idx.Unique
		}
	}
	return unique
}

// describeEdges adds the foreign keys that have no field, and the edges whose links
// lie in other tables.
func describeEdges(t *typeInfo, n *gen.Type) error {
	for _, e := range n.Edges {
		a, err := annotationOf(e.Annotations)
		if err != nil {
			return fmt.Errorf("edge %s: %w", e.Name, err)
		}
		if e.OwnFK() {
			column := e.Rel.Columns[0]
			if !slices.ContainsFunc(t.RowFields, func(f fieldInfo) bool { return f.Column == column }) {
				id := e.Type.ID
				t.RowFields = append(t.RowFields, fieldInfo{
					Name: e.Name, Column: column, Kind: id.Type.ConstName(),
					Plain: describeField(id, entaudit.Annotation{}).Plain, Key: e.O2O(), Skip: a.Ignore,
				})
			}
		}
		if (!e.OwnFK() || e.Bidi) && len(e.Rel.Columns) > 0 {
			t.FarEdges = append(t.FarEdges, edgeInfo{
				Name: e.Name, Table: e.Rel.Table, Column: e.Rel.Columns[0], Inverse: e.IsInverse(), Links: e.M2M(), Skip: a.Ignore,
			})
		}
	}
	// A foreign key of another type's edge that has no edge here.
	for _, fk := range n.ForeignKeys {
		column := fk.Field.StorageKey()
		if fk.UserDefined || slices.ContainsFunc(t.RowFields, func(f fieldInfo) bool { return f.Column == column }) {
			continue
		}
		t.RowFields = append(t.RowFields, fieldInfo{Name: column, Column: column, Kind: fk.Field.Type.ConstName(), Key: fk.Edge.O2O()})
	}
	return nil
}
