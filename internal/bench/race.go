package main

import (
	"context"
	"slices"
	"time"
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
	order := make([]int, 0, 2*len(all))
	for i := range all {
		order = append(order, i)
	}
	back := slices.Clone(order)
	slices.Reverse(back)
	order = append(order, back...)
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

// ratio is what the rounds of one contender took to those of another: the median over
// pairs of the same round, and the quartiles around it.
type ratio struct{ low, median, high float64 }

func ratioOf(over, under []time.Duration) ratio {
	r := make([]float64, len(over))
	for i := range r {
		r[i] = float64(over[i]) / float64(under[i])
	}
	return ratio{quantile(r, 0.25), quantile(r, 0.5), quantile(r, 0.75)}
}

// quantile returns the q-quantile of values, which it sorts.
func quantile[T time.Duration | float64](values []T, q float64) T {
	slices.Sort(values)
	at := q * float64(len(values)-1)
	i := int(at)
	if i+1 >= len(values) {
		return values[len(values)-1]
	}
	return values[i] + T((at-float64(i))*float64(values[i+1]-values[i]))
}

// typical returns the median of what rounds took.
func typical(took []time.Duration) time.Duration {
	return quantile(slices.Clone(took), 0.5).Round(time.Microsecond)
}
