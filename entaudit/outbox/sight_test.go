package outbox_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/outbox"
)

// frozen is a database that answers no query any more, once it is told to.
type frozen struct {
	dialect.Driver

	now atomic.Bool
}

func (f *frozen) Query(ctx context.Context, query string, args, v any) error {
	if f.now.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.Driver.Query(ctx, query, args, v)
}

// TestWhoAsksForNumbersDoesNotWaitF05 has a writer that hangs, and then a database.
func TestWhoAsksForNumbersDoesNotWaitF05(t *testing.T) {
	t.Parallel()
	app := setup(t, dialect.SQLite)
	app.write(t, audittest.Sample(t, 2))
	db := &frozen{Driver: app.drv}
	app.drv = db
	hang := entaudit.WriterFunc(func(ctx context.Context, _ []entaudit.Entry) error { <-ctx.Done(); return ctx.Err() })
	r := app.relay(t, hang, outbox.Config{Late: time.Nanosecond, Timeout: time.Second})
	pending := func(n int) {
		t.Helper()
		require.Eventually(t, func() bool { return r.Recent().Pending == n }, patience, time.Millisecond)
	}
	pending(2)
	app.write(t, audittest.Sample(t, 3))
	pending(5)

	db.now.Store(true)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, r.Health(gone), "outbox: 5 entries wait")
	require.Equal(t, 5, r.Recent().Pending)
	require.Eventually(t, func() bool { return r.Recent().Pending == 0 }, patience, time.Millisecond)
	require.ErrorContains(t, r.Health(gone), "outbox: count entries: ", "nobody knows any more")
}

func TestNumbersForExpvar(t *testing.T) {
	t.Parallel()
	app := setup(t, dialect.SQLite)
	poison := app.write(t, audittest.Sample(t, 1))
	app.write(t, audittest.Sample(t, 3))
	to := expect(3)
	to.refuse = without(poison)
	r := app.relay(t, to, outbox.Config{})
	to.wait(t)
	var got map[string]any
	require.Eventually(t, func() bool {
		data, err := json.Marshal(r.Var())
		return err == nil && json.Unmarshal(data, &got) == nil && got["relayed"] == 3. && got["pending"] == 1.
	}, patience, time.Millisecond)
	require.Positive(t, got["oldest_age_seconds"])
	require.Positive(t, got["refused"])
	require.Equal(t, "errors.errorString", got["last_error"], "no text")
	require.Contains(t, got, "dead_lettered")
	require.Contains(t, got, "retried")
}
