package hook

import (
	"bytes"
	"context"
	"fmt"

	"entgo.io/ent/dialect"
)

// MySQL does not say which rows an upsert has written: they are found by their keys, and
// the number of rows that it does say confirms what was found.

// identified makes sure that the rows will be found.
func (u *upsertScope) identified() error {
	if u.dialect == dialect.Postgres {
		return nil // which says what was inserted and what was updated
	}
	nameless := 0
	for i := range u.known {
		found := false
		for _, k := range u.keys {
			for _, c := range k {
				if c.field >= 0 && c.Default && !u.set[c.field] {
					return u.unsupported("the database makes the value of "+c.Name+", which is part of a unique key", "set "+c.Name)
				}
			}
			found = found || u.proposed(k, i) != nil && (k[0].id < 0 || !u.numeric() || !u.made(i))
		}
		if !found {
			nameless++
		}
	}
	u.unnamed = nameless > 1 && nameless == len(u.known) // then none of them can meet a row
	switch {
	case u.returns(), nameless == 0, u.numeric() && (len(u.known) == 1 || u.unnamed):
		return nil
	case u.numeric():
		return u.unsupported("some of the rows have no value of a unique key, and MySQL does not tell their ids",
			"upsert them one by one, or apart from the others")
	}
	return u.unsupported("a row has no value of a unique key, and MySQL does not tell its id", "set the id or a unique field")
}

// readBack finds the rows that the INSERT has written, and compares them with the number
// of rows that it has reported.
func (u *upsertScope) readBack(ctx context.Context, tx dialect.ExecQuerier) error {
	ids := idsOf(u.old.list)
	if u.single() {
		ids = append(ids, []any{u.first})
	}
	err := u.readMet(ctx, tx, &u.new, ids, noLock)
	if err == nil && u.unnamed && !u.gave(u.first) {
		err = u.readCounted(ctx, tx, &u.new)
	}
	if err == nil {
		// A row that others have made and that stays as it was is younger than what the
		// transaction sees unless it asks for what is there now.
		err = u.lockTuples(ctx, tx, &u.new, u.p.columns(nil), u.missing())
	}
	if err != nil {
		return u.fail("read", err)
	}
	if len(u.missing()) > 0 {
		return u.renamed()
	}
	if !u.agrees() {
		for _, w := range u.new.list {
			if _, ok := u.old.get(w.id); !ok {
				u.strays = append(u.strays, w.ids)
			}
		}
		return u.fail("upsert", fmt.Errorf("%d rows read, %d found, %d reported: %w",
			len(u.old.list), len(u.new.list), u.affected, errStale))
	}
	return nil
}

// single reports whether ent has MySQL report the id of the row, which it does for one
// row whose id it makes.
func (u *upsertScope) single() bool {
	return len(u.known) == 1 && u.numeric() && u.made(0) && u.first > 0
}

// agrees reports whether the rows found are those that the INSERT has written. MySQL
// counts one for a row that is inserted, two for one that is changed, and none for one
// that is as it was or, if the connection asks for that, one.
func (u *upsertScope) agrees() bool {
	owner, without := u.owners()
	if without > 0 && u.attempt <= snapshots {
		return false // there is a row, which is younger than what the transaction sees
	}
	with := make(map[int]bool)
	for _, w := range u.new.list {
		with[owner[w.id]] = true
	}
	shared := len(with) < len(u.known) // several have met one row
	born, changed := 0, 0
	for _, w := range u.new.list {
		before, ok := u.old.get(w.id)
		switch {
		case ok && !equal(before.values, w.values):
			changed++
		case !ok:
			born++
			if i, ok := owner[w.id]; !ok || !shared && !u.asProposed(i, w) {
				return false
			}
		}
	}
	hits := len(u.known) - born // specifications that have met a row
	if shared {
		return int64(born+2*changed) <= u.affected && u.affected <= int64(born+2*hits)
	}
	return u.affected == int64(born+2*changed) || u.affected == int64(born+hits+changed)
}

// asProposed reports whether a row has the values that the i-th specification gives it
// and that the database does not alter. One that others have inserted may have not.
func (u *upsertScope) asProposed(i int, w row) bool {
	if u.p.WholeRows {
		return true
	}
	d := u.differ()
	for j, f := range u.fields {
		if v := u.known[i][f]; u.p.Fields[f].Plain && u.set[f] {
			want, _ := d.encode(f, v)
			if got, _ := d.encode(f, w.values[j]); !bytes.Equal(want, got) {
				return false
			}
		}
	}
	return true
}
