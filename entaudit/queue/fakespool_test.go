package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

// fakeSpool is a Spool in memory that does what its fields say.
type fakeSpool struct {
	mu       sync.Mutex
	entries  []entaudit.Entry
	capacity int // zero for no limit
	err      error
	readErr  error // once
	orphans  []entaudit.Entry
	perFile  int // zero for no limit
	closed   int
}

func (s *fakeSpool) Append(ctx context.Context, entries []entaudit.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case s.capacity > 0 && len(s.entries)+len(entries) > s.capacity:
		return fmt.Errorf("%w in the spool", queue.ErrFull)
	}
	s.entries = append(s.entries, entries...)
	return ctx.Err()
}

func (s *fakeSpool) Prepend(_ context.Context, entries []entaudit.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.entries = slices.Concat(entries, s.entries)
	return nil
}

func (s *fakeSpool) Read(_ context.Context, n int) ([]entaudit.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readErr; err != nil {
		s.readErr = nil
		return nil, err
	}
	s.entries, s.orphans = append(s.entries, s.orphans...), nil
	if s.perFile > 0 {
		n = min(n, s.perFile)
	}
	return slices.Clone(s.entries[:min(n, len(s.entries))]), nil
}

// found has the spool hold more the next time that it is read.
func (s *fakeSpool) found(entries []entaudit.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orphans = entries
}

// lose has the next Read tell that the oldest n entries are gone.
func (s *fakeSpool) lose(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries, s.readErr = s.entries[n:], &queue.LostError{Entries: n, Err: errors.New("damaged")}
}

func (s *fakeSpool) Ack(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = s.entries[n:]
	return nil
}

func (s *fakeSpool) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

func (s *fakeSpool) Close(context.Context) error { s.closed++; return nil }

// will sets what Append returns from now on.
func (s *fakeSpool) will(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *fakeSpool) actions() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		all = append(all, e.Action)
	}
	return all
}
