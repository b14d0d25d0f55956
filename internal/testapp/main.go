// Command testapp is a small billing service for several tenants on ent and chi
// that records everything it does: who changed what, in which request, and what
// it was before.
//
//	go run ./internal/testapp -demo
//
// drives it over HTTP as several people and prints what was recorded. Without
// -demo it serves, and prints commands to try.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintf(os.Stderr, "testapp: %v\n", err)
	stop()
	os.Exit(1)
}

// settings are what the command line says.
type settings struct {
	addr, dsn  string
	demo, json bool
}

func parse(args []string, out io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("testapp", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() {
		say(out, "testapp is a small billing service that records everything it does.\n\n"+
			"  go run ./internal/testapp -demo          drive it as several people, print what was recorded\n"+
			"  go run ./internal/testapp -demo -json    the same as JSON lines\n"+
			"  go run ./internal/testapp                serve, and print commands to try\n\n")
		f.PrintDefaults()
	}
	f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`address` to serve on")
	f.StringVar(&s.dsn, "dsn", "", "`database`: a file for SQLite, or postgres://... or mysql://user:password@host:3306/name\n"+
		"(default a file in the system's folder for temporary files)")
	f.BoolVar(&s.demo, "demo", false, "run through a demonstration in a database made for it, and check what it recorded")
	f.BoolVar(&s.json, "json", false, "with -demo: print entries as JSON lines and nothing else")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	switch {
	case f.NArg() > 0:
		return settings{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case s.json && !s.demo:
		return settings{}, errors.New("-json needs -demo")
	}
	return s, nil
}

// say prints for people who follow what the program does. That nobody reads it is no
// failure of the program.
func say(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, format, args...) //nolint:errcheck // as said above
}

// run is the program. What it prints for reading comes on out, all else on log.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	s, err := parse(args, log)
	if err != nil {
		return err
	}
	if s.demo {
		return demo(ctx, s, out, log)
	}
	if s.dsn == "" {
		s.dsn = filepath.Join(os.TempDir(), "entaudit-testapp.db")
	}
	return serve(ctx, s, log)
}
