package hook

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// cascade follows a delete through the foreign keys that lead to its rows. Before the
// DELETE it reads what the graph says will go or change with them: follow. After it
// settle finds out what has become of that, as far as it is not certain, and tell
// hands it to the reach of the mutation.
type cascade struct {
	s        *scope
	own      []*victim // in the order of the reading
	found    []*victim // others, each after a row that it refers to
	byRow    map[rowKey]*victim
	gone     []*victim // after settle, each after the one that it went with
	columns  map[*Schema][]string
	turn     int
	database string // where foreignKey remembers what it has learned
}

// victim is a row that a delete names or may reach.
type victim struct {
	row
	s       *Schema
	fields  []int  // of row.values
	columns []any  // values of cascade.columns
	named   bool   // the delete names it
	doomed  bool   // it goes, if the database does what the graph says
	gone    bool   // it has gone
	doubt   bool   // what becomes of it has to be looked at
	looked  bool   // that was done
	left    []any  // what was found then, by cascade.columns; nil where it had gone
	because rowKey // the row whose entry is the cause of this one's
	links   []link // the rows that refer to it
	pulls   int    // how many of those to others would take it along
	turn    int    // of the query that asks for links
}

// link says that a row refers to another.
type link struct {
	key *foreignKey
	row *victim // that refers
}

func (v *victim) key() rowKey { return rowKey{v.s, v.id} }

// teller returns the row whose entry is the cause of what follows from this one: a type
// that is not audited has no entries.
func (v *victim) teller() rowKey {
	if v.s.Audited {
		return v.key()
	}
	return v.because
}

// newCascade returns the cascade of a delete, in a database, that names the rows in own.
func newCascade(s *scope, database string, of *Schema, own rows) *cascade {
	c := &cascade{s: s, database: database, byRow: make(map[rowKey]*victim, len(own.list)), columns: make(map[*Schema][]string)}
	for _, w := range own.list {
		v := &victim{row: w, s: of, fields: own.fields, named: true, doomed: true}
		c.byRow[v.key()] = v
		c.own = append(c.own, v)
	}
	return c
}

// readNamed reads and locks the rows of a table that will be deleted. It returns the name
// of the database, or nil where foreign keys do nothing.
func (s *scope) readNamed(
	ctx context.Context, tx dialect.ExecQuerier, of *Schema, from *sql.SelectTable, p *sql.Predicate, own *rows,
) (database any, err error) {
	sel := sql.Dialect(s.dialect).Select(of.columns(own.fields)...).From(from)
	sel.AppendSelectExpr(sql.Raw(enforcedIn[s.dialect]))
	if p != nil {
		sel.Where(p)
	}
	lockKey.on(sel, of)
	err = query(ctx, tx, sel, func(values []any) {
		n := len(values) - 1
		own.add(of, values[:n:n])
		database = values[n]
	})
	return database, err
}

// follow reads and locks the rows that refer to those that go, level by level: at each
// level one query for every table, and for every thousand ids.
func (c *cascade) follow(ctx context.Context, tx dialect.ExecQuerier) error {
	for level := c.own; len(level) > 0; {
		var next []*victim
		for _, q := range c.questions(level) {
			doomed, err := c.ask(ctx, tx, q)
			if err != nil {
				return fmt.Errorf("table %s: %w", q.of.Table, err)
			}
			next = append(next, doomed...)
		}
		level = next
	}
	return nil
}

// question asks a table for the rows that refer to some of others.
type question struct {
	of   *Schema
	keys []*foreignKey
	to   []*victim
}

// questions returns one question for each table that refers to rows of a level.
func (c *cascade) questions(level []*victim) []*question {
	var all []*question
	byTable := make(map[*Schema]*question)
	for _, v := range level {
		for _, key := range foreignKeys(c.s.in.rec, v.s) {
			q := byTable[key.from]
			if q == nil {
				q = &question{of: key.from}
				byTable[key.from] = q
				all = append(all, q)
			}
			if !slices.Contains(q.keys, key) {
				q.keys = append(q.keys, key)
			}
			if n := len(q.to); n == 0 || q.to[n-1] != v {
				q.to = append(q.to, v)
			}
		}
	}
	return all
}

