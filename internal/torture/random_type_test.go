package torture_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql/schema"

	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/privacy"
)

// randomType is a type of the graph whose rows are made, changed and deleted at random,
// through the methods that ent generated for it.
type randomType struct {
	name   string
	table  *schema.Table
	most   int // rows, roughly
	unique [][]string
}

// randomTypes returns the types of the graph in order.
func randomTypes() []randomType {
	var types []randomType
	client := reflect.TypeFor[ent.Client]()
	for i := range client.NumField() {
		f := client.Field(i)
		if f.Name == "Schema" || f.Name == "AuditLog" || f.Name == "Roster" || !f.IsExported() || f.Type.Kind() != reflect.Pointer {
			continue
		}
		typ := randomType{name: f.Name, most: 30}
		if f.Name == "User" {
			typ.most = 40
		}
		typ.table = watched().tables[strings.ToLower(f.Name)]
		typ.unique = uniqueKeys(typ.table)
		types = append(types, typ)
	}
	return types
}

// uniqueKeys returns the columns of each unique key of a table.
func uniqueKeys(t *schema.Table) (keys [][]string) {
	names := func(columns []*schema.Column) (names []string) {
		for _, c := range columns {
			names = append(names, c.Name)
		}
		return names
	}
	keys = append(keys, names(t.PrimaryKey))
	for _, c := range t.Columns {
		if c.Unique && c.Key != schema.PrimaryKey {
			keys = append(keys, []string{c.Name})
		}
	}
	for _, i := range t.Indexes {
		if i.Unique {
			keys = append(keys, names(i.Columns))
		}
	}
	return keys
}

// of returns the client of the type.
func (k randomType) of(c *ent.Client) reflect.Value {
	return reflect.ValueOf(c).Elem().FieldByName(k.name)
}

// call calls a method by name.
func call(v reflect.Value, method string, args ...any) []reflect.Value {
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		if rv, ok := a.(reflect.Value); ok {
			in[i] = rv
		} else {
			in[i] = reflect.ValueOf(a)
		}
	}
	m := v.MethodByName(method)
	if m.Type().IsVariadic() && len(in) == m.Type().NumIn() && in[len(in)-1].Kind() == reflect.Slice {
		return m.CallSlice(in)
	}
	return m.Call(in)
}

// failure returns the error that is the last result of a call.
func failure(results []reflect.Value) error {
	err, _ := reflect.TypeAssert[error](results[len(results)-1])
	return err
}

// rows returns all rows of the type in an order that does not depend on random ids.
func (k randomType) rows(ctx context.Context, c *ent.Client) (reflect.Value, error) {
	ctx = privacy.DecisionContext(ctx, privacy.Allow)
	res := call(call(k.of(c), "Query")[0], "All", ctx)
	if err := failure(res); err != nil {
		return reflect.Value{}, fmt.Errorf("all rows of %s: %w", k.name, err)
	}
	return sorted(res[0]), nil
}

// sorted returns a slice of rows in their order.
func sorted(v reflect.Value) reflect.Value {
	all := make([]reflect.Value, v.Len())
	for i := range all {
		all[i] = v.Index(i)
	}
	slices.SortFunc(all, func(a, b reflect.Value) int { return cmp.Compare(order(a), order(b)) })
	return reflect.Append(reflect.MakeSlice(v.Type(), 0, len(all)), all...)
}

// order returns what rows are ordered by: links by what they link, all others by id.
func order(row reflect.Value) string {
	text := func(name string) string {
		f := row.Elem().FieldByName(name)
		if f.CanInt() {
			return fmt.Sprintf("%020d", f.Int())
		}
		return fmt.Sprint(f.Interface())
	}
	if f := row.Elem().FieldByName("TagID"); f.IsValid() {
		return text("TweetID") + text("TagID")
	}
	if f := row.Elem().FieldByName("Copies"); f.IsValid() {
		return text("ShelfID") + text("BookID")
	}
	if f := row.Elem().FieldByName("ID"); f.IsValid() {
		return text("ID")
	}
	return text("UserID") + text("TweetID")
}

// pick returns up to n elements of a slice of rows.
func pick(rng *rand.Rand, rows reflect.Value, n int) reflect.Value {
	some := reflect.MakeSlice(rows.Type(), 0, n)
	for _, i := range rng.Perm(rows.Len())[:min(n, rows.Len())] {
		some = reflect.Append(some, rows.Index(i))
	}
	return some
}
