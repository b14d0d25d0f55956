package torture_test

import (
	"context"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
)

// TestCase74CallersConnection: a client on a connection of the caller's gets a
// transaction around each write.
func TestCase74CallersConnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		conn, err := b.db.Conn(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		c := ent.NewClient(ent.Driver(entsql.NewDriver(b.dialect, entsql.Conn{ExecQuerier: conn})), ent.Auditor(b.rec))
		require.NoError(t, c.User.Create().SetName("ok").Exec(t.Context()))
		require.NoError(t, c.User.Update().SetAge(3).Exec(t.Context()))
		require.Len(t, b.entries(t), 2)
		b.oracle.compare(t)
		b.dropAudit(t)
		require.ErrorContains(t, c.User.Create().SetName("lost").Exec(t.Context()), "audit_logs")
		require.Equal(t, 1, b.plain.User.Query().CountX(t.Context()))
	})
}

// TestCase74FailingAudit: a change on the caller's own transaction does not stand without
// its entry either, whatever he does with the transaction.
func TestCase74FailingAudit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.dropAudit(t)
		tx, err := b.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		c := ent.NewClient(ent.Driver(entsql.NewDriver(b.dialect, entsql.Conn{ExecQuerier: tx})), ent.Auditor(b.rec))
		require.ErrorContains(t, c.User.Create().SetName("a").Exec(t.Context()), "audit_logs")
		require.NoError(t, tx.Commit())
		require.Zero(t, b.plain.User.Query().CountX(t.Context()))
	})
}

// TestSkipWithinABulk: each row of a bulk is a mutation of its own.
func TestSkipWithinABulk(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.client.Group.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				if name, _ := m.(*ent.GroupMutation).Name(); strings.HasPrefix(name, "skip") {
					ctx = entaudit.Skip(ctx, "a test")
				}
				return next.Mutate(ctx, m)
			})
		})
		c := b.client.Group
		c.CreateBulk(c.Create().SetName("a"), c.Create().SetName("skip"), c.Create().SetName("b"), c.Create().SetName("skip")).ExecX(t.Context())
		var got []string
		for _, e := range b.entries(t) {
			got = append(got, e.Action+" "+e.Reason)
		}
		require.Equal(t, []string{"group.create ", "group.skip a test", "group.create ", "group.skip a test"}, got)
	})
}

// TestBigEntry: a row that ent can write can be written with auditing, however much
// longer its values become as JSON.
func TestBigEntry(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.MySQL, entaudit.Config{})
	one, two := strings.Repeat("\x01", 1_000_000), strings.Repeat("\x02", 1_000_000)
	doc := func(s string) map[string]any { return map[string]any{"a": s[:300_000]} }
	k := b.client.Kinds.Create().SetText(one).SetDoc(doc(one)).SetStrings([]string{one[:300_000]}).SaveX(t.Context())
	require.NoError(t, b.client.Kinds.UpdateOne(k).SetText(two).SetDoc(doc(two)).SetStrings([]string{two[:300_000]}).Exec(t.Context()))
	e := b.entries(t)
	require.Len(t, e, 2)
	require.Equal(t, entaudit.MarkCut, e[1].Marks["changes.text.new"])
	b.oracle.compare(t)
}

// TestCase74AfterCommit: nobody tells of the commit of the caller's own transaction.
func TestCase74AfterCommit(t *testing.T) {
	t.Parallel()
	var actions []string
	keep := entaudit.WriterFunc(func(_ context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			actions = append(actions, e.Action)
		}
		return nil
	})
	b := setup(t, dialect.SQLite, entaudit.Config{AfterCommit: true, Writer: keep})
	tx, err := b.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	c := ent.NewClient(ent.Driver(entsql.NewDriver(b.dialect, entsql.Conn{ExecQuerier: tx})), ent.Auditor(b.rec))
	c.User.Create().SetName("a").ExecX(t.Context())
	require.Equal(t, []string{"user.create"}, actions)
	require.NoError(t, tx.Commit())
	b.oracle.forget(t)
}
