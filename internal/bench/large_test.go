package main

import (
	"context"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
)

const (
	// envRows sets the number of rows of the mutations that are large.
	envRows = "ENTAUDIT_BENCH_ROWS"
	// fewerRows is what benchmarks take that nobody told otherwise, so that all of them
	// can be run at once.
	fewerRows = 5_000
	// fillRows is the number of rows of an INSERT that fills a table: SQLite takes no
	// more than 32,766 arguments.
	fillRows = 1000
)

// largeOperations are each one call for all rows that there are. An update sets what no
// other has set, so that every row changes.
func largeOperations() []operation {
	const all = 1 << 40
	updates := 1 << 30
	return []operation{
		{name: "update", run: func(ctx context.Context, s side, _ int) error {
			updates++
			return s.update(ctx, 0, all, updates)
		}},
		{name: "delete", run: func(ctx context.Context, s side, _ int) error { return s.delete(ctx, 0) }},
	}
}

// rowsOr returns the number of rows that the environment sets, or n.
func rowsOr(tb testing.TB, n int) int {
	tb.Helper()
	v := os.Getenv(envRows)
	if v == "" {
		return n
	}
	rows, err := strconv.Atoi(v)
	require.NoError(tb, err, envRows)
	return rows
}

// refill brings the invoices up to a number of rows, and the entries to none.
func refill(tb testing.TB, d *database, rows int) {
	tb.Helper()
	for n := count(tb, d, "invoices"); n < rows; n += fillRows {
		require.NoError(tb, d.unaudited.createBulk(tb.Context(), n, min(fillRows, rows-n)))
	}
	require.NoError(tb, d.settle(tb.Context()))
}

// BenchmarkLarge measures one call that changes very many rows: the time that it takes,
// and by how much the heap is larger on its way.
func BenchmarkLarge(b *testing.B) {
	rows := rowsOr(b, fewerRows)
	for _, name := range testdb.Dialects() {
		b.Run(name, func(b *testing.B) {
			d := setup(b, name, entaudit.Config{Service: "bench"})
			for _, op := range largeOperations() {
				b.Run(op.name, func(b *testing.B) {
					b.Run("unaudited", func(b *testing.B) { benchLarge(b, op, contender{d.unaudited, d}, rows) })
					b.Run("audited", func(b *testing.B) { benchLarge(b, op, contender{d.audited, d}, rows) })
				})
			}
		})
	}
}

func benchLarge(b *testing.B, op operation, c contender, rows int) {
	b.Helper()
	b.ReportAllocs()
	ctx := caller(b.Context())
	var most uint64
	for b.Loop() {
		b.StopTimer()
		refill(b, c.db, rows)
		peak, err := peakHeap(func() error {
			b.StartTimer()
			defer b.StopTimer()
			return op.run(ctx, c.side, 0)
		})
		if err != nil {
			b.Fatal(err)
		}
		most = max(most, peak)
		b.StartTimer()
	}
	b.ReportMetric(float64(most)/(1<<20), "peak-heap-MB")
}
