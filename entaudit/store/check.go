package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/entaudit/internal/table"
)

// Check reports whether entries can be stored and read: nil, or an error that
// says which table, columns or migration are missing and what to do. Columns that
// this version does not know are accepted, as long as a newer version has added
// them, and they are nullable. It changes nothing and is meant for start-up and
// health checks.
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
	return s.checkMigrations(ctx)
}

// checkMigrations looks for migrations that are not applied, in databases that
// [Migrate] looks after.
func (s *Store) checkMigrations(ctx context.Context) error {
	applied, err := versions(ctx, s.drv, s.dialect)
	if err != nil || len(applied) == 0 {
		// Another migration tool, or ent, looks after the table, whose columns are
		// all there.
		return ctx.Err()
	}
	files, err := migrationFiles(s.dialect)
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
	return "call store.Migrate or apply the files of store/migrations/" + s.dialect +
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
