package main

import (
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/testdb"
)

// Not parallel: it counts the goroutines of the process.
func TestSoakShort(t *testing.T) {
	driver, dsn := testdb.DSN(t, dialect.SQLite)
	var all []sample
	require.NoError(t, soak(t.Context(), driver, dsn, 3000, func(s sample) error {
		all = append(all, s)
		return nil
	}))
	require.Len(t, all, samples)
	require.GreaterOrEqual(t, all[samples-1].mutations, 3000)
}

func TestSampleGrown(t *testing.T) {
	first := sample{heap: 1 << 20, goroutines: 5, connections: 1}
	for _, tt := range []struct {
		name string
		last sample
		want string
	}{
		{"less", sample{}, ""},
		{"within the slack", sample{heap: first.heap + heapSlack, goroutines: 5 + goroutineSlack, connections: 1}, ""},
		{"heap", sample{heap: first.heap + heapSlack + 1}, "the live heap grew"},
		{"goroutines", sample{goroutines: 6 + goroutineSlack}, "goroutines grew"},
		{"connections", sample{connections: 2}, "open connections grew"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.last.grown(first)
			if tt.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.want)
			}
		})
	}
}
