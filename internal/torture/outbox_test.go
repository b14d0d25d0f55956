package torture_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
)

// replaying delivers all again, four times, from the last to the first.
type replaying struct{ *store.Store }

func (r replaying) Write(ctx context.Context, entries []entaudit.Entry) error {
	for n := range 4 {
		again := slices.Clone(entries)
		slices.Reverse(again)
		if err := r.Store.Write(ctx, again[:len(again)*(n+1)/4]); err != nil {
			return err
		}
	}
	return r.Store.Write(ctx, entries)
}

// TestF19AnotherDatabase has entries of mutations and others go to a database of their
// own, through the outbox, while relays run side by side, are given up with a batch in
// their hands, and deliver everything five times and out of order.
func TestF19AnotherDatabase(t *testing.T) {
	t.Parallel()
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, name, entaudit.Config{})
			app := entsql.OpenDB(name, b.db)
			require.NoError(t, store.MigrateOutbox(t.Context(), app))
			waiting, err := store.New(app, store.Config{Table: store.OutboxTable})
			require.NoError(t, err)
			rec, err := entaudit.New(entaudit.Config{Table: store.OutboxTable, Writer: waiting})
			require.NoError(t, err)
			require.NoError(t, rec.Check(t.Context()))
			client := ent.NewClient(ent.Driver(b.drv), ent.Auditor(rec))

			audit := entsql.OpenDB(name, testdb.Open(t, name))
			require.NoError(t, store.Migrate(t.Context(), audit))
			entries, err := store.New(audit, store.Config{})
			require.NoError(t, err)
			relay := func() *outbox.Relay {
				r, err := outbox.New(app, replaying{entries}, outbox.Config{
					Batch: 7, Poll: 5 * time.Millisecond, Backoff: time.Millisecond, MaxBackoff: 50 * time.Millisecond,
				})
				require.NoError(t, err)
				return r
			}
			relays := []*outbox.Relay{relay(), relay()}

			const workers, rounds = 3, 12
			var work sync.WaitGroup
			for w := range workers {
				work.Go(func() {
					for i := range rounds {
						// A mutation that fails leaves neither row nor entry; see the comparison.
						_ = mutateSome(t.Context(), client, w*rounds+i)
						if err := rec.Log(t.Context(), fmt.Sprintf("manual.%d", w*rounds+i), "job", fmt.Sprint(i)); err != nil {
							t.Errorf("a manual entry is refused: %v", err)
						}
					}
				})
			}
			for range 10 {
				r := relay()
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_ = r.Close(ctx) // given up, wherever it is
			}
			work.Wait()
			require.Eventually(t, func() bool {
				s, err := relays[0].Stats(t.Context())
				return err == nil && s.Pending == 0
			}, 2*time.Minute, 20*time.Millisecond)
			for _, r := range relays {
				require.NoError(t, r.Close(t.Context()))
			}

			page, err := entries.List(t.Context(), store.Filter{Kind: entaudit.KindManual, Limit: store.MaxLimit})
			require.NoError(t, err)
			require.Len(t, page.Entries, workers*rounds)
			page, err = entries.List(t.Context(), store.Filter{Kind: entaudit.KindMutation, Limit: store.MaxLimit})
			require.NoError(t, err)
			require.Greater(t, len(page.Entries), workers*rounds/2)
			// Back beside the rows, where they are compared with what the triggers saw.
			back, err := store.New(app, store.Config{})
			require.NoError(t, err)
			require.NoError(t, back.Write(t.Context(), page.Entries))
			b.oracle.compare(t)
		})
	}
}

// mutateSome makes one of several mutations, some of which are rolled back.
func mutateSome(ctx context.Context, c *ent.Client, i int) error {
	switch i % 4 {
	case 0:
		return c.User.Create().SetName(fmt.Sprint(i)).Exec(ctx)
	case 1:
		return c.User.MapCreateBulk(make([]int, 3), func(u *ent.UserCreate, j int) { u.SetName(fmt.Sprint(i, j)) }).Exec(ctx)
	case 2:
		return c.User.Update().AddVersion(1).Exec(ctx)
	}
	tx, err := c.Tx(ctx)
	if err != nil {
		return err
	}
	if err := tx.User.Create().SetName(fmt.Sprint(i)).Exec(ctx); err != nil || i%8 == 3 {
		return tx.Rollback()
	}
	return tx.Commit()
}
