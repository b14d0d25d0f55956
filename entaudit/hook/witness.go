package hook

import (
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql/sqlgraph"

	"github.com/entaudit/audit/entaudit"
)

// A mutation of a type that is not audited has no entries of its own, but what it does to
// types that are has: it may write the keys of rows that refer to its own, link them, and
// take them along. Its scope is that of an audited one without the reading of own rows.

// records reports whether the client records what it changes.
func (c Client) records() bool { return c.Recorder != nil && c.Recorder.RecordsChanges() }

// witness completes the intent of a mutation whose type is not audited, which no guard
// has seen, with what the caller's context says.
func (in *Intent) witness(rec *entaudit.Recorder) *Intent {
	if in != nil && in.rec == nil && rec != nil {
		in.rec, in.origin = rec, rec.Origin(in.ctx)
		in.skip, in.skipped = entaudit.SkipFrom(in.ctx)
		in.skipped = in.skipped && strings.TrimSpace(in.skip) != ""
	}
	return in
}

// tells reports whether one of the edges is one whose links and keys are recorded.
func (s *Schema) tells(edges []string) bool {
	return slices.ContainsFunc(s.Edges, func(d Edge) bool {
		return slices.Contains(edges, d.Name) && d.far != nil && d.far.recorded()
	})
}

// touches reports whether ent, where it writes the edges, changes something of others
// that is recorded: the key of a row, a link, or what goes with a link that is removed.
func (s *Schema) touches(rec *entaudit.Recorder, edges []*sqlgraph.EdgeSpec, came bool) bool {
	return slices.ContainsFunc(edges, func(e *sqlgraph.EdgeSpec) bool {
		return slices.ContainsFunc(s.Edges, func(d Edge) bool {
			return d.is(e) && (d.far.recorded() || d.Links && !came && len(foreignKeys(rec, d.far)) > 0)
		})
	})
}

// recorded reports whether what happens to rows of the table is recorded: they have
// entries, or are links that those of their ends tell of.
func (s *Schema) recorded() bool {
	return s.Audited || slices.ContainsFunc(s.Ends, func(e End) bool { return e.Edge != "" && e.of != nil && e.of.Audited })
}

// is reports whether the edge is that of spec.
func (d Edge) is(spec *sqlgraph.EdgeSpec) bool {
	return d.far != nil && d.Table == spec.Table && d.Column == spec.Columns[0] &&
		d.Inverse == spec.Inverse && d.Links == (spec.Rel == sqlgraph.M2M)
}
