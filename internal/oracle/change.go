package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql/schema"
)

// Op is what happened to a row.
type Op string

// Operations on rows.
const (
	Insert Op = "insert"
	Update Op = "update"
	Delete Op = "delete"
)

// Change is the change of one row.
type Change struct {
	Tx      string // transaction, where the database tells; equal texts mean the same one
	Table   string
	ID      string // as entries name the row
	Op      Op
	Silent  bool // made by a foreign key and not seen by a trigger
	Columns map[string]Pair
}

// Pair is a value before and after. A row that comes into being has no old ones, one
// that goes no new ones; what is NULL there is left out.
type Pair struct{ Old, New Value }

// String returns the change on one line.
func (c Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", c.Op, c.Table, c.ID)
	for _, name := range slices.Sorted(maps.Keys(c.Columns)) {
		p := c.Columns[name]
		switch c.Op {
		case Insert:
			fmt.Fprintf(&b, " %s=%s", name, p.New)
		case Delete:
			fmt.Fprintf(&b, " %s=%s", name, p.Old)
		default:
			fmt.Fprintf(&b, " %s: %s → %s", name, p.Old, p.New)
		}
	}
	return b.String()
}

// Equal reports whether two changes say the same.
func (c Change) Equal(d Change) bool {
	if c.Table != d.Table || c.ID != d.ID || c.Op != d.Op || len(c.Columns) != len(d.Columns) {
		return false
	}
	for name, p := range c.Columns {
		q, ok := d.Columns[name]
		if !ok || !p.Old.Equal(q.Old) || !p.New.Equal(q.New) {
			return false
		}
	}
	return true
}

// change returns what a record says. Its key, if it is one column, is told by the id.
func (r record) change(t *schema.Table) Change {
	c := Change{Tx: r.tx, Table: r.table, Op: r.op, Silent: r.silent, Columns: make(map[string]Pair)}
	row := r.old
	if r.op == Insert {
		row = r.new
	}
	c.ID = row.id(t)
	for _, column := range t.Columns {
		p := Pair{r.old[column.Name], r.new[column.Name]}
		switch {
		case r.op == Insert && p.New == Null, r.op == Delete && p.Old == Null, p.Old == p.New:
		case isKey(t, column.Name) && r.op != Update:
		default:
			c.Columns[column.Name] = p
		}
	}
	return c
}

// Then returns the net change of c and, after it, d on the same row. It reports false
// if nothing is left.
func (c Change) Then(d Change) (Change, bool) {
	net := Change{Tx: d.Tx, Table: c.Table, ID: c.ID, Op: Update, Silent: c.Silent || d.Silent, Columns: make(map[string]Pair)}
	switch {
	case c.Op == Insert && d.Op == Delete:
		return net, false
	case c.Op == Insert:
		net.Op = Insert
	case d.Op == Delete:
		net.Op = Delete
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(c.Columns)), maps.Keys(d.Columns))
	for _, name := range names {
		p := Pair{Old: side(c, d, name, true), New: side(d, c, name, false)}
		switch net.Op {
		case Insert:
			p.Old = ""
		case Delete:
			p.New = ""
		}
		if p.Old == p.New && p.Old != Any || p.Old == "" && p.New == Null || p.New == "" && p.Old == Null {
			continue
		}
		net.Columns[name] = p
	}
	return net, net.Op != Update || len(net.Columns) > 0
}

// side returns a column's value before the first change, or after the last one, where
// the nearer of two changes may not have touched it.
func side(near, far Change, column string, before bool) Value {
	pick := func(p Pair) Value {
		if before {
			return p.Old
		}
		return p.New
	}
	if p, ok := near.Columns[column]; ok {
		return pick(p)
	}
	if near.Op != Update {
		return Null // a whole row, in which it is left out
	}
	return pick(far.Columns[column])
}

// Net returns the net change of several changes of one row. It reports false if nothing
// is left.
func Net(changes []Change) (net Change, ok bool) {
	for _, c := range changes {
		if !ok {
			net, ok = c, true
			continue
		}
		net, ok = net.Then(c)
	}
	return net, ok
}
