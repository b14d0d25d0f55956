package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sound is what four ops leave that went well: a row, its update, an entry, and one more
// row together with an update of the first.
func sound() ([]*record, *content) {
	records := []*record{
		{op: op{1, create, 0}, process: 1, began: 1, ended: 2, outcome: ok},
		{op: op{2, update, 1}, process: 1, began: 3, ended: 4, outcome: ok},
		{op: op{3, manual, 0}, process: 1, began: 5, ended: 6, outcome: ok},
		{op: op{4, inTx, 1}, process: 1, began: 7, ended: 8, outcome: unknown},
		{op: op{5, request, 0}, process: 1, began: 9, ended: 10, outcome: ok},
		{op: op{6, manual, 0}, process: 1, began: 11, ended: 12, outcome: failed},
		{op: op{7, create, 0}, process: 1, began: 13, ended: 14, outcome: ok},
		{op: op{8, remove, 7}, process: 1, began: 15, ended: 16, outcome: ok},
	}
	return records, &content{
		rows: map[string]stored{"r-1": {id: "1", quantity: 2, note: "u-4"}, "r-4": {id: "2"}},
		changes: []trail{
			{id: "a", op: 1, operation: "create", row: "1", number: "r-1"},
			{id: "b", op: 2, operation: "update", row: "1"},
			{id: "c", op: 4, operation: "create", row: "2", number: "r-4"},
			{id: "d", op: 4, operation: "update", row: "1"},
			{id: "e", op: 7, operation: "create", row: "3", number: "r-7"},
			{id: "f", op: 7, operation: "delete", row: "3", number: "r-7"},
		},
		entries: []trail{{id: "g", op: 3, rank: 10}, {id: "h", op: 5, rank: 10}},
		gaps:    []gap{{1, 1}},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(records []*record, c *content)
		want  string
	}{
		{"nothing", func([]*record, *content) {}, ""},
		{"a row without its entry", func(_ []*record, c *content) { c.rows["r-9"] = stored{id: "9"} }, "I1: row 9 (r-9) has no entry of its creation"},
		{"an entry without its row", func(_ []*record, c *content) { delete(c.rows, "r-4") }, "I1: row 2 (r-4) has an entry of its creation and is not there"},
		{"an update without its entry", func(_ []*record, c *content) { c.rows["r-4"] = stored{id: "2", quantity: 1} }, "I1: row 2 (r-4) was updated 1 times and has 0 entries of updates"},
		{"an update's entry without the update", func(_ []*record, c *content) { c.rows["r-1"] = stored{id: "1", quantity: 1} }, "I1: row 1 (r-1) was updated 1 times and has 2 entries of updates"},
		{"a removal's entry, and the row", func(_ []*record, c *content) { c.rows["r-7"] = stored{id: "3"} }, "I1: row 3 (r-7) is there, and an entry of its removal"},
		{"half of a transaction", func(_ []*record, c *content) {
			c.changes = append(c.changes[:3], c.changes[4:]...)
			c.rows["r-1"] = stored{id: "1", quantity: 1}
		}, "op 4 (tx) left {1 0 0}, a third state beside nothing and {1 1 0}"},
		{"what was done is not there", func(_ []*record, c *content) {
			c.changes = c.changes[2:]
			delete(c.rows, "r-1")
		}, "op 1 (create) was done and left {0 0 0} instead of {1 0 0}"},
		{"what had failed is there", func(r []*record, _ *content) { r[1].outcome = failed }, "op 2 (update) had failed and left {0 1 0}"},
		{"an accepted entry is lost", func(_ []*record, c *content) { c.entries = c.entries[1:] }, "I2: 1 accepted entries are missing, and gaps tell of 0"},
		{"one is that a gap tells of", func(_ []*record, c *content) { c.entries, c.gaps = c.entries[1:], append(c.gaps, gap{1, 0}) }, ""},
		{"a gap tells of an op that nobody knows of instead", func(r []*record, c *content) {
			c.entries, c.gaps = c.entries[1:], append(c.gaps, gap{1, 1})
			r[5].outcome = unknown
		}, "I2: 1 accepted entries are missing, and gaps tell of 0"},
		{"a refused entry is not told of", func(_ []*record, c *content) { c.gaps = nil }, "I2: 1 entries were refused, and gaps tell of 0"},
		{"it is told of as accepted", func(_ []*record, c *content) { c.gaps[0].rejected = 0 }, "I2: 1 entries were refused, and gaps tell of 0"},
		{"a refused entry is stored", func(_ []*record, c *content) { c.entries = append(c.entries, trail{id: "x", op: 6, rank: 11}) }, "I2: op 6 (manual) was refused and is stored"},
		{"an entry of nobody's", func(_ []*record, c *content) { c.entries = append(c.entries, trail{id: "x", op: 99, rank: 11}) }, "I2: 1 entries are of op 99, which nobody did"},
		{"an entry twice", func(_ []*record, c *content) { c.entries = append(c.entries, trail{id: "x", op: 3, rank: 10}) }, "I3: op 3 (manual) has 2 entries"},
		{"an id twice", func(_ []*record, c *content) { c.entries[1].id = "g" }, "I3: entry g is stored twice"},
		{"another order", func(_ []*record, c *content) { c.entries[0].rank = 11 }, "I7: op 3 was accepted before op 5 began, and stored after it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			records, c := sound()
			tt.spoil(records, c)
			v := judge(records, c, false)
			if tt.want == "" {
				require.Empty(t, v.violations)
			}
			if tt.name == "nothing" {
				require.Equal(t, "runs=0 ops=8 unknown=1 accepted=2 stored=2 spooled=0 dead=0 dropped=1 counted=1 violations=0", v.String())
			}
			if tt.want != "" {
				require.Contains(t, v.violations, tt.want)
			}
		})
	}
}

