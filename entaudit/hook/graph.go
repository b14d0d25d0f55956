package hook

import (
	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
)

// Graph is what the types of one generated client share.
type Graph struct {
	Package string // path of the generated package
	Gradual bool   // a client without recorder is reported instead of refused
	// Tx returns the transaction of the caller's that drv is, nil where it is none.
	Tx      func(drv dialect.Driver) dialect.Tx
	Schemas []*Schema

	types map[string]*Schema
}

// NewGraph returns g with its schemas tied to one another.
func NewGraph(g Graph) *Graph {
	g.types = make(map[string]*Schema, len(g.Schemas))
	tables := make(map[string]*Schema, len(g.Schemas))
	for _, s := range g.Schemas {
		s.Graph = &g
		tables[s.Table] = s
		if s.Type != "" {
			g.types[s.Type] = s
		}
	}
	for _, s := range g.Schemas {
		for i := range s.Edges {
			s.Edges[i].far = tables[s.Edges[i].Table]
		}
		for i := range s.Refs {
			s.Refs[i].from = tables[s.Refs[i].Table]
		}
		for i := range s.Ends {
			s.Ends[i].of = g.types[s.Ends[i].Type]
		}
	}
	return &g
}

// Schema returns the schema of a type.
func (g *Graph) Schema(name string) *Schema { return g.types[name] }

// Client is what a builder runs on.
type Client struct {
	Driver   *dialect.Driver
	Recorder *entaudit.Recorder // nil where the client has none
	// SchemaOf returns the schema of the database that a table is in, by its name in
	// ent's SchemaConfig. It is nil where all are in the connection's own.
	SchemaOf func(name string) string
}
