package torture_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/invoice"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// withoutForeignKeys returns a bundle on which those of a table do nothing, and what
// makes them work.
func withoutForeignKeys(t *testing.T, dialectName, table, symbol, rest string) (b *bundle, restore func()) {
	t.Helper()
	driver, dsn := testdb.DSN(t, dialectName)
	b = open(t, dialectName, driver, dsn, entaudit.Config{})
	if dialectName == dialect.SQLite {
		with := b.client
		off := testdb.OpenDSN(t, driver, strings.Replace(dsn, "foreign_keys(1)", "foreign_keys(0)", 1))
		b.client = ent.NewClient(ent.Driver(entsql.OpenDB(dialectName, off)), ent.Auditor(b.rec))
		return b, func() { b.client = with }
	}
	drop := "DROP CONSTRAINT "
	if dialectName == dialect.MySQL {
		drop = "DROP FOREIGN KEY "
	}
	quote := map[string]string{dialect.Postgres: table, dialect.MySQL: "`" + table + "`"}[dialectName]
	b.oracle.exec(t, "ALTER TABLE "+quote+" "+drop+symbol)
	return b, func() {
		b.oracle.exec(t, "ALTER TABLE "+quote+" ADD CONSTRAINT "+symbol+" "+rest)
	}
}

// withLine makes an invoice that has a line.
func withLine(t *testing.T, b *bundle, number string) *ent.Invoice {
	t.Helper()
	v := b.plain.Invoice.Create().SetNumber(number).SaveX(t.Context())
	b.plain.Line.Create().SetInvoice(v).SetAmount(gotype.Amount{Text: "1"}).ExecX(t.Context())
	b.oracle.forget(t)
	return v
}

func actions(entries []entaudit.Entry) []string {
	all := []string{}
	for _, e := range entries {
		all = append(all, e.Action)
	}
	return all
}

// TestCase19WithoutForeignKeys has a database that lacks the key of lines to invoices:
// they stay, and no entry says otherwise. Once it has the key, they go.
func TestCase19WithoutForeignKeys(t *testing.T) {
	t.Parallel()
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, restore := withoutForeignKeys(t, name, "lines", "lines_invoices_lines",
				"FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE")
			for _, number := range []string{"1", "2"} {
				b.clear(t)
				v := withLine(t, b, number)
				b.client.Invoice.DeleteOne(v).ExecX(t.Context())
				b.oracle.compare(t)
				require.Equal(t, []string{"invoice.delete"}, actions(b.entries(t)))
			}
			b.clear(t)
			restore()
			for _, number := range []string{"3", "4"} {
				v := withLine(t, b, number)
				b.client.Invoice.DeleteOne(v).ExecX(t.Context())
			}
			require.Equal(t, []string{"invoice.delete", "line.delete", "invoice.delete", "line.delete"}, actions(b.entries(t)))
		})
	}
}

// TestCase19SessionWithoutForeignKeys has a key that was seen at work do nothing in one
// session.
func TestCase19SessionWithoutForeignKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.client.Invoice.DeleteOne(withLine(t, b, "1")).ExecX(t.Context())
		require.Equal(t, []string{"invoice.delete", "line.delete"}, actions(b.entries(t)))
		b.clear(t)
		v := withLine(t, b, "2")
		var c *ent.Client
		var done func()
		switch b.dialect {
		case dialect.SQLite:
			conn, err := b.db.Conn(t.Context())
			require.NoError(t, err)
			_, err = conn.ExecContext(t.Context(), "PRAGMA foreign_keys = 0")
			require.NoError(t, err)
			c = ent.NewClient(ent.Driver(entsql.NewDriver(b.dialect, entsql.Conn{ExecQuerier: conn})), ent.Auditor(b.rec))
			done = func() { require.NoError(t, conn.Close()) }
		default:
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			_, err = tx.ExecContext(t.Context(), map[string]string{
				dialect.Postgres: "SET LOCAL session_replication_role = replica", dialect.MySQL: "SET foreign_key_checks = 0",
			}[b.dialect])
			require.NoError(t, err)
			c, done = tx.Client(), func() { require.NoError(t, tx.Commit()) }
		}
		c.Invoice.DeleteOne(v).ExecX(t.Context())
		done()
		require.NotContains(t, actions(b.entries(t)), "line.delete")
		require.Contains(t, actions(b.entries(t)), "invoice.delete")
		require.Equal(t, 1, b.plain.Line.Query().CountX(t.Context()))
	})
}

