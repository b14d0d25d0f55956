package torture_test

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// around adds a hook on users that runs before and after the mutation, once.
func around(c *ent.Client, before, after func(ctx context.Context, m *ent.UserMutation) error) {
	var once sync.Mutex
	c.User.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if !once.TryLock() {
				return next.Mutate(ctx, m)
			}
			defer once.Unlock()
			if before != nil {
				if err := before(ctx, m.(*ent.UserMutation)); err != nil {
					return nil, err
				}
			}
			v, err := next.Mutate(ctx, m)
			if err == nil && after != nil {
				err = after(ctx, m.(*ent.UserMutation))
			}
			return v, err
		})
	})
}

func TestCase37SoftDelete(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		doc := c.Doc.Create().SetTitle("a").SaveX(t.Context())
		memo := c.Memo.Create().SetTitle("a").SaveX(t.Context())
		c.Doc.DeleteOne(doc).ExecX(t.Context())
		c.Memo.Delete().ExecX(t.Context())
		_ = memo // deleted by the statement above
		t.Cleanup(func() {
			e := b.entries(t)
			require.Len(t, e, 4)
			for _, e := range e[2:] {
				require.Equal(t, entaudit.OpSoftDelete, e.Operation)
				require.Equal(t, e.Resource.Type+".soft_delete", e.Action)
				requireChanges(t, map[string]string{"deleted_at": "*"}, e)
			}
		})
	})
}

func TestCase62F13PanicIsReraised(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		u := b.client.User.Create().SetName("ann").SaveX(t.Context())
		boom := errors.New("boom")
		inPredicate := func(*entsql.Selector) { panic(boom) }
		calls := 0
		second := func(*entsql.UpdateBuilder) {
			if calls++; calls > 0 {
				panic(boom)
			}
		}
		for name, f := range map[string]func(){
			"predicate of update": func() { b.client.User.Update().Where(inPredicate).SetAge(1).ExecX(t.Context()) },
			"predicate of delete": func() { b.client.User.Delete().Where(inPredicate).ExecX(t.Context()) },
			"modifier":            func() { b.client.User.Update().SetAge(1).Modify(second).ExecX(t.Context()) },
			"modifier of one":     func() { b.client.User.UpdateOneID(u.ID).SetAge(1).Modify(second).ExecX(t.Context()) },
		} {
			require.PanicsWithValue(t, boom, f, name)
			require.Zero(t, b.db.Stats().InUse, name)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.client.User.UpdateOneID(u.ID).SetAge(1).Modify(func(*entsql.UpdateBuilder) { runtime.Goexit() }).ExecX(t.Context())
		}()
		<-done
		require.Zero(t, b.db.Stats().InUse, "goexit")
		require.Len(t, b.entries(t), 1)
		b.oracle.compare(t)
	})
}

// TestCase62PanicInAValue: database/sql keeps its lock on the transaction when the
// method of a value panics, so that a rollback there and then would wait for ever.
func TestCase62F14PanicInAValue(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	require.PanicsWithValue(t, gotype.Panic, func() {
		b.client.Kinds.Create().SetAmount(gotype.Amount{Text: gotype.Panic}).ExecX(t.Context())
	})
	b.client.Kinds.Create().SetAmount(gotype.Amount{Text: "1"}).ExecX(t.Context())
	require.Len(t, b.entries(t), 1)
}

func TestCase63GoroutineOutlivesTheMutation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		returned, finished := make(chan struct{}), make(chan error, 1)
		var first sync.Once
		around(b.client, nil, func(ctx context.Context, m *ent.UserMutation) error {
			c := m.Client()
			first.Do(func() {
				go func() {
					<-returned
					finished <- c.User.Create().SetName("late").Exec(ctx)
				}()
			})
			return nil
		})
		b.client.User.Create().SetName("early").ExecX(t.Context())
		close(returned)
		require.NoError(t, <-finished)
		require.Len(t, b.entries(t), 2)
		b.oracle.compare(t)
	})
}

