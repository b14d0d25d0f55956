package torture_test

import (
	"bytes"
	"context"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/mixin"
	"github.com/entaudit/audit/internal/testdb"
	gen "github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/hidden"
	"github.com/entaudit/audit/internal/torture/ent/privacy"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func TestCase48HiddenRowsAreAudited(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *gen.Client) {
		c.User.Intercept(gen.InterceptFunc(func(next gen.Querier) gen.Querier {
			return gen.QuerierFunc(func(ctx context.Context, q gen.Query) (gen.Value, error) {
				q.(*gen.UserQuery).Where(user.Tenant("nobody's"))
				return next.Query(ctx, q)
			})
		}))
		u := c.User.Create().SetName("ann").SaveX(t.Context())
		require.NoError(t, c.User.UpdateOneID(u.ID).SetName("bob").Exec(t.Context()))
		require.Equal(t, 1, c.User.Delete().Where(user.ID(u.ID)).ExecX(t.Context()))

		h := c.Hidden.Create().SetTitle("a").SaveX(t.Context())
		_, err := c.Hidden.Get(t.Context(), h.ID)
		require.ErrorIs(t, err, privacy.Deny)
		require.NoError(t, c.Hidden.UpdateOneID(h.ID).SetTitle("b").Exec(t.Context()))
		require.Equal(t, 1, c.Hidden.Update().SetTitle("c").SaveX(t.Context()))
		require.NoError(t, c.Hidden.DeleteOneID(h.ID).Exec(t.Context()))
		t.Cleanup(func() { require.Len(t, b.entries(t), 7) })
	})
}

func TestCase66PredicateAddedAfterOurs(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *gen.Client) {
		a := c.Hidden.Create().SetTitle("1").SetTenant("a").SaveX(t.Context())
		c.Hidden.Create().SetTitle("2").SetTenant("b").ExecX(t.Context())
		c.Hidden.Use(func(next gen.Mutator) gen.Mutator {
			return gen.MutateFunc(func(ctx context.Context, m gen.Mutation) (gen.Value, error) {
				m.(*gen.HiddenMutation).Where(hidden.Tenant("a"))
				return next.Mutate(ctx, m)
			})
		})
		require.Equal(t, 1, c.Hidden.Update().SetTitle("x").SaveX(t.Context()))
		require.NoError(t, c.Hidden.UpdateOneID(a.ID).SetTitle("y").Exec(t.Context()))
		require.Equal(t, 1, c.Hidden.Delete().ExecX(t.Context()))
	})
}

func TestCase49NobodyKnown(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.SQLite, entaudit.Config{})
	b.client.User.Create().SetName("by the program").ExecX(t.Context())
	b.client.User.Create().SetName("by a stranger").ExecX(entaudit.WithRequest(t.Context(), entaudit.Request{ID: "r1"}))
	e := b.entries(t)
	require.Equal(t, entaudit.Actor{Type: entaudit.ActorSystem}, e[0].Actor)
	require.Equal(t, entaudit.Actor{Type: entaudit.ActorAnonymous}, e[1].Actor)
	require.Equal(t, "r1", e[1].Request.ID)
}

func TestCase51AuditLogIsReadOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.client.User.Create().SetName("ann").ExecX(t.Context())
		id := b.entries(t)[0].ID
		c := b.client.AuditLog
		create := func() *gen.AuditLogCreate {
			return c.Create().SetID(id).SetSchemaVersion(1).SetKind(entaudit.KindManual).SetOutcome(entaudit.Success).
				SetOccurredAt(b.entries(t)[0].OccurredAt)
		}
		for name, err := range map[string]error{
			"create":     create().Exec(t.Context()),
			"createbulk": c.CreateBulk(create()).Exec(t.Context()),
			"upsert":     create().OnConflict(entsql.ResolveWithNewValues()).Exec(t.Context()),
			"update":     c.Update().Exec(t.Context()),
			"updateone":  c.UpdateOneID(id).Exec(t.Context()),
			"deleteone":  c.DeleteOneID(id).Exec(t.Context()),
			"delete":     func() error { _, err := c.Delete().Exec(t.Context()); return err }(),
		} {
			require.ErrorIs(t, err, mixin.ErrImmutable, name)
		}
		require.Len(t, b.entries(t), 1)
	})
}

func TestCase77RowTenant(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *gen.Client) {
		c.User.CreateBulk(
			c.User.Create().SetName("x").SetTenant("b"), c.User.Create().SetName("y").SetTenant("c"),
		).ExecX(t.Context())
		ctx := entaudit.WithTenant(t.Context(), entaudit.Tenant{ID: "a", Slug: "aa"})
		c.User.Update().SetAge(5).ExecX(ctx)
		c.User.UpdateOneID(1).SetTenant("moved").ExecX(ctx)
		c.User.Delete().ExecX(ctx)
		t.Cleanup(func() {
			var got []string
			for _, e := range b.entries(t)[2:] {
				require.Equal(t, "a", e.ActorTenantID)
				require.Empty(t, e.Tenant.Slug, "the slug is the actor's, not the row's")
				got = append(got, string(e.Operation)+" "+e.Tenant.ID)
			}
			require.ElementsMatch(t, []string{
				"update b", "update c", "update moved", "delete moved", "delete c",
			}, got)
		})
	})
}

