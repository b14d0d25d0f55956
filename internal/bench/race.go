package main

import (
	"context"
	"time"

	"github.com/entaudit/audit/internal/bench/pair"
)

// contender is a side on a database.
type contender struct {
	side
	db *database
}

// warmup is the number of rounds that are run and not counted; settleEvery that after
// which the tables are brought back to where they began.
const (
	warmup      = 3
	settleEvery = 25
)

// race runs an operation rounds times on all contenders, in turn there and back
// (A B C C B A), so that what changes over time meets all of them alike. It returns
// what each round took, by contender.
func race(ctx context.Context, op operation, all []contender, rounds int, tick func(round int)) ([][]time.Duration, error) {
	took := make([][]time.Duration, len(all))
	order := pair.Order(len(all))
	for round := -warmup; round < rounds; round++ {
		tick(round)
		sums := make([]time.Duration, len(all))
		for turn, i := range order {
			d, err := all[i].time(ctx, op, 1_000_000+(round+warmup)*len(order)*batch+turn*batch)
			if err != nil {
				return nil, err
			}
			sums[i] += d
		}
		for i := range all {
			if round >= 0 {
				took[i] = append(took[i], sums[i]/2)
			}
			if round%settleEvery == 0 {
				if err := all[i].db.settle(ctx); err != nil {
					return nil, err
				}
			}
		}
	}
	return took, nil
}

// time runs an operation once and leaves no rows behind.
func (c contender) time(ctx context.Context, op operation, n int) (time.Duration, error) {
	if op.prepare != nil {
		if err := op.prepare(ctx, c.db, n); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	err := op.run(ctx, c.side, n)
	d := time.Since(start)
	if err == nil && op.grows != "" {
		err = c.db.trim(ctx, op.grows)
	}
	return d, err
}
