package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/entaudit/audit/internal/bench/plain/group"
	"github.com/entaudit/audit/internal/bench/plain/invoice"
	"github.com/entaudit/audit/internal/bench/plain/member"
)

// operation is one kind of work to measure.
type operation struct {
	name string
	// prepare, where set, is not timed.
	prepare func(ctx context.Context, d *database, n int) error
	// run is given a number that never comes twice.
	run func(ctx context.Context, s side, n int) error
	// grows names the table that run leaves rows in behind.
	grows string
}

const (
	batch   = 100  // rows of the operations on many
	batchTx = 10   // rows of the one in a transaction, and links that are added
	cascade = 1000 // rows that go with another
)

func operations() []operation { return append(rowOperations(), relationOperations()...) }

func rowOperations() []operation {
	return []operation{
		{name: "create", grows: invoice.Table, run: func(ctx context.Context, s side, n int) error {
			return s.create(ctx, n)
		}},
		{name: "createbulk100", grows: invoice.Table, run: func(ctx context.Context, s side, n int) error {
			return s.createBulk(ctx, n, batch)
		}},
		{name: "updateone", run: func(ctx context.Context, s side, n int) error {
			return s.updateOne(ctx, 1+n%baseRows, n)
		}},
		{name: "update100", run: func(ctx context.Context, s side, n int) error {
			return s.update(ctx, 1+n%(baseRows/batch)*batch, batch, n)
		}},
		{
			name:    "delete100",
			prepare: func(ctx context.Context, d *database, n int) error { return d.unaudited.createBulk(ctx, n, batch) },
			run:     func(ctx context.Context, s side, _ int) error { return s.delete(ctx, baseRows) },
		},
		{name: "tx10", grows: invoice.Table, run: func(ctx context.Context, s side, n int) error {
			return s.createTx(ctx, n, batchTx)
		}},
		{name: "upsert100", grows: group.Table, run: func(ctx context.Context, s side, n int) error {
			return s.upsert(ctx, 1+n/batch%(baseRows/batch)*batch, batch, n)
		}},
	}
}

// relationOperations returns those whose work is in other tables than that of the row
// they are made on. One number after the other is batch apart.
func relationOperations() []operation {
	memberOf := func(n int) int { return 1 + n/batch%baseMembers }
	ledgerOf := func(n int) int { return 1 + n/batch%baseLedgers }
	newLedger := func(n int) int { return 1 + baseLedgers + n }
	return []operation{
		{name: "addgroups10", grows: member.GroupsTable, run: func(ctx context.Context, s side, n int) error {
			return s.link(ctx, memberOf(n), memberOf(n), batchTx)
		}},
		{
			name: "clear100",
			prepare: func(ctx context.Context, d *database, n int) error {
				return d.unaudited.link(ctx, memberOf(n), 1, batch)
			},
			run: func(ctx context.Context, s side, n int) error { return s.unlink(ctx, memberOf(n)) },
		},
		{
			name:    "clearlines100",
			prepare: func(ctx context.Context, d *database, n int) error { return d.assign(ctx, ledgerOf(n), batch) },
			run:     func(ctx context.Context, s side, n int) error { return s.release(ctx, ledgerOf(n)) },
		},
		{
			name:    "delete1000",
			prepare: func(ctx context.Context, d *database, n int) error { return d.open(ctx, newLedger(n), cascade) },
			run:     func(ctx context.Context, s side, n int) error { return s.deleteLedger(ctx, newLedger(n)) },
		},
	}
}

// chosen returns the operations of a list of names, all where it is empty.
func chosen(list string) ([]operation, error) {
	all := operations()
	if list == "" {
		return all, nil
	}
	var ops []operation
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(all, func(o operation) bool { return o.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-op: there is no operation %q", name)
		}
		ops = append(ops, all[i])
	}
	return ops, nil
}
