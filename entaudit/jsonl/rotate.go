package jsonl

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stamp is the time in the name of a rotated file: audit.jsonl.20260203T040506.789000Z.
const stamp = "20060102T150405.000000Z"

// rotate gives the file another name, under which it is kept.
func (w *Writer) rotate() error {
	if err := w.flushBefore(); err != nil {
		return err
	}
	if err := w.setAside(); err != nil {
		return err
	}
	if err := w.prune(); err != nil {
		// The entry at hand is not to blame, and goes to the new file.
		w.troubled = err
		slog.Warn("jsonl: an old file cannot be deleted", "path", w.path, "error", err)
	}
	return nil
}

func (w *Writer) flushBefore() error {
	if !w.dirty {
		return nil
	}
	return w.flush()
}

// setAside renames the file, if it still has its name, and closes it.
func (w *Writer) setAside() error {
	if w.f == nil {
		return nil
	}
	if w.f.at(w.path) {
		name, err := w.free()
		if err != nil {
			return errors.Join(err, w.abandon())
		}
		if err := os.Rename(w.path, name); err != nil {
			return errors.Join(err, w.abandon())
		}
		if w.cfg.Sync != SyncNever {
			if err := syncDir(w.path); err != nil {
				return errors.Join(err, w.abandon())
			}
		}
	}
	return w.abandon()
}

// free returns a name for a rotated file that is later than all there are.
func (w *Writer) free() (string, error) {
	at := w.now().UTC().Truncate(time.Microsecond)
	old, err := rotated(w.path)
	if err != nil {
		return "", err
	}
	if len(old) > 0 {
		last, _ := time.Parse(stamp, strings.TrimPrefix(old[len(old)-1], w.path+".")) // rotated has parsed it
		if !at.After(last) {
			at = last.Add(time.Microsecond) // the clock went back, or stands still
		}
	}
	name := w.path + "." + at.Format(stamp)
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is in the way: %w", name, errors.Join(err, fs.ErrExist))
	}
	return name, nil
}

// prune deletes the oldest files beyond Config.Keep.
func (w *Writer) prune() error {
	if w.cfg.Keep == 0 {
		return nil
	}
	old, err := rotated(w.path)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range old[:max(len(old)-w.cfg.Keep, 0)] {
		errs = append(errs, os.Remove(name))
	}
	return errors.Join(errs...)
}

// rotated returns the files that were rotated from path, oldest first.
func rotated(path string) ([]string, error) {
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var names []string
	prefix := filepath.Base(path) + "."
	for _, d := range list {
		suffix, ok := strings.CutPrefix(d.Name(), prefix)
		if _, err := time.Parse(stamp, suffix); ok && err == nil && len(suffix) == len(stamp) && d.Type().IsRegular() {
			names = append(names, path+"."+suffix)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Files returns the names of all files that hold entries written to path, oldest first
// and path itself last, if it is there.
func Files(path string) ([]string, error) {
	names, err := rotated(path)
	if err != nil {
		return nil, fmt.Errorf("jsonl: list: %w", err)
	}
	if _, err := os.Lstat(path); err == nil {
		names = append(names, path)
	}
	return names, nil
}
