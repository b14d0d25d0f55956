package torture_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

func TestCase38TransactionSharesItsID(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		u := tx.User.Create().SetName("ann").SaveX(t.Context())
		tx.User.UpdateOne(u).SetAge(7).ExecX(t.Context())
		require.NoError(t, tx.Record(t.Context(), entaudit.Entry{
			Action: "user.welcome", Metadata: map[string]any{"token": "s3cret", "template": "a"},
		}))
		tx.User.DeleteOne(u).ExecX(t.Context())
		require.NoError(t, tx.Commit())
		b.client.User.Create().SetName("bob").ExecX(t.Context())

		e := b.entries(t)
		require.Len(t, e, 5)
		for i := range 4 {
			require.Equal(t, e[0].TxID, e[i].TxID)
			require.Equal(t, i+1, e[i].TxSeq)
		}
		require.NotEqual(t, e[0].TxID, e[4].TxID)
		require.NotEqual(t, uuid.Nil, e[4].TxID)
		require.Equal(t, entaudit.KindManual, e[2].Kind)
		require.Equal(t, map[string]any{"token": entaudit.Redacted, "template": "a"}, e[2].Metadata)
		b.oracle.compare(t)
	})
}

func TestCase39RollbackLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		tx.User.Create().SetName("ann").ExecX(t.Context())
		require.NoError(t, tx.Record(t.Context(), entaudit.Entry{Action: "never"}))
		require.NoError(t, tx.Rollback())
		require.PanicsWithValue(t, "boom", func() {
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			defer func() {
				require.NoError(t, tx.Rollback())
			}()
			tx.User.Create().SetName("bob").ExecX(t.Context())
			panic("boom")
		})
		require.Empty(t, b.entries(t))
		require.Empty(t, b.oracle.happened(t))
	})
}

// TestW23RecordGoesWithTheTransactionOfItsContext has a function record something that
// knows its context only.
func TestW23RecordGoesWithTheTransactionOfItsContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for _, commits := range []bool{false, true} {
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			ctx := entaudit.InTx(ent.NewTxContext(t.Context(), tx), tx)
			u := tx.User.Create().SetName("ann").SaveX(ctx)
			require.NoError(t, b.rec.Log(ctx, "user.welcome", "user", fmt.Sprint(u.ID)))
			if !commits {
				require.NoError(t, tx.Rollback())
				require.ErrorIs(t, b.rec.Log(ctx, "too.late", "user", "1"), sql.ErrTxDone)
				require.Empty(t, b.entries(t), "what was rolled back has an entry")
				continue
			}
			require.NoError(t, tx.Commit())
			e := b.entries(t)
			require.Len(t, e, 2)
			require.Equal(t, e[0].TxID, e[1].TxID)
			require.Equal(t, []string{"user.create", "user.welcome"}, []string{e[0].Action, e[1].Action})
			require.ErrorIs(t, b.rec.Log(ctx, "too.late", "user", "1"), sql.ErrTxDone)
			require.Len(t, b.entries(t), 2)
		}
	})
}

// dropAudit makes every write of an entry fail.
func (b *bundle) dropAudit(t *testing.T) {
	t.Helper()
	b.oracle.exec(t, "DROP TABLE audit_logs")
}

func TestCase40FailingAuditUndoesTheChange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		id := b.plain.User.Create().SetName("old").SaveX(t.Context()).ID
		b.dropAudit(t)
		ops := map[string]func() error{
			"create":     func() error { return b.client.User.Create().SetName("new").Exec(t.Context()) },
			"createbulk": func() error { return b.client.User.CreateBulk(b.client.User.Create().SetName("n")).Exec(t.Context()) },
			"update":     func() error { return b.client.User.Update().SetName("new").Exec(t.Context()) },
			"updateone":  func() error { return b.client.User.UpdateOneID(id).SetName("new").Exec(t.Context()) },
			"delete":     func() error { _, err := b.client.User.Delete().Exec(t.Context()); return err },
			"deleteone":  func() error { return b.client.User.DeleteOneID(id).Exec(t.Context()) },
		}
		for name, op := range ops {
			err := op()
			require.ErrorContains(t, err, "audit_logs", name)
			require.ErrorContains(t, err, "entaudit: write", name)
		}
		require.Equal(t, []string{"old"}, b.plain.User.Query().Select(user.FieldName).StringsX(t.Context()))
		require.Zero(t, b.db.Stats().InUse)
	})
}

func TestCase41FailingAuditInTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.dropAudit(t)
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		tx.User.Create().SetName("new").ExecX(t.Context())
		require.ErrorContains(t, tx.Commit(), "audit_logs")
		require.Zero(t, b.plain.User.Query().CountX(t.Context()))
		require.Zero(t, b.db.Stats().InUse)
	})
}