func TestCase71HooksBehaveAsWithoutAuditing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		failed := errors.New("the hook failed")
		around(b.client, func(ctx context.Context, m *ent.UserMutation) error {
			c := m.Client()
			together(t, 4, func(int) error { _, err := c.User.Query().Count(ctx); return err })
			tx, err := c.Tx(ctx)
			if err != nil {
				return err
			}
			tx.User.Create().SetName("rolled back").ExecX(ctx)
			return tx.Rollback()
		}, func(ctx context.Context, m *ent.UserMutation) error {
			id, _ := m.ID()
			// What a hook publishes now, others can read.
			if _, err := b.plain.User.Get(context.Background(), id); err != nil {
				return err
			}
			if err := m.Client().Group.Create().SetName("by the hook").Exec(ctx); err != nil {
				return err
			}
			return failed
		})
		require.ErrorIs(t, b.client.User.Create().SetName("ann").Exec(t.Context()), failed)
		// As without auditing, the change stands: its hook failed after it.
		require.Equal(t, 1, b.plain.User.Query().CountX(t.Context()))
		e := b.entries(t)
		require.Len(t, e, 2)
		require.Equal(t, e[0].ID, e[1].CauseID, "the hook's own change names its cause")
		b.oracle.compare(t)
	})
}

func TestCase72HookDropsItsContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.db.SetMaxOpenConns(1)
		around(b.client, nil, func(_ context.Context, m *ent.UserMutation) error {
			id, _ := m.ID()
			if err := b.client.User.UpdateOneID(id).AddVersion(1).Exec(context.Background()); err != nil {
				return err
			}
			return b.client.Group.Create().SetName("g").Exec(context.Background())
		})
		b.client.User.Create().SetName("ann").ExecX(t.Context())
		require.Len(t, b.entries(t), 3)
		b.oracle.compare(t)
	})
}

func TestHookThatDropsTheContextKeepsTheActor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.client.User.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(_ context.Context, m ent.Mutation) (ent.Value, error) {
				return next.Mutate(context.Background(), m)
			})
		})
		ctx := entaudit.WithActor(t.Context(), entaudit.Actor{ID: "u1", Type: entaudit.ActorTenantUser})
		b.client.User.Create().SetName("ann").ExecX(ctx)
		e := b.entries(t)
		require.Len(t, e, 1)
		require.Equal(t, "u1", e[0].Actor.ID)
	})
}

func TestCase73SecondWriteInHook(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		around(c, nil, func(ctx context.Context, m *ent.UserMutation) error {
			id, _ := m.ID()
			return m.Client().User.UpdateOneID(id).AddVersion(1).Exec(ctx)
		})
		u := c.User.Create().SetName("ann").SaveX(t.Context())
		c.User.UpdateOneID(u.ID).SetVersion(10).ExecX(t.Context())
		t.Cleanup(func() {
			e := b.entries(t)
			require.Len(t, e, 4)
			requireChain(t, e, user.FieldVersion, 4)
			require.Equal(t, e[0].ID, e[1].CauseID)
			require.Equal(t, e[2].ID, e[3].CauseID)
			require.Equal(t, uuid.Nil, e[2].CauseID)
		})
	})
}

func TestCase74CallersOwnTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for _, commit := range []bool{true, false} {
			tx, err := b.db.BeginTx(t.Context(), &sql.TxOptions{})
			require.NoError(t, err)
			c := ent.NewClient(ent.Driver(entsql.NewDriver(b.dialect, entsql.Conn{ExecQuerier: tx})), ent.Auditor(b.rec))
			u := c.User.Create().SetName("ann").SaveX(t.Context())
			c.User.Update().Where(user.ID(u.ID)).AddAge(1).ExecX(t.Context())
			var n int
			require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_logs").Scan(&n))
			require.Equal(t, 2, n, "entries are on the transaction at once")
			c.User.Delete().Where(user.ID(u.ID)).ExecX(t.Context())
			require.PanicsWithError(t, "interface conversion: sql.ExecQuerier is *sql.Tx, not *sql.DB", func() {
				c.User.UpdateOneID(u.ID).SetAge(1).ExecX(t.Context())
			}, "ent cannot begin one there, and says so as without auditing")
			want := 0
			if commit {
				want = 3
				require.NoError(t, tx.Commit())
			} else {
				require.NoError(t, tx.Rollback())
			}
			require.Len(t, b.entries(t), want)
			b.oracle.compare(t)
			b.oracle.exec(t, "DELETE FROM audit_logs")
			b.oracle.forget(t)
		}
	})
}
