package entaudit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// joiner is a transaction that keeps its entries.
type joiner struct {
	entries []entaudit.Entry
	err     error
}

func (j *joiner) Record(_ context.Context, e entaudit.Entry) error {
	j.entries = append(j.entries, e)
	return j.err
}

func TestRecordJoinsByChoiceW23(t *testing.T) {
	t.Parallel()
	rec, w := setup(t, entaudit.Config{})
	tx := &joiner{err: errors.New("tx is done")}
	ctx := entaudit.InTx(t.Context(), tx)
	require.ErrorIs(t, rec.Log(ctx, "a", "invoice", "1"), tx.err)
	require.ErrorIs(t, rec.Log(entaudit.WithActor(ctx, alice), "b", "invoice", "1"), tx.err)
	require.ErrorIs(t, rec.Log(entaudit.WithRequest(ctx, entaudit.Request{ID: "r"}), "c", "invoice", "1"), tx.err)
	require.Empty(t, w.all())
	require.Len(t, tx.entries, 3)

	require.NoError(t, rec.Log(entaudit.InTx(ctx, nil), "d", "invoice", "1"))
	require.Equal(t, "d", w.one(t).Action)

	var none *joiner // what ent's TxFromContext returns where there is no transaction
	require.NoError(t, rec.Log(entaudit.InTx(ctx, none), "f", "invoice", "1"))
	require.Len(t, tx.entries, 3)

	off, _ := setup(t, entaudit.Config{Off: true})
	require.NoError(t, off.Log(ctx, "e", "invoice", "1"))
	require.Len(t, tx.entries, 3)
}
