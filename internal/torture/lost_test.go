package torture_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// TestSavepointAfterAFailure: PostgreSQL refuses everything but the rollback once a
// statement has failed; what is pending must not stand in its way.
func TestF30SavepointAfterAFailure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.client.User.Create().SetName("x").SetEmail("taken").ExecX(t.Context())
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		exec := func(q string) {
			_, err := tx.ExecContext(t.Context(), q)
			require.NoError(t, err)
		}
		tx.User.Create().SetName("before").ExecX(t.Context())
		exec("SAVEPOINT a")
		tx.User.Create().SetName("inside").ExecX(t.Context())
		require.True(t, ent.IsConstraintError(tx.User.Create().SetName("dup").SetEmail("taken").Exec(t.Context())))
		exec("ROLLBACK TO SAVEPOINT a")
		tx.User.Create().SetName("after").ExecX(t.Context())
		require.NoError(t, tx.Commit())
		require.Len(t, b.mutations(t), 3)
		b.oracle.compare(t)
	})
}

// TestFailureOfTheClient: a statement that fails before it reaches the server leaves the
// transaction as it was, pending entries included.
func TestFailureOfTheClient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		tx.User.Create().SetName("kept").ExecX(t.Context())
		_, err = tx.ExecContext(t.Context(), "SELECT 1", make(chan int))
		require.Error(t, err)
		bad := func(s *entsql.Selector) { s.Where(entsql.EQ(user.FieldAge, make(chan int))) }
		require.Error(t, tx.User.Update().Where(bad).SetAge(1).Exec(t.Context()))
		tx.User.Create().SetName("kept too").ExecX(t.Context())
		require.NoError(t, tx.Commit())
		require.Len(t, b.mutations(t), 2)
		b.oracle.compare(t)
	})
}

// TestF07DeadlockVictim: MySQL rolls back all of a deadlock's victim, and takes what comes
// next, COMMIT included, for something new.
func TestF07DeadlockVictim(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.MySQL, entaudit.Config{})
	one := b.plain.User.Create().SetName("one").SaveX(t.Context())
	two := b.plain.User.Create().SetName("two").SaveX(t.Context())
	other, err := b.plain.Tx(t.Context())
	require.NoError(t, err)
	for i := range 50 { // the other has more to lose
		other.User.Create().SetName("heavy").SetAge(i).ExecX(t.Context())
	}
	other.User.UpdateOne(two).SetNick("h").ExecX(t.Context())
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	tx.User.UpdateOne(one).SetNick("a").ExecX(t.Context())
	done := make(chan error, 1)
	go func() { done <- other.User.UpdateOne(one).SetNick("h").Exec(t.Context()) }()
	err = tx.User.UpdateOne(two).SetNick("a").Exec(t.Context())
	require.ErrorContains(t, err, "Deadlock")
	require.NoError(t, <-done)
	require.NoError(t, other.Rollback())
	require.ErrorContains(t, tx.User.UpdateOne(one).SetNick("b").Exec(t.Context()), "rolled back")
	require.ErrorContains(t, tx.Commit(), "rolled back")
	require.Empty(t, b.plain.User.GetX(t.Context(), one.ID).Nick)
	require.Empty(t, b.entries(t))
}

