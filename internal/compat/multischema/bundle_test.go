// Package multischema_test records changes of tables that lie in several schemas, and
// in several databases where those are what a schema is.
package multischema_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/compat/multischema/ent"
	"github.com/entaudit/audit/internal/compat/multischema/ent/auditlog"
	"github.com/entaudit/audit/internal/compat/multischema/ent/migrate"
	_ "github.com/entaudit/audit/internal/compat/multischema/ent/runtime"
	"github.com/entaudit/audit/internal/testdb"
)

// names are those of the three schemas.
type names struct{ people, shop, audit string }

// config returns names as ent wants them.
func (n names) config() ent.SchemaConfig {
	return ent.SchemaConfig{
		User: n.people, Note: n.people, UserFriends: n.people,
		Order: n.shop, Product: n.shop, Review: n.shop, UserWishes: n.shop,
		AuditLog: n.audit,
	}
}

// bundle is one set of schemas with an audited client.
type bundle struct {
	names
	db     *sql.DB
	client *ent.Client
}

// each runs f where the schemas have the names of the annotations, which a database
// of MySQL could not share with other tests, and where a client is told others.
func each(t *testing.T, f func(t *testing.T, b *bundle)) {
	t.Helper()
	t.Parallel()
	for _, name := range testdb.Dialects() {
		switch name {
		case dialect.Postgres:
			t.Run(name+"/annotated", func(t *testing.T) {
				t.Parallel()
				f(t, onPostgres(t, names{"people", "shop", "audit"}))
			})
			t.Run(name+"/alternate", func(t *testing.T) {
				t.Parallel()
				n := names{"Tenant_1", "tenant_1", "order"}
				f(t, onPostgres(t, n, ent.AlternateSchema(n.config())))
			})
		case dialect.MySQL:
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f(t, onMySQL(t))
			})
		}
	}
}

func onPostgres(t *testing.T, n names, opts ...ent.Option) *bundle {
	t.Helper()
	db := testdb.Open(t, dialect.Postgres)
	for _, name := range []string{n.people, n.shop, n.audit} {
		exec(t, db, `CREATE SCHEMA "`+name+`"`)
	}
	return open(t, dialect.Postgres, db, n, `ALTER TABLE "%[1]s" SET SCHEMA "%[2]s"`, opts)
}

func onMySQL(t *testing.T) *bundle {
	t.Helper()
	database := func() string {
		_, dsn := testdb.DSN(t, dialect.MySQL)
		cfg, err := mysql.ParseDSN(dsn)
		require.NoError(t, err)
		return cfg.DBName
	}
	driver, dsn := testdb.DSN(t, dialect.MySQL)
	n := names{database(), database(), database()}
	// The connection's own database is none of the three.
	db := testdb.OpenDSN(t, driver, dsn)
	t.Cleanup(func() {
		// Keys between databases keep them from being dropped one by one.
		query := "SET FOREIGN_KEY_CHECKS = 0"
		for _, name := range []string{n.people, n.shop, n.audit} {
			query += "; DROP DATABASE " + name
		}
		_, err := db.ExecContext(context.Background(), query)
		require.NoError(t, err)
	})
	return open(t, dialect.MySQL, db, n, "RENAME TABLE `%[1]s` TO `%[2]s`.`%[1]s`", []ent.Option{ent.AlternateSchema(n.config())})
}

func exec(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), query)
	require.NoError(t, err, query)
}

// open makes the tables and moves them, with the keys between them, into their schemas:
// ent itself creates tables in one schema only.
func open(t *testing.T, dialectName string, db *sql.DB, n names, move string, opts []ent.Option) *bundle {
	t.Helper()
	rec, err := entaudit.New(entaudit.Config{Table: n.audit + ".audit_logs"})
	require.NoError(t, err)
	opts = append([]ent.Option{ent.Driver(entsql.OpenDB(dialectName, db)), ent.Auditor(rec)}, opts...)
	b := &bundle{names: n, db: db, client: ent.NewClient(opts...)}
	tables, err := schema.CopyTables(migrate.Tables)
	require.NoError(t, err)
	require.NoError(t, migrate.Create(t.Context(), b.client.Schema, tables))
	for _, table := range tables {
		to := map[string]string{
			"users": n.people, "notes": n.people, "user_friends": n.people, "audit_logs": n.audit,
		}[table.Name]
		if to == "" {
			to = n.shop
		}
		exec(t, db, fmt.Sprintf(move, table.Name, to))
	}
	return b
}

// recorded returns what the entries say, in order: the operation, the schema and the
// type, the changed fields and the links.
func (b *bundle) recorded(t *testing.T) []string {
	t.Helper()
	called := strings.NewReplacer(b.people+".", "people.", b.shop+".", "shop.")
	var lines []string
	for _, l := range b.client.AuditLog.Query().Order(auditlog.ByID()).AllX(context.Background()) {
		changes, err := entaudit.DecodeChanges(l.Changes)
		require.NoError(t, err)
		line := string(l.Operation) + " " + l.ResourceSchema + "." + l.ResourceType + " " + l.ResourceID
		for _, c := range changes {
			line += " " + c.Field + ":" + side(c.Old) + "→" + side(c.New)
		}
		edges, err := entaudit.DecodeEdges(l.EdgeChanges)
		require.NoError(t, err)
		for _, e := range edges {
			line += fmt.Sprint(" ", e.Edge, ":+", e.Added, "-", e.Removed)
		}
		for mark := range l.Marks {
			line += " marked " + mark
		}
		lines = append(lines, called.Replace(line))
	}
	return lines
}

// since returns what was recorded after the first n entries, sorted: which of several
// rows of one statement comes first is left to the database.
func (b *bundle) since(t *testing.T, n int) []string {
	t.Helper()
	lines := b.recorded(t)[n:]
	slices.Sort(lines)
	return lines
}

func side(v json.RawMessage) string {
	if v == nil {
		return "-"
	}
	return string(v)
}
