package torture_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/oracle"
	"github.com/entaudit/audit/internal/torture/ent/migrate"
)

// What was compared by all tests of this binary.
var (
	comparedChanges atomic.Int64
	nettedChanges   atomic.Int64
)

func TestMain(m *testing.M) {
	code := m.Run()
	if n := comparedChanges.Load(); n > 0 {
		fmt.Printf("oracle: compared %d row changes, %d of them within a net change\n", n, nettedChanges.Load())
	}
	os.Exit(code)
}

// witness compares what was recorded with what the database's own triggers saw.
type witness struct {
	b       *bundle
	log     *oracle.Oracle
	skipped []string // tables that are not compared
	counted int
}

func newWitness(t *testing.T, b *bundle) *witness {
	t.Helper()
	log, err := oracle.Install(context.Background(), b.db, b.dialect, migrate.Tables)
	require.NoError(t, err)
	return &witness{b: b, log: log}
}

// exclude leaves a table out of the comparison.
func (o *witness) exclude(table string) { o.skipped = append(o.skipped, table) }

// exec runs a statement beside the client.
func (o *witness) exec(t *testing.T, query string) {
	t.Helper()
	_, err := o.b.db.ExecContext(context.Background(), query)
	require.NoError(t, err, query)
}

// forget has the comparison begin anew: with what is there now and no entries.
func (o *witness) forget(t *testing.T) {
	t.Helper()
	require.NoError(t, o.log.Forget(context.Background()))
	o.counted = 0
}

// happened returns what the triggers saw in the tables that are compared.
func (o *witness) happened(t *testing.T) []oracle.Change {
	t.Helper()
	changes, err := o.log.Changes(context.Background())
	require.NoError(t, err)
	return o.watched(changes)
}

// drain returns what the triggers saw since the last time.
func (o *witness) drain(t *testing.T) []oracle.Change {
	t.Helper()
	changes, err := o.log.Drain(context.Background())
	require.NoError(t, err)
	return o.watched(changes)
}

// watched returns the changes that must be told.
func (o *witness) watched(changes []oracle.Change) []oracle.Change {
	for i := range changes {
		watched().strip(&changes[i])
	}
	return slices.DeleteFunc(changes, func(c oracle.Change) bool {
		return !watched().compares(c.Table) || slices.Contains(o.skipped, c.Table) ||
			c.Op == oracle.Update && (len(c.Columns) == 0 || watched().touch(c))
	})
}

// compare asserts that the entries tell of exactly the row changes that happened.
func (o *witness) compare(t *testing.T) {
	t.Helper()
	happened := o.happened(t)
	netted := o.verify(t, happened, derive(t, o.b.entries(t)))
	if n := len(happened); n > o.counted {
		comparedChanges.Add(int64(n - o.counted))
		nettedChanges.Add(int64(netted))
		o.counted = n
	}
}

// verify asserts that row changes were told as they happened, with old and new values
// and in each row's order. Of a table of links, the entries of both sides must each tell
// all of them. It returns how many were told as part of a net change.
func (o *witness) verify(t *testing.T, happened []oracle.Change, recorded told) (netted int) {
	t.Helper()
	left := func(c oracle.Change) bool { return slices.Contains(o.skipped, c.Table) }
	rows, links := split(slices.DeleteFunc(slices.Clone(happened), left))
	netted = o.match(t, "entries", rows, slices.DeleteFunc(slices.Clone(recorded.rows), left))
	for _, side := range watched().sides {
		seen := slices.DeleteFunc(slices.Clone(links), func(c oracle.Change) bool { return c.Table != side.table })
		netted += o.match(t, "the edges "+side.resource+"."+side.edge, seen, slices.DeleteFunc(slices.Clone(recorded.links[side]), left))
	}
	return netted
}

// split divides changes into those of rows of types and those of links.
func split(changes []oracle.Change) (rows, links []oracle.Change) {
	for _, c := range changes {
		if watched().links[c.Table] {
			links = append(links, c)
		} else {
			rows = append(rows, c)
		}
	}
	return rows, links
}

// match asserts that what happened to each row was recorded, in order. It returns how
// many changes were recorded as part of a net change.
func (o *witness) match(t *testing.T, who string, happened, recorded []oracle.Change) (netted int) {
	t.Helper()
	type pair struct{ happened, recorded []oracle.Change }
	byRow := make(map[string]*pair)
	var order []string
	row := func(c oracle.Change) *pair {
		key := c.Table + " " + c.ID
		if byRow[key] == nil {
			byRow[key] = &pair{}
			order = append(order, key)
		}
		return byRow[key]
	}
	for _, c := range happened {
		p := row(c)
		p.happened = append(p.happened, c)
	}
	for _, c := range recorded {
		p := row(c)
		p.recorded = append(p.recorded, c)
	}
	var wrong []string
	for _, key := range order {
		p := byRow[key]
		n, ok := oracle.Match(p.happened, p.recorded)
		netted += n
		if !ok {
			wrong = append(wrong, "row "+key+"\n  happened:\n"+lines(p.happened)+"  told by "+who+":\n"+lines(p.recorded))
		}
	}
	require.Empty(t, strings.Join(wrong[:min(len(wrong), 5)], ""), "%d of %d rows are told otherwise than they changed", len(wrong), len(order))
	return netted
}

// lines returns changes one per line.
func lines(changes []oracle.Change) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString("    " + c.String() + "\n")
	}
	return b.String()
}