// TestF07Retries: callers whose transactions are victims of deadlocks or of serialization
// try again until they succeed. The failed attempts leave nothing.
func TestF07Retries(t *testing.T) {
	t.Parallel()
	for _, mode := range []struct {
		name, dialect string
		options       *entsql.TxOptions
		victim        string // in the text of the error
	}{
		{"deadlock", dialect.Postgres, nil, "40P01"},
		{"serialization", dialect.Postgres, &entsql.TxOptions{Isolation: sql.LevelSerializable}, "40001"},
		{"deadlock", dialect.MySQL, nil, "1213"},
	} {
		t.Run(mode.dialect+"/"+mode.name, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, mode.dialect)
			if mode.dialect == dialect.Postgres {
				dsn = testdb.WithParam(dsn, "deadlock_timeout", "10ms")
			}
			b := open(t, mode.dialect, driver, dsn, entaudit.Config{})
			users := []*ent.User{b.client.User.Create().SetName("ann").SaveX(t.Context()), b.client.User.Create().SetName("bob").SaveX(t.Context())}
			attempt := func(first, second int) error {
				tx, err := b.client.BeginTx(t.Context(), mode.options)
				if err != nil {
					return err
				}
				for _, i := range []int{first, second} {
					if err := tx.User.UpdateOneID(users[i].ID).AddVersion(1).Exec(t.Context()); err != nil {
						_ = tx.Rollback() // a victim is rolled back already
						return err
					}
				}
				return tx.Commit()
			}
			const callers, times = 4, 25
			var victims atomic.Int64
			together(t, callers, func(i int) error {
				for done := 0; done < times; {
					first := 0
					if mode.options == nil { // in the order of the others, or the other way round
						first = i % 2
					}
					err := attempt(first, 1-first)
					switch {
					case err == nil:
						done++
					case strings.Contains(err.Error(), mode.victim):
						victims.Add(1)
					default:
						return err
					}
				}
				return nil
			})
			require.Positive(t, victims.Load(), "nothing of the kind happened")
			entries := b.entries(t)
			require.Len(t, entries, 2+2*callers*times, "after %d victims", victims.Load())
			for _, u := range users {
				own := slices.DeleteFunc(slices.Clone(entries), func(e entaudit.Entry) bool { return e.Resource.ID != fmt.Sprint(u.ID) })
				requireChain(t, own, user.FieldVersion, 1+callers*times)
			}
			b.oracle.compare(t)
		})
	}
}

// TestUndoneBeforeTheFirstEntry: a statement that is not recorded may cost the transaction
// as well, before anything that is.
func TestUndoneBeforeTheFirstEntry(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.SQLite, entaudit.Config{})
	b.oracle.exec(t, "CREATE TRIGGER undoing BEFORE INSERT ON plains BEGIN SELECT RAISE(ROLLBACK, 'undone'); END")
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, tx.Plain.Create().SetTitle("p").Exec(t.Context()), "undone")
	require.ErrorContains(t, tx.User.Create().SetName("alone").Exec(t.Context()), "rolled back")
	require.ErrorContains(t, tx.Commit(), "rolled back")
	require.Zero(t, b.plain.User.Query().CountX(t.Context()))
	require.Empty(t, b.entries(t))
}

// TestInterruptedStatement: SQLite rolls back the whole transaction when a write in it is
// interrupted.
func TestInterruptedStatement(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.SQLite, entaudit.Config{})
	createCards(t, b.plain, 2)
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	tx.User.Create().SetName("first").ExecX(t.Context())
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	slow := func(s *entsql.Selector) {
		s.Where(entsql.ExprP("(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 100000000+length(number)) SELECT max(x) FROM c) > 0"))
	}
	_, err = tx.Card.Delete().Where(slow).Exec(short)
	require.Error(t, err)
	require.Error(t, tx.Commit())
	require.Zero(t, b.plain.User.Query().Where(user.Name("first")).CountX(t.Context()))
	require.Empty(t, b.entries(t))
}

// TestConcurrentWritesInOneTransaction: ent's own Exec calls may come from several
// goroutines at once; what is read around them must not get in between.
func TestConcurrentWritesInOneTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		us := b.client.User.MapCreateBulk(make([]int, 20), func(u *ent.UserCreate, _ int) { u.SetName("n") }).SaveX(t.Context())
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		tx.User.Create().SetName("first").ExecX(t.Context())
		together(t, len(us), func(i int) error {
			if i%2 == 0 {
				return tx.User.Update().Where(user.ID(us[i].ID)).SetNick("x").Exec(t.Context())
			}
			_, err := tx.User.Delete().Where(user.ID(us[i].ID)).Exec(t.Context())
			return err
		})
		require.NoError(t, tx.Commit())
		require.Len(t, b.entries(t), 41)
		b.oracle.compare(t)
	})
}

