package main

import (
	"context"
	"fmt"
	"os/exec"
)

// failing is F02: each write, sync, cut, rename and removal of the spool fails in turn,
// once or from then on, with an error of the disk or for want of room; then its file
// system is full. What was not acknowledged may be lost, nothing else.
func failing(ctx context.Context, r *rig) (*verdict, error) {
	if _, err := exec.LookPath("strace"); err != nil {
		return nil, fmt.Errorf("%w: strace is not installed", errSkip)
	}
	r.plan.delivery, r.plan.segment = viaSpool, smallSegment
	runs := 0
	for _, call := range []string{"pwrite64", "fsync", "ftruncate", "renameat", "unlinkat", "mkdirat"} {
		for _, errno := range []string{"EIO", "ENOSPC"} {
			for _, lasting := range []string{"", "+"} {
				if r.short && (lasting == "") != (errno == "EIO") {
					continue
				}
				n, err := r.failAtCalls(ctx, call, errno, lasting)
				if err != nil {
					return nil, err
				}
				runs += n
			}
		}
	}
	n, err := r.smallSpool(ctx)
	if err != nil {
		return nil, err
	}
	return r.recovered(ctx, runs+n)
}

// failAtCalls has the first call fail, then the second, as long as there is one.
func (r *rig) failAtCalls(ctx context.Context, call, errno, lasting string) (runs int, err error) {
	most := 12
	if r.short {
		most = 1
	}
	for n := 1; n <= most; n++ {
		inject := fmt.Sprintf("inject=%s:error=%s:when=%d%s", call, errno, n, lasting)
		before := len(r.journal.all())
		if _, err := r.walk(ctx, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call, "-e", inject); err != nil {
			return runs, fmt.Errorf("%s: %w", inject, err)
		}
		runs++
		if lasting == "" && n > 3 && len(r.journal.all()) == before+r.walked() && call != "pwrite64" && call != "fsync" {
			break // rare calls come at the beginning
		}
	}
	return runs, nil
}

// spoolSize is the file system of a spool that has hardly any room.
const spoolSize = 64 << 10

// smallSpool lets the spool's file system fill up while the database is away: entries
// are refused, and taken again once it is back.
func (r *rig) smallSpool(ctx context.Context) (runs int, err error) {
	dir, err := r.mkdir("small")
	if err != nil {
		return 0, err
	}
	if err := mount(dir, spoolSize); err != nil {
		r.note("%v: no full file system for the spool", err)
		return 0, nil
	}
	r.tear = append(r.tear, func() error { return unmount(dir) })
	was := r.plan.dir
	defer func() { r.plan.dir = was }()
	r.plan.dir = dir
	if _, err := r.through(ctx, load{workers: 4, mix: deliveries, seed: r.seed}, func(ctx context.Context, ph phases, _ *process) error {
		if err := r.cluster.crash(); err != nil {
			return err
		}
		pause(ctx, min(ph.during, longest))
		return r.cluster.start(ctx)
	}); err != nil {
		return 0, err
	}
	return 1, nil
}
