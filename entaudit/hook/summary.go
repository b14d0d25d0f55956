package hook

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/bits"
	"slices"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqlgraph"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
)

// summary stands for the rows of a mutation that has too many for one entry each, where
// the configuration says so.
type summary struct {
	rows int
	sum  [4]uint64 // of the SHA-256 of every id, modulo 2^256, lowest word first
}

// add counts a row. The sum does not depend on the order of the rows: a DELETE gives
// them back in any.
func (m *summary) add(id string) {
	m.rows++
	h := sha256.Sum256([]byte(id))
	var carry uint64
	for i := range m.sum {
		word := binary.BigEndian.Uint64(h[32-8*(i+1):])
		m.sum[i], carry = bits.Add64(m.sum[i], word, carry)
	}
}

// ids returns the sum in hex, highest digit first.
func (m *summary) ids() string {
	out := make([]byte, 0, 32)
	for _, word := range slices.Backward(m.sum[:]) {
		out = binary.BigEndian.AppendUint64(out, word)
	}
	return hex.EncodeToString(out)
}

// summarize reports whether n rows are more than get an entry each.
func (s *scope) summarize(n int) bool {
	limit := s.in.rec.Config().SummaryAbove
	return limit > 0 && n > limit
}

// emitSummary makes the entry that stands for the rows of m, which were chosen by p.
// Entries of rows that went with them name it as their cause.
func (s *scope) emitSummary(m *summary, op entaudit.Operation, p *sql.Predicate, changes func(*entaudit.Entry)) {
	e := s.entry(s.in, entaudit.OpSummary, "")
	e.Metadata = map[string]any{"operation": string(op), "rows": m.rows, "ids_sha256_sum": m.ids()}
	if p != nil {
		p.SetDialect(s.dialect)
		where, args := p.Query()
		e.Metadata["predicate"] = where
		if len(args) > 0 {
			e.Metadata["arguments"] = s.arguments(args)
		}
	}
	if changes != nil {
		changes(&e)
	}
	s.reach.rest = cause{e.ID, s.in}
	s.emit(s.in, e)
}

// arguments returns those of a predicate. It is not known which column one is compared
// with: those of a type with secrets stay out.
func (s *scope) arguments(args []any) []any {
	secrets := slices.Contains(s.p.masked, true)
	out := make([]any, len(args))
	for i, a := range args {
		if out[i] = any(entaudit.Redacted); !secrets {
			out[i] = text(plainValue(a))
		}
	}
	return out
}

// setValues adds what an update sets for all of its rows, and what it adds to them.
func (s *scope) setValues(spec *sqlgraph.UpdateSpec) func(*entaudit.Entry) {
	return func(e *entaudit.Entry) {
		d := s.differ()
		note := func(f *sqlgraph.FieldSpec, v any) (entaudit.Change, bool) {
			i, ok := s.p.index[f.Column]
			if !ok || s.p.Fields[i].Ignore {
				return entaudit.Change{}, false
			}
			if f.Type == field.TypeJSON && v != nil {
				if data, err := json.Marshal(v); err == nil {
					v = data
				}
			}
			data, m := d.encode(i, plainValue(v))
			return entaudit.Change{Field: s.p.Fields[i].Name, New: d.side(e, i, "new", data, m)}, true
		}
		for _, f := range spec.Fields.Set {
			if c, ok := note(f, f.Value); ok {
				e.Changes = append(e.Changes, c)
			}
		}
		for _, f := range spec.Fields.Clear {
			if c, ok := note(f, nil); ok {
				e.Changes = append(e.Changes, c)
			}
		}
		added := make(map[string]any)
		for _, f := range spec.Fields.Add {
			if c, ok := note(f, f.Value); ok {
				added[c.Field] = string(c.New)
				delete(e.Marks, "changes."+c.Field+".new")
			}
		}
		if len(added) > 0 {
			e.Metadata["added"] = added
		}
		if len(spec.Modifiers) > 1 { // one of them is the scope's own
			e.Marks = withMark(e.Marks, "changes", entaudit.MarkUnknown)
		}
	}
}
