package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// ErrConflict says that an entry's id is stored with other content. Ids are
// unique by making, so that this is a sign of tampering or of a broken clone of
// the process, and trying again does not help.
var ErrConflict = errors.New("stored already with other content")

// maxReconcile is how often entries are compared anew when others insert the
// same ones meanwhile, or a connection is lost again.
const maxReconcile = 5

// reconcile stores those of entries that are not stored yet, after an insert of
// all of them has ended in cause: it has met a stored id, or its outcome is
// unknown. Where the first statement is still being executed, the database makes the
// second wait for it.
func (s *Store) reconcile(ctx context.Context, entries []entaudit.Entry, cause error) error {
	for attempt := 1; ; attempt++ {
		missing, conflict, err := s.compare(ctx, entries)
		if err != nil {
			return fmt.Errorf("%w; %w", cause, err)
		}
		err = s.insert(ctx, missing)
		if doubtful(err) && attempt < maxReconcile {
			cause = err
			continue
		}
		if err != nil {
			return errors.Join(conflict, err)
		}
		return conflict
	}
}

// maxLookups is how often entries are looked up while connections turn out to be
// lost: those of a pool are, all of them, when a server restarts.
const maxLookups = 3

// lookup returns those of entries that are stored.
func (s *Store) lookup(ctx context.Context, entries []entaudit.Entry) ([]entaudit.Entry, error) {
	for attempt := 1; ; attempt++ {
		q := s.newQuery()
		q.in("id", entries)
		stored, err := s.read(ctx, q)
		if err == nil || attempt == maxLookups || ctx.Err() != nil || !unknown(err) {
			return stored, err
		}
	}
}

// compare returns the entries that are not stored, each id once, and an error
// for those that are stored with other content.
func (s *Store) compare(ctx context.Context, entries []entaudit.Entry) (missing []entaudit.Entry, conflict, err error) {
	stored, err := s.lookup(ctx, entries)
	if err != nil {
		return nil, nil, fmt.Errorf("store: compare: %w", err)
	}
	known := make(map[uuid.UUID]*entaudit.Entry, len(entries))
	for i := range stored {
		known[stored[i].ID] = &stored[i]
	}
	var conflicts []error
	for i := range entries {
		e := &entries[i]
		switch k := known[e.ID]; {
		case k == nil:
			missing = append(missing, *e)
			known[e.ID] = e
		case !table.Equal(k, e):
			conflicts = append(conflicts, fmt.Errorf("store: entry %s: %w", e.ID, ErrConflict))
		}
	}
	return missing, errors.Join(conflicts...), nil
}
