package table

import (
	"strconv"
	"time"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
)

// Copy returns the statement of PostgreSQL that takes entries from the client, and
// what the client sends: COPY's text form, which the server reads as the columns'
// types, whatever they are. Entries must be finished and are not modified.
func Copy(table string, entries []entaudit.Entry) (statement string, data []byte) {
	size := 0
	for i := range entries {
		size += sizeOf(&entries[i])
	}
	data = make([]byte, 0, size)
	values := make([]any, 0, inserted)
	for i := range entries {
		values = appendRow(values[:0], dialect.Postgres, &entries[i])
		for c, v := range values {
			if c > 0 {
				data = append(data, '\t')
			}
			data = appendCopied(data, v)
		}
		data = append(data, '\n')
	}
	return "COPY " + Quote(dialect.Postgres, table) + pg().columns + " FROM STDIN (ENCODING 'UTF8')", data
}

// appendCopied appends a value of [appendRow].
func appendCopied(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, `\N`...)
	case string:
		return appendEscaped(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case time.Time:
		return v.AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
	}
	panic("table: a row holds a value of another type") // appendRow makes all of them
}

// appendEscaped appends a text without what ends a column or a row.
func appendEscaped(b []byte, s string) []byte {
	start := 0
	for i := range len(s) {
		var c byte
		switch s[i] {
		case '\\':
			c = '\\'
		case '\n':
			c = 'n'
		case '\r':
			c = 'r'
		case '\t':
			c = 't'
		default:
			continue
		}
		b = append(append(b, s[start:i]...), '\\', c)
		start = i + 1
	}
	return append(b, s[start:]...)
}
