package hook

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"iter"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// largeAt is the number of rows of a mutation that are kept as they are. What is beyond
// goes into a spill, and is worked through in pages of this size.
const largeAt = 1000

// flat makes rows take little memory however many they become. They can then only be
// gone through in order, and masked fields hold nothing but what tells whether they
// differ.
func (r *rows) flat(p *plan) { r.limit, r.p = largeAt, p }

// count returns the number of rows.
func (r *rows) count() int { return r.poured + len(r.list) }

// large reports whether there are more rows than can be had by their id.
func (r *rows) large() bool { return r.many != nil }

// pour empties the list into the spill.
func (r *rows) pour() {
	if r.many == nil {
		r.many = newSpill()
		r.key = make([]byte, 32)
		_, _ = rand.Read(r.key) // never fails
	}
	for _, w := range r.list {
		if r.err != nil {
			return
		}
		var record []byte
		if record, r.err = appendRecord(nil, w.ids); r.err == nil {
			record, r.err = appendRecord(record, r.blind(w.values))
		}
		if r.err == nil {
			r.err = r.many.append(record)
		}
	}
	r.poured += len(r.list)
	clear(r.list)
	r.list = r.list[:0]
}

// blind replaces the values of masked fields, which must not reach a disk.
func (r *rows) blind(values []any) []any {
	for i, f := range r.fields {
		if !r.p.masked[f] || values[i] == nil {
			continue
		}
		mac := hmac.New(sha256.New, r.key)
		mac.Write([]byte(text(plainValue(values[i]))))
		values[i] = mac.Sum(nil)
	}
	return values
}

// pages returns the rows in order, all at once or in pages.
func (r *rows) pages(s *Schema) iter.Seq2[[]row, error] {
	return func(yield func([]row, error) bool) {
		if !r.large() {
			yield(r.list, r.err)
			return
		}
		r.pour()
		if r.err != nil {
			yield(nil, r.err)
			return
		}
		page := rows{fields: r.fields}
		for record, err := range r.many.all() {
			var values []any
			if err == nil {
				values, err = parseRecord(record, len(s.ID)+len(r.fields))
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if page.add(s, values); len(page.list) == largeAt {
				if !yield(page.list, nil) {
					return
				}
				page = rows{fields: r.fields}
			}
		}
		if len(page.list) > 0 {
			yield(page.list, nil)
		}
	}
}

// drop gives up what rows hold on a disk.
func (r *rows) drop() error { return r.many.close() }

// Close gives up what a failed update, which sees no End, holds on a disk. It may be
// called more than once.
func (u *updateScope) Close() error { return u.old.drop() }

// Close gives up what a failed delete, which sees no End, holds on a disk. It may be
// called more than once.
func (d *deleteScope) Close() error { return d.old.drop() }

// endLarge makes the entries of an update of very many rows, page by page: what they are
// now is read again, and what the statement gave back has only been counted.
func (u *updateScope) endLarge(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending) error {
	if n := int64(u.old.count()); u.returns() && u.known && n != u.affected {
		return u.fail("update", fmt.Errorf("%d rows read, %d written: %w", n, u.affected, errStale))
	}
	l := lockRow // see rows.readNow
	if u.returns() {
		l = noLock
	}
	var changed int64
	var same *row
	for page, err := range u.old.pages(u.p.Schema) {
		if err != nil {
			return u.fail("update", err)
		}
		u.new = rows{fields: u.new.fields}
		if err := u.new.readNow(ctx, tx, u.p.Schema, u.table, idsOf(page), l); err != nil {
			return u.fail("read", err)
		}
		if u.wrote {
			if err := u.missing(page); err != nil {
				return err
			}
		}
		for i := range u.new.list {
			u.old.blind(u.new.list[i].values)
		}
		n, s := u.changes(page)
		if changed += n; s != nil {
			same = s
		}
		u.compare(page)
		if err := u.hand(ctx, tx, p); err != nil {
			return err
		}
	}
	if u.wrote && !u.returns() {
		if err := u.confirm(ctx, tx, changed, same); err != nil {
			return u.fail("update", err)
		}
	}
	return u.endSummary(ctx, tx, p)
}

// endSummary makes the entry that stands for all rows, if there is to be one.
func (u *updateScope) endSummary(ctx context.Context, tx dialect.ExecQuerier, p txdriver.Pending) error {
	if u.sum == nil || u.sum.rows == 0 {
		return nil
	}
	u.emitSummary(u.sum, u.operation(), u.match(), u.setValues(u.spec))
	return u.hand(ctx, tx, p)
}

// endSummary makes the entry that stands for all rows.
func (d *deleteScope) endSummary() {
	if d.sum != nil && d.sum.rows > 0 {
		d.emitSummary(d.sum, entaudit.OpDelete, d.match(), nil)
	}
}
