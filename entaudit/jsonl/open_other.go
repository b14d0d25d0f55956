//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package jsonl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// alone knows nothing of owners and other names here.
func alone(string, os.FileInfo) error { return nil }

// openAlone opens a file for appending. It follows no symbolic link that was there before;
// there is no lock.
func openAlone(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
}
