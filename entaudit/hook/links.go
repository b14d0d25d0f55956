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

// links is the statement that inserts or deletes rows of one table of links.
type links struct {
	e      *edges
	table  *Schema // as the graph has it
	join   *Schema // what is read of it
	space  string  // schema of the database that the table is in
	came   bool
	edges  []ownedEdge
	owners map[string]bool // by id
	got    rows            // links that came or went

	cascade *cascade // what goes with links that are removed

	// MySQL does not give them back.
	affected int64
	there    rows // links that an INSERT names and that were there before
}

func newLinks(e *edges, join *Schema, space string, came bool) *links {
	l := &links{e: e, table: join, join: linkTable(join), space: space, came: came}
	for i := range l.join.Fields {
		l.got.fields = append(l.got.fields, i)
	}
	return l
}

// linkTable returns what is read of a table of links: all of it where its rows have
// entries of their own, and otherwise the two ids.
func linkTable(s *Schema) *Schema {
	if s.Audited || s.Type == "" {
		return s
	}
	t := &Schema{Graph: s.Graph, Table: s.Table, Config: s.Config, Ends: s.Ends}
	for _, end := range s.Ends {
		t.ID = append(t.ID, Field{Name: end.Column, Column: end.Column, Kind: end.of.ID[0].Kind})
	}
	return t
}

func (l *links) begins(query string) bool {
	verb := "DELETE FROM "
	if l.came {
		verb = "INSERT INTO "
	}
	return strings.HasPrefix(query, verb+l.e.quoted(l.join.Table, l.space)+" ")
}

func (l *links) statement(query string) txdriver.Statement {
	l.owners = make(map[string]bool)
	for _, edge := range l.edges {
		for _, id := range l.e.ownersOf(edge) {
			l.owners[l.e.own(id).id] = true
		}
	}
	st := txdriver.Statement{Query: query}
	switch {
	case l.e.s.returns():
		st.Query += l.e.returning(l.join, l.got.fields)
		st.Row = func(_ []string, values []any) error {
			l.got.add(l.join, values)
			return nil
		}
		st.After = l.returned
		if l.follows() {
			st.Before = l.follow
		}
		return st
	case l.came:
		st.Before, st.After = l.beforeInsert, l.inserted
	default:
		st.Before, st.After = l.beforeDelete, l.deleted
	}
	st.Result = func(res stdsql.Result) (err error) {
		l.affected, err = res.RowsAffected()
		return err
	}
	return st
}

// returned notes the links that the statement gave back.
func (l *links) returned(ctx context.Context, tx dialect.ExecQuerier) error {
	slices.SortFunc(l.got.list, byID)
	for _, w := range l.got.list {
		l.note(w)
	}
	return l.followed(ctx, tx)
}

func (l *links) beforeDelete(ctx context.Context, tx dialect.ExecQuerier) error {
	if l.follows() {
		if err := l.follow(ctx, tx); err != nil {
			return err
		}
	}
	return l.got.read(ctx, tx, l.join, l.e.table(l.join, l.space), l.match(), lockKey)
}

// deleted takes the links that were read for those that are gone, which their number
// confirms: they were locked.
func (l *links) deleted(ctx context.Context, tx dialect.ExecQuerier) error {
	if n := len(l.got.list); int64(n) != l.affected {
		return l.e.stale(l.join, n, l.affected)
	}
	return l.returned(ctx, tx)
}

// columns returns the column of an edge that holds its owners, and the other one.
func (o ownedEdge) columns() (from, to string) {
	if o.Inverse {
		return o.Columns[1], o.Columns[0]
	}
	return o.Columns[0], o.Columns[1]
}

// match returns the predicate of the links that the edges name, or of all that the
// owners have where an edge names none.
func (l *links) match() *sql.Predicate {
	var any []*sql.Predicate
	for _, edge := range l.edges {
		from, to := edge.columns()
		directions := [][2]string{{from, to}}
		if edge.Bidi {
			directions = append(directions, [2]string{to, from})
		}
		for _, d := range directions {
			p := matchAny(d[0], edge.owners())
			if nodes := edge.Target.Nodes; len(nodes) > 0 {
				p = sql.And(p, matchAny(d[1], nodes))
			}
			any = append(any, p)
		}
	}
	return sql.Or(any...)
}

// ends returns the ids that a link links, in the order of the table's ends.
func (l *links) ends(w row) []any {
	ids := make([]any, len(l.join.Ends))
	for i, end := range l.join.Ends {
		named := func(f Field) bool { return f.Column == end.Column }
		if j := slices.IndexFunc(l.join.ID, named); j >= 0 {
			ids[i] = w.ids[j]
		} else if j := slices.IndexFunc(l.join.Fields, named); j >= 0 {
			ids[i] = w.values[j]
		}
	}
	return ids
}

// note notes that a link came or went.
func (l *links) note(w row) {
	r := &l.e.s.reach
	ids := l.ends(w)
	var keys [2]rowKey
	var because rowKey
	for i, end := range l.join.Ends {
		keys[i] = rowKey{end.of, idText(l.join.columnKind(end.Column), ids[i])}
		if because.s == nil && l.owns(keys[i]) {
			because = keys[i]
		}
	}
	switch key := (rowKey{l.join, w.id}); {
	case l.e.skipped[because.id]:
		return
	case !l.join.Audited:
		r.link(l.join, because, ids, l.came)
		return
	case l.came:
		r.insert(key, because, l.got.fields, w.values)
	default:
		r.remove(key, because, l.got.fields, w.values)
	}
	// The row has an entry of its own: the other end needs none to be found by.
	for i, end := range l.join.Ends {
		if end.Edge != "" && l.owns(keys[i]) {
			r.linked(keys[i], ids[i], because, end.Edge, keys[1-i].id, l.came)
		}
	}
}

// owns reports whether key is one of the rows whose edges are written.
func (l *links) owns(key rowKey) bool { return key.s == l.e.s.p.Schema && l.owners[key.id] }

// pair is a link by the ids that it links, in the order of the table's ends.
type pair struct {
	key    [2]string
	values [2]any
}

func (l *links) pair(a, b any) pair {
	p := pair{values: [2]any{a, b}}
	for i, end := range l.join.Ends {
		p.key[i] = idText(l.join.columnKind(end.Column), p.values[i])
	}
	return p
}

// pairs returns the links that an INSERT names, each once, and how many it names in all.
func (l *links) pairs() (list []pair, named int) {
	seen := make(map[[2]string]bool)
	add := func(a, b driver.Value) {
		p := l.pair(plainValue(a), plainValue(b))
		if named++; !seen[p.key] {
			seen[p.key] = true
			list = append(list, p)
		}
	}
	for _, edge := range l.edges {
		for _, a := range edge.owners() {
			for _, b := range edge.Target.Nodes {
				switch {
				case edge.Inverse:
					add(b, a)
				default:
					add(a, b)
				}
				if edge.Bidi {
					add(b, a)
				}
			}
		}
	}
	return list, named
}
