package torture_test

import (
	"context"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// oldTx returns a transaction that, on MySQL, sees the database as it is now from here on.
func oldTx(t *testing.T, b *bundle) *ent.Tx {
	t.Helper()
	if b.dialect == dialect.SQLite {
		t.Skip("others cannot write while there is a transaction")
	}
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	tx.User.Query().CountX(t.Context())
	return tx
}

func TestSnapshotDeleteMatchesNoLonger(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		u := seedUser(t, b)
		p := b.plain.Pet.Create().SetName("p").SetOwner(u).SaveX(t.Context())
		tx := oldTx(t, b)
		b.plain.Pet.DeleteOne(p).ExecX(t.Context())
		b.oracle.forget(t)
		require.Zero(t, tx.User.Delete().Where(user.HasPets()).ExecX(t.Context()))
		require.NoError(t, tx.Commit())
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)
	})
}

func TestSnapshotLinkAddedAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		w := b.plain.Tweet.Create().SetText("x").SetAuthor(seedUser(t, b)).SaveX(t.Context())
		g := b.plain.Tag.Create().SetName("t").AddTweets(w).SaveX(t.Context())
		tx := oldTx(t, b)
		b.plain.Tweet.UpdateOne(w).RemoveTags(g).ExecX(t.Context())
		b.oracle.forget(t)
		tx.Tweet.UpdateOne(w).SetText("y").ClearTags().AddTags(g).ExecX(t.Context())
		require.NoError(t, tx.Commit())
		b.oracle.compare(t)
	})
}

func TestSnapshotSetToWhatItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		u := seedUser(t, b)
		tx := oldTx(t, b)
		b.plain.User.UpdateOne(u).SetNick("b").SetUpdatedAt(longAgo()).ExecX(t.Context())
		b.oracle.forget(t)
		tx.User.UpdateOneID(u.ID).SetNick("b").SetUpdatedAt(longAgo()).ExecX(t.Context())
		tx.User.UpdateOneID(u.ID).SetNick("b").SetUpdatedAt(longAgo()).Select(user.FieldID).ExecX(t.Context())
		tx.User.Update().Where(user.ID(u.ID)).SetNick("b").SetUpdatedAt(longAgo()).ExecX(t.Context())
		require.NoError(t, tx.Commit())
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)
	})
}

// meanwhile has f run once, right after a PostgreSQL update has asked for its rows.
func meanwhile(b *bundle, f func()) {
	b.drv.onStatement(func(query string) {
		if strings.HasSuffix(query, "FOR NO KEY UPDATE") {
			b.drv.onStatement(nil)
			f()
		}
	})
}

func TestSnapshotRowSlipsIn(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		if b.dialect != dialect.Postgres {
			t.Skip("the others lock what is not there")
		}
		g := b.plain.Group.Create().SetName("g").SaveX(t.Context())
		oldUser(b.plain, "in").SetAge(1).ExecX(t.Context())
		b.oracle.forget(t)
		meanwhile(b, func() {
			oldUser(b.plain, "slipped").SetAge(1).ExecX(context.Background())
			b.oracle.forget(t)
		})
		require.Equal(t, 2, c.User.Update().Where(user.Age(1)).SetNick("n").AddGroups(g).SaveX(t.Context()))
	})
}

func TestSnapshotOtherRowsMatch(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		if b.dialect != dialect.Postgres {
			t.Skip("the others lock what decides")
		}
		a, c := oldUser(b.plain, "a").SaveX(t.Context()), oldUser(b.plain, "c").SaveX(t.Context())
		p := b.plain.Pet.Create().SetName("p").SetOwner(a).SaveX(t.Context())
		meanwhile(b, func() {
			b.plain.Pet.UpdateOne(p).SetOwner(c).ExecX(context.Background())
			b.oracle.forget(t)
		})
		require.Equal(t, 1, b.client.User.Update().Where(user.HasPets()).SetNick("x").SaveX(t.Context()))
		b.oracle.compare(t)
	})
}

func TestManyLinksGo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		g := b.plain.Group.Create().SetName("g").SaveX(t.Context())
		for range 3 {
			b.plain.User.MapCreateBulk(make([]int, 400), func(u *ent.UserCreate, _ int) { u.SetName("u").AddGroups(g) }).ExecX(t.Context())
		}
		b.oracle.forget(t)
		b.client.Group.DeleteOne(g).ExecX(t.Context())
		b.oracle.compare(t)
	})
}
