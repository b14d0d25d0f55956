package torture_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/oracle"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/auditlog"
)

// What a random run does, by environment. Without them three fixed seeds are run.
const (
	envSeeds = "ENTAUDIT_TORTURE_SEEDS" // number of seeds, beginning with one of the clock's
	envOps   = "ENTAUDIT_TORTURE_OPS"   // operations per seed
)

// seedFlag repeats the run of one seed.
var seedFlag = flag.Uint64("torture.seed", 0, "seed of the random run to repeat")

// seeds returns the seeds to run and the number of operations of each.
func seeds(t *testing.T) (list []uint64, ops int) {
	t.Helper()
	number := func(env string, otherwise int) int {
		if os.Getenv(env) == "" {
			return otherwise
		}
		n, err := strconv.Atoi(os.Getenv(env))
		require.NoError(t, err, env)
		return n
	}
	ops = 500
	if testing.Short() {
		ops = 100
	}
	ops = number(envOps, ops)
	if *seedFlag != 0 {
		return []uint64{*seedFlag}, ops
	}
	first := uint64(1)
	n := number(envSeeds, 0)
	if n > 0 {
		first = uint64(time.Now().UnixNano())
	}
	for i := range max(n, 3*(1-min(n, 1))) {
		list = append(list, first+uint64(i))
	}
	return list, ops
}

// TestCase67RandomRun performs random operations on all types, in and out of
// transactions that are committed or not. What the database's triggers saw and what the
// entries say must be the same all along; and the entries alone, applied in order to
// empty tables, must give what the tables hold in the end.
func TestCase67RandomRun(t *testing.T) {
	t.Parallel()
	list, ops := seeds(t)
	each(t, func(t *testing.T, b *bundle) {
		for _, seed := range list {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				b.clear(t)
				r := &run{t: t, b: b, rng: rand.New(rand.NewPCG(seed, 0)), types: randomTypes(), c: b.client, count: make(map[string]int)}
				t.Logf("%s, go test -run %s -torture.seed=%d with %s=%d", b.dialect, t.Name(), seed, envOps, ops)
				r.play(t.Context(), ops)
				r.finish(t.Context())
				replay(t, b)
			})
		}
	})
}

// run is a random run.
type run struct {
	t       *testing.T
	b       *bundle
	rng     *rand.Rand
	types   []randomType
	c       *ent.Client // of the transaction, if there is one
	inTx    bool
	doing   []string       // the operation, as far as it is decided
	history []string       // what was done since the last comparison
	count   map[string]int // outcomes by operation
	entries int            // that were compared
	seen    []oracle.Change
}

// fatal fails with what was done since the last comparison.
func (r *run) fatal(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s\nsince the last comparison:\n  %s", fmt.Sprintf(format, args...), strings.Join(r.history, "\n  "))
}

// play performs operations and compares after each transaction and now and then.
func (r *run) play(ctx context.Context, ops int) {
	defer func() {
		if p := recover(); p != nil {
			r.fatal("%v\n%s", p, debug.Stack())
		}
	}()
	since := 0
	for n := 0; n < ops; {
		done := 1
		if r.rng.IntN(8) == 0 {
			done = r.transaction(ctx)
			since = 50
		} else {
			r.alone(ctx)
		}
		n += done
		since += done
		if since >= 50 {
			r.compare()
			since = 0
		}
	}
	r.compare()
}

// compare compares what happened since the last time with what was recorded since then.
func (r *run) compare() {
	r.t.Helper()
	defer func() {
		if r.t.Failed() {
			r.t.Logf("since the last comparison:\n  %s", strings.Join(r.history, "\n  "))
		}
	}()
	happened := r.b.oracle.drain(r.t)
	logs, err := r.b.plain.AuditLog.Query().Order(auditlog.ByID()).Offset(r.entries).Limit(1 << 20).All(context.Background())
	require.NoError(r.t, err)
	entries := make([]entaudit.Entry, len(logs))
	for i, l := range logs {
		entries[i] = toEntry(r.t, l)
	}
	recorded := derive(r.t, entries)
	netted := r.b.oracle.verify(r.t, happened, recorded)
	comparedChanges.Add(int64(len(happened)))
	nettedChanges.Add(int64(netted))
	r.seen = append(r.seen, happened...)
	r.entries += len(entries)
	r.history = nil
}

