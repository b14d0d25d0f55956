package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	ownerPrefix = "process-"
	lockName    = "lock"
	suffix      = ".seg"
	damagedDir  = "damaged"
	firstNumber = 1 << 32 // of a process's segments; those that are put in front have lower ones
)

// owner is the folder of one process: of this one, or of one that is gone.
type owner struct {
	dir       string
	lock      io.Closer
	segments  []*segment
	low, high uint64 // numbers of the first and of the next segment
}

// own makes a folder for this process.
func own(fsys files) (*owner, error) {
	for try := 0; ; try++ {
		o := &owner{dir: ownerPrefix + uuid.Must(uuid.NewV7()).String(), low: firstNumber, high: firstNumber}
		if err := fsys.Mkdir(o.dir); err != nil {
			return nil, err
		}
		var err error
		if o.lock, err = fsys.Lock(path.Join(o.dir, lockName)); err == nil {
			if err := fsys.SyncDir("."); err != nil {
				return nil, errors.Join(err, o.lock.Close())
			}
			return o, nil
		}
		// Another process took it for one that is gone, before it was locked.
		if try == 10 || !errors.Is(err, errLocked) && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}

// adopt takes over the folders of processes that are gone. Those that it cannot read it
// leaves alone, and returns why.
func (s *Spool) adopt() ([]*owner, error) {
	dirs, err := s.fs.List(".")
	if err != nil {
		return nil, err
	}
	var adopted []*owner
	var errs []error
	for _, d := range dirs {
		if !d.IsDir() || !strings.HasPrefix(d.Name(), ownerPrefix) || s.has(d.Name()) {
			continue
		}
		lock, err := s.fs.Lock(path.Join(d.Name(), lockName))
		if err != nil {
			if !errors.Is(err, errLocked) && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
			continue
		}
		o := &owner{dir: d.Name(), lock: lock}
		if err := s.load(o); err != nil {
			errs = append(errs, err, o.close())
			continue
		}
		adopted = append(adopted, o)
	}
	return adopted, errors.Join(errs...)
}

// has reports whether this process has that folder already.
func (s *Spool) has(dir string) bool {
	for _, o := range s.owners {
		if o.dir == dir {
			return true
		}
	}
	return false
}

// load opens the segments of a folder that another process left, all or none: those behind
// one that cannot be read wait for it, for a while.
func (s *Spool) load(o *owner) error {
	names, err := s.fs.List(o.dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n fs.DirEntry) bool {
		return !strings.HasSuffix(n.Name(), suffix) || !n.Type().IsRegular()
	})
	var hopeless []string
	var errs []error
	lost := 0
	for i, n := range names {
		name := path.Join(o.dir, n.Name())
		seg, damaged, err := s.recover(name, newest(names, i))
		switch {
		case err == nil:
			o.segments = append(o.segments, seg)
			lost += damaged
		case s.hopeless(name):
			hopeless = append(hopeless, name)
		default:
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, name := range hopeless {
		if err := setApart(s.fs, name); err != nil {
			return err
		}
		slog.Error("spool: a file cannot be read and is set apart", "file", name)
		s.lose(1) // nobody knows how many it holds
	}
	if lost > 0 {
		slog.Error("spool: entries are damaged", "folder", o.dir, "entries", lost)
		s.lose(lost)
	}
	return nil
}

// lose counts entries that are not there any more, and will be told of.
func (s *Spool) lose(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Damaged += n
	s.count.Add(int64(n))
	s.lost += n
}

// recover opens a file that another process left, and tells how many entries in it are
// damaged.
func (s *Spool) recover(name string, newest bool) (*segment, int, error) {
	f, err := s.fs.Open(name)
	if err != nil {
		return nil, 0, err
	}
	seg, r, err := recoverSegment(name, f, newest)
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	delete(s.unreadable, name)
	if r.torn > 0 {
		slog.Warn("spool: what was not stored completely is cut off", "file", name, "bytes", r.torn)
		s.mu.Lock()
		s.stats.Torn += r.torn // here, since it is not there the next time
		s.mu.Unlock()
	}
	return seg, r.lost, nil
}

// patience is for how long a file that cannot be read holds up those behind it.
const patience = time.Minute

// hopeless notes that a file cannot be read, and reports whether that has been so for long.
// It is called with reading held.
func (s *Spool) hopeless(name string) bool {
	since, again := s.unreadable[name]
	if !again {
		since = time.Now()
		s.unreadable[name] = since
	}
	return time.Since(since) >= patience
}

// newest reports whether a process has written the i-th of its files last: the last one to
// be appended to, or the first of those that were put in front.
func newest(names []fs.DirEntry, i int) bool {
	if names[i].Name() >= fileName(firstNumber) {
		return i == len(names)-1
	}
	return i == 0
}

// fileName is the name of a segment. Names are ordered as numbers are.
func fileName(number uint64) string { return fmt.Sprintf("%016x%s", number, suffix) }

// close lets go of the folder and what is in it.
func (o *owner) close() error {
	var errs []error
	for _, seg := range o.segments {
		errs = append(errs, seg.file.Close())
	}
	return errors.Join(append(errs, o.lock.Close())...)
}

// remove deletes the folder, which holds no segment any more.
func (o *owner) remove(fsys files) error {
	return errors.Join(fsys.Remove(path.Join(o.dir, lockName)), fsys.Remove(o.dir), o.lock.Close())
}

// discard deletes a segment, or keeps it apart where it is damaged.
func discard(fsys files, seg *segment) error {
	err := seg.file.Close()
	if !seg.damaged {
		return errors.Join(err, fsys.Remove(seg.name))
	}
	return errors.Join(err, setApart(fsys, seg.name))
}

// setApart moves a file to where somebody may want to look at it.
func setApart(fsys files, name string) error {
	switch err := fsys.Mkdir(damagedDir); {
	case errors.Is(err, fs.ErrExist):
	case err != nil:
		return err
	default:
		if err := fsys.SyncDir("."); err != nil {
			return err
		}
	}
	if err := fsys.Rename(name, path.Join(damagedDir, strings.ReplaceAll(name, "/", "-"))); err != nil {
		return err
	}
	return fsys.SyncDir(damagedDir)
}
