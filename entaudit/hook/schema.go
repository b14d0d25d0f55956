// Package hook is the runtime of generated code: it reads the rows that a mutation
// touches before and after, and turns the difference into entries. Programs do not
// call it themselves.
package hook

import (
	"sync"
	"sync/atomic"

	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// Schema describes a table of the graph: that of a type, or one that holds nothing but
// links. Generated code makes one per table; it must not change afterwards.
type Schema struct {
	Graph       *Graph // set by NewGraph
	Audited     bool   // changes of its rows are recorded
	Type        string // Go name, empty for a table of links
	Resource    string // name in entries
	Table       string
	Config      string  // name in ent's SchemaConfig
	ID          []Field // more than one for composite ids and links
	Fields      []Field // all other columns, with foreign keys that have no field
	Tenant      string  // column that holds the row's tenant
	Label       string  // column that holds a human name
	IgnoreTouch bool    // leave out updates of nothing but Touch fields
	WholeRows   bool    // the database changes columns that are not written
	Keys        [][]string
	Edges       []Edge // edges whose links are kept in other tables
	Refs        []Ref  // what refers to the rows and goes or changes with them
	Ends        []End  // of the links that the table holds

	warned sync.Once
}

// Field describes a column.
type Field struct {
	Name      string // in entries
	Column    string
	Kind      field.Type
	Plain     bool // the database stores the value as it was given
	Default   bool // the database fills the column when it is left out
	Key       bool // part of a unique index
	Touch     bool // set by every update
	Sensitive bool
	Ignore    bool
}

// Edge describes an edge whose links are kept outside the type's own table.
type Edge struct {
	Name    string
	Table   string // that holds the links
	Column  string // first column of the edge's specification
	Inverse bool
	Links   bool // many to many: Table holds links, and not a key
	Ignore  bool // left out of entries; what it changes in other tables is not

	far *Schema // of Table
}

// Ref is a foreign key of another table that does something when the row it refers to
// is deleted.
type Ref struct {
	Table  string
	Column string
	Action Action

	from *Schema // of Table
}

// Action is what the database does to rows that refer to a deleted one.
type Action int

// The actions that change rows.
const (
	Cascade Action = iota + 1
	SetNull
	SetDefault
)

// End is one of the two ends of a link.
type End struct {
	Column string // of the table that holds the link
	Type   string // whose id the column holds
	Edge   string // of that type, empty where it has none or leaves it out of entries

	of *Schema // of Type
}

// plan is what a recorder makes of a schema.
type plan struct {
	*Schema
	masked []bool         // by field
	index  map[string]int // field by column
	all    []int          // fields that are read from whole rows
	extra  []int          // fields that are read for tenant and label only
	quoted atomic.Pointer[quoted]

	actions map[entaudit.Operation]string
}

// every returns all fields.
func (p *plan) every() []int {
	all := make([]int, len(p.Fields))
	for i := range all {
		all[i] = i
	}
	return all
}

func planOf(rec *entaudit.Recorder, s *Schema) *plan {
	return rec.Memo(s, func() any {
		p := &plan{Schema: s, masked: make([]bool, len(s.Fields)), index: make(map[string]int, len(s.Fields))}
		p.actions = make(map[entaudit.Operation]string)
		for _, op := range []entaudit.Operation{
			entaudit.OpCreate, entaudit.OpUpdate, entaudit.OpDelete, entaudit.OpSoftDelete, entaudit.OpSkip, entaudit.OpSummary,
			entaudit.OpSummary,
		} {
			p.actions[op] = s.Resource + "." + string(op)
		}
		for i, f := range s.Fields {
			p.index[f.Column] = i
			p.masked[i] = f.Sensitive || rec.Redactor().Name(f.Name) || rec.Redactor().Name(f.Column)
			extra := f.Column == s.Tenant || f.Column == s.Label
			if extra {
				p.extra = append(p.extra, i)
			}
			if extra || !f.Ignore {
				p.all = append(p.all, i)
			}
		}
		return p
	}).(*plan)
}
