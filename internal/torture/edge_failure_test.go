package torture_test

import (
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// TestCase82EdgesOfAHalfDoneBuilder commits what ent wrote before it met a pet that is
// taken: PostgreSQL keeps it too, since no statement of its own has failed.
func TestCase82EdgesOfAHalfDoneBuilder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		other := b.plain.User.Create().SetName("other").SaveX(t.Context())
		g := b.plain.Group.Create().SetName("g").SaveX(t.Context())
		free := b.plain.Pet.Create().SetName("free").SaveX(t.Context())
		taken := b.plain.Pet.Create().SetName("taken").SetOwner(other).SaveX(t.Context())
		u := b.plain.User.Create().SetName("u").SetUpdatedAt(longAgo()).SaveX(t.Context())
		b.oracle.forget(t)
		half := func(do func(tx *ent.Tx) error) {
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			err = do(tx)
			require.True(t, ent.IsConstraintError(err), "%v", err)
			require.NoError(t, tx.Commit())
			b.oracle.compare(t)
		}
		half(func(tx *ent.Tx) error {
			return tx.User.Update().Where(user.ID(u.ID)).SetUpdatedAt(longAgo()).AddGroups(g).AddPets(free, taken).Exec(t.Context())
		})
		require.Equal(t, 1, b.plain.Pet.GetX(t.Context(), free.ID).QueryOwner().CountX(t.Context()))
		require.ElementsMatch(t, []string{
			line("user.update %d: groups +%d; pets +%s", u.ID, g.ID, free.ID),
			line("pet.update %s: owner null → %d < user %d", free.ID, u.ID, u.ID),
			line("group.update %d: users +%d < user %d", g.ID, u.ID, u.ID),
		}, summary(b.entries(t)))
		half(func(tx *ent.Tx) error {
			return tx.User.Create().SetName("new").AddGroups(g).AddPets(taken).Exec(t.Context())
		})
		require.Equal(t, 2, b.plain.Group.QueryUsers(g).CountX(t.Context()))
		half(func(tx *ent.Tx) error {
			return tx.User.UpdateOne(u).SetName("x").ClearPets().AddPets(taken, free).Exec(t.Context())
		})
		// Outside of a transaction all is undone.
		require.Error(t, b.client.User.UpdateOne(u).ClearGroups().AddPets(taken).Exec(t.Context()))
		b.oracle.compare(t)
	})
}

// TestCase82MissingTargets has the statement for an edge itself fail.
func TestCase82MissingTargets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		if b.dialect == dialect.Postgres {
			t.Skip("PostgreSQL undoes the whole transaction")
		}
		u := b.plain.User.Create().SetName("u").SaveX(t.Context())
		g := b.plain.Group.Create().SetName("g").SaveX(t.Context())
		f := b.plain.Folder.Create().SetName("f").SaveX(t.Context())
		b.oracle.forget(t)
		for _, do := range []func(tx *ent.Tx) error{
			func(tx *ent.Tx) error {
				return tx.User.UpdateOne(u).SetName("a").AddGroups(g).AddGroupIDs(999).Exec(t.Context())
			},
			func(tx *ent.Tx) error {
				return tx.User.Create().SetName("a").AddGroups(g).AddGroupIDs(999).Exec(t.Context())
			},
			func(tx *ent.Tx) error { return tx.Folder.UpdateOne(f).SetParentID(999).AddViewers(u).Exec(t.Context()) },
			func(tx *ent.Tx) error { return tx.Folder.Update().SetParentID(999).Exec(t.Context()) },
		} {
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			require.Error(t, do(tx))
			require.NoError(t, tx.Commit())
			b.oracle.compare(t)
		}
	})
}
