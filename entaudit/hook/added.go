package hook

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect"
)

// MySQL does not give back the links that an INSERT has added, and passes over those
// that are there already.

// ignores reports whether the INSERT passes over links that are there: ent has it fail
// on them where links have fields that it sets.
func (l *links) ignores() bool { return !l.e.fresh && len(l.edges[0].Target.Fields) == 0 }

// beforeInsert reads which of the links are there. To lock what is not there would lock
// the places next to it, and inserts of others would end in deadlocks; so only what was
// found is locked, and the number of links that are inserted tells the rest.
func (l *links) beforeInsert(ctx context.Context, tx dialect.ExecQuerier) error {
	if !l.ignores() {
		return nil
	}
	var found rows
	if err := found.read(ctx, tx, l.join, l.e.table(l.join, l.space), l.match(), noLock); err != nil || len(found.list) == 0 {
		return err
	}
	ids := make([][]any, len(found.list))
	for i, w := range found.list {
		ids[i] = w.ids
	}
	l.there.fields = l.got.fields
	return l.there.read(ctx, tx, l.join, l.e.table(l.join, l.space), matchIDs(l.join, ids), lockKey)
}

// inserted compares the links that were there with those that were inserted.
func (l *links) inserted(ctx context.Context, tx dialect.ExecQuerier) error {
	there := make(map[[2]string]bool, len(l.there.list))
	for _, w := range l.there.list {
		there[l.pairOf(w).key] = true
	}
	pairs, named := l.pairs()
	added := pairs[:0:0]
	for _, p := range pairs {
		if !there[p.key] {
			added = append(added, p)
		}
	}
	if l.ignores() {
		switch l.affected {
		case int64(len(added)):
		case 0:
			return nil // others have added the same in the meantime
		case int64(named):
			if err := l.countsNamed(ctx, tx); err != nil {
				return err
			}
		default:
			return l.e.stale(l.join, len(l.there.list), l.affected)
		}
	}
	return l.complete(ctx, tx, added)
}

// countsNamed makes sure that the connection counts all links that a statement names,
// and not those that it adds.
func (l *links) countsNamed(ctx context.Context, tx dialect.ExecQuerier) error {
	if len(l.there.list) == 0 {
		return nil // it names links twice
	}
	matched, err := l.e.s.countsMatched(ctx, tx, l.join, l.e.quoted(l.join.Table, l.space), l.there.list[0].ids)
	switch {
	case err != nil:
		return l.e.s.fail("write", err)
	case !matched:
		return l.e.stale(l.join, len(l.there.list), l.affected)
	}
	return nil
}

// complete notes the links that were added, and reads them where they have entries of
// their own.
func (l *links) complete(ctx context.Context, tx dialect.ExecQuerier, added []pair) error {
	if !l.join.Audited {
		for _, p := range added {
			l.got.add(l.join, p.values[:])
		}
		return l.returned(ctx, tx)
	}
	wanted := make(map[[2]string]bool, len(added))
	for _, p := range added {
		wanted[p.key] = true
	}
	now := rows{fields: l.got.fields}
	if len(added) > 0 {
		// All of them are there and locked: see rows.readNow.
		if err := now.read(ctx, tx, l.join, l.e.table(l.join, l.space), l.match(), lockRow); err != nil {
			return l.e.s.fail("read", err)
		}
	}
	for _, w := range now.list {
		if wanted[l.pairOf(w).key] {
			l.got.list = append(l.got.list, w)
		}
	}
	if n := len(l.got.list); n != len(added) {
		return l.e.s.fail("write", fmt.Errorf("table %s: %d links were added and %d are there", l.join.Table, len(added), n))
	}
	return l.returned(ctx, tx)
}

// pairOf returns a link that was read by the ids that it links.
func (l *links) pairOf(w row) pair {
	ids := l.ends(w)
	return l.pair(ids[0], ids[1])
}
