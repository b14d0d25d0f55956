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
			return o, fsys.SyncDir(".")
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

// load opens the segments of a folder that another process left.
func (s *Spool) load(o *owner) error {
	names, err := s.fs.List(o.dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n fs.DirEntry) bool {
		return !strings.HasSuffix(n.Name(), suffix) || !n.Type().IsRegular()
	})
	for i, n := range names {
		name := path.Join(o.dir, n.Name())
		f, err := s.fs.Open(name)
		if err != nil {
			return err
		}
		seg, r, err := recoverSegment(name, f, newest(names, i))
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
		}
		if r.torn > 0 {
			slog.Warn("spool: what was not stored completely is cut off", "file", name, "bytes", r.torn)
		}
		if r.lost > 0 {
			slog.Error("spool: entries are damaged", "file", name, "entries", r.lost)
		}
		s.mu.Lock()
		s.stats.Torn += r.torn
		s.stats.Damaged += r.lost
		s.lost += r.lost
		s.mu.Unlock()
		o.segments = append(o.segments, seg)
	}
	return nil
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
	if mkdir := fsys.Mkdir(damagedDir); mkdir != nil && !errors.Is(mkdir, fs.ErrExist) {
		return errors.Join(err, mkdir)
	}
	kept := strings.ReplaceAll(seg.name, "/", "-")
	return errors.Join(err, fsys.Rename(seg.name, path.Join(damagedDir, kept)), fsys.SyncDir(damagedDir))
}
