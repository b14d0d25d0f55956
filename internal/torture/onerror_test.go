package torture_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
)

// TestCase41OnErrorThatRecords: what is called while entries are stored may record
// something itself, also with the transaction that they belong to.
func TestCase41OnErrorThatRecords(t *testing.T) {
	t.Parallel()
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var rec *entaudit.Recorder
			b := setup(t, name, entaudit.Config{OnError: func(ctx context.Context, err error) error {
				logged := make(chan error, 1)
				go func() { logged <- rec.Log(ctx, "audit.failed", "", "") }()
				select {
				case own := <-logged:
					return errors.Join(err, own)
				case <-time.After(10 * time.Second):
					return errors.Join(err, errors.New("it waits for what called it"))
				}
			}})
			rec = b.rec
			b.dropAudit(t)
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			tx.User.Create().SetName("in").ExecX(entaudit.InTx(t.Context(), tx))
			err = tx.Commit()
			require.ErrorContains(t, err, "audit_logs")
			require.ErrorIs(t, err, sql.ErrTxDone)
			require.Zero(t, b.plain.User.Query().CountX(t.Context()))
			require.Zero(t, b.db.Stats().InUse)
		})
	}
}
