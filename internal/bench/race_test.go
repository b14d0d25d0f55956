package main

import (
	"context"
	"errors"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/plain/group"
	"github.com/entaudit/audit/internal/bench/plain/invoice"
	"github.com/entaudit/audit/internal/bench/plain/ledger"
	"github.com/entaudit/audit/internal/bench/plain/line"
	"github.com/entaudit/audit/internal/bench/plain/member"
)

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
	entries := map[string]int{
		"create": 1, "createbulk100": batch, "updateone": 1, "update100": batch, "delete100": batch, "tx10": batchTx,
		"upsert100": batch, "addgroups10": 1 + batchTx, "clear100": 1 + batch, "clearlines100": 1 + batch, "delete1000": 1 + cascade,
	}
	all := operations()
	require.Len(t, entries, len(all))
	for _, op := range all {
		require.NoError(t, d.settle(t.Context()))
		_, err := contender{d.audited, d}.time(t.Context(), op, 5*baseRows)
		require.NoError(t, err)
		require.Equal(t, entries[op.name], count(t, d, entaudit.DefaultTable), op.name)
		requireBase(t, d, op.name)
		_, err = contender{d.unaudited, d}.time(t.Context(), op, 0)
		require.NoError(t, err)
		require.Equal(t, entries[op.name], count(t, d, entaudit.DefaultTable), "%s unaudited", op.name)
		requireBase(t, d, op.name)
	}
}

func requireBase(t *testing.T, d *database, after string) {
	t.Helper()
	for table, want := range map[string]int{
		invoice.Table: baseRows, group.Table: baseRows, line.Table: baseRows,
		member.Table: baseMembers, member.GroupsTable: 0, ledger.Table: baseLedgers,
	} {
		require.Equal(t, want, count(t, d, table), "%s after %s", table, after)
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	ops, err := chosen("tx10,create")
	require.NoError(t, err)
	require.Len(t, ops, 2)
	require.Equal(t, "tx10", ops[0].name)
	_, err = chosen("create,nothing")
	require.ErrorContains(t, err, `no operation "nothing"`)
}

func count(tb testing.TB, d *database, table string) (n int) {
	tb.Helper()
	query, _ := sql.Dialect(d.dialect).Select(sql.Count("*")).From(sql.Table(table)).Query()
	require.NoError(tb, d.pool.QueryRowContext(tb.Context(), query).Scan(&n))
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
