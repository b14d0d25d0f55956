// Command red shows that tests can fail: it takes one protection of the library away at
// a time and runs the test that must then fail.
//
//	go run ./internal/fault/red               all of them, as make red does
//	go run ./internal/fault/red -run 'jwt'    those whose names match
//	go run ./internal/fault/red -list         what there is
//
// What is taken away is in testdata, one file each. Production code has no switch for
// it: changed copies take the place of its files while a test is built.
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
	"regexp"
	"slices"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "red:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	f := flag.NewFlagSet("red", flag.ContinueOnError)
	f.SetOutput(log)
	name := f.String("run", "", "`regexp` of the names to run")
	list := f.Bool("list", false, "print what there is and end")
	root := f.String("C", ".", "the module's `folder`")
	if err := f.Parse(args); err != nil {
		return err
	}
	match, err := regexp.Compile(*name)
	if err != nil {
		return err
	}
	twins, err := readTwins(filepath.Join(*root, "internal", "fault", "red", "testdata"))
	if err != nil {
		return err
	}
	twins = slices.DeleteFunc(twins, func(t twin) bool { return !match.MatchString(t.name) })
	if *list {
		for _, t := range twins {
			if _, err := fmt.Fprintf(out, "%-24s %-44s %s\n", t.name, t.test, t.what); err != nil {
				return err
			}
		}
		return nil
	}
	if err := pass(ctx, *root, twins); err != nil {
		return err
	}
	return show(ctx, *root, twins, out)
}

// show prints a line for each twin.
func show(ctx context.Context, root string, twins []twin, out io.Writer) error {
	unnoticed := 0
	for _, t := range twins {
		began := time.Now()
		how, err := t.show(ctx, root)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if how != red {
			unnoticed++
		}
		if _, err := fmt.Fprintf(out, "%-5s %-24s %-44s %3.0fs  %s\n", how, t.name, t.test, time.Since(began).Seconds(), t.what); err != nil {
			return err
		}
	}
	if unnoticed > 0 {
		return fmt.Errorf("%d of %d tests do not notice what is missing", unnoticed, len(twins))
	}
	return nil
}
