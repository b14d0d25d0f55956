// Package hook is the runtime of generated code: it reads the rows that a mutation
// touches before and after, and turns the difference into entries. Programs do not
// call it themselves.
package hook

import (
	"sync"
	"sync/atomic"

	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/txdriver"
)

// Schema describes an audited type. Generated code makes one per type; it must not
// change afterwards.
type Schema struct {
	Graph       *Graph
	Type        string // Go name
	Resource    string // name in entries
	Table       string
	ID          []Field // more than one for composite ids
	Fields      []Field // all other columns, with foreign keys that have no field
	Tenant      string  // column that holds the row's tenant
	Label       string  // column that holds a human name
	IgnoreTouch bool    // leave out updates of nothing but Touch fields
	WholeRows   bool    // the database changes columns that are not written
	Edges       []Edge  // edges whose links are kept in other tables
	Cascades    bool    // a delete reaches rows of other tables

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
	Table   string
	Column  string // first column of the edge's specification
	Inverse bool
}

// Graph is what the types of one generated client share.
type Graph struct {
	Package string // path of the generated package
	Gradual bool   // a client without recorder is reported instead of refused
	// Tx returns the transaction of the caller's that drv is, replaced on first use
	// by what wrap returns for it, or nil.
	Tx func(drv dialect.Driver, wrap func(dialect.Tx) *txdriver.Tx) *txdriver.Tx
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
			entaudit.OpCreate, entaudit.OpUpdate, entaudit.OpDelete, entaudit.OpSoftDelete, entaudit.OpUpsert, entaudit.OpSkip,
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
