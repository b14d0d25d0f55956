package hook

import (
	"context"

	"entgo.io/ent/dialect"
)

// follows reports whether rows of other tables go or change with links that are
// removed, which are rows of a type then.
func (l *links) follows() bool {
	return !l.came && len(foreignKeys(l.e.s.in.rec, l.table)) > 0
}

// follow reads what goes with the links that are about to be removed.
func (l *links) follow(ctx context.Context, tx dialect.ExecQuerier) error {
	own := rows{}
	if l.table.Audited {
		own.fields = l.got.fields
	}
	database, err := l.e.s.readNamed(ctx, tx, l.table, l.e.table(l.table, l.space), l.match(), &own)
	if err != nil {
		return l.e.s.fail("read", err)
	}
	if database == nil {
		if len(own.list) > 0 {
			foreignKeys(l.e.s.in.rec, l.table)[0].warn(ctx)
		}
		return nil
	}
	l.cascade = newCascade(l.e.s, text(plainValue(database)), l.table, own)
	for _, v := range l.cascade.own {
		// Of a type that is not audited the owner's entry is the cause of what follows.
		v.because = l.e.own(l.edges[0].owners()[0])
	}
	if err := l.cascade.follow(ctx, tx); err != nil {
		return l.e.s.fail("read what goes with", err)
	}
	return nil
}

// followed notes what has gone with the links.
func (l *links) followed(ctx context.Context, tx dialect.ExecQuerier) error {
	if l.cascade == nil {
		return nil
	}
	if n := len(l.cascade.own); n != len(l.got.list) {
		return l.e.stale(l.table, n, len(l.got.list))
	}
	for _, v := range l.cascade.own {
		v.gone = true
	}
	if err := l.cascade.settle(ctx, tx); err != nil {
		return l.e.s.fail("read what went with", err)
	}
	l.cascade.tell(ctx)
	return nil
}
