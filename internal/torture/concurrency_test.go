package torture_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
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

// together runs f n times at once and fails the test with the first error.
func together(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// requireChain asserts that the values of a field form a chain: what one entry calls
// new the next calls old.
func requireChain(t *testing.T, entries []entaudit.Entry, field string, n int) {
	t.Helper()
	var last json.RawMessage
	links := 0
	for _, e := range entries {
		c, ok := e.Change(field)
		if !ok {
			continue
		}
		require.Equal(t, string(last), string(c.Old), "link %d", links)
		last = c.New
		links++
	}
	require.Equal(t, n, links)
}

func TestCase42ConcurrentUpdatesFormAChain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		u := b.client.User.Create().SetName("ann").SaveX(t.Context())
		together(t, 50, func(int) error {
			return b.client.User.UpdateOneID(u.ID).AddVersion(1).Exec(t.Context())
		})
		require.Equal(t, 51, b.plain.User.GetX(t.Context(), u.ID).Version)
		requireChain(t, b.entries(t), user.FieldVersion, 51)
		b.oracle.compare(t)
	})
}

func TestCase43F29OneConnection(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		b.db.SetMaxOpenConns(1)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		us, err := c.User.CreateBulk(c.User.Create().SetName("a"), c.User.Create().SetName("b")).Save(ctx)
		require.NoError(t, err)
		require.NoError(t, c.User.Update().AddAge(1).Exec(ctx))
		require.NoError(t, c.User.UpdateOne(us[0]).SetName("z").Exec(ctx))
		require.NoError(t, c.User.UpdateOne(us[0]).AddGroups(c.Group.Create().SetName("g").SaveX(ctx)).Exec(ctx))
		require.NoError(t, c.User.DeleteOne(us[1]).Exec(ctx))
	})
}

func TestCase61BulksOnOneContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := entaudit.WithActor(t.Context(), entaudit.Actor{ID: "a"})
		together(t, 2, func(i int) error {
			return b.client.User.MapCreateBulk(make([]int, 20), func(c *ent.UserCreate, j int) {
				c.SetName(fmt.Sprintf("%d-%d", i, j))
			}).Exec(ctx)
		})
		tx := map[string]string{} // by transaction, the bulk that its entries belong to
		for _, e := range b.entries(t) {
			bulk, _, _ := strings.Cut(e.Resource.Label, "-")
			if was, ok := tx[e.TxID.String()]; ok {
				require.Equal(t, was, bulk)
			}
			tx[e.TxID.String()] = bulk
		}
		require.Len(t, tx, 2)
		b.oracle.compare(t)
	})
}

func TestCase64F07SerializationFailure(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	u := b.client.User.Create().SetName("ann").SaveX(t.Context())
	serializable := &entsql.TxOptions{Isolation: 6}
	attempt := func(disturb bool) error {
		tx, err := b.client.BeginTx(t.Context(), serializable)
		require.NoError(t, err)
		age := tx.User.GetX(t.Context(), u.ID).Age
		if disturb {
			require.NoError(t, b.client.User.UpdateOneID(u.ID).AddAge(100).Exec(t.Context()))
		}
		if err := tx.User.UpdateOneID(u.ID).SetAge(age + 1).Exec(t.Context()); err != nil {
			require.NoError(t, tx.Rollback())
			return err
		}
		return tx.Commit()
	}
	require.ErrorContains(t, attempt(true), "40001")
	require.NoError(t, attempt(false))
	require.Len(t, b.entries(t), 3)
	requireChain(t, b.entries(t), user.FieldAge, 3)
	b.oracle.compare(t)
}

func TestCase75ChildrenAreNotBlocked(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	u := b.client.User.Create().SetName("ann").SaveX(t.Context())
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	tx.User.UpdateOneID(u.ID).SetAge(3).ExecX(t.Context())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, b.client.Pet.Create().SetName("rex").SetOwnerID(u.ID).Exec(ctx))
	require.NoError(t, tx.Commit())
	b.oracle.compare(t)
}

