package torture_test

import (
	"context"
	stdsql "database/sql"
	"errors"
	"reflect"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
)

// randomOp is what is done to rows of one type.
type randomOp struct {
	name   string
	weight int
	fits   func(k randomType, rows int) bool
	do     func(r *run, ctx context.Context, k randomType) error
}

func randomOps() []randomOp {
	grows := func(k randomType, rows int) bool { return rows < k.most }
	changes := func(_ randomType, rows int) bool { return rows > 0 }
	shrinks := func(k randomType, rows int) bool { return rows > k.most/6 }
	return []randomOp{
		{"create", 25, grows, (*run).create},
		{"create bulk", 10, grows, (*run).createBulk},
		{"update one", 25, changes, (*run).updateOne},
		{"update", 12, changes, (*run).update},
		{"delete one", 14, shrinks, (*run).deleteOne},
		{"delete", 5, shrinks, (*run).delete},
		{"upsert", 8, changes, (*run).upsert},
		{"upsert bulk", 5, changes, (*run).upsertBulk},
	}
}

// operate performs one operation on a random type. It returns the error if it is one that
// such an operation may have.
func (r *run) operate(ctx context.Context) error {
	for {
		k := r.types[r.rng.IntN(len(r.types))]
		if r.rng.IntN(4) == 0 {
			k = r.types[slices.IndexFunc(r.types, func(k randomType) bool { return k.name == "User" })]
		}
		rows, err := k.rows(ctx, r.c)
		if err != nil {
			r.fatal("%v", err)
		}
		fit := slices.DeleteFunc(randomOps(), func(o randomOp) bool { return !o.fits(k, rows.Len()) })
		if len(fit) == 0 {
			continue
		}
		total := 0
		for _, o := range fit {
			total += o.weight
		}
		at := r.rng.IntN(total)
		for _, o := range fit {
			if at -= o.weight; at < 0 {
				return r.perform(ctx, o, k)
			}
		}
	}
}

func (r *run) perform(ctx context.Context, o randomOp, k randomType) error {
	r.doing = nil
	r.note("%s %s:", k.name, o.name)
	err := o.do(r, ctx, k)
	if err == nil {
		r.count[o.name]++
		return nil
	}
	r.count[o.name+" failed"]++
	r.note("FAILED: %v", err)
	if !expected(err) {
		r.history = append(r.history, strings.Join(r.doing, " "))
		r.fatal("unexpected error: %v", err)
	}
	return err
}

// refusals are parts of errors that ent or a database gives, and that no type is for.
var refusals = []string{
	"unable to link FK edge to more than 1 node",
	"expect exactly 1 edge-spec per table", // a key that is cleared and set
	"inconsistent id values for batch insert",
	"ut of range",
	"Data too long for column",                                                     // of the key of an edge, which ent does not validate
	"multiple assignments to same column",                                          // that is cleared and computed, on PostgreSQL
	"NOT NULL constraint failed", "violates not-null constraint", "cannot be null", // of an edge that is cleared
	"is already connected",              // an edge that is taken
	"clearing a required unique edge",   // ent's own check
	"missing required edge",             // a validation of ent's that comes as another error
	"cannot affect row a second time",   // a bulk upsert with equal keys, on PostgreSQL
	"ON CONFLICT clause does not match", // a key that the table lacks, on SQLite
}

// expected reports whether an operation on random values may fail with err.
func expected(err error) bool {
	if ent.IsConstraintError(err) || ent.IsValidationError(err) || ent.IsNotFound(err) || refused(err) ||
		errors.Is(err, stdsql.ErrNoRows) { // of an upsert that does nothing
		return true
	}
	return slices.ContainsFunc(refusals, func(s string) bool { return strings.Contains(err.Error(), s) })
}

// refused reports whether an operation was not done because it cannot be recorded.
func refused(err error) bool {
	var unsupported *entaudit.UnsupportedError
	return errors.As(err, &unsupported)
}

// finishing executes a builder in one of its ways.
func (r *run) finishing(ctx context.Context, b reflect.Value) error {
	if b.MethodByName("Save").IsValid() && r.rng.IntN(2) == 0 {
		return failure(call(b, "Save", ctx))
	}
	return failure(call(b, "Exec", ctx))
}

func (r *run) create(ctx context.Context, k randomType) error {
	b := call(k.of(r.c), "Create")[0]
	if err := r.fill(ctx, k, b, true); err != nil {
		return err
	}
	return r.finishing(ctx, b)
}

// several returns the builder of several rows.
func (r *run) several(ctx context.Context, k randomType) (reflect.Value, error) {
	builders := reflect.MakeSlice(reflect.SliceOf(k.of(r.c).MethodByName("Create").Type().Out(0)), 0, 4)
	for range 1 + r.rng.IntN(4) {
		b := call(k.of(r.c), "Create")[0]
		r.note("{")
		if err := r.fill(ctx, k, b, true); err != nil {
			return b, err
		}
		r.note("}")
		builders = reflect.Append(builders, b)
	}
	return call(k.of(r.c), "CreateBulk", builders)[0], nil
}

func (r *run) createBulk(ctx context.Context, k randomType) error {
	b, err := r.several(ctx, k)
	if err != nil {
		return err
	}
	return r.finishing(ctx, b)
}

