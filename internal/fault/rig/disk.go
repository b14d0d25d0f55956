package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Sizes of the file systems that a cluster has to do with: the log has more room than it
// takes of its own accord.
const (
	dataSize = 110 << 20
	walSize  = 64 << 20
)

// longest is how long a fault lasts at most that needs no longer to be one.
const longest = 20 * time.Second

// fullDisk is F08: the database's disk fills up under load, first that of its data, then
// that of its log, which ends the server.
func fullDisk(ctx context.Context, s settings, log io.Writer) (*verdict, error) {
	v := &verdict{}
	for _, small := range []func(*rig, string) (string, error){smallData, smallWAL} {
		w, err := fillUp(ctx, s, log, small)
		if err != nil {
			return nil, err
		}
		v.add(*w)
	}
	return v, nil
}

// smallData makes the cluster's folder a small file system.
func smallData(_ *rig, data string) (string, error) { return data, mount(data, dataSize) }

// smallWAL makes the folder of the write-ahead log one.
func smallWAL(r *rig, _ string) (string, error) {
	wal, err := r.mkdir("wal")
	if err != nil {
		return "", err
	}
	if err := mount(wal, walSize); err != nil {
		return "", err
	}
	_, err = newOwner(wal)
	return wal, err
}

func fillUp(ctx context.Context, s settings, log io.Writer, small func(*rig, string) (string, error)) (v *verdict, err error) {
	var fs string
	r, err := newRigOn(ctx, s, log, func(r *rig, data string) (err error) {
		if fs, err = small(r, data); err == nil {
			r.tear = append(r.tear, func() error { return unmount(fs) })
		}
		return err
	})
	if r != nil {
		defer func() { err = errors.Join(err, r.remove()) }()
	}
	if errors.Is(err, errNotRoot) {
		return nil, fmt.Errorf("%w: %w", errSkip, err)
	}
	if err != nil {
		return nil, err
	}
	l := load{workers: 4, mix: everything, seed: r.seed}
	return r.through(ctx, l, func(ctx context.Context, ph phases, _ *process) error {
		filler := filepath.Join(fs, "filler")
		n, err := fill(filler)
		if err != nil {
			return err
		}
		r.note("the last %d KiB of %s are gone", n>>10, filepath.Base(fs))
		pause(ctx, min(ph.during, longest))
		if err := os.Remove(filler); err != nil {
			return err
		}
		return r.cluster.revive(ctx)
	})
}

// fill writes a file until there is no room for more.
func fill(path string) (n int64, err error) {
	f, err := os.Create(path) //nolint:gosec // below our own folder
	if err != nil {
		return 0, err
	}
	block := make([]byte, 4096)
	for {
		k, err := f.Write(block)
		n += int64(k)
		if err != nil {
			return n, f.Close() // full, as it should be
		}
	}
}