func TestCase41BestEffortKeepsTheTransaction(t *testing.T) {
	t.Parallel()
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen []error
			b := setup(t, name, entaudit.Config{OnError: func(_ context.Context, err error) error {
				seen = append(seen, err)
				return nil
			}})
			b.dropAudit(t)
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			tx.User.Create().SetName("in").ExecX(t.Context())
			// A statement that the caller makes himself has pending entries written first.
			_, err = tx.ExecContext(t.Context(), "UPDATE users SET age = 9")
			require.NoError(t, err)
			tx.User.Create().SetName("after").ExecX(t.Context())
			require.NoError(t, tx.Commit())
			b.client.User.Create().SetName("alone").ExecX(t.Context())
			require.Equal(t, 3, b.plain.User.Query().CountX(t.Context()))
			require.Len(t, seen, 3)
		})
	}
}

func TestCase82HalfDoneBuilderInTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		other := b.plain.User.Create().SetName("other").SaveX(t.Context())
		pet := b.plain.Pet.Create().SetName("rex").SetOwner(other).SaveX(t.Context())
		u := b.plain.User.Create().SetName("old").SaveX(t.Context())
		b.oracle.forget(t)

		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		err = tx.User.UpdateOne(u).SetName("new").AddPets(pet).Exec(t.Context())
		require.True(t, ent.IsConstraintError(err), "%v", err)
		err = tx.User.Create().SetName("made").AddPets(pet).Exec(t.Context())
		require.True(t, ent.IsConstraintError(err), "%v", err)
		require.NoError(t, tx.Commit())

		require.Equal(t, "new", b.plain.User.GetX(t.Context(), u.ID).Name)
		require.Equal(t, 3, b.plain.User.Query().CountX(t.Context()))
		b.oracle.compare(t)
	})
}

func TestCase65F30SavepointTakesItsEntriesAlong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		exec := func(q string) {
			_, err := tx.ExecContext(t.Context(), q)
			require.NoError(t, err)
		}
		tx.User.Create().SetName("kept").ExecX(t.Context())
		exec("SAVEPOINT one")
		tx.User.Create().SetName("dropped").ExecX(t.Context())
		exec("ROLLBACK TO SAVEPOINT one")
		tx.User.Create().SetName("kept too").ExecX(t.Context())
		require.NoError(t, tx.Commit())
		require.Len(t, b.mutations(t), 2)
		b.oracle.compare(t)
	})
}

func TestCase85DeferredConstraint(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	b.oracle.exec(t, "ALTER TABLE cards ADD CONSTRAINT deferred UNIQUE (number) DEFERRABLE INITIALLY DEFERRED")
	b.client.Card.Create().SetID("a").SetNumber("1").ExecX(t.Context())
	b.client.Card.Create().SetID("b").SetNumber("2").ExecX(t.Context())
	for name, err := range map[string]error{
		"create":     b.client.Card.Create().SetID("c").SetNumber("1").Exec(t.Context()),
		"createbulk": b.client.Card.CreateBulk(b.client.Card.Create().SetID("c").SetNumber("1")).Exec(t.Context()),
		"update":     b.client.Card.Update().SetNumber("1").Exec(t.Context()),
		"updateone":  b.client.Card.UpdateOneID("b").SetNumber("1").Exec(t.Context()),
	} {
		require.True(t, ent.IsConstraintError(err), "%s: %v", name, err)
	}
	require.Len(t, b.entries(t), 2)
	require.Zero(t, b.db.Stats().InUse)
	b.oracle.compare(t)
}

func TestCase44NoSecretInErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.dropAudit(t)
		err := b.client.User.Create().SetName("ann").SetPassword("hunter2").Exec(t.Context())
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
		var target interface{ Unwrap() error }
		require.True(t, errors.As(err, &target))
		require.NotContains(t, fmt.Sprintf("%+v", err), "hunter2")
	})
}

// TestCase76RecordBeforeTheFirstWrite: an entry that waits for the commit is no write yet.
func TestCase76RecordBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.SQLite, entaudit.Config{})
	u := b.plain.User.Create().SetName("a").SaveX(t.Context())
	b.oracle.forget(t)
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	require.NoError(t, tx.Record(t.Context(), entaudit.Entry{Action: "user.look"}))
	got := b.drv.count(func() { tx.User.UpdateOneID(u.ID).SetName("b").ExecX(t.Context()) })
	require.Contains(t, shorten(got), "WHERE 0", "the write lock comes first")
	require.NoError(t, tx.Commit())
	require.Len(t, b.entries(t), 2)
}

