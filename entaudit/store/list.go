package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// ErrNotFound says that no entry has the id asked for.
var ErrNotFound = errors.New("entry not found")

// List returns the entries that f selects, a page at a time, newest first unless
// f says otherwise. Pages follow each other by id: entries written meanwhile
// neither shift nor repeat others. An entry that commits late, after a page that
// its id belongs to, is not on a later page.
func (s *Store) List(ctx context.Context, f Filter) (Page, error) {
	if err := f.validate(); err != nil {
		return Page{}, fmt.Errorf("store: list: %w", err)
	}
	q := s.newQuery()
	f.apply(q)
	operator, order := "<", " DESC"
	if f.Oldest {
		operator, order = ">", ""
	}
	if f.Cursor != "" {
		id, err := f.after()
		if err != nil {
			return Page{}, fmt.Errorf("store: list: Filter.Cursor: %w", err)
		}
		q.id(operator, id)
	}
	limit := f.limit()
	q.text.WriteString(" ORDER BY " + table.Quote(s.dialect, "id") + order + " LIMIT " + strconv.Itoa(limit+1))
	entries, err := s.read(ctx, q)
	if err != nil {
		return Page{}, fmt.Errorf("store: list: %w", err)
	}
	if len(entries) <= limit {
		return Page{Entries: entries}, nil
	}
	return Page{Entries: entries[:limit], Next: f.cursor(entries[limit-1].ID)}, nil
}

// Get returns one entry, or an error that wraps [ErrNotFound].
func (s *Store) Get(ctx context.Context, id uuid.UUID) (entaudit.Entry, error) {
	q := s.newQuery()
	q.id("=", id)
	entries, err := s.read(ctx, q)
	if err != nil {
		return entaudit.Entry{}, fmt.Errorf("store: get: %w", err)
	}
	if len(entries) == 0 {
		return entaudit.Entry{}, fmt.Errorf("store: get %s: %w", id, ErrNotFound)
	}
	return entries[0], nil
}