// finish compares all of the run once more.
func (r *run) finish(context.Context) {
	r.t.Helper()
	entries := r.b.entries(r.t)
	r.b.oracle.verify(r.t, r.seen, derive(r.t, entries))
	requireClaims(r.t, entries)
	require.Zero(r.t, r.b.db.Stats().InUse, "connections in use")
	r.t.Logf("%d row changes, %d entries, %v", len(r.seen), r.entries, r.count)
}

// alone performs one operation outside of a transaction. If it fails, nothing must have
// changed.
func (r *run) alone(ctx context.Context) {
	before := r.last(ctx)
	if err := r.operate(ctx); err != nil && r.last(ctx) != before {
		r.fatal("it failed and changed something: %v", err)
	}
	r.history = append(r.history, strings.Join(r.doing, " "))
}

// TestCase67NothingChanged: a row that an update matches and leaves as it is has not
// changed. MySQL keeps such a one of an operation that fails, as where ent takes a soft
// delete of the same second for one of a row that is missing.
func TestCase67NothingChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		doc := b.client.Doc.Create().SetTitle("a").SaveX(t.Context())
		r := &run{t: t, b: b}
		before := r.last(t.Context())
		b.client.Doc.UpdateOne(doc).SetTitle("a").ExecX(t.Context())
		require.Equal(t, before, r.last(t.Context()))
		b.client.Doc.UpdateOne(doc).SetTitle("b").ExecX(t.Context())
		require.Less(t, before, r.last(t.Context()))
	})
}

// last returns the number of the last row change: triggers see more.
func (r *run) last(ctx context.Context) (seq int64) {
	query := "SELECT coalesce(max(seq), 0) FROM " + oracle.Log + " WHERE old_row IS NULL OR new_row IS NULL OR old_row <> new_row"
	err := r.b.db.QueryRowContext(ctx, query).Scan(&seq)
	require.NoError(r.t, err)
	return seq
}

// transaction performs some operations in one transaction, some of them within a
// savepoint. It returns how many.
func (r *run) transaction(ctx context.Context) (done int) {
	tx, err := r.b.client.Tx(ctx)
	require.NoError(r.t, err)
	r.history = append(r.history, "BEGIN")
	r.c, r.inTx = tx.Client(), true
	exec := func(query string) {
		r.history = append(r.history, query)
		_, err := tx.ExecContext(ctx, query)
		require.NoError(r.t, err)
	}
	defer func() { r.c, r.inTx = r.b.client, false }()
	saved, broken, undone := false, false, false
	for range 1 + r.rng.IntN(8) {
		if !saved && r.rng.IntN(4) == 0 {
			exec("SAVEPOINT s")
			saved = true
		}
		err := r.operate(ctx)
		r.history = append(r.history, strings.Join(r.doing, " "))
		done++
		undone = undone || refused(err)
		// PostgreSQL takes nothing more until what failed is undone.
		broken = err != nil && r.b.dialect == dialect.Postgres
		switch {
		case saved && (broken || r.rng.IntN(4) == 0):
			exec("ROLLBACK TO SAVEPOINT s")
			saved, broken = false, false
		case saved && r.rng.IntN(4) == 0:
			exec("RELEASE SAVEPOINT s")
			saved = false
		}
		if broken {
			break
		}
	}
	end, name := tx.Commit, "COMMIT"
	if broken || r.rng.IntN(3) == 0 {
		end, name = tx.Rollback, "ROLLBACK"
	}
	r.history = append(r.history, name)
	// What was refused after it was written takes the whole transaction along.
	if err := end(); err != nil && (!undone || !strings.Contains(err.Error(), "could not be recorded")) {
		r.fatal("%s: %v", name, err)
	}
	return done
}
