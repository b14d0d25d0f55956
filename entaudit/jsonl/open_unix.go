//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package jsonl

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// alone returns an error where somebody else can read what is written to a file, or
// change it: its owner, or whoever has it under another name.
func alone(path string, info os.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if me := os.Geteuid(); int(st.Uid) != me {
		return fmt.Errorf("%s belongs to user %d, and this process to %d: move it away, or give it to the user of this process (chown)", path, st.Uid, me)
	}
	if st.Nlink > 1 {
		return fmt.Errorf("%s has %d names (hard links): copy it, and put the copy in its place", path, st.Nlink)
	}
	return nil
}

// openAlone opens a file for appending that no other process appends to. It follows no
// symbolic link, and does not wait for the other end of a pipe.
func openAlone(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600) //nolint:gosec // the caller's to choose
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("another writer has it open: %w", err)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}
