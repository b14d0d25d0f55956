// Command rig breaks what an audited program stands on, and compares what the program
// said with what is stored afterwards.
//
//	go run ./internal/fault/rig              every fault
//	go run ./internal/fault/rig F03 F05      some of them
//	go run ./internal/fault/rig -short       in two minutes
//	go run ./internal/fault/rig -list        what there is
//
// It starts the program under test as a process of its own, has it change rows and
// record entries, and keeps a journal of what it was told and what it answered. Faults
// hit that process and a PostgreSQL that is made for it; docs/reliability.md says
// what must hold. One line per fault goes to standard output, what goes on to standard error;
// it fails on the first violation of an invariant.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"time"
)

func main() {
	if err := private(); err != nil {
		fmt.Fprintln(os.Stderr, "fault:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "fault:", err)
		os.Exit(1)
	}
}

// settings are what the command line says.
type settings struct {
	short, list bool
	seed        uint64
	kills       int
	names       []string
}

func run(ctx context.Context, args []string, in io.Reader, out, log io.Writer) error {
	if len(args) > 0 && args[0] == "child" {
		return childCommand(ctx, args[1:], in, out)
	}
	var s settings
	f := flag.NewFlagSet("fault", flag.ContinueOnError)
	f.SetOutput(log)
	f.BoolVar(&s.short, "short", false, "fewer and shorter runs of each")
	f.BoolVar(&s.list, "list", false, "print the faults and end")
	f.Uint64Var(&s.seed, "seed", rand.Uint64(), "of all that is chance") //nolint:gosec // not secrecy
	f.IntVar(&s.kills, "kills", 2000, "SIGKILLs of F01/random")
	if err := f.Parse(args); err != nil {
		return err
	}
	s.names = f.Args()
	for _, name := range s.names {
		if !slices.ContainsFunc(faults(), func(f fault) bool { return f.is(name) }) {
			return fmt.Errorf("there is no fault %q; -list prints them", name)
		}
	}
	return campaign(ctx, s, out, log)
}

// errSkip is returned, wrapped, by a fault that this machine cannot show.
var errSkip = errors.New("skipped")

// envRequire turns a PostgreSQL that is missing into a failure.
const envRequire = "ENTAUDIT_REQUIRE_DB"

// campaign runs the faults one after the other.
func campaign(ctx context.Context, s settings, out, log io.Writer) error {
	fmt.Fprintf(log, "seed %d\n", s.seed) //nolint:errcheck // for people
	bad := 0
	for _, f := range faults() {
		if len(s.names) > 0 && !slices.ContainsFunc(s.names, f.is) {
			continue
		}
		if s.list {
			if _, err := fmt.Fprintf(out, "%s %s\n", f.name, f.what); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(log, "%s %s\n", f.name, f.what) //nolint:errcheck // for people
		began := time.Now()
		v, err := f.run(ctx, s, log)
		switch {
		case errors.Is(err, errSkip) && (os.Getenv(envRequire) != "1" || !errors.Is(err, errNoPostgres)):
			_, err = fmt.Fprintf(out, "fault %s %v\n", f.name, err)
		case err != nil:
			return fmt.Errorf("%s: %w", f.name, err)
		default:
			_, err = fmt.Fprintf(out, "fault %s %s seconds=%.0f\n", f.name, v, time.Since(began).Seconds())
		}
		if err != nil {
			return err
		}
		if v != nil {
			bad += len(v.violations)
			for _, text := range v.violations[:min(len(v.violations), 20)] {
				fmt.Fprintf(log, "  %s: %s\n", f.name, text) //nolint:errcheck // for people
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d violations, seed %d", bad, s.seed)
	}
	return nil
}
