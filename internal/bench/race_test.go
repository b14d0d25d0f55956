package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"one", []float64{7}, 0.5, 7},
		{"odd", []float64{3, 1, 2}, 0.5, 2},
		{"even", []float64{4, 1, 3, 2}, 0.5, 2.5},
		{"low", []float64{5, 1, 3, 2, 4}, 0.25, 2},
		{"last", []float64{1, 2}, 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.InDelta(t, tt.want, quantile(tt.values, tt.q), 1e-9)
		})
	}
}

func TestRatioIgnoresOutliers(t *testing.T) {
	t.Parallel()
	under, over := make([]time.Duration, 101), make([]time.Duration, 101)
	for i := range under {
		under[i], over[i] = 100, 250
	}
	for i := range 20 {
		under[i], over[50+i] = 9000, 9000
	}
	require.InDelta(t, 2.5, ratioOf(over, under).median, 1e-9)
}

func TestRaceRunsThereAndBack(t *testing.T) {
	t.Parallel()
	d := setup(t, dialect.SQLite, entaudit.Config{})
	other := setup(t, dialect.SQLite, entaudit.Config{})
	var order []bool
	seen := map[int]bool{}
	op := operation{name: "noted", run: func(_ context.Context, s side, n int) error {
		order = append(order, s == d.audited)
		require.False(t, seen[n], "%d came twice", n)
		seen[n] = true
		return nil
	}}
	took, err := race(t.Context(), op, []contender{{d.unaudited, d}, {d.audited, other}}, 2, func(int) {})
	require.NoError(t, err)
	require.Len(t, took, 2)
	require.Len(t, took[0], 2)
	require.Equal(t, []bool{false, true, true, false}, order[:4])
	require.Len(t, order, 4*(warmup+2))
}

// Every operation records what it does, and leaves no rows behind.
func TestOperations(t *testing.T) {
	t.Parallel()
	d := setup(t, dialect.SQLite, entaudit.Config{})
	for i, want := range map[string]int{"create": 1, "createbulk100": 100, "updateone": 1, "update100": 100, "delete100": 100, "tx10": 10} {
		op, err := chosen(i)
		require.NoError(t, err)
		require.NoError(t, d.settle(t.Context()))
		_, err = contender{d.audited, d}.time(t.Context(), op[0], 5*baseRows)
		require.NoError(t, err)
		require.Equal(t, want, count(t, d, entaudit.DefaultTable), i)
		require.Equal(t, baseRows, count(t, d, "invoices"), i)
		_, err = contender{d.unaudited, d}.time(t.Context(), op[0], 6*baseRows)
		require.NoError(t, err)
		require.Equal(t, want, count(t, d, entaudit.DefaultTable), "%s unaudited", i)
	}
	_, err := chosen("create,nothing")
	require.ErrorContains(t, err, `no operation "nothing"`)
}

func count(t *testing.T, d *database, table string) (n int) {
	t.Helper()
	require.NoError(t, d.pool.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

func TestRaceStopsAtAnError(t *testing.T) {
	t.Parallel()
	d := setup(t, dialect.SQLite, entaudit.Config{})
	broken := errors.New("broken")
	op := operation{name: "broken", run: func(context.Context, side, int) error { return broken }}
	_, err := race(t.Context(), op, []contender{{d.unaudited, d}}, 1, func(int) {})
	require.ErrorIs(t, err, broken)
}
