package torture_test

import (
	"context"
	"fmt"
	"testing"

	"entgo.io/ent/privacy"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	gen "github.com/entaudit/audit/internal/torture/ent"
)

// failures returns a configuration that records failed mutations, and where.
func failures() (entaudit.Config, *audittest.Memory) {
	w := &audittest.Memory{}
	return entaudit.Config{Failures: true, Writer: w}, w
}

func deny(next gen.Mutator) gen.Mutator {
	return gen.MutateFunc(func(ctx context.Context, m gen.Mutation) (gen.Value, error) {
		if f, ok := m.Field("nick"); ok && f == "forbidden" {
			return nil, privacy.Denyf("nobody is called that")
		}
		return next.Mutate(ctx, m)
	})
}

// TestFailuresAreRecorded: mutations that do not succeed are recorded with outcome and
// reason, outside of what was rolled back.
func TestFailuresAreRecorded(t *testing.T) {
	t.Parallel()
	eachWith(t, entaudit.Config{}, func(t *testing.T, b *bundle) {
		cfg, written := failures()
		rec, err := entaudit.New(cfg)
		require.NoError(t, err)
		client := gen.NewClient(gen.Driver(b.drv), gen.Auditor(rec))
		client.User.Use(deny)
		u := client.User.Create().SetName("ann").SetEmail("a@b.c").SaveX(t.Context())
		for _, c := range []struct {
			name, action, reason, id string
			outcome                  entaudit.Outcome
			do                       func(ctx context.Context, c *gen.Client) error
		}{
			{"denied", "user.update", "policy", fmt.Sprint(u.ID), entaudit.Denied, func(ctx context.Context, c *gen.Client) error {
				return c.User.UpdateOne(u).SetNick("forbidden").Exec(ctx)
			}},
			{"invalid", "user.create", "validation", "", entaudit.Failure, func(ctx context.Context, c *gen.Client) error {
				return c.User.Create().SetName("").Exec(ctx)
			}},
			{"not there", "user.update", "not_found", "4711", entaudit.Failure, func(ctx context.Context, c *gen.Client) error {
				return c.User.UpdateOneID(4711).SetName("x").Exec(ctx)
			}},
			{"bulk", "user.create", "validation", "", entaudit.Failure, func(ctx context.Context, c *gen.Client) error {
				return c.User.CreateBulk(c.User.Create().SetName("a"), c.User.Create().SetName("")).Exec(ctx)
			}},
			{"taken", "user.create", "constraint", "", entaudit.Failure, func(ctx context.Context, c *gen.Client) error {
				return c.User.Create().SetName("bob").SetEmail("a@b.c").Exec(ctx)
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				written.Reset()
				require.Error(t, c.do(t.Context(), client))
				requireFailure(t, written, c.action, c.reason, c.id, c.outcome)
				tx, err := client.Tx(t.Context())
				require.NoError(t, err)
				written.Reset()
				require.Error(t, c.do(t.Context(), tx.Client()))
				require.Empty(t, written.Entries(), "the transaction is open")
				require.NoError(t, tx.Rollback())
				requireFailure(t, written, c.action, c.reason, c.id, c.outcome)
			})
		}
		require.Len(t, b.entries(t), 1, "nothing but the one that succeeded")
		b.oracle.compare(t)
	})
}

func requireFailure(t *testing.T, w *audittest.Memory, action, reason, id string, outcome entaudit.Outcome) {
	t.Helper()
	e := w.Entries()
	require.Len(t, e, 1)
	require.Equal(t, action, e[0].Action)
	require.Equal(t, outcome, e[0].Outcome)
	require.Equal(t, reason, e[0].Reason)
	require.Equal(t, id, e[0].Resource.ID)
	require.Empty(t, e[0].Changes, "values that were refused are not recorded")
	require.Equal(t, entaudit.KindMutation, e[0].Kind)
}

// TestFailuresByPanic: a mutation that panics is recorded as aborted, and the panic
// goes on.
func TestFailuresByPanic(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		cfg, written := failures()
		rec, err := entaudit.New(cfg)
		require.NoError(t, err)
		client := gen.NewClient(gen.Driver(b.drv), gen.Auditor(rec))
		client.Group.Use(func(gen.Mutator) gen.Mutator {
			return gen.MutateFunc(func(context.Context, gen.Mutation) (gen.Value, error) { panic("boom") })
		})
		require.PanicsWithValue(t, "boom", func() { client.Group.Create().SetName("g").ExecX(t.Context()) })
		requireFailure(t, written, "group.create", "panic", "", entaudit.Aborted)
	})
}

// TestFailuresAreAnOption: without it a mutation that fails leaves nothing.
func TestFailuresAreAnOption(t *testing.T) {
	t.Parallel()
	w := &audittest.Memory{}
	eachWith(t, entaudit.Config{Writer: w}, func(t *testing.T, b *bundle) {
		b.client.User.Use(deny)
		err := b.client.User.Create().SetName("ann").SetNick("forbidden").Exec(t.Context())
		require.ErrorIs(t, err, privacy.Deny)
		require.Empty(t, w.Entries())
		require.Empty(t, b.entries(t))
	})
}