// TestHookReturnsBeforeNext: a hook with a timeout of its own leaves the write running.
func TestHookReturnsBeforeNext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		running := make(chan struct{}, 30)
		b.client.Group.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				go func() {
					defer func() { running <- struct{}{} }()
					_, err := next.Mutate(ctx, m)
					require.NoError(t, err)
				}()
				return nil, context.DeadlineExceeded
			})
		})
		for range 30 {
			require.ErrorIs(t, b.client.Group.Create().SetName("g").Exec(t.Context()), context.DeadlineExceeded)
		}
		for range 30 {
			<-running
		}
		require.Len(t, b.entries(t), 30)
		b.oracle.compare(t)
	})
}

// TestCase18MySQLReadCommitted: a row that slips in is counted as changed while one that
// was read holds the value already.
func TestCase18MySQLReadCommitted(t *testing.T) {
	t.Parallel()
	for _, found := range []string{"false", "true"} {
		t.Run("clientFoundRows="+found, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, dialect.MySQL)
			dsn = testdb.WithParam(testdb.WithParam(dsn, "tx_isolation", "'READ-COMMITTED'"), "clientFoundRows", found)
			b := open(t, dialect.MySQL, driver, dsn, entaudit.Config{})
			for name, status := range map[string]user.Status{"a": user.StatusOpen, "b": user.StatusClosed} {
				b.client.User.Create().SetName(name).SetStatus(status).SetUpdatedAt(longAgo()).ExecX(t.Context())
			}
			slipped := false
			b.drv.onStatement(func(query string) {
				if !slipped && strings.Contains(query, "FOR UPDATE") {
					slipped = true
					_, err := b.db.ExecContext(context.Background(), "INSERT INTO users (name, age, status, tenant, version, created_at, updated_at) "+
						"VALUES ('slipped', 0, 'open', 'acme', 1, now(), ?)", longAgo())
					require.NoError(t, err)
				}
			})
			b.client.User.Update().Where(user.Tenant("acme")).SetStatus(user.StatusClosed).SetUpdatedAt(longAgo()).ExecX(t.Context())
			b.drv.onStatement(nil)
			require.True(t, slipped)
			b.oracle.exec(t, "DELETE FROM row_changes WHERE op = 'insert'")
			b.oracle.exec(t, "DELETE FROM audit_logs WHERE operation = 'create'")
			require.Len(t, b.entries(t), 2)
			b.oracle.compare(t)
		})
	}
}

// TestF07DeadlockOfTheEntry: the statement that stores an entry may be the victim as well.
// A change that was rolled back with it does not stand, whatever OnError says.
func TestF07DeadlockOfTheEntry(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.MySQL, entaudit.Config{OnError: func(context.Context, error) error { return nil }})
	one := b.plain.User.Create().SetName("one").SaveX(t.Context())
	b.oracle.forget(t)
	other, err := b.plain.Tx(t.Context())
	require.NoError(t, err)
	for i := range 50 { // the other has more to lose
		other.User.Create().SetName("heavy").SetAge(i).ExecX(t.Context())
	}
	_, err = other.ExecContext(t.Context(), "SELECT id FROM audit_logs FOR UPDATE") // nothing can be inserted
	require.NoError(t, err)
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	tx.User.UpdateOne(one).SetNick("a").ExecX(t.Context())
	done := make(chan error, 1)
	go func() { done <- other.User.UpdateOne(one).SetNick("h").Exec(t.Context()) }()
	require.Error(t, tx.Commit())
	require.NoError(t, <-done)
	require.NoError(t, other.Rollback())
	require.Empty(t, b.plain.User.GetX(t.Context(), one.ID).Nick)
	require.Empty(t, b.entries(t))
}
