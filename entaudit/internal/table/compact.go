package table

import (
	"slices"
	"strings"

	"entgo.io/ent/dialect"
)

// compact returns the statement behind "INSERT INTO table" for rows whose values
// stand in args, and the arguments that it takes: columns that are NULL in every row
// are left out, and on SQLite, whose usual driver binds arguments in quadratic time,
// what all rows share is bound once. names are the quoted columns.
func compact(dialectName string, names []string, args []any) (string, []any) {
	rows := len(args) / len(names)
	share := rows > 1 && dialectName == dialect.SQLite
	var vary, shared []int
	for c := range names {
		switch same := constant(args[c:], len(names)); {
		case same && args[c] == nil:
		case same && share:
			shared = append(shared, c)
		default:
			vary = append(vary, c)
		}
	}
	if len(vary) == 0 {
		vary, shared = shared[:1], shared[1:] // the same entry again and again
	}
	var b strings.Builder
	b.Grow(32 + 24*len(names) + rows*(3*len(vary)+4))
	b.WriteString(" (")
	for i, c := range slices.Concat(vary, shared) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(names[c])
	}
	if len(shared) == 0 {
		b.WriteString(") VALUES ")
		writeRows(&b, rows, len(vary))
	} else {
		b.WriteString(") SELECT * FROM (VALUES ")
		writeRows(&b, rows, len(vary))
		b.WriteString("), (SELECT ")
		writeMarks(&b, len(shared))
		b.WriteByte(')')
	}
	out := args[:0] // a value is never moved behind one that is still to be read
	last := make([]any, len(shared))
	for i, c := range shared {
		last[i] = args[c]
	}
	for r := range rows {
		for _, c := range vary {
			out = append(out, args[r*len(names)+c])
		}
	}
	return b.String(), append(out, last...)
}

// constant reports whether every step-th value is the same.
func constant(values []any, step int) bool {
	for i := step; i < len(values); i += step {
		if values[i] != values[0] {
			return false
		}
	}
	return true
}

func writeRows(b *strings.Builder, rows, columns int) {
	for r := range rows {
		if r > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		writeMarks(b, columns)
		b.WriteByte(')')
	}
}

func writeMarks(b *strings.Builder, n int) {
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('?')
	}
}
