package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// operation is one kind of work to measure.
type operation struct {
	name string
	// prepare, where set, is not timed.
	prepare func(ctx context.Context, d *database, n int) error
	// run is given a number that never comes twice.
	run func(ctx context.Context, s side, n int) error
	// grows tells that run leaves rows behind.
	grows bool
}

const (
	batch   = 100 // rows of the operations on many
	batchTx = 10  // rows of the one in a transaction
)

func operations() []operation {
	return []operation{
		{name: "create", grows: true, run: func(ctx context.Context, s side, n int) error {
			return s.create(ctx, n)
		}},
		{name: "createbulk100", grows: true, run: func(ctx context.Context, s side, n int) error {
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
		{name: "tx10", grows: true, run: func(ctx context.Context, s side, n int) error {
			return s.createTx(ctx, n, batchTx)
		}},
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
