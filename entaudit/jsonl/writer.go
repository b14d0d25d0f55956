// Package jsonl keeps entries in a file, one JSON object a line, and reads them back: as a
// destination of its own, beside a database, or for what could not be delivered elsewhere.
//
// The file is readable by its owner only. It is rotated by size and age, and every line
// is whole: what a crash or a full disk left of a write is cut off.
package jsonl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// Writer is a [entaudit.Writer] that appends entries to a file. It is safe for concurrent
// use, and one process writes to a file at a time: a second Writer is refused, where
// the operating system has locks of files. It must be closed.
//
// Each write is appended by one system call. An entry that was written already is
// written again: readers know it by its id.
type Writer struct {
	path string
	cfg  Config
	now  func() time.Time

	lock     chan struct{} // held by whoever uses what follows; a channel, since a disk may hang
	f        *file         // nil after a failure, until the next write
	dirty    bool          // something is not synced yet
	timer    *time.Timer   // runs while dirty, with SyncInterval
	troubled error         // what went wrong beside a write; the next good write clears it

	closed   atomic.Bool // whoever has the lock closes the file then
	closing  sync.Once
	closeErr error
}

// Open opens the file for appending, and makes it where there is none. It cuts off a last
// line that is not whole, and logs how much that was. It refuses what is not a regular
// file, symbolic links among them, and, where there are such, a file of another user's or
// with several hard links, which may have been put there to read along. It takes from
// others the permission to read it. The error names the field of c that is wrong.
func Open(path string, c Config) (*Writer, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	f, err := openFile(path, c.Sync != SyncNever)
	if err != nil {
		return nil, fmt.Errorf("jsonl: open: %w", err)
	}
	return &Writer{path: path, cfg: c, now: time.Now, lock: make(chan struct{}, 1), f: f}, nil
}

// String returns "jsonl".
func (w *Writer) String() string { return "jsonl" }

// acquire waits until nobody else uses the file, or ctx is done. Where nobody does it
// does not look at ctx.
func (w *Writer) acquire(ctx context.Context) error {
	if w.tryAcquire() {
		return nil
	}
	select {
	case w.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Writer) tryAcquire() bool {
	select {
	case w.lock <- struct{}{}:
		return true
	default:
		return false
	}
}

// release lets others use the file. Where Close did not wait for that it closes it.
func (w *Writer) release() {
	<-w.lock
	if !w.closed.Load() || !w.tryAcquire() {
		return
	}
	if err := w.leave(); err != nil {
		slog.Error("jsonl: a file was closed late, and not well", "path", w.path, "error", err)
	}
	<-w.lock
}

// Write appends entries. After an error some of them may be there; what is there of another
// is cut off before anything is written again. An entry that cannot be encoded, which no
// finished entry is, is an error that names it; those beside it are written.
func (w *Writer) Write(ctx context.Context, entries []entaudit.Entry) error {
	lines, refused := encode(entries)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("jsonl: write: %w", err)
	}
	if err := w.acquire(ctx); err != nil {
		return fmt.Errorf("jsonl: write: %w", err)
	}
	defer w.release()
	if w.closed.Load() {
		return fmt.Errorf("jsonl: write: %w", entaudit.ErrClosed)
	}
	if len(lines) == 0 {
		return refused
	}
	w.troubled = nil
	if err := w.append(lines); err != nil {
		w.troubled = err
		return fmt.Errorf("jsonl: write: %w", errors.Join(err, refused))
	}
	return refused
}

// encode returns entries as lines.
func encode(entries []entaudit.Entry) (lines []byte, refused error) {
	var errs []error
	for i := range entries {
		// Not json.Marshal, which would escape it anew.
		more, err := entries[i].AppendJSON(lines)
		if err != nil {
			errs = append(errs, fmt.Errorf("jsonl: encode entry %s: %w", entries[i].ID, err))
			continue
		}
		lines = append(more, '\n')
	}
	return lines, errors.Join(errs...)
}