func (r *run) updateOne(ctx context.Context, k randomType) error {
	rows, err := k.rows(ctx, r.c)
	if err != nil || rows.Len() == 0 {
		return err
	}
	row := rows.Index(r.rng.IntN(rows.Len()))
	r.note("%s", order(row))
	b := call(k.of(r.c), "UpdateOne", row)[0]
	if err := r.fill(ctx, k, b, false); err != nil {
		return err
	}
	r.modify(k, b)
	if r.rng.IntN(10) == 0 {
		r.note("Select")
		for _, c := range k.table.Columns {
			if !isForeignKey(k.table, c) {
				call(b, "Select", c.Name)
				break
			}
		}
	}
	return r.finishing(ctx, b)
}

func (r *run) update(ctx context.Context, k randomType) error {
	b := call(k.of(r.c), "Update")[0]
	if err := r.where(ctx, k, b); err != nil {
		return err
	}
	if err := r.fill(ctx, k, b, false); err != nil {
		return err
	}
	r.modify(k, b)
	return r.finishing(ctx, b)
}

// modify has the database compute a column now and then.
func (r *run) modify(k randomType, b reflect.Value) {
	if r.rng.IntN(8) > 0 {
		return
	}
	for _, c := range k.table.Columns {
		key := slices.Contains(k.table.PrimaryKey, c) || isForeignKey(k.table, c)
		if key || !c.Type.Integer() || r.rng.IntN(2) == 0 {
			continue
		}
		r.note("Modify(%s)", c.Name)
		call(b, "Modify", func(u *sql.UpdateBuilder) { u.Set(c.Name, sql.Expr(u.Quote(c.Name)+" % 50 + 7")) })
		return
	}
}

func isForeignKey(t *schema.Table, c *schema.Column) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(fk *schema.ForeignKey) bool { return fk.Columns[0] == c })
}

func (r *run) deleteOne(ctx context.Context, k randomType) error {
	rows, err := k.rows(ctx, r.c)
	if err != nil {
		return err
	}
	row := rows.Index(r.rng.IntN(rows.Len()))
	r.note("%s", order(row))
	if k.of(r.c).MethodByName("DeleteOne").IsValid() {
		return failure(call(call(k.of(r.c), "DeleteOne", row)[0], "Exec", ctx))
	}
	return r.delete(ctx, k)
}

func (r *run) delete(ctx context.Context, k randomType) error {
	b := call(k.of(r.c), "Delete")[0]
	if err := r.where(ctx, k, b); err != nil {
		return err
	}
	return failure(call(b, "Exec", ctx))
}

func (r *run) upsert(ctx context.Context, k randomType) error {
	b := call(k.of(r.c), "Create")[0]
	if err := r.fill(ctx, k, b, true); err != nil {
		return err
	}
	return r.resolve(ctx, k, b)
}

func (r *run) upsertBulk(ctx context.Context, k randomType) error {
	b, err := r.several(ctx, k)
	if err != nil {
		return err
	}
	return r.resolve(ctx, k, b)
}

// resolve executes the builder of rows that may be there, with a random resolution.
func (r *run) resolve(ctx context.Context, k randomType, b reflect.Value) error {
	key := k.unique[r.rng.IntN(len(k.unique))]
	r.note("on conflict %v:", key)
	columns := make([]any, len(key))
	for i, c := range key {
		columns[i] = c
	}
	u := call(b, "OnConflictColumns", columns...)[0]
	switch how := r.rng.IntN(5); {
	case how == 0:
		r.note("Ignore")
		call(u, "Ignore")
	case how == 1 && r.b.dialect != dialect.MySQL: // there it is no way to do nothing
		r.note("DoNothing")
		call(u, "DoNothing")
	case how < 4:
		r.note("UpdateNewValues")
		call(u, "UpdateNewValues")
	default:
		set := u.MethodByName("Update").Type().In(0)
		call(u, "Update", reflect.MakeFunc(set, func(args []reflect.Value) []reflect.Value {
			r.some(args[0])
			return nil
		}))
	}
	return failure(call(u, "Exec", ctx))
}

// some calls some methods of the builder of what is to be changed on a conflict.
func (r *run) some(u reflect.Value) {
	var methods []reflect.Method
	for i := range u.NumMethod() {
		m := u.Type().Method(i)
		kind, rest := verb(m.Name)
		if name, ok := strings.CutPrefix(m.Name, "Update"); ok {
			kind, rest = "Update", name
		}
		key := strings.HasSuffix(rest, "ID")
		if m.Type.NumIn() == 2 && slices.Contains([]reflect.Kind{reflect.Slice, reflect.Map, reflect.Pointer}, m.Type.In(1).Kind()) {
			continue // ent does not encode documents here
		}
		if kind != "" && rest != "" && !key && m.Type.NumIn() <= 2 && m.Type.NumOut() == 1 && m.Type.Out(0) == u.Type() {
			methods = append(methods, m)
		}
	}
	for range 1 + r.rng.IntN(2) {
		m := methods[r.rng.IntN(len(methods))]
		if m.Type.NumIn() == 1 {
			r.note("%s", m.Name)
			u.Method(m.Index).Call(nil)
			continue
		}
		v := value(r.rng, m.Name, m.Type.In(1))
		r.note("%s(%v)", m.Name, v.Interface())
		u.Method(m.Index).Call([]reflect.Value{v})
	}
}
