package spool

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

// request is one call of Append.
type request struct {
	encoded
	done chan error
}

// reserve is how many bytes r takes at most: it may be the first in a file.
func (r *request) reserve() int64 { return int64(headerSize + 2*batchSize + len(r.records)) }

func newRequest() any { return &request{done: make(chan error, 1)} }

// maxKept is how long the records of a request may be that another call has after this one.
const maxKept = 64 << 10

// free lets another call have r, which is not queued and has been answered.
func (s *Spool) free(r *request) {
	clear(r.entries)
	if cap(r.records) <= maxKept {
		s.idle.Put(r)
	}
}

// Append stores entries behind all others. It returns once they are synced, or when ctx
// ends; it is then unknown whether they are stored, unless the error wraps
// [queue.ErrFull] or they had not been begun.
func (s *Spool) Append(ctx context.Context, entries []entaudit.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("spool: append: %w", err)
	}
	r := s.idle.Get().(*request)
	err := r.encode(entries)
	if err == nil {
		err = s.enqueue(r)
	}
	if err != nil {
		s.free(r)
		return err
	}
	select {
	case err := <-r.done:
		s.free(r)
		return err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.queued, r); i >= 0 {
		s.queued = slices.Delete(s.queued, i, i+1)
		s.reserved -= r.reserve()
		return fmt.Errorf("spool: append: %w", ctx.Err())
	}
	return fmt.Errorf("spool: append: unknown whether it is stored: %w", ctx.Err())
}

func (s *Spool) enqueue(r *request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := r.reserve()
	switch {
	case s.closed:
		return fmt.Errorf("spool: append: %w", queue.ErrClosed)
	case s.bytes+s.reserved+n > s.cfg.MaxBytes:
		return fmt.Errorf("spool: %w: %d bytes of %d are taken", queue.ErrFull, s.bytes+s.reserved, s.cfg.MaxBytes)
	}
	s.queued = append(s.queued, r)
	s.reserved += n
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// run is the goroutine that writes: what came while it synced is written together. It ends
// with letting go of the files.
func (s *Spool) run() {
	defer close(s.done)
	var buf []byte
	for {
		select {
		case <-s.wake:
			buf = s.commit(buf[:0])
		case <-s.stop:
			s.commit(buf[:0])
			s.closeErr = s.release()
			return
		}
	}
}

// commit stores what is queued, and tells those who wait for it.
func (s *Spool) commit(buf []byte) []byte {
	s.mu.Lock()
	requests := s.queued
	s.queued, s.spare = s.spare[:0], nil
	s.mu.Unlock()
	if len(requests) == 0 {
		return buf
	}
	buf = append(buf, make([]byte, batchSize)...)
	reserved := int64(0)
	for _, r := range requests {
		buf = append(buf, r.records...)
		reserved += r.reserve()
	}
	requests[0].lengths[0] += batchSize
	err := s.store(buf, requests)
	if err != nil {
		err = fmt.Errorf("spool: append: %w", err)
	}
	s.mu.Lock()
	s.reserved -= reserved
	s.mu.Unlock()
	for _, r := range requests {
		r.done <- err // it may be another's from here on
	}
	clear(requests)
	s.spare = requests
	return buf
}

// store appends a batch to the file, or to a new one where that fails.
func (s *Spool) store(batch []byte, requests []*request) error {
	var errs []error
	for range 2 {
		seg, err := s.tail(int64(len(batch)))
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err = s.write(seg, batch, s.ahead); err == nil {
			s.stored(seg, requests)
			seg.vouch()
			if len(errs) > 0 {
				s.log.Warn("spool: a file failed and another took its place", "error", errors.Join(errs...))
			}
			return nil
		}
		errs = append(errs, err, s.giveUp(seg))
	}
	return errors.Join(errs...)
}

// stored counts what has been appended.
func (s *Spool) stored(seg *segment, requests []*request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range requests {
		s.remembered += seg.remember(r.entries, r.lengths, seg.end, maxRecent-s.remembered)
		for _, n := range r.lengths {
			seg.end += int64(n)
			s.bytes += int64(n)
		}
		seg.left += len(r.entries)
		s.count.Add(int64(len(r.entries)))
	}
}

// write puts a batch, whose first bytes are still to be filled in, at the end of the file and
// has it stored. Where there is no room set aside, as much as is said is then.
func (s *Spool) write(seg *segment, batch []byte, ahead int64) error {
	putBatch(batch, seg.end)
	if _, err := seg.file.WriteAt(batch, seg.end); err != nil {
		return err
	}
	if end := seg.end + int64(len(batch)); end > seg.aside {
		if err := s.setAside(seg, end, ahead); err != nil {
			return err
		}
	}
	if err := seg.file.Sync(); err != nil {
		return err
	}
	if !seg.fresh {
		return nil
	}
	if err := s.fs.SyncDir(path.Dir(seg.name)); err != nil {
		return err
	}
	seg.fresh = false
	return nil
}

// tail returns the segment that n bytes are appended to.
func (s *Spool) tail(n int64) (*segment, error) {
	if seg := s.active; seg != nil {
		s.mu.Lock()
		fits := !seg.damaged && (seg.size()+n <= s.cfg.SegmentBytes || seg.end == int64(headerSize))
		s.mu.Unlock()
		if fits {
			return seg, nil
		}
		s.seal(seg)
	}
	s.mu.Lock()
	o := s.owners[len(s.owners)-1]
	number := o.high
	o.high++
	s.mu.Unlock()
	seg, err := s.create(o, number)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o.segments = append(o.segments, seg)
	s.bytes += seg.size()
	s.active = seg
	return seg, nil
}

// create makes a file.
func (s *Spool) create(o *owner, number uint64) (*segment, error) {
	name := path.Join(o.dir, fileName(number))
	f, err := s.fs.Create(name)
	if err != nil {
		return nil, err
	}
	start := int64(headerSize)
	if _, err := f.WriteAt(header(start), 0); err != nil {
		return nil, errors.Join(err, f.Close(), s.fs.Remove(name))
	}
	return &segment{name: name, file: f, acked: start, end: start, fresh: true}, nil
}

// seal ends a file. Its entries make room in memory for others, unless they are next.
func (s *Spool) seal(seg *segment) {
	seg.giveBack()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(seg)
}

// leave has nothing be appended to a file any more. It is called with mu held.
func (s *Spool) leave(seg *segment) {
	seg.sealed = true
	s.active = nil
	if s.first() != seg {
		s.remembered -= seg.forget()
	}
}

// giveUp ends a file whose write or sync has failed, and takes back what may have reached
// it. After an error what was not acknowledged may come out of it after all.
func (s *Spool) giveUp(seg *segment) error {
	err := seg.file.Truncate(seg.end)
	if seg.end > int64(headerSize) {
		seg.vouch()
	}
	err = errors.Join(err, seg.file.Sync())
	s.mu.Lock()
	s.stats.Failures++
	empty := seg.end == int64(headerSize)
	if empty { // a disk that is full must not fill up with these
		o := s.owners[len(s.owners)-1]
		o.segments = slices.DeleteFunc(o.segments, func(other *segment) bool { return other == seg })
		s.bytes -= seg.size()
	}
	s.leave(seg)
	s.mu.Unlock()
	if empty {
		err = errors.Join(seg.file.Close(), s.fs.Remove(seg.name))
	}
	if err != nil {
		return fmt.Errorf("unknown whether it is stored: %w", err)
	}
	return nil
}

// Prepend stores entries in front of all others of this process, whatever the limit, all
// or none. When ctx ends it is unknown whether they are stored, as with [Spool.Append].
func (s *Spool) Prepend(ctx context.Context, entries []entaudit.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("spool: prepend: %w", err)
	}
	var c encoded
	if err := c.encode(entries); err != nil {
		return err
	}
	stored := make(chan error, 1)
	go func() { stored <- s.prepend(c.records, c.lengths) }() // the release of the files waits for it
	select {
	case err := <-stored:
		return err
	case <-ctx.Done():
		return fmt.Errorf("spool: prepend: unknown whether it is stored: %w", ctx.Err())
	}
}