// append writes whole lines to the file that is current by then.
func (w *Writer) append(lines []byte) error {
	if w.f != nil && !w.f.at(w.path) { // somebody has moved or deleted it
		if err := w.leave(); err != nil {
			return err
		}
	}
	if w.f != nil && w.f.size > 0 && w.due(len(lines)) {
		if err := w.rotate(); err != nil {
			return err
		}
	}
	if w.f == nil {
		f, err := openFile(w.path, w.cfg.Sync != SyncNever)
		if err != nil {
			return err
		}
		w.f = f
	}
	if err := w.f.append(lines, w.now()); err != nil {
		// Opened anew it is repaired.
		return errors.Join(err, w.abandon())
	}
	return w.sync()
}

// due reports whether the file has to be rotated before n further bytes are written.
func (w *Writer) due(n int) bool {
	return w.cfg.MaxSize > 0 && w.f.size+int64(n) > w.cfg.MaxSize ||
		w.cfg.MaxAge > 0 && w.now().Sub(w.f.begun) >= w.cfg.MaxAge
}

// sync forces what was written to the disk, or sees to it that this is done.
func (w *Writer) sync() error {
	switch w.cfg.Sync {
	case SyncEach:
		return w.flush()
	case SyncInterval:
		if !w.dirty {
			w.dirty = true
			w.timer = time.AfterFunc(w.cfg.Interval, w.tick)
		}
	case SyncNever:
	}
	return nil
}

// tick syncs what has waited.
func (w *Writer) tick() {
	w.lock <- struct{}{}
	defer w.release()
	if w.closed.Load() || !w.dirty {
		return
	}
	if err := w.flush(); err != nil {
		w.troubled = err
		slog.Error("jsonl: entries may be lost in a power cut", "path", w.path, "error", err)
	}
}

// flush syncs the file. After an error what the file holds cannot be known: it is put
// aside, and nothing is written to it again.
func (w *Writer) flush() error {
	w.dirty = false
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.f == nil {
		return nil
	}
	if err := w.f.sync(); err != nil {
		return errors.Join(err, w.setAside())
	}
	return nil
}

// leave closes the file for another.
func (w *Writer) leave() error {
	var err error
	if w.dirty {
		err = w.flush()
	}
	return errors.Join(err, w.abandon())
}

// abandon closes the file as it is.
func (w *Writer) abandon() error {
	if w.f == nil {
		return nil
	}
	f := w.f
	w.f = nil
	return f.Close()
}

// Check reports whether the file is there and can be written to.
func (w *Writer) Check(ctx context.Context) error {
	if err := w.acquire(ctx); err != nil {
		return fmt.Errorf("jsonl: check: %w", err)
	}
	defer w.release()
	if w.closed.Load() {
		return fmt.Errorf("jsonl: check: %w", entaudit.ErrClosed)
	}
	if w.f != nil && w.f.at(w.path) {
		return nil
	}
	f, err := openFile(w.path, w.cfg.Sync != SyncNever)
	if err != nil {
		return fmt.Errorf("jsonl: check: %w", err)
	}
	err = w.leave()
	w.f = f
	return err
}

// Health returns what went wrong since the last write that succeeded.
func (w *Writer) Health(ctx context.Context) error {
	if err := w.acquire(ctx); err != nil {
		return fmt.Errorf("jsonl: %w", err)
	}
	defer w.release()
	return w.troubled
}

// Close syncs what was written, unless Config.Sync is SyncNever, and closes the file. It
// waits until ctx ends for a disk that hangs; entries are refused all the same then, and
// the file is closed once the disk is back.
func (w *Writer) Close(ctx context.Context) error {
	w.closing.Do(func() {
		w.closed.Store(true)
		err := w.acquire(ctx)
		if err == nil {
			err = w.leave()
			w.release()
		}
		if err != nil {
			w.closeErr = fmt.Errorf("jsonl: close: %w", err)
		}
	})
	return w.closeErr
}
