package torture_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/blob"
	"github.com/entaudit/audit/internal/torture/ent/card"
	"github.com/entaudit/audit/internal/torture/ent/file"
	"github.com/entaudit/audit/internal/torture/ent/pet"
	"github.com/entaudit/audit/internal/torture/ent/scan"
	"github.com/entaudit/audit/internal/torture/ent/user"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// owners are users with what they own: ann has rex and card 1, bob has tom.
type owners struct {
	ann, bob       *ent.User
	rex, tom, free *ent.Pet
}

func seedOwners(t *testing.T, b *bundle) owners {
	t.Helper()
	c := b.plain
	o := owners{ann: oldUser(c, "ann").SaveX(t.Context()), bob: oldUser(c, "bob").SaveX(t.Context())}
	o.rex = c.Pet.Create().SetName("rex").SetOwner(o.ann).SaveX(t.Context())
	o.tom = c.Pet.Create().SetName("tom").SetOwner(o.bob).SaveX(t.Context())
	o.free = c.Pet.Create().SetName("free").SaveX(t.Context())
	c.Card.CreateBulk(
		c.Card.Create().SetID("1").SetNumber("1").SetOwner(o.ann), c.Card.Create().SetID("2").SetNumber("2"),
	).ExecX(t.Context())
	return o
}

func TestEdgesOfKeys(t *testing.T) {
	t.Parallel()
	owned := func(do func(*testing.T, *ent.Client, owners), want func(owners) []string) player {
		return edgeStory(seedOwners, do, want)
	}
	perform(t, entaudit.Config{}, []scene{
		{"Case25AddPets", owned(func(t *testing.T, c *ent.Client, o owners) {
			c.User.UpdateOne(o.ann).AddPets(o.free).SetAge(3).ExecX(t.Context())
		}, func(o owners) []string {
			return []string{
				line("user.update %d: age 0 → 3; pets +%s", o.ann.ID, o.free.ID),
				line("pet.update %s: owner null → %d < user %d", o.free.ID, o.ann.ID, o.ann.ID),
			}
		})},
		{"Case25OnCreate", owned(func(t *testing.T, c *ent.Client, o owners) {
			c.User.Create().SetName("dan").AddPets(o.free).SetCardID("2").ExecX(t.Context())
		}, nil)},
		{"Case25OnCreateBulk", owned(func(t *testing.T, c *ent.Client, o owners) {
			c.User.CreateBulk(oldUser(c, "dan").AddPets(o.free), oldUser(c, "eve").SetCardID("2"), oldUser(c, "fay")).ExecX(t.Context())
		}, nil)},
		{"Case25RemovePets", owned(func(t *testing.T, c *ent.Client, o owners) {
			c.User.UpdateOne(o.ann).RemovePets(o.rex, o.tom, o.free).ExecX(t.Context())
		}, func(o owners) []string {
			return []string{
				line("user.update %d: pets -%s", o.ann.ID, o.rex.ID),
				line("pet.update %s: owner %d → null < user %d", o.rex.ID, o.ann.ID, o.ann.ID),
			}
		})},
		{"Case25ClearPets", owned(func(t *testing.T, c *ent.Client, o owners) {
			require.Equal(t, 2, c.User.Update().ClearPets().SetUpdatedAt(longAgo()).SaveX(t.Context()))
			c.User.UpdateOne(o.ann).ClearPets().SetUpdatedAt(longAgo()).ExecX(t.Context())
		}, func(o owners) []string {
			return []string{
				line("user.update %d: pets -%s", o.ann.ID, o.rex.ID),
				line("user.update %d: pets -%s", o.bob.ID, o.tom.ID),
				line("pet.update %s: owner %d → null < user %d", o.rex.ID, o.ann.ID, o.ann.ID),
				line("pet.update %s: owner %d → null < user %d", o.tom.ID, o.bob.ID, o.bob.ID),
			}
		})},
		{"Case25ClearAndAdd", owned(func(t *testing.T, c *ent.Client, o owners) {
			c.User.UpdateOne(o.ann).ClearPets().AddPets(o.rex).SetUpdatedAt(longAgo()).ExecX(t.Context())
			c.User.UpdateOne(o.ann).ClearPets().AddPets(o.rex, o.free).ExecX(t.Context())
		}, func(o owners) []string {
			return []string{
				line("user.update %d: pets +%s", o.ann.ID, o.free.ID),
				line("pet.update %s: owner null → %d < user %d", o.free.ID, o.ann.ID, o.ann.ID),
			}
		})},
		{"Case26SetCard", owned(func(t *testing.T, c *ent.Client, o owners) {
			c.User.UpdateOne(o.ann).ClearCard().SetCardID("2").ExecX(t.Context())
		}, func(o owners) []string {
			return []string{
				line("user.update %d: card -1 +2", o.ann.ID),
				line("payment_card.update 1: owner_id %d → null < user %d", o.ann.ID, o.ann.ID),
				line("payment_card.update 2: owner_id null → %d < user %d", o.ann.ID, o.ann.ID),
			}
		})},
		{"Case26SetCardOfMany", owned(func(t *testing.T, c *ent.Client, o owners) {
			require.Equal(t, 1, c.User.Update().Where(user.Name("bob")).SetCardID("2").SetUpdatedAt(longAgo()).SaveX(t.Context()))
			require.Error(t, c.User.Update().SetCardID("2").SetUpdatedAt(longAgo()).Exec(t.Context()), "one card of two users")
		}, func(o owners) []string {
			return []string{
				line("user.update %d: card +2", o.bob.ID),
				line("payment_card.update 2: owner_id null → %d < user %d", o.bob.ID, o.bob.ID),
			}
		})},
		{"Case26FromTheOtherSide", owned(func(t *testing.T, c *ent.Client, o owners) {
			c.Card.UpdateOneID("2").SetOwner(o.bob).ExecX(t.Context())
			c.Card.Update().Where(card.ID("1")).ClearOwner().ExecX(t.Context())
			c.Pet.Update().Where(pet.ID(o.tom.ID)).SetOwner(o.ann).ExecX(t.Context())
		}, func(o owners) []string {
			return []string{
				line("payment_card.update 2: owner_id null → %d", o.bob.ID),
				line("payment_card.update 1: owner_id %d → null", o.ann.ID),
				line("pet.update %s: owner %d → %d", o.tom.ID, o.bob.ID, o.ann.ID),
			}
		})},
		{"Case25TypesBetween", typesBetween()},
		{"Case25OtherIDs", otherIDs()},
	})
}

