// Package store keeps entries in a SQL database: it writes them, reads them back
// and migrates their table. PostgreSQL, MySQL or MariaDB, and SQLite are
// supported.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/sqlgraph"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// Config holds the settings of a [Store]. The zero value is usable.
type Config struct {
	// Table is the name of the audit table, optionally with a schema in front.
	// Empty means entaudit.DefaultTable. [Migrate] creates the default table only.
	Table string
}

// Store is a [entaudit.Writer] and a reader of entries in SQL. It is safe for
// concurrent use. It makes no table: see [Migrate] and [Store.Check].
type Store struct {
	drv     dialect.Driver
	dialect string
	table   string
	pool    *sql.DB     // whose connections know COPY, or nil
	noCopy  atomic.Bool // the table takes none
}

// New returns a Store on drv, which stays the caller's to close. A *sql.DB
// becomes a driver by ent's dialect/sql.OpenDB. The error names the field of c
// that is wrong.
func New(drv dialect.Driver, c Config) (*Store, error) {
	if drv == nil {
		return nil, errors.New("store: driver is nil")
	}
	c.Table = cmp.Or(c.Table, entaudit.DefaultTable)
	if !entaudit.ValidTable(c.Table) {
		return nil, fmt.Errorf("store: Config.Table: %q is not a table name", c.Table)
	}
	if err := supported(drv.Dialect()); err != nil {
		return nil, err
	}
	return &Store{drv: drv, dialect: drv.Dialect(), table: c.Table, pool: pool(drv)}, nil
}

func supported(name string) error {
	if !slices.Contains([]string{dialect.Postgres, dialect.MySQL, dialect.SQLite}, name) {
		return fmt.Errorf("store: dialect %q is not supported", name)
	}
	return nil
}

// String returns "store".
func (s *Store) String() string { return "store" }

// Write stores entries, which must be finished ([entaudit.Recorder.Finish]). An
// entry that is stored already is left as it is: after an error the same entries
// can be written again. One whose id is stored with other content is an error
// that wraps [ErrConflict]; the entries beside it are stored all the same.
//
// Where a connection is lost so that nobody knows what became of a statement, the
// entries are looked up by their ids, and those that are missing are stored, as
// long as ctx allows.
func (s *Store) Write(ctx context.Context, entries []entaudit.Entry) error {
	var conflicts []error
	for part := range table.Chunks(s.dialect, entries) {
		err := s.insert(ctx, part)
		if doubtful(err) {
			err = s.reconcile(ctx, part, err)
		}
		switch {
		case errors.Is(err, ErrConflict):
			conflicts = append(conflicts, err)
		case err != nil:
			return errors.Join(append(conflicts, err)...)
		}
	}
	return errors.Join(conflicts...)
}

// doubtful reports whether some of what ended in err may be stored.
func doubtful(err error) bool {
	return err != nil && (sqlgraph.IsUniqueConstraintError(err) || unknown(err))
}

// insert stores entries that one statement can carry.
func (s *Store) insert(ctx context.Context, entries []entaudit.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := s.copy(ctx, entries); !errors.Is(err, errNoCopy) {
		return err
	}
	query, args, err := table.Insert(s.dialect, s.table, entries)
	if err != nil {
		return fmt.Errorf("store: insert: %w", err)
	}
	if err := s.drv.Exec(ctx, query, args, nil); err != nil {
		return fmt.Errorf("store: insert: %w", err)
	}
	return nil
}
