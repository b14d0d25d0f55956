package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// fault is one thing that can go wrong.
type fault struct {
	name, what string
	run        func(ctx context.Context, s settings, log io.Writer) (*verdict, error)
}

// faults are those that need more than go test: servers of their own, strace, root.
func faults() []fault {
	return []fault{
		{"F03", "the database is down", rigged(outage)},
		{"F04", "the database restarts again and again", rigged(restarts)},
		{"F05", "the database hangs", rigged(freeze)},
		{"F06", "the way to the audit database is slow, narrow, dead, or cut", rigged(slow)},
		{"F08", "the database's disk is full", fullDisk},
		{"F23", "entries come faster than they are stored", rigged(overflow)},
	}
}

// rigged has a fault run on a rig of its own.
func rigged(run func(context.Context, *rig) (*verdict, error)) func(context.Context, settings, io.Writer) (*verdict, error) {
	return func(ctx context.Context, s settings, log io.Writer) (v *verdict, err error) {
		r, err := newRig(ctx, s, log)
		defer func() {
			if r != nil {
				err = errors.Join(err, r.remove())
			}
		}()
		if errors.Is(err, errNoPostgres) {
			return nil, fmt.Errorf("%w: %w", errSkip, err)
		}
		if err != nil {
			return nil, err
		}
		return run(ctx, r)
	}
}
