package torture_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/internal/torture/ent"
)

// fill calls methods of a builder at random: those that set, add to, append to or clear
// fields, and those that link and unlink rows.
func (r *run) fill(ctx context.Context, k randomType, b reflect.Value, create bool) error {
	t := b.Type()
	cleared := make(map[string]bool)
	for i := range t.NumMethod() {
		m := t.Method(i)
		kind, rest := verb(m.Name)
		takes := m.Type.NumIn() - 1
		if kind == "" || takes > 1 || strings.HasPrefix(rest, "Nillable") || !r.chance(k, m.Name, kind, rest, create) {
			continue
		}
		if takes == 0 {
			r.note("%s()", m.Name)
			b.Method(i).Call(nil)
			cleared[rest] = true
			continue
		}
		arg := m.Type.In(1)
		if m.Type.IsVariadic() {
			arg = arg.Elem()
		}
		switch {
		case !isRow(arg) && m.Type.IsVariadic(): // ids; rows are taken by another method
		case !isRow(arg) && cleared[rest]: // ent would name the column twice
		case !isRow(arg):
			v := value(r.rng, m.Name, arg)
			r.note("%s(%v)", m.Name, v.Interface())
			b.Method(i).Call([]reflect.Value{v})
		default:
			if err := r.link(ctx, b, m, arg); err != nil {
				return err
			}
		}
	}
	return nil
}

// verb divides the name of a method of a builder.
func verb(method string) (kind, rest string) {
	for _, v := range []string{"Set", "Add", "Append", "Clear", "Remove"} {
		if rest, ok := strings.CutPrefix(method, v); ok && rest != "" {
			return v, rest
		}
	}
	return "", ""
}

// isRow reports whether t is a pointer to a generated type.
func isRow(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().PkgPath() == reflect.TypeFor[ent.Client]().PkgPath()
}

// link calls a method that takes rows of another type.
func (r *run) link(ctx context.Context, b reflect.Value, m reflect.Method, arg reflect.Type) error {
	at := slices.IndexFunc(r.types, func(k randomType) bool { return k.name == arg.Elem().Name() })
	rows, err := r.types[at].rows(ctx, r.c)
	if err != nil {
		return err
	}
	n := 1
	if m.Type.IsVariadic() {
		n += r.rng.IntN(3)
	}
	some := pick(r.rng, rows, n)
	if some.Len() == 0 {
		return nil
	}
	ids := make([]string, some.Len())
	for i := range ids {
		ids[i] = order(some.Index(i))
	}
	r.note("%s(%s)", m.Name, strings.Join(ids, ", "))
	if m.Type.IsVariadic() {
		call(b, m.Name, some)
	} else {
		call(b, m.Name, some.Index(0))
	}
	return nil
}

// chance decides whether a method is called.
func (r *run) chance(k randomType, method, kind, rest string, create bool) bool {
	switch {
	case create && k.name == "Chunk" && method == "SetData": // ent's upsert without a column is no SQL
		return true
	case kind == "Set" && strings.HasSuffix(rest, "ID") && rest != "ID": // of a row that may not be there
		return r.rng.IntN(80) == 0
	}
	if method == "SetID" {
		c := k.table.PrimaryKey[0]
		return !c.Increment || r.rng.IntN(20) == 0 && r.b.dialect != "postgres" // its sequence would not know
	}
	if !create {
		return r.rng.IntN(len(k.table.Columns)/2+3) == 0
	}
	if kind != "Set" {
		return r.rng.IntN(6) == 0
	}
	name := strings.ToLower(rest)
	required := method == "SetFolder" || k.name == "Ticket" && method == "SetTitle"
	for _, c := range k.table.Columns {
		squashed := strings.ReplaceAll(c.Name, "_", "")
		required = required || (squashed == name || squashed == name+"id") && !c.Nullable && c.Default == nil
	}
	if required {
		return r.rng.IntN(50) > 0
	}
	return r.rng.IntN(4) == 0
}

// where confines a builder to some rows. It reports which.
func (r *run) where(ctx context.Context, k randomType, b reflect.Value) error {
	rows, err := k.rows(ctx, r.c)
	if err != nil {
		return err
	}
	var p func(*sql.Selector)
	switch r.rng.IntN(4) {
	case 0:
		c := k.table.PrimaryKey[0].Name
		r.note("where %s is not null", c)
		p = func(s *sql.Selector) { s.Where(sql.NotNull(s.C(c))) }
	default:
		n := r.rng.IntN(4)
		some := pick(r.rng, rows, n)
		p = func(s *sql.Selector) { s.Where(r.these(k, s, some)) }
	}
	predicate := b.MethodByName("Where").Type().In(0).Elem()
	b.MethodByName("Where").Call([]reflect.Value{reflect.ValueOf(p).Convert(predicate)})
	return nil
}

// these returns the predicate for some rows.
func (r *run) these(k randomType, s *sql.Selector, rows reflect.Value) *sql.Predicate {
	var any []*sql.Predicate
	for i := range rows.Len() {
		row := rows.Index(i).Elem()
		if id := row.FieldByName("ID"); id.IsValid() {
			any = append(any, sql.EQ(s.C(k.table.PrimaryKey[0].Name), id.Interface()))
			continue
		}
		any = append(any, sql.And(
			sql.EQ(s.C("user_id"), row.FieldByName("UserID").Interface()), sql.EQ(s.C("tweet_id"), row.FieldByName("TweetID").Interface()),
		))
	}
	if len(any) == 0 {
		return sql.False()
	}
	return sql.Or(any...)
}

// note adds to the description of the operation.
func (r *run) note(format string, args ...any) {
	r.doing = append(r.doing, fmt.Sprintf(format, args...))
}
