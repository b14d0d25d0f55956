package hook

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/entaudit/txdriver"
)

// farKeys is the statement that sets or clears the foreign key of an edge in the rows
// that it leads to.
type farKeys struct {
	e      *edges
	edge   ownedEdge
	name   string // of the edge, empty where it is left out of entries
	far    *Schema
	field  int  // of far: the key
	unique bool // the key is
	came   bool
	space  string // schema of the database that the table is in
	owners []driver.Value
	old    rows // what the statement is about to change, where that is read
	got    rows // what it has changed, where the database gives that back

	affected int64 // otherwise
}

func newFarKeys(e *edges, edge ownedEdge, d Edge, came bool) *farKeys {
	k := &farKeys{e: e, edge: edge, name: d.Name, far: d.far, came: came, space: edge.Schema}
	if d.Ignore {
		k.name = ""
	}
	k.unique = slices.ContainsFunc(d.far.Keys, func(key []string) bool { return slices.Contains(key, d.Column) })
	if !d.far.Audited {
		// Nothing is known of its columns.
		k.far = &Schema{
			Graph: d.far.Graph, Table: d.far.Table, Config: d.far.Config, ID: d.far.ID,
			Fields: []Field{{Name: d.Column, Column: d.Column, Kind: e.s.p.ID[0].Kind}},
		}
	}
	p := k.plan()
	k.field = p.index[d.Column]
	k.old.fields = append([]int{k.field}, p.extra...)
	k.got.fields = k.old.fields
	return k
}

func (k *farKeys) plan() *plan {
	if k.far.Audited {
		return planOf(k.e.s.in.rec, k.far)
	}
	return &plan{Schema: k.far, index: map[string]int{k.far.Fields[0].Column: 0}}
}

func (k *farKeys) begins(query string) bool {
	set := " SET " + k.e.s.quote(k.edge.Columns[0]) + " = "
	if strings.HasPrefix(query, "UPDATE "+k.e.quoted(k.far.Table, k.space)+set) {
		return true
	}
	// ent up to v0.14.5 clears keys in the connection's own schema, whatever the edge's is.
	if !k.came && strings.HasPrefix(query, "UPDATE "+k.e.quoted(k.far.Table, "")+set) {
		k.space = ""
		return true
	}
	return false
}

func (k *farKeys) statement(query string) txdriver.Statement {
	k.owners = k.e.ownersOf(k.edge)
	st := txdriver.Statement{Query: query}
	if k.came && plainValue(k.owners[0]) == nil {
		// ent does not know the id of a row that an upsert has met and left as it was: the
		// statement sets keys to NULL that are NULL.
		return st
	}
	if !k.e.s.returns() {
		st.Before, st.After = k.read, k.counted
		st.Result = func(res stdsql.Result) (err error) {
			k.affected, err = res.RowsAffected()
			return err
		}
		return st
	}
	if !k.came && len(k.owners) > 1 {
		st.Before = k.read // whose each row was
	}
	st.Query += k.e.returning(k.far, k.got.fields)
	st.Row = func(_ []string, values []any) error {
		k.got.add(k.far, values)
		return nil
	}
	st.After = k.returned
	return st
}

// match returns the predicate of ent's statement.
func (k *farKeys) match() *sql.Predicate {
	key, id, nodes := k.edge.Columns[0], k.edge.Target.IDSpec.Column, k.edge.Target.Nodes
	switch {
	case k.came:
		return sql.And(matchAny(id, nodes), sql.IsNull(key))
	case len(nodes) > 0:
		return sql.And(matchAny(id, nodes), matchAny(key, k.owners))
	}
	return matchAny(key, k.owners)
}

// read reads the rows that are about to change.
func (k *farKeys) read(ctx context.Context, tx dialect.ExecQuerier) error {
	l := lockRow
	if k.unique {
		l = lockKey
	}
	return k.old.read(ctx, tx, k.far, k.e.table(k.far, k.space), k.match(), l)
}

// counted takes the rows that were read for those that were changed, which their number
// confirms: they are locked.
func (k *farKeys) counted(context.Context, dialect.ExecQuerier) error {
	if n := len(k.old.list); int64(n) != k.affected {
		return k.e.stale(k.far, n, k.affected)
	}
	for _, w := range k.old.list {
		if k.came {
			k.note(w, k.owners[0], nil, plainValue(k.owners[0]))
		} else {
			k.note(w, w.values[0], w.values[0], nil)
		}
	}
	return nil
}

// returned takes the rows that the statement gave back.
func (k *farKeys) returned(context.Context, dialect.ExecQuerier) error {
	slices.SortFunc(k.got.list, byID)
	for _, w := range k.got.list {
		switch {
		case k.came:
			k.note(w, k.owners[0], nil, w.values[0])
		case len(k.owners) == 1:
			k.note(w, k.owners[0], plainValue(k.owners[0]), w.values[0])
		default:
			before, ok := k.old.get(w.id)
			if !ok {
				return k.e.stale(k.far, len(k.old.list), len(k.got.list))
			}
			k.note(w, before.values[0], before.values[0], w.values[0])
		}
	}
	return nil
}

// note notes that the key of w has changed, which leads to owner or did so.
func (k *farKeys) note(w row, owner, before, after any) {
	own := k.e.own(owner)
	if k.e.skipped[own.id] {
		return
	}
	if k.far.Audited {
		k.e.s.reach.update(rowKey{k.far, w.id}, own, k.field, before, after, w.values[1:])
	}
	if k.name == "" {
		return
	}
	link := k.e.s.reach.edge(own, owner, own, k.name, w.id)
	if k.came {
		link.net[w.id]++
	} else {
		link.net[w.id]--
	}
	if first, ok := k.e.first(rowKey{k.far, w.id}, k.field); ok {
		// The update of the row itself has had a part in what it leads to.
		link.net[w.id] = 0
		if k.came {
			link.net[w.id] = 1
		}
		if first != nil && k.e.own(first) == own {
			link.net[w.id]--
		}
	}
}
