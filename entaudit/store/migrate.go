package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/entaudit/internal/table"
)

//go:embed migrations
var migrations embed.FS

// Migrations returns the migrations of a dialect as numbered SQL files, in the
// form that common migration tools take: 0001_name.up.sql.
func Migrations(dialectName string) (fs.FS, error) { return auditLogs().files(dialectName) }

// OutboxMigrations returns those of the table [OutboxTable].
func OutboxMigrations(dialectName string) (fs.FS, error) { return outbox().files(dialectName) }

// lockKey is the advisory lock of PostgreSQL under which migrations run.
const lockKey = 7_020_310_424_991_773_001

// Migrate creates the table entaudit.DefaultTable and what belongs to it, or
// brings them up to this version, and notes that in the table audit_schema. It is
// idempotent, and safe when several processes call it at once. Where ent's own
// migration created the table, Migrate takes it over.
//
// On MySQL, where no DDL can be rolled back, an error may leave a migration half
// applied; calling Migrate again completes it.
func Migrate(ctx context.Context, drv dialect.Driver) error { return auditLogs().migrate(ctx, drv) }

// OutboxTable is the name of the table that [MigrateOutbox] creates.
const OutboxTable = "audit_outbox"

// MigrateOutbox does what [Migrate] does for the table OutboxTable, in which entries
// wait in the application's database for package entaudit/outbox to move them to
// another one. It has the columns of the audit table and no index but that of the id.
func MigrateOutbox(ctx context.Context, drv dialect.Driver) error { return outbox().migrate(ctx, drv) }

// set is migrations that belong together.
type set struct {
	dir  string // below it, a folder for each dialect
	note string // the table that notes which are applied
}

func auditLogs() set { return set{dir: "migrations", note: "audit_schema"} }

func outbox() set { return set{dir: "migrations/outbox", note: "audit_outbox_schema"} }

// of returns the set of the migrations that create a table.
func of(tableName string) set {
	if tableName == OutboxTable {
		return outbox()
	}
	return auditLogs()
}

func (s set) files(dialectName string) (fs.FS, error) {
	if err := supported(dialectName); err != nil {
		return nil, err
	}
	return fs.Sub(migrations, path.Join(s.dir, dialectName))
}

func (s set) migrate(ctx context.Context, drv dialect.Driver) error {
	if err := supported(drv.Dialect()); err != nil {
		return err
	}
	files, err := s.migrations(drv.Dialect())
	if err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	if drv.Dialect() == dialect.SQLite {
		// Outside of the transaction, which can then begin with a write.
		if err := drv.Exec(ctx, s.ddl(drv.Dialect()), []any{}, nil); err != nil {
			return fmt.Errorf("store: migrate: %w", err)
		}
	}
	tx, err := drv.Tx(ctx)
	if err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	m := migrator{conn: tx, dialect: drv.Dialect(), set: s}
	if err := m.run(ctx, files); err != nil {
		return fmt.Errorf("store: migrate: %w", errors.Join(err, tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}

// migration is one numbered file.
type migration struct {
	version    int
	name       string
	statements []string
}

func (s set) migrations(dialectName string) ([]migration, error) {
	dir := path.Join(s.dir, dialectName)
	names, err := fs.Glob(migrations, dir+"/*.up.sql")
	if err != nil {
		return nil, err
	}
	files := make([]migration, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(path.Base(name), ".up.sql")
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", base, err)
		}
		files = append(files, migration{version: version, name: base, statements: statements(string(text))})
	}
	return files, nil
}

// statements divides a file where a line ends in a semicolon: not every driver
// takes several statements at once.
func statements(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ";\n") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// ddl creates the table that notes which migrations are applied.
func (s set) ddl(dialectName string) string {
	typ, now := "timestamptz", "statement_timestamp()"
	switch dialectName {
	case dialect.MySQL:
		typ, now = "datetime(6)", "(utc_timestamp(6))"
	case dialect.SQLite:
		typ, now = "datetime", "CURRENT_TIMESTAMP"
	}
	return "CREATE TABLE IF NOT EXISTS " + table.Quote(dialectName, s.note) +
		" (version integer NOT NULL PRIMARY KEY, name varchar(255) NOT NULL, applied_at " + typ + " NOT NULL DEFAULT " + now + ")"
}

// migrator applies migrations on one connection, inside a transaction.
type migrator struct {
	conn    dialect.ExecQuerier
	dialect string
	set     set
}

func (m migrator) run(ctx context.Context, files []migration) (err error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := m.exec(ctx, m.set.ddl(m.dialect)); err != nil {
		return err
	}
	applied, err := m.set.versions(ctx, m.conn, m.dialect)
	if err != nil {
		return err
	}
	for _, f := range files {
		if applied[f.version] {
			continue
		}
		for _, s := range f.statements {
			if err := m.exec(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
		if err := m.exec(ctx, "INSERT INTO "+table.Quote(m.dialect, m.set.note)+
			fmt.Sprintf(" (version, name) VALUES (%d, '%s')", f.version, f.name)); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// lock keeps other processes from migrating until the transaction ends or, on
// MySQL, whose DDL commits, until unlock is called.
func (m migrator) lock(ctx context.Context) (unlock func() error, err error) {
	unlock = func() error { return nil }
	switch m.dialect {
	case dialect.Postgres:
		return unlock, m.exec(ctx, "SELECT pg_advisory_xact_lock("+strconv.Itoa(lockKey)+")")
	case dialect.SQLite:
		return unlock, m.exec(ctx, "DELETE FROM "+table.Quote(m.dialect, m.set.note)+" WHERE version < 0")
	}
	const name = "CONCAT('entaudit.', MD5(DATABASE()))"
	var rows entsql.Rows
	if err := m.conn.Query(ctx, "SELECT GET_LOCK("+name+", 60)", []any{}, &rows); err != nil {
		return nil, err
	}
	got, err := entsql.ScanInt(&rows)
	if err = errors.Join(err, rows.Close()); err != nil {
		return nil, fmt.Errorf("wait for another migration: %w", err)
	}
	if got != 1 {
		return nil, errors.New("wait for another migration: still running after a minute")
	}
	return func() error {
		// Also after ctx is done: the connection goes back to its pool.
		return m.exec(context.WithoutCancel(ctx), "DO RELEASE_LOCK("+name+")")
	}, nil
}

func (m migrator) exec(ctx context.Context, statement string) error {
	return m.conn.Exec(ctx, statement, []any{}, nil)
}

// versions returns which migrations are applied.
func (s set) versions(ctx context.Context, conn dialect.ExecQuerier, dialectName string) (map[int]bool, error) {
	var rows entsql.Rows
	err := conn.Query(ctx, "SELECT version FROM "+table.Quote(dialectName, s.note), []any{}, &rows)
	if err != nil {
		return nil, err
	}
	var list []int
	if err := errors.Join(entsql.ScanSlice(&rows, &list), rows.Close()); err != nil {
		return nil, err
	}
	applied := make(map[int]bool, len(list))
	for _, v := range list {
		applied[v] = true
	}
	return applied, nil
}
