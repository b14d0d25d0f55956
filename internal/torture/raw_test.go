package torture_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	gen "github.com/entaudit/audit/internal/torture/ent"
)

// TestRawSQLMarksItsTransaction: entries made after a statement that is not audited
// carry a mark; for those made before there is one that says so.
func TestRawSQLMarksItsTransaction(t *testing.T) {
	t.Parallel()
	statements := map[string]func(ctx context.Context, tx *gen.Tx) error{
		"exec on the transaction": func(ctx context.Context, tx *gen.Tx) error {
			_, err := tx.ExecContext(ctx, "SAVEPOINT a")
			return err
		},
		"query on its client": func(ctx context.Context, tx *gen.Tx) error {
			rows, err := tx.Client().QueryContext(ctx, "SELECT 1")
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
			}
			return rows.Err()
		},
		"exec on a debugging client": func(ctx context.Context, tx *gen.Tx) error {
			_, err := tx.Client().Debug().ExecContext(ctx, "SAVEPOINT a")
			return err
		},
	}
	each(t, func(t *testing.T, b *bundle) {
		for name, run := range statements {
			t.Run(name, func(t *testing.T) {
				b.clear(t)
				marks := func(before, after bool) []entaudit.Mark {
					tx, err := b.client.Tx(t.Context())
					require.NoError(t, err)
					if before {
						tx.Group.Create().SetName("before").ExecX(t.Context())
					}
					require.NoError(t, run(t.Context(), tx))
					if after {
						tx.Group.Create().SetName("after").ExecX(t.Context())
					}
					require.NoError(t, tx.Commit())
					var marks []entaudit.Mark
					for _, e := range b.entries(t) {
						if e.Operation == entaudit.OpRawSQL {
							marks = append(marks, "raw_sql entry")
							require.Equal(t, entaudit.KindSystem, e.Kind)
							continue
						}
						marks = append(marks, e.Marks["tx_id"])
					}
					b.clear(t)
					return marks
				}
				require.Equal(t, []entaudit.Mark{"", "raw_sql entry"}, marks(true, false))
				require.Equal(t, []entaudit.Mark{entaudit.MarkRawSQL}, marks(false, true))
				require.Equal(t, []entaudit.Mark{"", entaudit.MarkRawSQL, "raw_sql entry"}, marks(true, true))
				require.Empty(t, marks(false, false), "nothing was audited")
			})
		}
	})
}

// TestRawSQLOutsideOfATransaction has no entries that it could mark, and works.
func TestRawSQLOutsideOfATransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.client.Group.Create().SetName("g").ExecX(t.Context())
		_, err := b.client.ExecContext(t.Context(), "UPDATE pets SET name = 'h'")
		require.NoError(t, err)
		e := b.entries(t)
		require.Len(t, e, 1)
		require.Empty(t, e[0].Marks)
	})
}
