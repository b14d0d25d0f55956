package jsonl

import (
	"os"
	"sync"
)

// Hold uses the file until it is released, as a disk does that hangs.
func Hold(w *Writer) (release func()) {
	w.lock <- struct{}{}
	return w.release
}

// Break puts a disk that fails on request under the file that w has open.
func Break(w *Writer) *FaultyDisk {
	w.lock <- struct{}{}
	defer w.release()
	d := &FaultyDisk{disk: w.f.disk}
	w.f.disk = d
	return d
}

// FaultyDisk fails where its errors are set.
type FaultyDisk struct {
	disk

	Room              int // bytes that are written before WriteErr
	WriteErr, SyncErr error
	Syncs             int

	mu sync.Mutex // of what Sync uses, where a timer calls it
}

// Synced returns how often Sync was called.
func (d *FaultyDisk) Synced() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Syncs
}

// FailSync sets SyncErr.
func (d *FaultyDisk) FailSync(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.SyncErr = err
}

func (d *FaultyDisk) Write(p []byte) (int, error) {
	if d.WriteErr == nil {
		return d.disk.Write(p)
	}
	n, err := d.disk.Write(p[:min(d.Room, len(p))])
	if err == nil {
		err = &os.PathError{Op: "write", Path: "audit.jsonl", Err: d.WriteErr}
	}
	return n, err
}

func (d *FaultyDisk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Syncs++
	if d.SyncErr != nil {
		return d.SyncErr
	}
	return d.disk.Sync()
}
