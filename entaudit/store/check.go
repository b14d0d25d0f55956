package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// Check reports whether entries can be stored and read: nil, or an error that
// says which table, columns or migration are missing and what to do. Columns that
// this version does not know are accepted, as long as a newer version has added
// them, and they are nullable. It stores an entry in a transaction that it rolls back,
// so that nothing of it stays, and is meant for start-up and health checks.
func (s *Store) Check(ctx context.Context) error {
	if _, err := s.columns(ctx, "SELECT 1"); err != nil {
		return fmt.Errorf("store: check: the database cannot be reached: %w", err)
	}
	all := "SELECT * FROM " + table.Quote(s.dialect, s.table) + " WHERE 1 = 0"
	have, err := s.columns(ctx, all)
	if err != nil {
		// A statement prepared before columns were added fails once on PostgreSQL.
		have, err = s.columns(ctx, all)
	}
	if err != nil {
		return fmt.Errorf("store: check: table %s cannot be read: %w; %s", s.table, err, s.advice())
	}
	var missing []string
	for _, c := range table.Columns() {
		if !slices.Contains(have, c) {
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("store: check: table %s has no column %s; %s", s.table, strings.Join(missing, ", "), s.advice())
	}
	if err := s.checkMigrations(ctx); err != nil {
		return err
	}
	if err := s.tryWrite(ctx); err != nil {
		return fmt.Errorf("store: check: table %s cannot be written: %w", s.table, err)
	}
	return nil
}

// tryWrite stores an entry and rolls that back, so that rights, constraints and
// columns are found out that no reading shows.
func (s *Store) tryWrite(ctx context.Context) (err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	query, args, err := table.Insert(s.dialect, s.table, []entaudit.Entry{{
		ID: id, SchemaVersion: entaudit.SchemaVersion, Kind: entaudit.KindSystem, Action: "audit.check",
		Operation: entaudit.OpSkip, Outcome: entaudit.Unknown, OccurredAt: time.Now(),
	}})
	if err != nil {
		return err
	}
	tx, err := s.drv.Tx(ctx)
	if err != nil {
		return err
	}
	return errors.Join(tx.Exec(ctx, query, args, nil), tx.Rollback())
}

// checkMigrations looks for migrations that are not applied, in databases that
// [Migrate] looks after.
func (s *Store) checkMigrations(ctx context.Context) error {
	from := of(s.table)
	applied, err := from.versions(ctx, s.drv, s.dialect)
	if err != nil || len(applied) == 0 {
		// Another migration tool, or ent, looks after the table, whose columns are
		// all there.
		return ctx.Err()
	}
	files, err := from.migrations(s.dialect)
	if err != nil {
		return fmt.Errorf("store: check: %w", err)
	}
	for _, f := range files {
		if !applied[f.version] {
			return fmt.Errorf("store: check: migration %s is not applied; %s", f.name, s.advice())
		}
	}
	return nil
}

func (s *Store) advice() string {
	call := "store.Migrate"
	if s.table == OutboxTable {
		call = "store.MigrateOutbox"
	}
	return "call " + call + " or apply the files of store/" + of(s.table).dir + "/" + s.dialect +
		" (where the table is part of an ent graph: run its migration)"
}

// columns returns the names of the columns that a query has.
func (s *Store) columns(ctx context.Context, text string) (names []string, err error) {
	var rows entsql.Rows
	if err := s.drv.Query(ctx, text, []any{}, &rows); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err = rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		// The rows themselves do not matter; an error may come with the first.
		continue
	}
	return names, rows.Err()
}
