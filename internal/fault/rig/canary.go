package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// search looks for a secret in every byte of every file below a folder: those of the
// database, of the spool, and logs.
func search(dir, secret string) (found []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // below our own folder
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && bytes.Contains(data, []byte(secret)) {
			found = append(found, fmt.Sprintf("the planted secret is in %s", path))
		}
		return err
	})
	return found, err
}