// typesBetween writes edges to rows of a type that is not audited, and by two keys of
// one table.
func typesBetween() player {
	return story[[]*ent.Chunk]{
		seed: func(t *testing.T, b *bundle) []*ent.Chunk {
			d := b.plain.Folder.Create().SetName("d").SaveX(t.Context())
			b.plain.File.Create().SetID("f").SetFolder(d).ExecX(t.Context())
			b.plain.File.Create().SetID("e").SetFolder(d).ExecX(t.Context())
			b.plain.Scan.MapCreateBulk([]int{1, 2}, func(s *ent.ScanCreate, _ int) {}).ExecX(t.Context())
			return b.plain.Chunk.MapCreateBulk([]string{"f", "", "e"}, func(k *ent.ChunkCreate, i int) {
				if id := []string{"f", "", "e"}[i]; id != "" {
					k.SetFileID(id)
				}
			}).SaveX(t.Context())
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, chunks []*ent.Chunk) {
			scans := c.Scan.Query().Order(scan.ByID()).IDsX(t.Context())
			c.File.UpdateOneID("f").AddChunks(chunks[1]).AddScanIDs(scans...).SetLatestID(scans[1]).ExecX(t.Context())
			c.File.Update().ClearChunks().SetName("x").ExecX(t.Context())
			c.File.Update().Where(file.ID("f")).ClearLatest().RemoveScanIDs(scans[0]).ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, chunks []*ent.Chunk) {
			scans := b.plain.Scan.Query().Order(scan.ByID()).IDsX(t.Context())
			require.ElementsMatch(t, []string{
				line("file.update f: chunks +%d; latest +%d; scans +%d +%d", chunks[1].ID, scans[1], scans[0], scans[1]),
				line(`scan.update %d: file_id null → "f" < file f`, scans[0]),
				line(`scan.update %d: file_id null → "f"; latest_of null → "f" < file f`, scans[1]),
				line(`file.update f: name "" → "x"; chunks -%d -%d`, chunks[0].ID, chunks[1].ID),
				line(`file.update e: name "" → "x"; chunks -%d`, chunks[2].ID),
				line("file.update f: latest -%d; scans -%d", scans[1], scans[0]),
				line(`scan.update %d: file_id "f" → null < file f`, scans[0]),
				line(`scan.update %d: latest_of "f" → null < file f`, scans[1]),
			}, summary(e))
		},
	}
}

