package hook

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// upsertScope records an insert of rows some of which may be there already. Those that
// are are read before it, by every unique key that the specifications give values for.
type upsertScope struct {
	createScope
	attempt  int
	keys     []uniqueKey
	fields   []int   // that are read
	old, new rows    // the rows that the insert may meet, and those it has written
	strays   [][]any // ids of rows that it has met and that no key led to
	last     [][]any // those of the attempt before
	affected int64   // MySQL
	unnamed  bool    // MySQL: no row has a key, and ids are counted from the first
}

// Begin implements txdriver.Scope.
func (u *upsertScope) Begin(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending) error {
	u.attempt++
	u.asked, u.ran = false, false
	u.last, u.strays = u.strays, nil
	u.prepare()
	u.keys = u.uniqueKeys()
	u.fields = u.reads()
	u.old, u.new = rows{fields: u.fields}, rows{fields: u.fields}
	if err := u.identified(); err != nil {
		return err
	}
	if err := p.(*ledger).takeLock(ctx, tx, u.quoted()); err != nil {
		return u.fail("lock", err)
	}
	if err := u.readOld(ctx, tx); err != nil {
		return u.fail("read", err)
	}
	return nil
}

// reads returns the fields that are read: any may be written. MySQL needs to be asked
// for all, to tell a row that was changed from one that was not.
func (u *upsertScope) reads() []int {
	if !u.returns() {
		return u.p.every()
	}
	fields := slices.Clone(u.p.all)
	for _, k := range u.keys {
		for _, c := range k {
			if c.field >= 0 {
				fields = append(fields, c.field)
			}
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// snapshots is how many attempts on MySQL read without locking what is not there yet. To
// lock that would lock the places next to it, and upserts of new rows would end in
// deadlocks. What is read so may be older than the transactions that have committed.
const snapshots = 2

// readOld reads the rows that the insert may meet, and locks them.
func (u *upsertScope) readOld(ctx context.Context, tx dialect.ExecQuerier) error {
	if u.returns() {
		return u.readMet(ctx, tx, &u.old, u.last, lockRow)
	}
	found := rows{fields: u.fields}
	if err := u.readMet(ctx, tx, &found, nil, noLock); err != nil {
		return err
	}
	err := u.lockFound(ctx, tx, found.list)
	for i := 0; err == nil && u.attempt > snapshots && i < len(u.keys); i++ {
		err = u.lockTuples(ctx, tx, &u.old, u.keys[i].columns(), u.tuples(u.keys[i], 0, len(u.known)))
	}
	if err == nil {
		err = u.lockTuples(ctx, tx, &u.old, u.p.columns(nil), u.last)
	}
	u.old.unite()
	return err
}

// lockFound reads rows again and locks them, each by the key that the INSERT will meet it
// by: to lock an index and its table in another order than that would end in deadlocks.
func (u *upsertScope) lockFound(ctx context.Context, tx dialect.ExecQuerier, found []row) error {
	for _, k := range u.keys {
		met := make(map[string]bool)
		for i := range u.known {
			if t := u.proposed(k, i); t != nil {
				met[k.name(t)] = true
			}
		}
		var tuples [][]any
		found = slices.DeleteFunc(found, func(w row) bool {
			t := u.held(k, w)
			if t == nil || !met[k.name(t)] {
				return false
			}
			tuples = append(tuples, t)
			return true
		})
		if err := u.lockTuples(ctx, tx, &u.old, k.columns(), tuples); err != nil {
			return err
		}
	}
	return u.lockTuples(ctx, tx, &u.old, u.p.columns(nil), idsOf(found))
}

// lockTuples reads the rows whose columns hold one of tuples, as they are now, and locks
// them.
func (u *upsertScope) lockTuples(ctx context.Context, tx dialect.ExecQuerier, to *rows, columns []string, tuples [][]any) error {
	for part := range slices.Chunk(tuples, upsertChunk) {
		if err := to.read(ctx, tx, u.p.Schema, u.table(), matchTuples(columns, part), lockRow); err != nil {
			return err
		}
	}
	return nil
}

// upsertChunk is the number of specifications whose rows one query looks for. SQLite
// takes conditions of a thousand terms.
const upsertChunk = 250

// readMet reads the rows that the specifications have a unique key of, and those with the
// given ids.
func (u *upsertScope) readMet(ctx context.Context, tx dialect.ExecQuerier, to *rows, ids [][]any, l lock) error {
	for from := 0; from < len(u.known); from += upsertChunk {
		var any []*sql.Predicate
		for _, k := range u.keys {
			if tuples := u.tuples(k, from, min(from+upsertChunk, len(u.known))); len(tuples) > 0 {
				any = append(any, matchTuples(k.columns(), tuples))
			}
		}
		if len(ids) > 0 {
			any = append(any, matchIDs(u.p.Schema, ids))
			ids = nil
		}
		if len(any) == 0 {
			continue
		}
		if err := to.read(ctx, tx, u.p.Schema, u.table(), sql.Or(any...), l); err != nil {
			return err
		}
	}
	to.unite()
	return nil
}

// unite leaves one row of those with the same id: the last, in place of the first.
func (r *rows) unite() {
	at := make(map[string]int, len(r.list))
	list := r.list[:0]
	for _, w := range r.list {
		if i, ok := at[w.id]; ok {
			list[i] = w
			continue
		}
		at[w.id] = len(list)
		list = append(list, w)
	}
	r.list, r.byID = list, at
}

// Statement implements txdriver.Scope.
func (u *upsertScope) Statement(query string, exec bool) txdriver.Statement {
	if u.asked {
		return u.createScope.Statement(query, exec)
	}
	u.asked = true
	st := txdriver.Statement{Query: query, Again: true}
	if !u.returns() {
		st.Result, st.After = u.inserted, u.readBack
		return st
	}
	asked, back := u.returning(nil), u.returning(u.fields)
	if u.dialect == dialect.Postgres {
		back += ", (xmax = 0)"
	}
	if !exec {
		// ent asks for the id: the rest is added to what it asks for.
		if !strings.HasSuffix(query, asked) {
			u.odd = errOddInsert
			return txdriver.Statement{Query: query}
		}
		query = strings.TrimSuffix(query, asked)
		st.Extra = strings.Count(back, ",") - strings.Count(asked, ",")
	}
	st.Query, st.Row, st.After = query+back, u.returnedRow, u.verify
	return st
}

// returnedRow takes a row that the INSERT gave back.
func (u *upsertScope) returnedRow(_ []string, values []any) error {
	u.ran = true
	n := len(u.p.ID) + len(u.fields)
	u.new.add(u.p.Schema, values[:n])
	if u.dialect != dialect.Postgres {
		return nil
	}
	w := u.new.list[len(u.new.list)-1]
	if _, ok := u.old.get(w.id); !ok && values[n] != true {
		u.strays = append(u.strays, w.ids)
	}
	return nil
}

// verify makes sure that the rows that came back are told right: one that was not among
// those read has come into being.
func (u *upsertScope) verify(ctx context.Context, tx dialect.ExecQuerier) error {
	u.new.unite()
	if missing := u.missing(); len(missing) > 0 && (len(u.strays) > 0 || u.born() > u.unmet()) {
		there := rows{}
		if err := there.readIDs(ctx, tx, u.p.Schema, u.table, missing); err != nil {
			return u.fail("read", err)
		}
		if len(there.list) < len(missing) {
			return u.renamed()
		}
	}
	if len(u.strays) > 0 {
		return u.fail("upsert", fmt.Errorf("row %s: %w", idOf(u.p.Schema, u.strays[0]), errStale))
	}
	return nil
}

// missing returns the ids of the rows that were read before the INSERT and are not among
// those that it has written.
func (u *upsertScope) missing() (ids [][]any) {
	for _, w := range u.old.list {
		if _, ok := u.new.get(w.id); !ok {
			ids = append(ids, w.ids)
		}
	}
	return ids
}

// born returns how many rows seem to have come into being.
func (u *upsertScope) born() (n int) {
	for _, w := range u.new.list {
		if _, ok := u.old.get(w.id); !ok {
			n++
		}
	}
	return n
}

// renamed returns the error of an upsert that has given a row another id.
func (u *upsertScope) renamed() error {
	return u.unsupported("it gives a row that is there another id",
		"use UpdateNewValues, or SetIgnore with the id's column after ResolveWithNewValues")
}

func (u *upsertScope) unsupported(problem, hint string) error {
	return &entaudit.UnsupportedError{Type: u.p.Type, Operation: "upsert", Problem: problem, Hint: hint}
}

// inserted notes what MySQL says of the INSERT.
func (u *upsertScope) inserted(res stdsql.Result) (err error) {
	if err = u.lastID(res); err == nil {
		u.affected, err = res.RowsAffected()
	}
	return err
}

// End implements txdriver.Scope.
func (u *upsertScope) End(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending, _ error) error {
	if u.odd != nil {
		return u.fail("upsert", u.odd)
	}
	if !u.ran {
		return nil
	}
	u.compare()
	return u.hand(ctx, tx, p)
}

// compare makes the entries of the rows that came into being or differ.
func (u *upsertScope) compare() {
	d := u.differ()
	owner, _ := u.owners()
	slices.SortStableFunc(u.new.list, func(a, b row) int { return owner[a.id] - owner[b.id] })
	for _, w := range u.new.list {
		i := owner[w.id]
		in := u.intent(i)
		before, was := u.old.get(w.id)
		op := entaudit.OpCreate
		if was {
			op = entaudit.OpUpdate
		}
		e := u.entry(in, op, w.id)
		if !was {
			before.values = w.values
		}
		fields, then, now := u.net(rowKey{u.p.Schema, w.id}, u.fields, before.values, w.values)
		if !was {
			d.whole(&e, fields, now, true)
		} else if more := d.between(&e, fields, then, now); !more && u.p.IgnoreTouch {
			e.Changes = nil
		}
		if in.skipped {
			if !was || len(e.Changes) > 0 {
				u.emitSkip(in, string(op))
			}
			continue
		}
		u.noteEdges(&e, i)
		if was && len(e.Changes) == 0 && len(e.Edges) == 0 {
			continue
		}
		d.describe(&e, fields, now)
		u.emit(in, e)
	}
}