func TestCase80NewerTable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.oracle.exec(t, "ALTER TABLE audit_logs ADD COLUMN from_the_future varchar(20)")
		b.client.User.Create().SetName("ann").ExecX(t.Context())
		b.client.User.CreateBulk(b.client.User.Create().SetName("b"), b.client.User.Create().SetName("c")).ExecX(t.Context())
		require.Len(t, b.entries(t), 3)
	})
}

func TestCase83SessionVariables(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct{ set, read, unset string }{
		dialect.Postgres: {"app.canary", "SELECT coalesce(current_setting('app.canary', true), '')", ""},
		dialect.MySQL:    {"@canary", "SELECT coalesce(@canary, '')", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, name, entaudit.Config{})
			b.db.SetMaxOpenConns(1)
			u := b.client.User.Create().SetName("ann").SaveX(t.Context())
			ctx := entsql.WithVar(t.Context(), v.set, "leaked")
			require.NoError(t, b.client.User.Create().SetName("bob").Exec(ctx))
			require.NoError(t, b.client.User.Update().AddAge(1).Exec(ctx))
			require.NoError(t, b.client.User.UpdateOne(u).SetAge(9).Exec(ctx))
			require.Error(t, b.client.User.UpdateOneID(-1).SetAge(9).Exec(ctx))
			b.client.User.Delete().ExecX(ctx)
			var got string
			require.NoError(t, b.db.QueryRowContext(t.Context(), v.read).Scan(&got))
			require.Equal(t, v.unset, got)
			b.oracle.compare(t)
		})
	}
}

func TestSkipLeavesATrace(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *gen.Client) {
		ctx := entaudit.Skip(t.Context(), "seed data")
		u := c.Doc.Create().SetTitle("a").SaveX(ctx)
		c.Doc.CreateBulk(c.Doc.Create().SetTitle("b"), c.Doc.Create().SetTitle("c")).ExecX(ctx)
		c.Doc.UpdateOne(u).SetTitle("d").ExecX(ctx)
		c.Doc.Update().SetTitle("e").ExecX(ctx)
		require.ErrorContains(t, c.Doc.Create().SetTitle("f").Exec(entaudit.Skip(ctx, " ")), "reason")
		b.oracle.exclude("docs")
		t.Cleanup(func() {
			e := b.entries(t)
			require.Len(t, e, 4)
			for _, e := range e {
				require.Equal(t, entaudit.KindSystem, e.Kind)
				require.Equal(t, entaudit.OpSkip, e.Operation)
				require.Equal(t, "seed data", e.Reason)
				require.Equal(t, "doc", e.Resource.Type)
			}
		})
	})
}

func TestDebugAndTracingDrivers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		var log bytes.Buffer
		c := gen.NewClient(gen.Driver(b.drv), gen.Log(func(v ...any) { log.WriteString(v[0].(string)) }), gen.Debug(), gen.Auditor(b.rec))
		u := c.User.Create().SetName("ann").SaveX(t.Context())
		require.Contains(t, log.String(), "audit_logs", "what auditing does is in the debug log too")
		tx, err := c.Tx(t.Context())
		require.NoError(t, err)
		tx.User.UpdateOne(u).SetName("bob").ExecX(t.Context())
		tx.Client().Debug().User.Update().SetAge(4).ExecX(t.Context())
		require.NoError(t, tx.Commit())
		require.Len(t, b.entries(t), 3)
		b.oracle.compare(t)
	})
}

func TestEntitiesDoNotHoldAnArmedDriver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		u := tx.User.Create().SetName("ann").SaveX(t.Context())
		u = u.Update().SetAge(1).SaveX(t.Context())
		us := tx.User.CreateBulk(tx.User.Create().SetName("b")).SaveX(t.Context())
		require.NotPanics(t, func() { u.Unwrap(); us[0].Unwrap() }, "ent asserts its own transaction driver")
		require.NoError(t, tx.Commit())
		// Unwrapped entities use the client's driver.
		u.Update().SetAge(2).ExecX(t.Context())
		us[0].Update().SetAge(3).ExecX(t.Context())
		require.Equal(t, 2, u.QueryPets().Where().CountX(t.Context())+2)
		require.Len(t, b.entries(t), 5)
		b.oracle.compare(t)
	})
}

func TestWiringTwiceRecordsOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.SQLite, entaudit.Config{})
	c := gen.NewClient(gen.Driver(b.drv), gen.Auditor(b.rec), gen.Auditor(b.rec)).Audited(b.rec)
	c.User.Create().SetName("ann").ExecX(t.Context())
	require.Len(t, b.entries(t), 1)
}

func TestClientWithoutRecorder(t *testing.T) {
	t.Parallel()
	driver, dsn := testdb.DSN(t, dialect.SQLite)
	c := gen.NewClient(gen.Driver(entsql.OpenDB(dialect.SQLite, testdb.OpenDSN(t, driver, dsn))))
	createTables(t, c)
	err := c.User.Create().SetName("ann").Exec(t.Context())
	require.ErrorContains(t, err, "ent.Auditor(rec)")
	require.ErrorContains(t, c.User.CreateBulk(c.User.Create().SetName("a")).Exec(t.Context()), "ent.Auditor(rec)")
	require.NoError(t, c.Plain.Create().SetTitle("nobody audits it").Exec(t.Context()))
	require.Zero(t, c.User.Query().CountX(t.Context()))
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	require.NoError(t, c.Audited(rec).User.Create().SetName("ann").Exec(t.Context()))
}
