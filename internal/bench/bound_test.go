package main

import (
	"os"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
)

const (
	// heapBound is what auditing may add to the heap of a mutation, however many rows
	// it changes.
	heapBound = 64 << 20
	// largeRows is the number of rows that the bound is tried with.
	largeRows = 100_000
)

// Auditing adds no more than heapBound to the heap of a mutation of very many rows. Not
// parallel: it measures the heap of the process.
func TestLargeHeap(t *testing.T) {
	if testing.Short() {
		t.Skip("it changes 100,000 rows")
	}
	rows := rowsOr(t, largeRows)
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			if name != dialect.SQLite && os.Getenv(envRows) == "" {
				t.Skipf("servers take their time: set %s", envRows)
			}
			d := setup(t, name, entaudit.Config{Service: "bench"})
			for _, op := range largeOperations() {
				var peaks [2]uint64
				for i, s := range []side{d.unaudited, d.audited} {
					refill(t, d, rows)
					var err error
					peaks[i], err = peakHeap(func() error { return op.run(caller(t.Context()), s, 0) })
					require.NoError(t, err, op.name)
				}
				require.Equal(t, rows, count(t, d, entaudit.DefaultTable), op.name)
				t.Logf("%s of %d rows: heap %.1f MB larger on its way, %.1f MB unaudited", op.name, rows,
					float64(peaks[1])/(1<<20), float64(peaks[0])/(1<<20))
				require.Less(t, peaks[1], peaks[0]+heapBound, op.name)
			}
		})
	}
}
