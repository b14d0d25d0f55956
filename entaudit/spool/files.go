package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// file is what a segment needs of a file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

// files is what a spool needs of a file system. Names are relative to the folder of the
// spool and have slashes.
type files interface {
	Mkdir(dir string) error
	List(dir string) ([]fs.DirEntry, error) // sorted
	Create(name string) (file, error)       // it must not exist
	Open(name string) (file, error)
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(dir string) error
	// Lock takes the lock that the file stands for and makes the file if there is none.
	// The lock is free again when it is closed or the process ends. It returns errLocked
	// where another has it.
	Lock(name string) (io.Closer, error)
	Close() error
}

var errLocked = errors.New("locked by another process")

// disk is a files in a folder, which symbolic links do not lead out of.
type disk struct{ root *os.Root }

// openDisk opens the folder dir, which it makes if there is none.
func openDisk(dir string) (disk, error) {
	if err := makeDir(dir, syncDir); err != nil {
		return disk{}, err
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return disk{}, err
	case !info.IsDir():
		return disk{}, fmt.Errorf("%s is not a folder", dir)
	case info.Mode().Perm()&0o022 != 0:
		return disk{}, fmt.Errorf("%s has mode %v: others can write to it; name a folder below it", dir, info.Mode().Perm())
	}
	root, err := os.OpenRoot(dir)
	return disk{root}, err
}

// makeDir makes a folder and those above it that are missing, and has each be there after
// a power failure too: what is synced in a folder is lost with the folder.
func makeDir(dir string, sync func(dir string) error) error {
	err := os.Mkdir(dir, 0o700)
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeDir(parent, sync); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return sync(filepath.Dir(dir))
}

func syncDir(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // where the spool is to be
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d disk) Close() error           { return d.root.Close() }
func (d disk) Mkdir(dir string) error { return d.root.Mkdir(dir, 0o700) }

func (d disk) Rename(from, to string) error { return d.root.Rename(from, to) }
func (d disk) Remove(name string) error     { return d.root.Remove(name) }

func (d disk) List(dir string) ([]fs.DirEntry, error) { return fs.ReadDir(d.root.FS(), dir) }

func (d disk) Create(name string) (file, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (d disk) Open(name string) (file, error) {
	if info, err := d.root.Lstat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := d.root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (d disk) SyncDir(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d disk) Lock(name string) (io.Closer, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	mine, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if there, err := d.root.Lstat(name); err != nil || !os.SameFile(mine, there) {
		return nil, errors.Join(fmt.Errorf("%s: %w", path.Dir(name), fs.ErrNotExist), f.Close()) // deleted meanwhile
	}
	return f, nil
}

type diskFile struct{ *os.File }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
