package torture_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// before returns an audited client on drv that calls f before the first INSERT into a
// table.
func (b *bundle) before(drv dialect.Driver, table string, f func()) *ent.Client {
	log := func(_ context.Context, said ...any) {
		s := fmt.Sprint(said...)
		if f != nil && strings.Contains(s, "INSERT INTO") && strings.Contains(s, table) {
			f()
			f = nil
		}
	}
	return ent.NewClient(ent.Driver(dialect.DebugWithContext(drv, log)), ent.Auditor(b.rec))
}

// TestCancelledHalfway ends the context of a mutation between two of its statements: the
// second never reaches the database, and the caller's transaction goes on.
func TestCancelledHalfway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		g := b.plain.Group.Create().SetName("g").SaveX(t.Context())
		old := b.plain.User.Create().SetName("old").SaveX(t.Context())
		b.oracle.forget(t)
		for name, op := range map[string]func(context.Context, *ent.Client) error{
			"create": func(ctx context.Context, c *ent.Client) error {
				return c.User.Create().SetName("half").AddGroups(g).Exec(ctx)
			},
			"createbulk": func(ctx context.Context, c *ent.Client) error {
				return c.User.CreateBulk(c.User.Create().SetName("half").AddGroups(g), c.User.Create().SetName("half")).Exec(ctx)
			},
			"update": func(ctx context.Context, c *ent.Client) error {
				return c.User.Update().Where(user.ID(old.ID)).SetName("half update").AddGroups(g).Exec(ctx)
			},
			"updateone": func(ctx context.Context, c *ent.Client) error {
				return c.User.UpdateOne(old).SetName("half updateone").AddGroups(g).Exec(ctx)
			},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			tx, err := b.before(b.drv, "user_groups", cancel).Tx(t.Context())
			require.NoError(t, err)
			was := len(b.entries(t))
			require.ErrorIs(t, op(ctx, tx.Client()), context.Canceled, name)
			tx.Group.Create().SetName("after " + name).ExecX(t.Context())
			require.NoError(t, tx.Commit(), name)
			require.Greater(t, len(b.entries(t)), was+1, name)
			b.oracle.compare(t)
		}
		require.Equal(t, 3, b.plain.User.Query().Where(user.Name("half")).CountX(t.Context()))
	})
}

// TestCancelledHalfwayOnTheCallersOwn ends the context between a change and its entry on a
// *sql.Tx, whose commit nothing here can refuse: the write must leave it as it was.
func TestCancelledHalfwayOnTheCallersOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.plain.User.Create().SetName("old").ExecX(t.Context())
		b.oracle.forget(t)
		tx, err := b.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.before(entsql.NewDriver(b.dialect, entsql.Conn{ExecQuerier: tx}), "audit_logs", cancel)
		require.ErrorIs(t, c.User.Update().SetName("half").Exec(ctx), context.Canceled)
		require.NoError(t, tx.Commit())
		require.Equal(t, "old", b.plain.User.Query().OnlyX(t.Context()).Name)
		b.oracle.compare(t)
	})
}

// TestRefusedHalfway has the database refuse the second statement of a mutation, which on
// PostgreSQL aborts the transaction back to the caller's savepoint.
func TestRefusedHalfway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		tx.User.Create().SetName("before").ExecX(t.Context())
		_, err = tx.ExecContext(t.Context(), "SAVEPOINT one")
		require.NoError(t, err)
		err = tx.User.Create().SetName("half").AddGroupIDs(999999).Exec(t.Context())
		require.True(t, ent.IsConstraintError(err), "%v", err)
		_, err = tx.User.Query().Count(t.Context())
		stood := 1
		if b.dialect == dialect.Postgres {
			require.ErrorContains(t, err, "25P02")
			_, err = tx.ExecContext(t.Context(), "ROLLBACK TO SAVEPOINT one")
			stood = 0
		}
		require.NoError(t, err)
		tx.User.Create().SetName("after").ExecX(t.Context())
		require.NoError(t, tx.Commit())
		require.Equal(t, 2+stood, b.plain.User.Query().CountX(t.Context()))
		require.Len(t, b.mutations(t), 2+stood)
		b.oracle.compare(t)

		tx, err = b.client.Tx(t.Context())
		require.NoError(t, err)
		require.Error(t, tx.User.Create().SetName("half").AddGroupIDs(999999).Exec(t.Context()))
		require.Equal(t, b.dialect == dialect.Postgres, tx.Commit() != nil)
		b.oracle.compare(t)
	})
}

// cut is a driver whose transactions lose what an INSERT into users gives back.
type cut struct{ dialect.Driver }

func (c cut) Tx(ctx context.Context) (dialect.Tx, error) {
	tx, err := c.Driver.Tx(ctx)
	return cutTx{tx}, err
}

type cutTx struct{ dialect.Tx }

func (c cutTx) Query(ctx context.Context, query string, args, v any) error {
	err := c.Tx.Query(ctx, query, args, v)
	if out, ok := v.(*entsql.Rows); ok && err == nil && strings.HasPrefix(query, "INSERT") {
		*out = entsql.Rows{ColumnScanner: cutRows{out.ColumnScanner}}
	}
	return err
}

type cutRows struct{ entsql.ColumnScanner }

func (cutRows) Next() bool { return false }
func (cutRows) Err() error { return context.Canceled }

// TestUnreadHalfway: a statement has run, and nobody read which rows it wrote, as where
// its context ends in that moment. Without them there is no entry, so the rows must not
// be committed either.
func TestUnreadHalfway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		if b.dialect == dialect.MySQL {
			t.Skip("an INSERT gives nothing back on MySQL")
		}
		tx, err := ent.NewClient(ent.Driver(cut{b.drv}), ent.Auditor(b.rec)).Tx(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, tx.User.Create().SetName("half").Exec(t.Context()), context.Canceled)
		require.ErrorContains(t, tx.Commit(), "could not be recorded")
		require.Zero(t, b.plain.User.Query().CountX(t.Context()))
		b.oracle.compare(t)
	})
}

// openSpills returns the number of temporary files that this process holds.
func openSpills(t *testing.T) (n int) {
	t.Helper()
	const dir = "/proc/self/fd"
	fds, err := os.ReadDir(dir)
	if err != nil {
		t.Skip("only Linux tells which files are open")
	}
	for _, f := range fds {
		// What ReadDir itself had open is gone by now.
		if l, err := os.Readlink(filepath.Join(dir, f.Name())); err == nil && strings.Contains(l, "entaudit-") {
			n++
		}
	}
	return n
}

// TestFailedLargeUpdateLeavesNoFile is not parallel: it counts the files of the process.
func TestFailedLargeUpdateLeavesNoFile(t *testing.T) {
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			b := setup(t, name, entaudit.Config{})
			// Old values of these lengths are more than a spill keeps in memory.
			long := strings.Repeat("n", 3000)
			for range 3 {
				b.plain.User.MapCreateBulk(make([]int, 1000), func(c *ent.UserCreate, _ int) { c.SetName("n").SetTags([]string{long}) }).ExecX(t.Context())
			}
			b.oracle.forget(t)
			seen := 0
			b.drv.onStatement(func(string) { seen = max(seen, openSpills(t)) })
			err := b.client.User.Update().SetEmail("same").SetTags([]string{"short"}).Exec(t.Context())
			b.drv.onStatement(nil)
			require.True(t, ent.IsConstraintError(err), "%v", err)
			require.Positive(t, seen, "the update was to be large enough for a file")
			require.Zero(t, openSpills(t))
			b.oracle.compare(t)
		})
	}
}