func TestCase76EightSQLiteWriters(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.SQLite, entaudit.Config{})
	u := b.client.User.Create().SetName("ann").SaveX(t.Context())
	together(t, 8, func(i int) error {
		for range 25 {
			if err := b.client.User.UpdateOneID(u.ID).AddVersion(1).Exec(t.Context()); err != nil {
				return err
			}
			if err := b.client.User.Update().Where(user.ID(u.ID)).SetAge(i).Exec(t.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	require.Equal(t, 201, b.plain.User.GetX(t.Context(), u.ID).Version)
	requireChain(t, b.entries(t), user.FieldVersion, 201)
	b.oracle.compare(t)
}

func TestCase52TotalOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.SQLite, entaudit.Config{})
	u := b.client.User.Create().SetName("ann").SaveX(t.Context())
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	for range 200 {
		tx.User.UpdateOneID(u.ID).AddVersion(1).ExecX(t.Context())
	}
	require.NoError(t, tx.Commit())
	entries := b.entries(t)
	requireChain(t, entries, user.FieldVersion, 201)
	ids := make(map[string]bool)
	for _, e := range entries {
		ids[e.ID.String()] = true
	}
	require.Len(t, ids, 201)
}

func TestCase78PgxModes(t *testing.T) {
	t.Parallel()
	var want []string
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		driver, dsn := testdb.DSN(t, dialect.Postgres)
		b := open(t, dialect.Postgres, driver, testdb.WithParam(dsn, "default_query_exec_mode", mode), entaudit.Config{})
		us := b.client.User.CreateBulk(
			b.client.User.Create().SetName("ann").SetTags([]string{"x"}).SetSettings(map[string]any{"a": 1}),
			b.client.User.Create().SetName(`"b\ob`),
		).SaveX(t.Context())
		b.client.User.Update().AddAge(2).AppendTags([]string{"y"}).ExecX(t.Context())
		b.client.User.UpdateOne(us[0]).SetNick("n").ClearTags().ExecX(t.Context())
		b.client.User.DeleteOne(us[1]).ExecX(t.Context())
		b.oracle.compare(t)
		var got []string
		for _, e := range b.entries(t) {
			line := string(e.Operation) + " " + e.Resource.ID
			for _, c := range e.Changes {
				if !strings.HasSuffix(c.Field, "_at") {
					line += fmt.Sprintf(" %s:%s→%s", c.Field, c.Old, c.New)
				}
			}
			got = append(got, line)
		}
		if want == nil {
			want = got
		}
		require.Equal(t, want, got, mode)
	}
}

// TestCase18RowsThatSlipIn changes rows between the read and the UPDATE of a bulk
// update so that it reaches rows that were not read.
func TestCase18RowsThatSlipIn(t *testing.T) {
	t.Parallel()
	for _, rounds := range []int{1, 3} {
		b := setup(t, dialect.Postgres, entaudit.Config{})
		b.client.User.CreateBulk(
			b.client.User.Create().SetName("in").SetAge(1), b.client.User.Create().SetName("out"),
		).ExecX(t.Context())
		left := rounds
		b.drv.onStatement(func(query string) {
			if strings.HasSuffix(query, "FOR NO KEY UPDATE") && left > 0 {
				left--
				_, err := b.db.ExecContext(context.Background(), "INSERT INTO users (name, age, status, tenant, version, created_at, updated_at) "+
					"VALUES ('slipped', 1, 'open', 'acme', 1, now(), now())")
				require.NoError(t, err)
			}
		})
		require.Equal(t, 1+rounds, b.client.User.Update().Where(user.Age(1)).SetNick("hit").SaveX(t.Context()))
		b.drv.onStatement(nil)
		b.oracle.exec(t, "DELETE FROM row_changes WHERE op = 'insert'")
		b.oracle.exec(t, "DELETE FROM audit_logs WHERE operation = 'create'")
		require.Len(t, b.entries(t), 1+rounds)
		b.oracle.compare(t)
	}
}

// TestCase18InTransaction: what the caller did before cannot be done again for him.
func TestCase18InTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	b.client.User.Create().SetName("in").SetAge(1).ExecX(t.Context())
	b.drv.onStatement(func(query string) {
		if strings.HasSuffix(query, "FOR NO KEY UPDATE") {
			_, err := b.db.ExecContext(context.Background(), "INSERT INTO users (name, age, status, tenant, version, created_at, updated_at) "+
				"VALUES ('slipped', 1, 'open', 'acme', 1, now(), now())")
			require.NoError(t, err)
		}
	})
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	err = tx.User.Update().Where(user.Age(1)).SetNick("hit").Exec(t.Context())
	require.ErrorIs(t, err, entaudit.ErrConcurrent)
	require.ErrorContains(t, tx.Commit(), "could not be recorded", "the change must not stand without its entry")
	require.Zero(t, b.plain.User.Query().Where(user.Nick("hit")).CountX(t.Context()))
}