// otherIDs links rows with ids of bytes, of uuids and of strings that are stored in
// another form.
func otherIDs() player {
	type ids struct {
		a, b, c *ent.Blob
		x, y    *ent.Coupon
		inv     *ent.Invoice
	}
	return story[ids]{
		seed: func(t *testing.T, b *bundle) ids {
			blobs := b.plain.Blob.MapCreateBulk([]int{1, 2, 3}, func(k *ent.BlobCreate, _ int) { k.SetName("b") }).SaveX(t.Context())
			return ids{
				a: blobs[0], b: blobs[1], c: blobs[2],
				x:   b.plain.Coupon.Create().SetID("x").SaveX(t.Context()),
				y:   b.plain.Coupon.Create().SetID("y").SaveX(t.Context()),
				inv: b.plain.Invoice.Create().SetNumber("1").SaveX(t.Context()),
			}
		},
		do: func(t *testing.T, _ *bundle, c *ent.Client, s ids) {
			c.Blob.UpdateOne(s.a).SetNext(s.b).AddCoupons(s.x, s.y).ExecX(t.Context())
			c.Blob.UpdateOne(s.a).ClearNext().RemoveCoupons(s.y).ExecX(t.Context())
			c.Coupon.Update().AddBlobs(s.a, s.b).ExecX(t.Context())
			c.Invoice.UpdateOne(s.inv).AddAttachments(s.a, s.c).ExecX(t.Context())
			c.Blob.Create().SetName("new").SetNext(s.c).AddCoupons(s.x).ExecX(t.Context())
			key := gotype.NewKey()
			c.Blob.CreateBulk(
				c.Blob.Create().SetID(key).SetName("second").AddCoupons(s.x, s.y), c.Blob.Create().SetName("first").SetNextID(key).AddCoupons(s.y),
			).ExecX(t.Context())
			c.Blob.Update().ClearNext().ClearCoupons().ExecX(t.Context())
			c.Invoice.Update().ClearAttachments().ExecX(t.Context())
			holder := c.Account.Create().SetTenant("t").SetCode("c").SetID(uuid.New()).SaveX(t.Context())
			c.Coupon.UpdateOne(s.x).SetHolder(holder).ExecX(t.Context())
		},
		check: func(t *testing.T, b *bundle, _ []entaudit.Entry, _ ids) {
			require.Zero(t, b.plain.Blob.Query().QueryCoupons().CountX(t.Context()))
		},
	}
}

// TestCase26KeyPassesOn: the scan that gives up a unique key comes before the one that takes
// it, though the mutation writes that one first.
func TestCase26KeyPassesOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		in := b.client.Folder.Create().SetName("f").SaveX(t.Context())
		one, two := b.client.Scan.Create().SaveX(t.Context()), b.client.Scan.Create().SaveX(t.Context())
		f := b.client.File.Create().SetID("f").SetFolder(in).SetLatest(one).AddScans(one, two).SaveX(t.Context())
		b.client.File.UpdateOne(f).RemoveScans(two).ClearLatest().SetLatest(two).ExecX(t.Context())
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		tx.File.UpdateOne(f).RemoveScans(one).ClearLatest().SetLatest(one).ExecX(t.Context())
		require.NoError(t, tx.Commit())
		b.oracle.compare(t)
		replay(t, b)
	})
}

// TestCase26KeyPassesToTheRowItself: what gives up a key comes first where a row of the
// mutation's own takes it, too, and has that one for its cause all the same.
func TestCase26KeyPassesToTheRowItself(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		loop := func(c *ent.Client) {
			last := c.Blob.Create().SetName("last").SaveX(ctx)
			first := c.Blob.Create().SetName("first").SetNext(last).SaveX(ctx)
			c.Blob.UpdateOne(first).SetName("loop").ClearNext().SetNext(first).ExecX(ctx)
			c.Blob.UpdateOne(first).ClearNext().SetNext(last).ExecX(ctx)
			c.Blob.Update().Where(blob.ID(first.ID)).ClearNext().SetNext(first).ExecX(ctx)
		}
		loop(b.client)
		tx, err := b.client.Tx(ctx)
		require.NoError(t, err)
		loop(tx.Client())
		require.NoError(t, tx.Commit())
		e := b.entries(t)
		for _, i := range []int{3, 7} { // the loops of the first round
			require.Equal(t, e[i+1].ID, e[i].CauseID)
			require.NotEqual(t, e[i+1].Resource, e[i].Resource)
		}
		b.oracle.compare(t)
		replay(t, b)
	})
}
