package spool

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
)

// faulty is a files that fails where fail says so.
type faulty struct {
	files
	mu sync.Mutex
	// fail returns the error of an operation such as "write 0001.seg", and for writes how
	// many bytes get through before it.
	fail func(op string) (int, error)
}

func (f *faulty) op(name, file string) (int, error) {
	op := name + " " + file[strings.LastIndex(file, "/")+1:]
	f.mu.Lock()
	fail := f.fail
	f.mu.Unlock()
	if fail == nil {
		return 0, nil
	}
	return fail(op)
}

// will sets what fails from now on.
func (f *faulty) will(fail func(op string) (int, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// on fails operations whose name begins so, n times; less than zero: always.
func on(prefix string, n int, err error) func(string) (int, error) {
	var mu sync.Mutex
	return func(op string) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if n == 0 || !strings.HasPrefix(op, prefix) {
			return 0, nil
		}
		n--
		return 7, err
	}
}

func (f *faulty) Create(name string) (file, error) {
	if _, err := f.op("create", name); err != nil {
		return nil, err
	}
	inner, err := f.files.Create(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{inner, name, f}, nil
}

func (f *faulty) Open(name string) (file, error) {
	if _, err := f.op("open", name); err != nil {
		return nil, err
	}
	inner, err := f.files.Open(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{inner, name, f}, nil
}

func (f *faulty) Rename(from, to string) error {
	if _, err := f.op("rename", from); err != nil {
		return err
	}
	return f.files.Rename(from, to)
}

func (f *faulty) Remove(name string) error {
	if _, err := f.op("remove", name); err != nil {
		return err
	}
	return f.files.Remove(name)
}

func (f *faulty) SyncDir(dir string) error {
	if _, err := f.op("syncdir", dir); err != nil {
		return err
	}
	return f.files.SyncDir(dir)
}

func (f *faulty) Lock(name string) (io.Closer, error) {
	if _, err := f.op("lock", name); err != nil {
		return nil, err
	}
	return f.files.Lock(name)
}

type faultyFile struct {
	file
	name string
	f    *faulty
}

func (f *faultyFile) WriteAt(b []byte, at int64) (int, error) {
	if n, err := f.f.op("write", f.name); err != nil {
		n, _ := f.file.WriteAt(b[:min(n, len(b))], at)
		return n, fmt.Errorf("write %s: %w", f.name, err)
	}
	return f.file.WriteAt(b, at)
}

func (f *faultyFile) ReadAt(b []byte, at int64) (int, error) {
	if _, err := f.f.op("read", f.name); err != nil {
		return 0, err
	}
	return f.file.ReadAt(b, at)
}

func (f *faultyFile) Sync() error {
	if _, err := f.f.op("sync", f.name); err != nil {
		return fmt.Errorf("sync %s: %w", f.name, err)
	}
	return f.file.Sync()
}

func (f *faultyFile) Truncate(n int64) error {
	if _, err := f.f.op("truncate", f.name); err != nil {
		return err
	}
	return f.file.Truncate(n)
}

var faults = map[string]error{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC}
