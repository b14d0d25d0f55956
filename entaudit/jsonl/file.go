package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// file is an open file of whole lines.
type file struct {
	disk

	info  os.FileInfo
	size  int64
	begun time.Time // when its first entry happened; now where there is none yet
}

// disk is what a file does to the disk. Tests have one that fails.
type disk interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// openFile opens or makes the file at path, locks it, and cuts off a torn last line.
func openFile(path string, durable bool) (_ *file, err error) {
	_, statErr := os.Lstat(path)
	h, err := openAlone(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	info, err := h.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if err := alone(path, info); err != nil {
		return nil, err
	}
	if info.Mode().Perm()&^0o600 != 0 {
		if err := h.Chmod(0o600); err != nil {
			return nil, err
		}
	}
	if statErr != nil && durable { // it is new
		if err := syncDir(path); err != nil {
			return nil, err
		}
	}
	f := &file{disk: h, info: info, size: info.Size(), begun: time.Now()}
	if err := f.repair(path); err != nil {
		return nil, err
	}
	for e, err := range readLines(io.NewSectionReader(h, 0, f.size), path) {
		if err == nil {
			f.begun = e.OccurredAt
		}
		break
	}
	return f, nil
}

// repair cuts off what stands behind the last whole line, unless it is a whole entry that
// lacks nothing but its end.
func (f *file) repair(path string) error {
	whole, err := f.wholeLines()
	if err != nil || whole == f.size {
		return err
	}
	tail := make([]byte, min(f.size-whole, maxLine))
	if _, err := f.ReadAt(tail, whole); err != nil {
		return err
	}
	if json.Valid(tail) && bytes.HasPrefix(tail, []byte("{")) {
		_, err := f.Write([]byte("\n"))
		f.size++
		return err
	}
	slog.Warn("jsonl: a line that was not whole is cut off", "path", path, "bytes", f.size-whole)
	if err := f.Truncate(whole); err != nil {
		return err
	}
	f.size = whole
	return f.Sync()
}

// wholeLines returns how many bytes of the file are whole lines.
func (f *file) wholeLines() (int64, error) {
	buf := make([]byte, 64<<10)
	for end := f.size; end > 0; {
		start := max(end-int64(len(buf)), 0)
		part := buf[:end-start]
		if _, err := f.ReadAt(part, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// append writes lines. After an error a part of them may be there, the last of it torn:
// the file has to be opened anew.
func (f *file) append(lines []byte, now time.Time) error {
	n, err := f.Write(lines)
	if err != nil {
		return err
	}
	if f.size == 0 {
		f.begun = now
	}
	f.size += int64(n)
	return nil
}

func (f *file) sync() error { return f.Sync() }

// at reports whether the file still has the name path.
func (f *file) at(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && os.SameFile(info, f.info)
}

// syncDir makes the name of a file outlive a power cut.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
