package hook

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
)

// reconcile makes sure that a bulk update on MySQL, which does not tell what it wrote,
// has changed the rows that were read and no others. MySQL reports how many rows it
// changed or, if the connection asks for that, how many it matched.
func (u *updateScope) reconcile(ctx context.Context, tx dialect.ExecQuerier) error {
	var changed int64
	var same *row
	for i, before := range u.old.list {
		if after, ok := u.new.get(before.id); !ok || !equal(before.values, after.values) {
			changed++
		} else {
			same = &u.old.list[i]
		}
	}
	read := int64(len(u.old.list))
	switch {
	case u.affected == changed:
		return nil
	case u.affected == read && same != nil:
		matched, err := u.countsMatched(ctx, tx, same)
		if err != nil || matched {
			return err
		}
	}
	return fmt.Errorf("%d rows read, %d of them changed, %d reported: %w", read, changed, u.affected, errStale)
}

// equal reports whether two readings of a row are the same.
func equal(a, b []any) bool {
	for i := range a {
		if !same(a[i], b[i]) && (a[i] == nil || b[i] == nil || text(plainValue(a[i])) != text(plainValue(b[i]))) {
			return false
		}
	}
	return true
}

// countsMatched reports whether the connection reports rows as affected that a statement
// matched and did not change, by a statement that does just that to a row that is locked.
func (u *updateScope) countsMatched(ctx context.Context, tx dialect.ExecQuerier, w *row) (bool, error) {
	terms := make([]string, len(u.p.ID))
	for i, f := range u.p.ID {
		terms[i] = u.quote(f.Column) + " = ?"
	}
	id := u.quote(u.p.ID[0].Column)
	query := "UPDATE " + u.quoted() + " SET " + id + " = " + id + " WHERE " + strings.Join(terms, " AND ")
	var res stdsql.Result
	if err := tx.Exec(ctx, query, w.ids, &res); err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
