package torture_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
)

// queued returns a queue in front of a store that has taken an entry already, and what
// executes SQL past them.
func queued(t *testing.T, dialectName string, cfg queue.Config) (*queue.Queue, func(query string)) {
	t.Helper()
	db := testdb.Open(t, dialectName)
	db.SetMaxOpenConns(1) // settings of SQLite are those of a connection
	drv := entsql.OpenDB(dialectName, db)
	require.NoError(t, store.Migrate(t.Context(), drv))
	s, err := store.New(drv, store.Config{})
	require.NoError(t, err)
	cfg.Delay, cfg.Backoff, cfg.MaxBackoff = time.Millisecond, time.Millisecond, 5*time.Millisecond
	q, err := queue.New(s, cfg)
	require.NoError(t, err)
	require.NoError(t, q.Write(t.Context(), audittest.Sample(t, 1)))
	require.Eventually(t, func() bool { return q.Stats().Stored == 1 }, time.Minute, time.Millisecond)
	return q, func(query string) {
		_, err := db.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
}

// requireAll closes the queue and requires that nothing was given up.
func requireAll(t *testing.T, q *queue.Queue, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return q.Stats().Depth == 0 }, time.Minute, time.Millisecond)
	require.NoError(t, q.Close(t.Context()))
	s := q.Stats()
	require.Equal(t, []uint64{uint64(n), 0, 0}, []uint64{s.Stored, s.Dropped, s.DeadLettered})
}

// TestF08QueueAndAFullDatabase has a database that takes no new row and still says of those
// that it has that they are stored.
func TestF08QueueAndAFullDatabase(t *testing.T) {
	t.Parallel()
	q, exec := queued(t, dialect.SQLite, queue.Config{})
	exec("PRAGMA max_page_count = 1") // as many as there are
	const batches, each = 10, 20
	for range batches {
		entries := audittest.Sample(t, each)
		for i := range entries {
			entries[i].Request.UserAgent = strings.Repeat("x", 500)
		}
		require.NoError(t, q.Write(t.Context(), entries))
	}
	require.Eventually(t, func() bool { return q.Stats().Retried > 20 }, time.Minute, time.Millisecond)
	require.Contains(t, entaudit.ErrorCode(q.Stats().LastError), "sqlite 13")
	exec("PRAGMA max_page_count = 1000000")
	requireAll(t, q, 1+batches*each)
}

// TestF06CommitTakesTooLong has a database that needs longer to commit a row than a write
// may take.
func TestF06CommitTakesTooLong(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			q, exec := queued(t, dialect.Postgres, queue.Config{Timeout: 200 * time.Millisecond})
			exec(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(10); RETURN NULL; END';
				CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON audit_logs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()`)
			require.NoError(t, q.Write(t.Context(), audittest.Sample(t, n)))
			require.Eventually(t, func() bool { return q.Stats().Retried > 8 }, time.Minute, time.Millisecond)
			exec("DROP TRIGGER slow ON audit_logs")
			requireAll(t, q, 1+n)
		})
	}
}