// match returns the predicate for the rows that refer to any of part.
func (q *question) match(part []*victim) *sql.Predicate {
	var either []*sql.Predicate
	for _, key := range q.keys {
		var ids [][]any
		for _, v := range part {
			if v.s == key.to {
				ids = append(ids, v.ids)
			}
		}
		if len(ids) > 0 {
			either = append(either, matchTuples([]string{key.Column}, ids))
		}
	}
	return sql.Or(either...)
}

// ask returns the rows that are doomed by the answer and were not before.
func (c *cascade) ask(ctx context.Context, tx dialect.ExecQuerier, q *question) (doomed []*victim, err error) {
	fields, l := c.prepare(q)
	columns := append(q.of.columns(fields), c.columns[q.of]...)
	for part := range slices.Chunk(q.to, max(1, readChunk/len(q.keys))) {
		c.turn++
		for _, v := range part {
			v.turn = c.turn
		}
		sel := sql.Dialect(c.s.dialect).Select(columns...).From(c.s.tableOf(q.of)).Where(q.match(part))
		l.on(sel, q.of)
		err := query(ctx, tx, sel, func(values []any) {
			v := c.take(q.of, fields, values)
			was := v.doomed
			c.tie(v, q, part)
			if v.doomed && !was {
				doomed = append(doomed, v)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return doomed, nil
}

// prepare returns what is read of the rows that a question is about, besides the columns
// of keys and links, and how they are locked. Of rows that may go, also because the
// database does what the graph does not say, it is all that is recorded, of others what
// describes them.
func (c *cascade) prepare(q *question) (fields []int, l lock) {
	l = lockRow
	note := func(column string) {
		if !slices.Contains(c.columns[q.of], column) {
			c.columns[q.of] = append(c.columns[q.of], column)
		}
	}
	may := false
	for _, key := range q.keys {
		note(key.Column)
		may = may || key.Action == Cascade || !key.known(c.place(key))
		if may || q.of.unique(key.Column) {
			l = lockKey
		}
	}
	for _, end := range q.of.Ends {
		note(end.Column)
	}
	switch p := planOf(c.s.in.rec, q.of); {
	case !q.of.Audited:
	case may:
		fields = p.all
	default:
		fields = p.extra
	}
	return fields, l
}

// take returns the row with the given values, which may have been found before.
func (c *cascade) take(s *Schema, fields []int, values []any) *victim {
	n, m := len(s.ID), len(s.ID)+len(fields)
	w := row{id: idOf(s, values[:n]), ids: values[:n:n], values: values[n:m:m]}
	v := c.byRow[rowKey{s, w.id}]
	if v == nil {
		v = &victim{row: w, s: s, fields: fields}
		c.byRow[v.key()] = v
		c.found = append(c.found, v)
	}
	if len(fields) > len(v.fields) {
		v.row, v.fields = w, fields
	}
	v.columns = values[m:]
	return v
}

// tie links a row to those of part that it refers to.
func (c *cascade) tie(v *victim, q *question, part []*victim) {
	tied := false
	for _, key := range q.keys {
		id := c.value(v.s, v.columns, key.Column)
		if id == nil {
			continue
		}
		to := c.byRow[rowKey{key.to, idText(key.to.ID[0].Kind, id)}]
		if to != nil && to.turn == c.turn {
			c.link(v, key, to)
			tied = true
		}
	}
	if tied {
		return
	}
	// By its collation the database takes texts for equal that are not.
	for _, key := range q.keys {
		i := slices.IndexFunc(part, func(to *victim) bool { return to.s == key.to })
		if i >= 0 && c.value(v.s, v.columns, key.Column) != nil {
			c.link(v, key, part[i])
		}
	}
}

func (c *cascade) link(v *victim, key *foreignKey, to *victim) {
	to.links = append(to.links, link{key, v})
	v.doubt = v.doubt || !key.known(c.place(key))
	if key.Action == Cascade {
		v.doomed = true
		v.pulls++
	}
}

// value returns that of one of cascade.columns.
func (c *cascade) value(s *Schema, values []any, column string) any {
	if i := slices.Index(c.columns[s], column); i >= 0 && i < len(values) {
		return values[i]
	}
	return nil
}

// place returns where a key is, for what is known of it there.
func (c *cascade) place(key *foreignKey) place {
	return place{c.s.dialect, c.database, c.s.schemaOf(key.from)}
}

// unique reports whether a column is part of a unique index.
func (s *Schema) unique(column string) bool {
	return slices.ContainsFunc(s.Keys, func(k []string) bool { return slices.Contains(k, column) })
}
