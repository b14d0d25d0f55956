package hook

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// flushAt is the number of entries at which a transaction writes them without
// waiting for its commit.
const flushAt = 1000

// ledger gathers the entries of one transaction. It implements txdriver.Pending and
// is safe for concurrent use.
type ledger struct {
	rec     *entaudit.Recorder
	dialect string

	mu      sync.Mutex
	tx      uuid.UUID // the id of the first entry
	seq     int
	entries []entaudit.Entry
	locked  bool             // SQLite: the transaction holds the write lock
	raw     int              // statements of the caller's own that ran
	unsaid  bool             // entries were made before the first of them
	after   []entaudit.Entry // delivered when the transaction has ended, however it does
}

func newLedger(rec *entaudit.Recorder, name string) *ledger {
	return &ledger{rec: rec, dialect: name}
}

// add takes entries over and writes them when there are many.
func (l *ledger) add(ctx context.Context, tx dialect.ExecQuerier, entries ...entaudit.Entry) error {
	l.mu.Lock()
	if l.seq == 0 && len(entries) > 0 {
		l.tx = entries[0].ID
	}
	for i := range entries {
		l.seq++
		if l.raw > 0 {
			entries[i].Marks = withMark(entries[i].Marks, "tx_id", entaudit.MarkRawSQL)
		}
		entries[i].TxID, entries[i].TxSeq = l.tx, l.seq
		l.rec.Finish(&entries[i])
	}
	if l.entries == nil {
		l.entries = entries // the scope keeps nothing of it
	} else {
		l.entries = append(l.entries, entries...)
	}
	full := len(l.entries) >= flushAt
	l.mu.Unlock()
	if full {
		return l.Flush(ctx, tx, false)
	}
	return nil
}

// wrote notes that the transaction has written something, and so holds SQLite's write
// lock.
func (l *ledger) wrote() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.locked = true
}

// takeLock makes a SQLite transaction take the write lock before it reads: one that
// reads first fails at once, whatever the busy timeout, when another writer commits
// in between. The statement changes nothing.
func (l *ledger) takeLock(ctx context.Context, tx dialect.ExecQuerier, from string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locked || l.dialect != dialect.SQLite {
		return nil
	}
	if err := tx.Exec(ctx, "DELETE FROM "+from+" WHERE 0", []any{}, nil); err != nil {
		return err
	}
	l.locked = true
	return nil
}

// Flush implements txdriver.Pending.
func (l *ledger) Flush(ctx context.Context, tx dialect.ExecQuerier, last bool) error {
	cfg := l.rec.Config()
	l.mu.Lock()
	if last && l.unsaid {
		l.unsaid = false
		l.entries = append(l.entries, l.rawEntry(ctx))
	}
	if cfg.AfterCommit {
		l.mu.Unlock()
		return nil
	}
	entries := l.entries
	l.entries = nil
	l.mu.Unlock()
	for part := range table.Chunks(l.dialect, entries) {
		if err := l.insert(ctx, tx, part); err != nil {
			return err
		}
	}
	return nil
}

// insert stores entries. Where the configuration lets a change stand without its
// entry, a failure must leave the transaction usable, which on PostgreSQL takes a
// savepoint; where the database has rolled back all of it, as MySQL does for a deadlock,
// the savepoint is gone, and the change must not be taken for one that stands.
func (l *ledger) insert(ctx context.Context, tx dialect.ExecQuerier, entries []entaudit.Entry) error {
	cfg := l.rec.Config()
	query, args, err := table.Insert(l.dialect, cfg.Table, entries)
	if err != nil {
		return l.rec.Failed(ctx, fmt.Errorf("entaudit: encode entry: %w", err))
	}
	keep := cfg.OnError != nil
	if keep {
		if err := tx.Exec(ctx, "SAVEPOINT entaudit", []any{}, nil); err != nil {
			return fmt.Errorf("entaudit: write entry: %w", err)
		}
	}
	err = tx.Exec(ctx, query, args, nil)
	end := "RELEASE SAVEPOINT entaudit"
	if err != nil {
		end = "ROLLBACK TO SAVEPOINT entaudit"
	}
	if keep {
		if err := tx.Exec(ctx, end, []any{}, nil); err != nil {
			return fmt.Errorf("entaudit: write entry: %w", err)
		}
	}
	if err != nil {
		return l.rec.Failed(ctx, fmt.Errorf("entaudit: write %q to table %s%s: %w", entries[0].Action, cfg.Table, hint(err), err))
	}
	return nil
}

// hint says what to do about a table that is not there.
func hint(err error) string {
	for _, s := range []string{"no such table", "does not exist", "doesn't exist"} {
		if strings.Contains(err.Error(), s) {
			return " (run store.Migrate, or add a schema with mixin.AuditLog to your graph)"
		}
	}
	return ""
}

// Drop implements txdriver.Pending.
func (l *ledger) Drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

// Done implements txdriver.Pending.
func (l *ledger) Done(ctx context.Context, committed bool) {
	l.mu.Lock()
	entries, after := l.entries, l.after
	l.entries, l.after = nil, nil
	l.mu.Unlock()
	if err := l.rec.Deliver(ctx, after...); err != nil {
		slog.ErrorContext(ctx, "entaudit: entries of failed mutations are lost",
			"entries", len(after), "first", after[0].ID, "error", err)
	}
	if !committed || len(entries) == 0 {
		return
	}
	if err := l.rec.Deliver(ctx, entries...); err != nil {
		// The change stands: there is nobody left to tell.
		slog.ErrorContext(ctx, "entaudit: entries of committed changes are lost",
			"entries", len(entries), "first", entries[0].ID, "error", err)
	}
}