// TestW23RecordAfterTheEnd records something with a transaction that has ended, in which
// nothing was recorded before: the caller is told that it is too late.
func TestW23RecordAfterTheEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		begins := map[string]func() (*ent.Tx, error){
			"tx":       func() (*ent.Tx, error) { return b.client.Tx(t.Context()) },
			"begintx":  func() (*ent.Tx, error) { return b.client.BeginTx(t.Context(), nil) },
			"debug":    func() (*ent.Tx, error) { return b.client.Debug().Tx(t.Context()) },
			"audited":  func() (*ent.Tx, error) { return b.plain.Audited(b.rec).Tx(t.Context()) },
			"mutation": func() (*ent.Tx, error) { return ofMutation(t, b) },
		}
		runs := map[string]func(tx *ent.Tx){
			"nothing":   func(*ent.Tx) {},
			"unaudited": func(tx *ent.Tx) { tx.Plain.Create().SetTitle("p").ExecX(t.Context()) },
			"query":     func(tx *ent.Tx) { tx.User.Query().CountX(t.Context()) },
		}
		ends := map[string]func(*ent.Tx) error{"commit": (*ent.Tx).Commit, "rollback": (*ent.Tx).Rollback}
		for begin, open := range begins {
			for run, f := range runs {
				for end, over := range ends {
					tx, err := open()
					require.NoError(t, err)
					f(tx)
					require.NoError(t, over(tx))
					name := begin + " " + run + " " + end
					err = tx.Record(t.Context(), entaudit.Entry{Action: "too.late"})
					require.ErrorIs(t, err, sql.ErrTxDone, name)
					require.ErrorContains(t, err, "too.late", name)
					require.ErrorIs(t, b.rec.Log(entaudit.InTx(t.Context(), tx), "too.late", "user", "1"), sql.ErrTxDone, name)
				}
			}
		}
		require.Empty(t, b.entries(t))
		require.Zero(t, b.db.Stats().InUse)
	})
}

// ofMutation begins a transaction and returns it as its mutations know it.
func ofMutation(t *testing.T, b *bundle) (*ent.Tx, error) {
	t.Helper()
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	return tx.Plain.Create().Mutation().Tx()
}

// TestCase14FailureAfterTheEnd: a mutation of a transaction that has ended fails, and
// there is no end left that could deliver what tells of it.
func TestCase14FailureAfterTheEnd(t *testing.T) {
	t.Parallel()
	cfg, w := failures()
	b := setup(t, dialect.SQLite, cfg)
	for _, before := range []bool{false, true} {
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err)
		if before {
			tx.User.Create().SetName("in").ExecX(t.Context())
		}
		require.NoError(t, tx.Rollback())
		require.ErrorIs(t, tx.User.Create().SetName("late").Exec(t.Context()), sql.ErrTxDone)
		require.Equal(t, entaudit.Failure, w.One(t, audittest.Action("user.create")).Outcome)
		w.Reset()
	}
}

// TestTransactionIsSharedFromItsFirstStatement has the first thing that is recorded in a
// transaction meet others that use it. The race detector looks on.
func TestTransactionIsSharedFromItsFirstStatement(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.SQLite, entaudit.Config{})
	for name, first := range map[string]func(*ent.Tx) error{
		"record": func(tx *ent.Tx) error { return tx.Record(t.Context(), entaudit.Entry{Action: "user.look"}) },
		"create": func(tx *ent.Tx) error { return tx.User.Create().SetName("ann").Exec(t.Context()) },
		"raw": func(tx *ent.Tx) error {
			_, err := tx.ExecContext(t.Context(), "DELETE FROM plains WHERE 0")
			return err
		},
	} {
		tx, err := b.client.Tx(t.Context())
		require.NoError(t, err, name)
		var wg sync.WaitGroup
		var queried, made error
		wg.Go(func() { _, queried = tx.Plain.Query().Count(t.Context()) })
		wg.Go(func() { made = tx.Plain.Create().SetTitle("p").Exec(t.Context()) })
		require.NoError(t, first(tx), name)
		wg.Wait()
		require.NoError(t, errors.Join(queried, made), name)
		require.NoError(t, tx.Commit(), name)
	}
	require.Len(t, b.entries(t), 2)
}

// TestAuditedWithinATransaction switches auditing on in the middle of a transaction.
func TestAuditedWithinATransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		bare := ent.NewClient(ent.Driver(b.drv))
		for name, client := range map[string]func(*ent.Tx) *ent.Client{
			"client": (*ent.Tx).Client,
			"debug":  func(tx *ent.Tx) *ent.Client { return tx.Client().Debug() },
		} {
			for _, commits := range []bool{false, true} {
				tx, err := bare.Tx(t.Context())
				require.NoError(t, err, name)
				tx.Plain.Create().SetTitle("p").ExecX(t.Context())
				client(tx).Audited(b.rec).User.Create().SetName(name).ExecX(t.Context())
				require.Error(t, tx.Record(t.Context(), entaudit.Entry{Action: "a"}), "tx itself has no recorder")
				if commits {
					require.NoError(t, tx.Commit(), name)
				} else {
					require.NoError(t, tx.Rollback(), name)
				}
			}
		}
		require.Len(t, b.entries(t), 2)
		b.oracle.compare(t)
	})
}
