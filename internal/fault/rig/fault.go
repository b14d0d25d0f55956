package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// fault is one thing that can go wrong.
type fault struct {
	name, what string
	run        func(ctx context.Context, s settings, log io.Writer) (*verdict, error)
}

// is reports whether a name is that of the fault or of its number.
func (f fault) is(name string) bool {
	number, _, _ := strings.Cut(f.name, "/")
	return name == f.name || name == number
}

// faults are those that need more than go test: servers of their own, strace, root.
func faults() []fault {
	return []fault{
		{"F01/calls", "the process is killed at the system calls of the spool", rigged(killedAtCalls)},
		{"F01/random", "the process is killed at random under load", rigged(killedAtRandom)},
		{"F01/outbox", "the same with an outbox and an audit database", rigged(killedRelays)},
		{"F02", "the spool's disk fails, or is full", rigged(failing)},
		{"F03", "the database is down", rigged(outage)},
		{"F04", "the database restarts again and again", rigged(restarts)},
		{"F04/outbox", "the same with an outbox and an audit database", rigged(relayRestarts)},
		{"F05", "the database hangs", rigged(freeze)},
		{"F06", "the way to the audit database is slow, narrow, dead, or cut", rigged(slow)},
		{"F08", "the database's disk is full", fullDisk},
		{"F23", "entries come faster than they are stored", rigged(overflow)},
		{"F23/spool", "the same with a spool that has room for them", rigged(backlog)},
		{"F24", "the process ends with a backlog", rigged(shutdowns)},
		{"F25", "processes share a spool, and one is killed", rigged(orphans)},
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
