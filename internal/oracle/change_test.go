package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/oracle"
)

// set returns an update of one column of one row.
func set(from, to oracle.Value) oracle.Change {
	return oracle.Change{Table: "t", ID: "1", Op: oracle.Update, Columns: map[string]oracle.Pair{"a": {Old: from, New: to}}}
}

func insert(v oracle.Value) oracle.Change {
	return oracle.Change{Table: "t", ID: "1", Op: oracle.Insert, Columns: map[string]oracle.Pair{"a": {New: v}}}
}

func remove(v oracle.Value) oracle.Change {
	return oracle.Change{Table: "t", ID: "1", Op: oracle.Delete, Columns: map[string]oracle.Pair{"a": {Old: v}}}
}

func TestNet(t *testing.T) {
	t.Parallel()
	empty := oracle.Change{Table: "t", ID: "1", Op: oracle.Insert, Columns: map[string]oracle.Pair{}}
	for _, tt := range []struct {
		name    string
		changes []oracle.Change
		want    string // empty where nothing is left
	}{
		{"none", nil, ""},
		{"one", []oracle.Change{set("x", "y")}, "update t 1 a: x → y"},
		{"updates", []oracle.Change{set("x", "y"), set("y", "z")}, "update t 1 a: x → z"},
		{"there and back", []oracle.Change{set("x", "y"), set("y", "x")}, ""},
		{"there and back and on", []oracle.Change{set("x", "y"), set("y", "x"), set("x", "z")}, "update t 1 a: x → z"},
		{"insert and update", []oracle.Change{insert("x"), set("x", "y")}, "insert t 1 a=y"},
		{"insert and clear", []oracle.Change{insert("x"), set("x", oracle.Null)}, "insert t 1"},
		{"insert and fill", []oracle.Change{empty, set(oracle.Null, "y")}, "insert t 1 a=y"},
		{"update and delete", []oracle.Change{set("x", "y"), remove("y")}, "delete t 1 a=x"},
		{"clear and delete", []oracle.Change{set("x", oracle.Null), {Table: "t", ID: "1", Op: oracle.Delete}}, "delete t 1 a=x"},
		{"insert and delete", []oracle.Change{insert("x"), remove("x")}, ""},
		{"replaced", []oracle.Change{remove("x"), insert("y")}, "update t 1 a: x → y"},
		{"replaced by less", []oracle.Change{remove("x"), empty}, "update t 1 a: x → NULL"},
		{"replaced by the same", []oracle.Change{remove("x"), insert("x")}, ""},
		{"masked", []oracle.Change{set(oracle.Any, oracle.Any), set(oracle.Any, oracle.Any)}, "update t 1 a: any value → any value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			net, ok := oracle.Net(tt.changes)
			require.Equal(t, tt.want != "", ok)
			if ok {
				require.Equal(t, tt.want, net.String())
			}
		})
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	in := func(tx string, c oracle.Change) oracle.Change {
		c.Tx = tx
		return c
	}
	unseen := func(c oracle.Change) oracle.Change {
		c.Silent = true
		return c
	}
	type list = []oracle.Change
	for _, tt := range []struct {
		name               string
		happened, recorded list
		netted             int
		ok                 bool
	}{
		{"nothing", nil, nil, 0, true},
		{"one by one", list{insert("x"), set("x", "y"), remove("y")}, list{insert("x"), set("x", "y"), remove("y")}, 0, true},
		{"missing", list{insert("x"), set("x", "y")}, list{insert("x")}, 0, false},
		{"invented", list{insert("x")}, list{insert("x"), set("x", "y")}, 0, false},
		{"wrong old value", list{set("x", "y")}, list{set("z", "y")}, 0, false},
		{"other order", list{set("x", "y"), set("y", "x")}, list{set("y", "x"), set("x", "y")}, 0, false},
		{"net", list{set("x", "y"), set("y", "z")}, list{set("x", "z")}, 2, true},
		{"net of nothing", list{set("x", "y"), set("y", "x")}, nil, 2, true},
		{"net at the end", list{set("x", "y"), set("y", "z"), set("z", "x")}, list{set("x", "y"), set("y", "x")}, 2, true},
		{"of two transactions", list{in("1", set("x", "y")), in("2", set("y", "z"))}, list{set("x", "z")}, 0, false},
		{"net of nothing before the same again", list{
			in("1", set("x", "y")), in("1", set("y", "x")), in("2", set("x", "y")), in("2", set("y", "z")),
		}, list{set("x", "y"), set("y", "z")}, 2, true},
		{"net that begins like what was recorded before it", list{
			in("1", set("x", "y")), in("1", set("y", "x")), in("1", set("x", "y")), in("2", set("y", "x")), in("2", set("x", "z")), in("3", set("z", "y")),
		}, list{set("x", "y"), set("y", "z"), set("z", "y")}, 4, true},
		{"masked", list{set("x", "y")}, list{set(oracle.Any, oracle.Any)}, 0, true},
		{"masked and null", list{set("x", oracle.Null)}, list{set(oracle.Any, oracle.Any)}, 0, false},
		{"finer than it was seen", list{unseen(remove("x"))}, list{set("x", "y"), remove("y")}, 1, true},
		{"finer than a trigger saw", list{remove("x")}, list{set("x", "y"), remove("y")}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			netted, ok := oracle.Match(tt.happened, tt.recorded)
			require.Equal(t, tt.ok, ok)
			require.Equal(t, tt.netted, netted)
		})
	}
}
