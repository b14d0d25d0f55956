package spool

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/entaudit/audit/entaudit"
)

// Dead keeps dead letters: entries that a writer refuses while it takes others. It is an
// [entaudit.Writer], for the field DeadLetter of a queue, and safe for concurrent use. Its
// folder must not be that of a [Spool].
type Dead struct{ spool *Spool }

// OpenDead opens the dead letters in cfg.Dir, those of processes that are gone included.
func OpenDead(cfg Config) (*Dead, error) {
	s, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	return &Dead{s}, nil
}

// String returns "dead".
func (d *Dead) String() string { return "dead" }

// Write keeps entries; they survive a crash once it has returned nil.
func (d *Dead) Write(ctx context.Context, entries []entaudit.Entry) error {
	return d.spool.Append(ctx, entries)
}

// Len returns how many dead letters there are.
func (d *Dead) Len() int { return d.spool.Len() }

// All returns the dead letters, from the oldest. They stay where they are. None can be
// replayed meanwhile, and Close waits for the end of it, as [Spool.Close] does.
func (d *Dead) All() iter.Seq2[entaudit.Entry, error] {
	return func(yield func(entaudit.Entry, error) bool) {
		s := d.spool
		s.reading.Lock()
		defer s.reading.Unlock()
		for _, p := range s.all() {
			for at := p.seg.acked; at < p.end; {
				entries, ends, _, err := p.seg.read(at, p.end, 100)
				if err != nil {
					yield(entaudit.Entry{}, fmt.Errorf("spool: read: %w", err))
					return
				}
				for _, e := range entries {
					if !yield(e, nil) {
						return
					}
				}
				if len(ends) == 0 {
					break
				}
				at = ends[len(ends)-1]
			}
		}
	}
}

// all returns the segments and where they end.
func (s *Spool) all() []position {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []position
	for _, o := range s.owners {
		for _, seg := range o.segments {
			all = append(all, position{seg, seg.end})
		}
	}
	return all
}

// Replay hands each dead letter to w once and returns how many it took. They are removed;
// those that it refuses stay, behind the others, and their errors are joined. It must not
// run twice at a time.
func (d *Dead) Replay(ctx context.Context, w entaudit.Writer) (replayed int, err error) {
	var errs []error
	for range d.Len() {
		entries, err := d.spool.Read(ctx, 1)
		if err != nil || len(entries) == 0 {
			return replayed, errors.Join(append(errs, err)...)
		}
		if err := w.Write(ctx, entries); err == nil {
			replayed++
		} else {
			errs = append(errs, fmt.Errorf("spool: replay entry %s: %w", entries[0].ID, err))
			if ctx.Err() != nil {
				return replayed, errors.Join(errs...)
			}
			if err := d.spool.Append(ctx, entries); err != nil {
				return replayed, errors.Join(append(errs, err)...)
			}
		}
		if err := d.spool.Ack(1); err != nil {
			return replayed, errors.Join(append(errs, err)...)
		}
	}
	return replayed, errors.Join(errs...)
}

// Close lets go of the files. See [Spool.Close].
func (d *Dead) Close(ctx context.Context) error { return d.spool.Close(ctx) }
