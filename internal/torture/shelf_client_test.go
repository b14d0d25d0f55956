package torture_test

import (
	"context"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/privacy"
	"github.com/entaudit/audit/internal/torture/ent/shelf"
)

// rearrange does to a library what touches audited rows, in each way that there is.
func rearrange(ctx context.Context, c *ent.Client, l library) {
	c.Shelf.Create().SetCode("c").AddBooks(l.w).ExecX(ctx)
	c.Shelf.CreateBulk(c.Shelf.Create().SetCode("d").AddTopicIDs("q"), c.Shelf.Create().SetCode("e").AddTopicIDs("q")).ExecX(ctx)
	c.Shelf.Create().SetCode("f").AddHomed(l.w).OnConflictColumns(shelf.FieldCode).UpdateNewValues().ExecX(ctx)
	c.Shelf.UpdateOne(l.a).ClearBooks().ExecX(ctx)
	c.Shelf.Update().ClearTopics().ExecX(ctx)
	c.Shelf.DeleteOne(l.a).ExecX(ctx)
}

// TestCase79Skip leaves out what mutations of a type that is not audited do to others,
// and says so.
func TestCase79Skip(t *testing.T) {
	t.Parallel()
	perform(t, entaudit.Config{}, []scene{{"Skip", story[library]{
		seed: seedLibrary,
		do: func(t *testing.T, _ *bundle, c *ent.Client, l library) {
			rearrange(entaudit.Skip(t.Context(), "moving"), c, l)
			c.Shelf.Update().AddHeight(1).ExecX(entaudit.Skip(t.Context(), "nothing to leave out"))
		},
		quiet: true,
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ library) {
			var left []any
			for _, e := range e {
				require.Equal(t, entaudit.KindSystem, e.Kind)
				require.Equal(t, "shelf.skip", e.Action)
				require.Equal(t, "moving", e.Reason)
				left = append(left, e.Metadata["skipped"])
			}
			require.Equal(t, []any{"create", "create", "create", "update", "update", "delete"}, left)
		},
	}}, {"WithoutAReason", story[library]{
		seed: seedLibrary,
		do: func(t *testing.T, _ *bundle, c *ent.Client, l library) {
			rearrange(entaudit.Skip(t.Context(), " "), c, l)
		},
		check: func(t *testing.T, _ *bundle, e []entaudit.Entry, _ library) { require.NotEmpty(t, e) },
	}}})
}

// TestCase79NoRecorder lets mutations of a type that is not audited pass where nobody
// records.
func TestCase79NoRecorder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		bare := ent.NewClient(ent.Driver(b.drv))
		var counts [2]int
		for i, c := range []*ent.Client{bare, b.plain} {
			b.clear(t)
			l := seedLibrary(t, b)
			counts[i] = len(b.drv.count(func() { rearrange(t.Context(), c, l) }))
			require.Empty(t, b.entries(t))
		}
		require.Equal(t, counts[0], counts[1], "a recorder that is switched off makes no statements")
		rearrange(t.Context(), b.client, func() library { b.clear(t); return seedLibrary(t, b) }())
	})
}

// TestCase79Origin has the entries name who mutated the row that is not audited, and the
// entry that comes before it in the chain of causes.
func TestCase79Origin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		l := seedLibrary(t, b)
		b.oracle.forget(t)
		b.client.Topic.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				v, err := next.Mutate(ctx, m)
				if err == nil {
					err = b.client.Shelf.UpdateOne(l.a).ClearBooks().Exec(ctx)
				}
				return v, err
			})
		})
		b.client.Shelf.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				if err := b.client.Book.UpdateOne(l.w).SetTitle("first").Exec(ctx); err != nil {
					return nil, err
				}
				v, err := next.Mutate(context.WithoutCancel(t.Context()), m) // drops who it is
				if err == nil {
					err = b.client.Book.UpdateOne(l.w).SetTitle("last").Exec(ctx)
				}
				return v, err
			})
		})
		ctx := entaudit.WithActor(t.Context(), entaudit.Actor{ID: "ann", Type: "user"})
		b.client.Topic.UpdateOneID("p").SetName("new").ExecX(ctx)
		e := b.entries(t)
		require.Equal(t, []string{
			`topic.update p: name "" → "new"`,
			line(`book.update %d: title "w" → "first" < topic p`, l.w.ID),
			line("book.update %d: shelf %d → null < topic p", l.x.ID, l.a.ID),
			line(`book.update %d: title "first" → "last" < book %d`, l.w.ID, l.x.ID),
		}, summary(e))
		for _, e := range e {
			require.Equal(t, "ann", e.Actor.ID, "%v", e.Action)
		}
		b.oracle.compare(t)
	})
}

// TestCase79Failing records of mutations that fail what stands, and not that they did.
func TestCase79Failing(t *testing.T) {
	t.Parallel()
	eachWith(t, entaudit.Config{Failures: true}, func(t *testing.T, b *bundle) {
		l := seedLibrary(t, b)
		b.oracle.forget(t)
		c := b.client
		taken := func(c *ent.Client) error {
			return c.Shelf.UpdateOne(l.b).AddTopicIDs("q").AddBooks(l.x).Exec(t.Context()) // x is on another
		}
		require.True(t, ent.IsConstraintError(taken(c)))
		require.True(t, ent.IsConstraintError(c.Shelf.Create().SetCode("a").AddBooks(l.w).Exec(t.Context())))
		require.True(t, ent.IsNotFound(c.Shelf.UpdateOneID(-1).AddTopicIDs().SetHeight(1).ClearBooks().Exec(t.Context())))
		c.Shelf.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				if m.Op().Is(ent.OpDelete | ent.OpDeleteOne) {
					return nil, privacy.Denyf("not yours")
				}
				return next.Mutate(ctx, m)
			})
		})
		require.ErrorIs(t, c.Shelf.DeleteOne(l.a).Exec(t.Context()), privacy.Deny)
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)

		tx, err := c.Tx(t.Context())
		require.NoError(t, err)
		require.Error(t, taken(tx.Client()))
		if b.dialect == dialect.Postgres {
			require.NoError(t, tx.Rollback()) // it takes nothing more
			return
		}
		require.NoError(t, tx.Commit())
		require.Equal(t, []string{line("topic.update q: shelves +%d", l.b.ID)}, summary(b.entries(t)), "the link stands")
		b.oracle.compare(t)
	})
}

// TestCase79RolledBack leaves nothing of a transaction that is rolled back.
func TestCase79RolledBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		l := seedLibrary(t, b)
		b.oracle.forget(t)
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		rearrange(t.Context(), tx.Client(), l)
		require.NoError(t, tx.Rollback())
		require.Empty(t, b.entries(t))
		b.oracle.compare(t)
	})
}

// TestCase79WithoutForeignKeys has a database that takes nothing along.
func TestCase79WithoutForeignKeys(t *testing.T) {
	t.Parallel()
	b, restore := withoutForeignKeys(t, dialect.SQLite, "", "", "")
	l := seedLibrary(t, b)
	b.oracle.forget(t)
	b.client.Shelf.DeleteOne(l.a).ExecX(t.Context())
	require.Empty(t, b.entries(t))
	b.oracle.compare(t)
	restore()
	b.client.Crate.DeleteOne(l.crate).ExecX(t.Context())
	require.Equal(t, []string{"book.delete"}, actions(b.entries(t)))
	b.oracle.compare(t)
}
