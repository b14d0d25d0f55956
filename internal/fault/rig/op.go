package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// kind is what an op does.
type kind string

const (
	create  kind = "create"  // one row
	bulk    kind = "bulk"    // several rows in one statement
	update  kind = "update"  // the row of an earlier op
	remove  kind = "remove"  // the row of an earlier op
	inTx    kind = "tx"      // a row, and an update of another, in one transaction
	undone  kind = "undone"  // the same, rolled back
	manual  kind = "manual"  // an entry of the program's own
	request kind = "request" // a request through the middleware that changes nothing
)

// bulkRows is how many rows an op of kind bulk creates.
const bulkRows = 5

// delivered reports whether the op's entry goes to the recorder's writer, not into a
// transaction.
func (k kind) delivered() bool { return k == manual || k == request }

// op is one thing that the process under test is told to do. Its number is in
// everything that it leaves.
type op struct {
	n      int
	kind   kind
	target int // number of the op whose row it works on; 0 where it makes its own
}

// String is the op as one line for the process under test.
func (o op) String() string { return fmt.Sprintf("%d %s %d", o.n, o.kind, o.target) }

func parseOp(line string) (o op, err error) {
	if _, err = fmt.Sscan(line, &o.n, &o.kind, &o.target); err != nil {
		return op{}, fmt.Errorf("op %q: %w", line, err)
	}
	return o, nil
}

// outcome is what the process under test said of an op.
type outcome string

const (
	ok      outcome = "ok"      // it is done: all of it must be there
	failed  outcome = "failed"  // it is not: none of it may be
	unknown outcome = "unknown" // nobody can tell; still all of it or nothing
)

// mix says how often each kind is chosen.
type mix map[kind]int

var (
	everything = mix{create: 4, bulk: 1, update: 4, remove: 1, inTx: 2, undone: 1, manual: 6, request: 3}
	deliveries = mix{manual: 3, request: 1}
	mutations  = mix{create: 4, bulk: 1, update: 4, remove: 1, inTx: 2, undone: 1}
)

// pick chooses a kind. Without rows to work on it chooses among those that need none.
func (m mix) pick(rng *rand.Rand, rows bool) kind {
	var names []string
	for _, k := range []kind{create, bulk, update, remove, inTx, undone, manual, request} {
		if !rows && (k == update || k == remove || k == inTx || k == undone) {
			continue
		}
		for range m[k] {
			names = append(names, string(k))
		}
	}
	return kind(names[rng.IntN(len(names))])
}

// The numbers of rows, and the notes of updates, tell which op left them.
func rowName(n, i int) string {
	if i > 0 {
		return fmt.Sprintf("r-%d-%d", n, i)
	}
	return fmt.Sprintf("r-%d", n)
}

func noteOf(n int) string { return fmt.Sprintf("u-%d", n) }

// opOf returns the number of the op in a row's number, a note or a path.
func opOf(s string) (n int, found bool) {
	_, tail, found := strings.Cut(s, "-")
	if !found {
		return 0, false
	}
	_, err := fmt.Sscanf(tail, "%d", &n)
	return n, err == nil
}
