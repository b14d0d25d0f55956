// Command bench measures what auditing costs, by the side of the same work without
// it.
//
//	go run ./internal/bench ratio   time, audited to unaudited, per database and operation
//	go run ./internal/bench delivery  entries per second, to raw COPY and raw inserts
//	go run ./internal/bench wire    round trips, and time with 1 ms of network
//	go run ./internal/bench soak    a million changes that must not leak anything
//
// Results go to standard output, one per line; what goes on goes to standard error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("want one of ratio, delivery, wire, soak; each has -help")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	p := &progress{w: stderr}
	switch args[0] {
	case "ratio":
		return ratioCommand(ctx, args[1:], stdout, p)
	case "delivery":
		return deliveryCommand(ctx, args[1:], stdout, p)
	case "wire":
		return wireCommand(ctx, args[1:], stdout, p)
	case "soak":
		return soakCommand(ctx, args[1:], stdout, p)
	}
	return fmt.Errorf("%q: %w", args[0], errUsage)
}
