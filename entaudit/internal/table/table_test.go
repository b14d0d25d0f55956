package table

import (
	"database/sql"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"
)

// createTable makes a bare table with the columns of the audit table; the real
// one belongs to the migrations of the store.
func createTable(t testing.TB, db *sql.DB, dialectName string) {
	t.Helper()
	var defs []string
	for _, c := range columns() {
		typ := c.record
		switch {
		case dialectName == dialect.MySQL && c.record == "timestamptz":
			typ = "datetime(6)"
		case dialectName == dialect.MySQL && c.record == "uuid":
			typ = "char(36)"
		case dialectName == dialect.MySQL && c.record == "text":
			typ = "longtext"
		case dialectName == dialect.SQLite && c.record == "timestamptz":
			typ = "datetime"
		}
		switch c.name {
		case "id":
			typ += " PRIMARY KEY"
		case RecordedAt:
			typ += " DEFAULT CURRENT_TIMESTAMP"
			if dialectName == dialect.MySQL {
				typ += "(6)"
			}
		}
		defs = append(defs, Quote(dialectName, c.name)+" "+typ)
	}
	_, err := db.ExecContext(t.Context(), "CREATE TABLE audit_logs ("+strings.Join(defs, ", ")+")")
	require.NoError(t, err)
}