func TestJudgeDurable(t *testing.T) {
	t.Parallel()
	records, c := sound()
	require.Empty(t, judge(records, c, true).violations)
	c.entries, c.gaps = c.entries[1:], append(c.gaps, gap{1, 0})
	require.Equal(t, []string{"I2: op 3 (manual) was accepted and is not there"}, judge(records, c, true).violations, "although a gap tells of it")
}

func TestBounded(t *testing.T) {
	t.Parallel()
	v := &verdict{}
	v.bounded([]*record{
		{op: op{1, manual, 0}, took: time.Second},
		{op: op{2, manual, 0}, took: time.Minute},
		{op: op{3, create, 0}, took: time.Hour}, // waits for the database, as it would without auditing
	}, time.Second)
	require.Equal(t, []string{"I5: op 2 (manual) waited 1m0s for its entry"}, v.violations)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700))
	path := filepath.Join(dir, "a", "b", "segment")
	require.NoError(t, os.WriteFile(path, []byte("\x00\x01xcanary1\xff"), 0o600))
	found, err := search(dir, "canary1")
	require.NoError(t, err)
	require.Equal(t, []string{"the planted secret is in " + path}, found)
	found, err = search(dir, "canary2")
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, err := newJournal(path)
	require.NoError(t, err)
	a, err := j.intend(op{kind: create}, 1, 0)
	require.NoError(t, err)
	b, err := j.intend(op{kind: update, target: 1}, 1, 1)
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "intent 1 0 1 create 0\nintent 1 1 2 update 1\n", string(text), "before anything is sent")
	require.NoError(t, j.settle(b, failed, "timeout", time.Second))
	require.NoError(t, j.close())
	require.Equal(t, unknown, a.outcome)
	require.Equal(t, []*record{a, b}, j.all())
	require.Less(t, a.began, b.began)
	require.Less(t, b.began, b.ended)
}

func TestOpsAreLines(t *testing.T) {
	t.Parallel()
	o := op{12, inTx, 7}
	got, err := parseOp(o.String())
	require.NoError(t, err)
	require.Equal(t, o, got)
	_, err = parseOp("12 tx")
	require.Error(t, err)
	for text, want := range map[string]int{rowName(12, 0): 12, rowName(12, 3): 12, noteOf(7): 7, "/q/q-5": 5} {
		n, found := opOf(text)
		require.True(t, found, text)
		require.Equal(t, want, n)
	}
}

func TestPlanSurvivesItsFlags(t *testing.T) {
	t.Parallel()
	p := plan{
		app: "postgres://x", audit: "y z", delivery: viaQueue, dir: "/d", canary: "c", conns: 3, capacity: 4, segment: 5, ballast: 6,
		block: time.Second, timeout: 2 * time.Second, patience: time.Minute, grace: time.Hour, shutdown: time.Millisecond,
	}
	var got plan
	require.NoError(t, parseArgs(&got, p.args()))
	require.Equal(t, p, got)
}
