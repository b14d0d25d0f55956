package torture_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
)

// mutations are one of each operation on a row that is there.
func mutations(c *ent.Client, id int) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"create":     func(ctx context.Context) error { return c.User.Create().SetName("new").Exec(ctx) },
		"createbulk": func(ctx context.Context) error { return c.User.CreateBulk(c.User.Create().SetName("n")).Exec(ctx) },
		"update":     func(ctx context.Context) error { return c.User.Update().AddAge(1).Exec(ctx) },
		"updateone":  func(ctx context.Context) error { return c.User.UpdateOneID(id).AddAge(1).Exec(ctx) },
	}
}

// TestCase50CancelledAfterTheStatement cancels the context right after each statement
// in turn: the change and its entry are both there or both not, and the error says
// which.
func TestCase50F12CancelledAfterTheStatement(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		u := b.client.User.Create().SetName("ann").SaveX(t.Context())
		for name, op := range mutations(b.client, u.ID) {
			n := len(b.drv.count(func() { require.NoError(t, op(t.Context())) }))
			for at := range n {
				before := len(b.entries(t))
				ctx, cancel := context.WithCancel(t.Context())
				seen := 0
				b.drv.onStatement(func(string) {
					if seen == at {
						cancel()
					}
					seen++
				})
				err := op(ctx)
				b.drv.onStatement(nil)
				cancel()
				if err == nil {
					require.Greater(t, len(b.entries(t)), before, "%s cancelled after statement %d", name, at)
				} else {
					if !strings.Contains(err.Error(), "interrupted") { // SQLite, in the middle of a statement
						require.ErrorIs(t, err, context.Canceled, "%s cancelled after statement %d", name, at)
					}
					require.Len(t, b.entries(t), before, "%s cancelled after statement %d: %v", name, at, err)
				}
				// A cancelled transaction is given back by a goroutine of database/sql.
				require.Eventually(t, func() bool { return b.db.Stats().InUse == 0 }, 10*time.Second, time.Millisecond)
				b.oracle.compare(t)
			}
		}
	})
}

// TestCase84F12CancelledBeforeCommit cancels once ent's write is done and its entry is
// not: too late to undo anything.
func TestCase84F12CancelledBeforeCommit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		u := b.client.User.Create().SetName("ann").SaveX(t.Context())
		for name, op := range mutations(b.client, u.ID) {
			before := len(b.entries(t))
			ctx, cancel := context.WithCancel(t.Context())
			b.drv.onStatement(func(query string) {
				if strings.Contains(query, "audit_logs") {
					cancel()
				}
			})
			require.NoError(t, op(ctx), name)
			b.drv.onStatement(nil)
			cancel()
			require.Greater(t, len(b.entries(t)), before, name)
			require.Zero(t, b.db.Stats().InUse)
			b.oracle.compare(t)
		}
	})
}

// TestGraceEnds lets a statement hang after the caller has gone: the transaction goes
// on for the grace and no longer.
func TestGraceEnds(t *testing.T) {
	t.Parallel()
	eachWith(t, entaudit.Config{Grace: 100 * time.Millisecond}, func(t *testing.T, b *bundle) {
		ctx, cancel := context.WithCancel(t.Context())
		b.drv.onStatement(func(query string) {
			if strings.HasPrefix(query, "INSERT") && !strings.Contains(query, "audit_logs") {
				cancel()
				<-time.After(300 * time.Millisecond)
			}
		})
		require.Error(t, b.client.User.Create().SetName("ann").Exec(ctx))
		b.drv.onStatement(nil)
		require.Eventually(t, func() bool { return b.db.Stats().InUse == 0 }, 5*time.Second, 10*time.Millisecond)
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)
	})
}
