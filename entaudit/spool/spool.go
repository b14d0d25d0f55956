package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entaudit/audit/entaudit/internal/quiet"
)

// Defaults of [Config].
const (
	DefaultMaxBytes     = 1 << 30
	DefaultSegmentBytes = 4 << 20
)

// Config holds the settings of a [Spool].
type Config struct {
	// Dir is the folder, which is made if there is none, readable by this user alone.
	// Several processes may share it. It must be on a local disk that outlives the process,
	// and nobody else may be able to write to it.
	Dir string
	// MaxBytes is how much the spool of this process takes on disk at most, what it took over
	// from others included. Zero means DefaultMaxBytes.
	MaxBytes int64
	// SegmentBytes is the size of a file. Disk is freed by whole files, and after a power
	// failure as much may be delivered again. In the last file a mebibyte is set aside for what
	// is to come, within both limits. Zero means DefaultSegmentBytes.
	SegmentBytes int64
}

func (c Config) withDefaults() (Config, error) {
	c.MaxBytes = cmp.Or(c.MaxBytes, DefaultMaxBytes)
	c.SegmentBytes = cmp.Or(c.SegmentBytes, min(DefaultSegmentBytes, c.MaxBytes))
	switch {
	case c.Dir == "":
		return c, errors.New("spool: Config.Dir: is empty")
	case c.MaxBytes < 0:
		return c, fmt.Errorf("spool: Config.MaxBytes: %d is negative", c.MaxBytes)
	case c.SegmentBytes < 0 || c.SegmentBytes > c.MaxBytes:
		return c, fmt.Errorf("spool: Config.SegmentBytes: %d is not between 1 and the limit of %d", c.SegmentBytes, c.MaxBytes)
	}
	return c, nil
}

// Validate returns an error that names the field that is wrong, without touching the disk.
func (c Config) Validate() error {
	_, err := c.withDefaults()
	return err
}

// rescan is how often folders of processes that are gone are looked for.
const rescan = time.Minute

// Spool is a [queue.Spool] in files. It has a goroutine, which ends with [Spool.Close].
type Spool struct {
	cfg   Config
	fs    files
	ahead int64 // how much room is set aside at once
	wake  chan struct{}
	stop  chan struct{}
	done  chan struct{} // the files are let go of

	count      atomic.Int64 // entries that are not acknowledged
	reading    sync.Mutex   // held by Read, Ack, Prepend and Close, before mu
	scanned    time.Time
	unacked    []position           // of the entries that Read returned last
	unreadable map[string]time.Time // files, and since when

	mu         sync.Mutex
	owners     []*owner // this process's own is the last
	queued     []*request
	reserved   int64 // bytes of what is queued
	bytes      int64 // of the segments
	remembered int64 // bytes of the records whose entries are kept in memory
	lost       int   // entries of count that are damaged and not told of
	told       int   // entries of count that the last Read told of as lost
	closed     bool
	stats      Stats
	active     *segment   // of the committer
	spare      []*request // of the committer: for what is queued next

	idle     sync.Pool // of requests; not of the package's, as their channels belong to one synctest.Test
	log      quiet.Log
	closing  sync.Once
	closeErr error // once done is closed
}

// position is where an entry ends.
type position struct {
	seg *segment
	end int64
}

// Stats are the numbers of a [Spool].
type Stats struct {
	Entries  int   // that are not acknowledged
	Bytes    int64 // of the files, without what is set aside
	Adopted  int   // processes that were gone and whose entries were taken over
	Torn     int   // bytes that a crash had left of what was never accepted, and that were cut off
	Damaged  int   // entries that had been stored and cannot be read any more, as far as that can be told
	Failures int   // of files to store what was appended; another took their place
}

// Open opens the spool in cfg.Dir and takes over what processes left there that are gone.
// It must be closed; a queue does that.
func Open(cfg Config) (*Spool, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	d, err := openDisk(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("spool: open: %w", err)
	}
	s, err := open(cfg, d, ahead)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("spool: open: %w", err), d.Close())
	}
	return s, nil
}

func open(cfg Config, fsys files, ahead int64) (*Spool, error) {
	s := &Spool{cfg: cfg, fs: fsys, ahead: ahead, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	s.idle.New = newRequest
	s.unreadable = make(map[string]time.Time)
	o, err := own(fsys)
	if err != nil {
		return nil, err
	}
	s.owners = []*owner{o}
	if err := s.rescan(); err != nil {
		slog.Error("spool: what a process left cannot be taken over", "error", err)
	}
	go s.run()
	return s, nil
}

// String returns "spool".
func (s *Spool) String() string { return "spool" }

// Stats returns the numbers of now.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Entries, st.Bytes = int(s.count.Load()), s.bytes
	return st
}

// Len returns how many entries there are that are not acknowledged. One that is lost counts
// until the next Read after the one that said so.
func (s *Spool) Len() int { return int(s.count.Load()) }

// rescan takes over what processes left that are gone.
func (s *Spool) rescan() error {
	s.scanned = time.Now()
	adopted, err := s.adopt()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range adopted {
		for _, seg := range o.segments {
			s.count.Add(int64(seg.left))
			s.bytes += seg.size()
		}
		if len(o.segments) > 0 { // else it has stored nothing, or is a process that begins and makes another folder
			s.stats.Adopted++
		}
	}
	last := len(s.owners) - 1
	s.owners = slices.Concat(s.owners[:last], adopted, s.owners[last:])
	return err
}

// closeGrace is how long Close waits for the disk at least.
const closeGrace = 2 * time.Second

// Close stores what is being appended and lets go of the files. What is left is taken
// over by the next process that opens the spool. It is idempotent. Where the disk does not
// answer, or [Dead.All] has not come to its end, it returns an error once ctx has ended, but
// not in the first two seconds; the files are let go of when that is over, or with the
// process.
func (s *Spool) Close(ctx context.Context) error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		close(s.stop)
	})
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-s.done:
		return s.closeErr
	case <-grace.C:
	}
	select {
	case <-s.done:
		return s.closeErr
	case <-ctx.Done():
		return fmt.Errorf("spool: close: files are in use or the disk does not answer: %w", ctx.Err())
	}
}

// release is the end of the committer.
func (s *Spool) release() error {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.active != nil {
		s.active.giveBack()
	}
	s.mu.Lock()
	if s.active != nil {
		s.active.sealed = true
	}
	s.mu.Unlock()
	errs := []error{s.sweep()}
	for _, o := range s.owners {
		errs = append(errs, o.close())
	}
	if err := errors.Join(append(errs, s.fs.Close())...); err != nil {
		return fmt.Errorf("spool: close: %w", err)
	}
	return nil
}
