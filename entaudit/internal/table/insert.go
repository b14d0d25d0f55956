package table

import (
	"errors"
	"fmt"
	"iter"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
)

// Most rows of one statement. SQLite would take 840 (32,766 placeholders), but a
// common driver of it binds them in quadratic time and no network is saved.
const (
	maxRows       = 1000
	maxRowsSQLite = 100
)

// maxBytes is about how much one statement of [Chunks] carries. It keeps clear
// of the smallest usual limit of a packet, 16 MiB on MariaDB.
const maxBytes = 4 << 20

// MaxRows returns how many entries one statement takes.
func MaxRows(dialectName string) int {
	if dialectName == dialect.SQLite {
		return maxRowsSQLite
	}
	return maxRows
}

// Insert returns the statement that stores entries, at most [MaxRows] of them,
// and its arguments. On PostgreSQL, whose drivers keep prepared statements, there are
// three texts: for one entry, for several of one origin, and for others; elsewhere
// the text has the columns that these entries need. Entries must be finished
// ([entaudit.Recorder.Finish]) and are not modified; the arguments may share memory
// with them.
func Insert(dialectName, table string, entries []entaudit.Entry) (query string, args []any, err error) {
	if len(entries) == 0 || len(entries) > MaxRows(dialectName) {
		return "", nil, fmt.Errorf("insert of %d entries: want 1 to %d", len(entries), MaxRows(dialectName))
	}
	into := "INSERT INTO " + Quote(dialectName, table)
	switch dialectName {
	case dialect.Postgres:
		row := appendRow(make([]any, 0, inserted), dialectName, &entries[0])
		switch {
		case len(entries) == 1:
			return into + pg().values, row, nil
		case !oneOrigin(entries):
			return into + pg().record, []any{appendRecords(entries, false)}, nil
		}
		args = append(make([]any, 0, len(pg().origin)+1), appendRecords(entries, true))
		for _, i := range pg().origin {
			args = append(args, row[i])
		}
		return into + pg().common, args, nil
	case dialect.SQLite, dialect.MySQL:
		args = make([]any, 0, inserted*len(entries))
		for i := range entries {
			args = appendRow(args, dialectName, &entries[i])
		}
		text, args := compact(dialectName, texts(dialectName).names, args)
		return into + text, args, nil
	default:
		return "", nil, fmt.Errorf("dialect %q is not supported", dialectName)
	}
}

// Chunks divides entries, in order, into parts that one statement each can
// carry: in number, and in bytes where single entries are not larger than that.
func Chunks(dialectName string, entries []entaudit.Entry) iter.Seq[[]entaudit.Entry] {
	return func(yield func([]entaudit.Entry) bool) {
		limit := MaxRows(dialectName)
		start, size := 0, 0
		for i := range entries {
			n := sizeOf(&entries[i])
			if i > start && (i-start == limit || size+n > maxBytes) {
				if !yield(entries[start:i:i]) {
					return
				}
				start, size = i, 0
			}
			size += n
		}
		if start < len(entries) {
			yield(entries[start:])
		}
	}
}

// sizeOf returns about how many bytes the large columns of an entry take.
func sizeOf(e *entaudit.Entry) int {
	n := 1024 + 64*len(e.Metadata) + 64*len(e.Marks)
	for _, c := range e.Changes {
		n += 2*len(c.Field) + len(c.Old) + len(c.New) + 24
	}
	for _, c := range e.Edges {
		for _, id := range c.Added {
			n += len(id) + 3
		}
		for _, id := range c.Removed {
			n += len(id) + 3
		}
	}
	for _, v := range e.Metadata {
		if s, ok := v.(string); ok {
			n += len(s)
		}
	}
	return n
}

var errNoRow = errors.New("no row scanned")