// TestCase20OtherAction has the database do something else with keys than the graph
// says.
func TestCase20OtherAction(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"SET DEFAULT": `"x" → "kept"`, "CASCADE": `"x" → -`, "SET NULL": `"x" → null`,
	} {
		b := setup(t, dialect.Postgres, entaudit.Config{})
		for _, symbol := range []string{"scans_files_scans", "scans_files_latest"} {
			b.oracle.exec(t, "ALTER TABLE scans DROP CONSTRAINT "+symbol)
		}
		b.oracle.exec(t, "ALTER TABLE scans ALTER file_id SET DEFAULT 'kept', ADD CONSTRAINT scans_files_scans "+
			"FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE "+action)
		f := b.plain.Folder.Create().SetName("f").SaveX(t.Context())
		for _, id := range []string{"kept", "x", "y"} {
			b.plain.File.Create().SetID(id).SetFolder(f).ExecX(t.Context())
		}
		for _, id := range []string{"x", "x", "y"} {
			b.plain.Scan.Create().SetFileID(id).ExecX(t.Context())
		}
		b.oracle.forget(t)
		b.client.File.DeleteOneID("x").ExecX(t.Context())
		e := b.entries(t)
		require.Len(t, e, 3)
		for _, e := range e[1:] {
			require.Equal(t, want, change(e, "file_id"), action)
		}
		b.oracle.compare(t)
		b.client.File.DeleteOneID("y").ExecX(t.Context())
		require.Equal(t, strings.Replace(want, "x", "y", 1), change(b.entries(t)[4], "file_id"))
	}
}

// TestCase18RowsThatSlipInToADelete has others insert rows that a delete reaches and that
// were not read.
func TestCase18RowsThatSlipInToADelete(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	b.plain.Invoice.Create().SetNumber("in").ExecX(t.Context())
	b.oracle.forget(t)
	left := 2
	slip := func(query string) {
		if strings.Contains(query, `FROM "invoices"`) && strings.HasSuffix(query, "FOR UPDATE") && left > 0 {
			left--
			_, err := b.db.ExecContext(context.Background(), "INSERT INTO invoices (number) VALUES ('slipped' || nextval('invoices_id_seq'))")
			require.NoError(t, err)
		}
	}
	b.drv.onStatement(slip)
	require.Equal(t, 3, b.client.Invoice.Delete().Where(invoice.NumberNEQ("x")).ExecX(t.Context()))
	require.Len(t, b.entries(t), 3)

	b.plain.Invoice.Create().SetNumber("in").ExecX(t.Context())
	left = 1
	tx, err := b.client.Tx(t.Context())
	require.NoError(t, err)
	_, err = tx.Invoice.Delete().Exec(t.Context())
	require.ErrorIs(t, err, entaudit.ErrConcurrent)
	require.ErrorContains(t, tx.Commit(), "could not be recorded")
	require.Equal(t, 2, b.plain.Invoice.Query().CountX(t.Context()))
}

// TestCase75InsertsBesideADelete has another session insert rows that refer to one that
// is being deleted, and to one that is not: it waits where it does without recording.
// Under REPEATABLE READ a locking read of InnoDB also locks the gap in front of the rows
// that it finds, so MySQL is asked for READ COMMITTED.
func TestCase75InsertsBesideADelete(t *testing.T) {
	t.Parallel()
	for _, name := range []string{dialect.Postgres, dialect.MySQL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, name, entaudit.Config{})
			var waits [2][3]bool
			for how, c := range []*ent.Client{b.plain, b.client} {
				b.clear(t)
				var invoices []*ent.Invoice
				for _, number := range []string{"1", "2", "3"} {
					invoices = append(invoices, withLine(t, b, number))
				}
				tx, err := c.BeginTx(t.Context(), &entsql.TxOptions{Isolation: sql.LevelReadCommitted})
				require.NoError(t, err)
				tx.Invoice.DeleteOne(invoices[1]).ExecX(t.Context())
				for i, v := range invoices {
					waits[how][i] = insertLine(t, b, v.ID) != nil
				}
				require.NoError(t, tx.Rollback())
			}
			require.True(t, waits[0][1])
			require.Equal(t, waits[0], waits[1], "what waits without and with recording")
		})
	}
}

// insertLine inserts a line in a session of its own that does not wait for long.
func insertLine(t *testing.T, b *bundle, invoice int) error {
	t.Helper()
	conn, err := b.db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = conn.ExecContext(t.Context(), map[string]string{
		dialect.Postgres: "SET lock_timeout = '300ms'", dialect.MySQL: "SET innodb_lock_wait_timeout = 1",
	}[b.dialect])
	require.NoError(t, err)
	query := map[string]string{
		dialect.Postgres: "INSERT INTO lines (text, amount, invoice_id) VALUES ('', 1, $1)",
		dialect.MySQL:    "INSERT INTO `lines` (text, amount, invoice_id) VALUES ('', 1, ?)",
	}[b.dialect]
	_, err = conn.ExecContext(t.Context(), query, invoice)
	return err
}