func (s *Spool) prepend(records []byte, lengths []int) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.unacked = s.unacked[:0]
	segments, err := s.putInFront(records, lengths)
	if err != nil {
		return fmt.Errorf("spool: prepend: %w", errors.Join(err, s.takeBack(segments)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range segments {
		s.bytes += seg.size()
		s.count.Add(int64(seg.left))
	}
	o := s.owners[len(s.owners)-1]
	o.segments = slices.Concat(segments, o.segments)
	return nil
}

// putInFront writes records to files, the last first, so that none is missing in between
// where it comes to a sudden end. It returns those that it made with an error too.
func (s *Spool) putInFront(records []byte, lengths []int) (segments []*segment, err error) {
	for len(lengths) > 0 {
		n, size := len(lengths), 0
		for n > 0 && int64(size) < s.cfg.SegmentBytes {
			n--
			size += lengths[n]
		}
		seg, err := s.createInFront()
		if err != nil {
			return segments, err
		}
		segments = slices.Insert(segments, 0, seg)
		batch := append(make([]byte, batchSize, batchSize+size), records[len(records)-size:]...)
		if err := s.write(seg, batch, 0); err != nil {
			return segments, err
		}
		seg.sealed, seg.end, seg.left = true, seg.end+int64(len(batch)), len(lengths)-n
		seg.vouch()
		records, lengths = records[:len(records)-size], lengths[:n]
	}
	return segments, nil
}

// createInFront makes a file in front of all others.
func (s *Spool) createInFront() (*segment, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, queue.ErrClosed
	}
	o := s.owners[len(s.owners)-1]
	o.low--
	number := o.low
	s.mu.Unlock()
	return s.create(o, number)
}

// takeBack removes files that have been put in front.
func (s *Spool) takeBack(segments []*segment) error {
	var errs []error
	for _, seg := range segments {
		errs = append(errs, seg.file.Close(), s.fs.Remove(seg.name), s.fs.SyncDir(path.Dir(seg.name)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("unknown whether it is stored: %w", err)
	}
	return nil
}
