package hook

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
)

// reconcile makes sure that a bulk update on MySQL, which does not tell what it wrote,
// has changed the rows that were read and no others. MySQL reports how many rows it
// changed or, if the connection asks for that, how many it matched.
func (u *updateScope) reconcile(ctx context.Context, tx dialect.ExecQuerier) error {
	changed, same := u.changes(u.old.list)
	return u.confirm(ctx, tx, changed, same)
}

// strange tells what it means that a row was written which had not been read: another row
// has become it, or others have made it match.
func (u *updateScope) strange(ctx context.Context, tx dialect.ExecQuerier) error {
	if u.stranger == "" {
		return nil
	}
	// A row that was read and not written is there all the same if it only matches no
	// longer.
	unwritten := slices.DeleteFunc(slices.Clone(u.old.list), func(w row) bool {
		_, ok := u.new.get(w.id)
		return ok
	})
	if err := u.new.readIDs(ctx, tx, u.p.Schema, u.table, idsOf(unwritten)); err != nil {
		return u.fail("read", err)
	}
	if err := u.missing(u.old.list); err != nil {
		return err
	}
	return u.fail("update", fmt.Errorf("row %s: %w", u.stranger, errStale))
}

// missing returns an error if a row of list, which nobody else could delete, is no longer
// there: an entry would have to say that it has become another.
func (u *updateScope) missing(list []row) error {
	for _, before := range list {
		if _, ok := u.new.get(before.id); !ok {
			return &entaudit.UnsupportedError{
				Type: u.p.Type, Operation: "update", Problem: "it changes the id of row " + before.id,
				Hint: "delete the row and create it anew",
			}
		}
	}
	return nil
}

// changes returns how many of list the update has changed, and one that it has not.
func (u *updateScope) changes(list []row) (changed int64, same *row) {
	for i, before := range list {
		after, ok := u.new.get(before.id)
		if ok {
			after.values = u.withoutEdges(before.id, after.values)
		}
		if !ok || !equal(before.values, after.values) {
			changed++
		} else {
			same = &list[i]
		}
	}
	return changed, same
}

// confirm compares the number of rows that were changed with that which MySQL reports.
func (u *updateScope) confirm(ctx context.Context, tx dialect.ExecQuerier, changed int64, same *row) error {
	read := int64(u.old.count())
	switch {
	case u.affected == changed:
		return nil
	case u.affected == read && same != nil:
		matched, err := u.countsMatched(ctx, tx, u.p.Schema, u.quoted(), same.ids)
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

// withoutEdges returns the values of a row after the update and before what ent then did
// to it for edges.
func (u *updateScope) withoutEdges(id string, values []any) []any {
	far := u.reach.byRow[rowKey{u.p.Schema, id}]
	if far == nil {
		return values
	}
	values = slices.Clone(values)
	for i, f := range far.fields {
		if j := slices.Index(u.new.fields, f); j >= 0 {
			values[j] = far.before[i]
		}
	}
	return values
}

// countsMatched reports whether the connection reports rows as affected that a statement
// matched and did not change, by a statement that does just that to a row that is locked.
func (s *scope) countsMatched(ctx context.Context, tx dialect.ExecQuerier, t *Schema, quoted string, ids []any) (bool, error) {
	terms := make([]string, len(t.ID))
	for i, f := range t.ID {
		terms[i] = s.quote(f.Column) + " = ?"
	}
	id := s.quote(t.ID[0].Column)
	query := "UPDATE " + quoted + " SET " + id + " = " + id + " WHERE " + strings.Join(terms, " AND ")
	var res stdsql.Result
	if err := tx.Exec(ctx, query, ids, &res); err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
