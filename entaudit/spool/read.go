package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

// Read returns the oldest entries, at most n, out of one file.
func (s *Spool) Read(_ context.Context, n int) ([]entaudit.Entry, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.unacked = s.unacked[:0]
	if s.isClosed() {
		return nil, fmt.Errorf("spool: read: %w", queue.ErrClosed)
	}
	var errs []error
	if time.Since(s.scanned) >= rescan {
		errs = append(errs, s.rescan())
	}
	for {
		errs = append(errs, s.sweep())
		seg, end, lost := s.front()
		if lost > 0 {
			s.trouble(errs)
			return nil, &queue.LostError{Entries: lost, Err: errors.New("files are damaged")}
		}
		if seg == nil {
			return nil, errors.Join(errs...)
		}
		entries, ends, err := s.readFrom(seg, end, n)
		if err != nil {
			return nil, fmt.Errorf("spool: read: %w", errors.Join(append(errs, err)...))
		}
		if len(entries) == 0 {
			continue
		}
		for _, end := range ends {
			s.unacked = append(s.unacked, position{seg, end})
		}
		s.trouble(errs)
		return entries, nil
	}
}

// trouble logs what is no reason to withhold entries.
func (s *Spool) trouble(errs []error) {
	if err := errors.Join(errs...); err != nil {
		s.log.Warn("spool: what is done with, or what others left, cannot be dealt with", "error", err)
	}
}

// readFrom returns the first entries of a segment. Where there are none, it is past all of
// them.
func (s *Spool) readFrom(seg *segment, end int64, n int) ([]entaudit.Entry, []int64, error) {
	if entries, ends := s.recent(seg, n); len(entries) > 0 {
		return entries, ends, nil
	}
	entries, ends, damaged, err := seg.read(seg.acked, end, n)
	switch {
	case err == nil:
		delete(s.unreadable, seg.name)
	case s.hopeless(seg.name):
		slog.Error("spool: a file cannot be read and is set apart", "file", seg.name, "error", err)
		damaged = true
	default:
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.damaged = seg.damaged || damaged
	if len(entries) == 0 {
		s.remembered -= seg.ack(end) // and no further: the committer may be appending
	}
	return entries, ends, nil
}

func (s *Spool) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// front returns the segment that is next, and where it ends, and how many entries are to be
// told of as lost. They count until it is called again, so that whoever counts them
// elsewhere has done so by then.
func (s *Spool) front() (seg *segment, end int64, lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.Add(int64(-s.told))
	lost, s.told, s.lost = s.lost, s.lost, 0
	if seg = s.first(); seg != nil {
		end = seg.end
	}
	return seg, end, lost
}

// first returns the segment with the oldest entries. It is called with mu held.
func (s *Spool) first() *segment {
	for _, o := range s.owners {
		for _, seg := range o.segments {
			if seg.acked < seg.end {
				return seg
			}
		}
	}
	return nil
}

// recent returns the first entries of a segment, as far as they are in memory.
func (s *Spool) recent(seg *segment, n int) ([]entaudit.Entry, []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = min(n, len(seg.recent))
	return seg.recent[:n:n], seg.recentEnds[:n:n]
}

// Ack removes the oldest n entries, which Read has returned.
func (s *Spool) Ack(n int) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	if n == 0 {
		return nil
	}
	if n > len(s.unacked) {
		return fmt.Errorf("spool: acknowledge: %d entries of %d that were read", n, len(s.unacked))
	}
	p := s.unacked[n-1]
	s.unacked = s.unacked[n:]
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return fmt.Errorf("spool: acknowledge: %w", queue.ErrClosed)
	}
	s.remembered -= p.seg.ack(p.end)
	p.seg.left -= n
	s.count.Add(int64(-n))
	s.mu.Unlock()
	_, err := p.seg.file.WriteAt(header(p.end), 0)
	if err := errors.Join(err, s.sweep()); err != nil {
		return fmt.Errorf("spool: acknowledge: %w", err)
	}
	return nil
}

// sweep counts what is missing at the end of segments, and deletes those that are done with
// and folders of others that are empty. A file
// that comes back after a power failure is delivered again.
func (s *Spool) sweep() error {
	var done []*segment
	var empty []*owner
	s.mu.Lock()
	for _, o := range s.owners {
		o.segments = slices.DeleteFunc(o.segments, func(seg *segment) bool {
			if seg.acked < seg.end {
				return false
			}
			s.lost += seg.left // they were not found
			s.stats.Damaged += seg.left
			seg.left = 0
			if !seg.sealed {
				return false
			}
			s.bytes -= seg.size()
			done = append(done, seg)
			return true
		})
	}
	last := len(s.owners) - 1
	if s.closed {
		last++
	}
	for _, o := range s.owners[:last] {
		if len(o.segments) == 0 {
			empty = append(empty, o)
		}
	}
	s.owners = slices.DeleteFunc(s.owners, func(o *owner) bool { return slices.Contains(empty, o) })
	s.mu.Unlock()
	var errs []error
	for _, seg := range done {
		errs = append(errs, discard(s.fs, seg))
	}
	for _, o := range empty {
		errs = append(errs, o.remove(s.fs))
	}
	return errors.Join(errs...)
}
