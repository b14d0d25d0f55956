package main

import (
	"context"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
)

// discard is a Writer that keeps nothing.
func discard(context.Context, []entaudit.Entry) error { return nil }

func setup(tb testing.TB, dialectName string, cfg entaudit.Config) *database {
	tb.Helper()
	driver, dsn := testdb.DSN(tb, dialectName)
	switch dialectName {
	case dialect.Postgres:
		dsn = testdb.WithParam(dsn, "synchronous_commit", "off")
	case dialect.SQLite:
		dsn = testdb.WithParam(dsn, "_pragma", "synchronous(NORMAL)")
	}
	d, err := openDatabase(tb.Context(), dialectName, driver, dsn, cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, d.close()) })
	return d
}

// bench runs an operation as a benchmark.
func bench(b *testing.B, op operation, c contender) {
	b.Helper()
	b.ReportAllocs()
	ctx := caller(b.Context())
	untimed := func(f func() error) {
		b.StopTimer()
		require.NoError(b, f())
		b.StartTimer()
	}
	n := 0
	for b.Loop() {
		n++
		if op.prepare != nil {
			untimed(func() error { return op.prepare(ctx, c.db, n*batch) })
		}
		if err := op.run(ctx, c.side, n*batch); err != nil {
			b.Fatal(err)
		}
		if n%settleEvery == 0 {
			untimed(func() error {
				if op.grows != "" {
					if err := c.db.trim(ctx, op.grows); err != nil {
						return err
					}
				}
				return c.db.settle(ctx)
			})
		}
	}
}

// benchAll runs every operation, unaudited and audited.
func benchAll(b *testing.B, d *database) {
	b.Helper()
	for _, op := range operations() {
		b.Run(op.name, func(b *testing.B) {
			b.Run("unaudited", func(b *testing.B) { bench(b, op, contender{d.unaudited, d}) })
			b.Run("audited", func(b *testing.B) { bench(b, op, contender{d.audited, d}) })
		})
	}
}

// BenchmarkMutation measures each operation on each database, unaudited and audited.
func BenchmarkMutation(b *testing.B) {
	for _, name := range testdb.Dialects() {
		b.Run(name, func(b *testing.B) {
			d := setup(b, name, entaudit.Config{Service: "bench"})
			benchAll(b, d)
		})
	}
}

// BenchmarkDiscard measures the recording alone: entries go nowhere.
func BenchmarkDiscard(b *testing.B) {
	d := setup(b, dialect.SQLite, entaudit.Config{
		Service: "bench", AfterCommit: true, Writer: entaudit.WriterFunc(discard),
	})
	benchAll(b, d)
}
