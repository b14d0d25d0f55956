package compat_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/auditlog"
	"github.com/entaudit/audit/internal/torture/ent/enttest"
	"github.com/entaudit/audit/internal/torture/ent/migrate"
	_ "github.com/entaudit/audit/internal/torture/ent/runtime"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// database is one with the tables of the graph.
type database struct {
	dialect, driver, dsn string
	db                   *sql.DB
}

func newDatabase(t *testing.T, dialectName string) *database {
	t.Helper()
	d := &database{dialect: dialectName}
	d.driver, d.dsn = testdb.DSN(t, dialectName)
	d.db = testdb.OpenDSN(t, d.driver, d.dsn)
	// Creation writes to the description of the tables, which all tests share.
	tables, err := schema.CopyTables(migrate.Tables)
	require.NoError(t, err)
	require.NoError(t, migrate.Create(t.Context(), migrate.NewSchema(entsql.OpenDB(dialectName, d.db)), tables))
	return d
}

// open returns the driver on the database that ent's own sql.Open gives.
func (d *database) open() *entsql.Driver { return entsql.OpenDB(d.dialect, d.db) }

// recorder returns one that writes to the database.
func recorder(t *testing.T) *entaudit.Recorder {
	t.Helper()
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	return rec
}

// recorded returns what the entries in the database say, in order, without times.
func (d *database) recorded(t *testing.T) []string {
	t.Helper()
	var lines []string
	c := ent.NewClient(ent.Driver(d.open()))
	for _, l := range c.AuditLog.Query().Order(auditlog.ByID()).AllX(context.Background()) {
		changes, err := entaudit.DecodeChanges(l.Changes)
		require.NoError(t, err)
		line := fmt.Sprint(l.Action, " ", l.ResourceID, " ", l.Outcome, " ", string(l.EdgeChanges), l.Marks)
		for _, c := range changes {
			if !strings.HasSuffix(c.Field, "_at") {
				line += fmt.Sprintf(" %s:%s→%s", c.Field, c.Old, c.New)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// story changes rows in all ways that ent has, in and out of transactions.
func story(t *testing.T, c *ent.Client) {
	t.Helper()
	ctx := t.Context()
	ann := c.User.Create().SetName("ann").SetTags([]string{"a"}).SaveX(ctx)
	c.Card.CreateBulk(c.Card.Create().SetID("c1").SetNumber("1"), c.Card.Create().SetID("c2").SetNumber("2")).ExecX(ctx)
	require.Equal(t, 3, ann.Update().SetAge(3).AppendTags([]string{"b"}).SaveX(ctx).Age)
	require.Equal(t, 2, c.Card.Update().SetNumber("3").SaveX(ctx))
	c.Card.UpdateOneID("c1").SetOwner(ann).ExecX(ctx)
	c.Card.Create().SetID("c1").SetNumber("4").OnConflict(entsql.ConflictColumns("id"), entsql.ResolveWithNewValues()).ExecX(ctx)
	c.Group.Create().SetName("g").AddUsers(ann).ExecX(ctx)
	require.True(t, ent.IsNotFound(c.User.UpdateOneID(99).SetAge(1).Exec(ctx)))

	tx, err := c.Tx(ctx)
	require.NoError(t, err)
	doc := tx.Doc.Create().SetTitle("d").SaveX(ctx)
	doc = doc.Update().SetTitle("e").SaveX(ctx)
	tx.Client().User.Update().AddAge(1).ExecX(ctx)
	require.NoError(t, tx.Commit())
	doc.Unwrap().Update().SetTitle("f").ExecX(ctx)
	tx, err = c.Tx(ctx)
	require.NoError(t, err)
	tx.User.Create().SetName("nobody").ExecX(ctx)
	require.NoError(t, tx.Rollback())

	c.Doc.DeleteOneID(doc.ID).ExecX(ctx)
	require.Equal(t, 2, c.Card.Delete().ExecX(ctx))
}

// eachDialect gives f what story leaves behind on a client without further ado.
func eachDialect(t *testing.T, f func(t *testing.T, dialectName string, want []string)) {
	t.Helper()
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, name)
			story(t, ent.NewClient(ent.Driver(d.open()), ent.Auditor(recorder(t))))
			want := d.recorded(t)
			require.Greater(t, len(want), 10)
			f(t, name, want)
		})
	}
}

// TestCase55Drivers puts drivers around and under the audited client: what is recorded
// does not depend on them.
func TestCase55Drivers(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, dialectName string, want []string) {
		var log strings.Builder
		note := func(v ...any) { fmt.Fprintln(&log, v...) }
		for name, open := range map[string]func(d *database) []ent.Option{
			"debug option": func(d *database) []ent.Option {
				return []ent.Option{ent.Driver(d.open()), ent.Debug(), ent.Log(note)}
			},
			"debug driver": func(d *database) []ent.Option {
				return []ent.Option{ent.Driver(dialect.DebugWithContext(d.open(), func(context.Context, ...any) {}))}
			},
			"debug twice": func(d *database) []ent.Option {
				silent := func(...any) {}
				return []ent.Option{ent.Driver(dialect.Debug(dialect.Debug(d.open(), silent), silent))}
			},
			"embedded": func(d *database) []ent.Option { return []ent.Option{ent.Driver(embedding{d.open()})} },
			"cache": func(d *database) []ent.Option {
				return []ent.Option{ent.Driver(&cache{Driver: d.open(), seen: map[string]result{}})}
			},
			"cached debug": func(d *database) []ent.Option {
				return []ent.Option{ent.Driver(&cache{Driver: d.open(), seen: map[string]result{}}), ent.Debug(), ent.Log(func(...any) {})}
			},
		} {
			t.Run(name, func(t *testing.T) {
				d := newDatabase(t, dialectName)
				story(t, ent.NewClient(append(open(d), ent.Auditor(recorder(t)))...))
				require.Equal(t, want, d.recorded(t))
				require.Zero(t, d.db.Stats().InUse)
			})
		}
		require.Contains(t, log.String(), "INSERT INTO")
		require.Contains(t, log.String(), "audit_logs", "what auditing does is in the debug log too")
	})
}

// TestCase55Tracing records through connections that are wrapped, as otelsql and its like do.
func TestCase55Tracing(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, dialectName string, want []string) {
		for name, bare := range map[string]bool{"complete": false, "bare": true} {
			t.Run(name, func(t *testing.T) {
				d := newDatabase(t, dialectName)
				var tr trace
				db := openWrapped(d.db, d.dsn, func(c driver.Conn) driver.Conn {
					if bare {
						return bareConn{c}
					}
					return tracedConn{c, &tr}
				})
				defer func() { require.NoError(t, db.Close()) }()
				story(t, ent.NewClient(ent.Driver(entsql.OpenDB(dialectName, db)), ent.Auditor(recorder(t))))
				require.Equal(t, want, d.recorded(t))
				require.Zero(t, db.Stats().InUse)
				if n := tr.counts(); !bare {
					require.Equal(t, n["begin"], n["commit"]+n["rollback"], "%v", n)
					require.Positive(t, n["exec"]+n["query"])
				}
			})
		}
	})
}

// TestCase55Replica reads from a replica that lags behind for ever. Old values are those
// of the primary.
func TestCase55Replica(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, dialectName string, want []string) {
		primary, replica := newDatabase(t, dialectName), newDatabase(t, dialectName)
		c := ent.NewClient(ent.Driver(&replicated{primary.open(), replica.open()}), ent.Auditor(recorder(t)))
		story(t, c)
		require.Equal(t, want, primary.recorded(t))
		require.Empty(t, replica.recorded(t))
		require.Zero(t, c.User.Query().CountX(t.Context()), "the client itself asks the replica")
		tx, err := c.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, tx.Rollback())
	})
}

// TestCase55Cache reads rows from a cache that is out of date.
func TestCase55Cache(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, dialect.SQLite)
	kept := &cache{Driver: d.open(), seen: map[string]result{}}
	c := ent.NewClient(ent.Driver(kept), ent.Auditor(recorder(t)))
	c.User.Create().SetName("ann").ExecX(t.Context())
	byName := c.User.Query().Where(user.Name("ann"))
	for age := range 3 {
		u := byName.Clone().OnlyX(t.Context())
		require.Zero(t, u.Age, "as it was at first")
		u.Update().SetAge(age + 1).ExecX(t.Context())
	}
	require.Equal(t, 2, kept.hits)
	lines := d.recorded(t)
	for i, want := range []string{"age:0→1", "age:1→2", "age:2→3"} {
		require.Contains(t, lines[i+1], want)
	}
}

// TestCase55EntTest opens clients as tests do.
func TestCase55EntTest(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, dialectName string, want []string) {
		driver, dsn := testdb.DSN(t, dialectName)
		db := testdb.OpenDSN(t, driver, dsn)
		options := []ent.Option{ent.Auditor(recorder(t)), ent.Debug(), ent.Log(func(...any) {})}
		migration := enttest.WithMigrateOptions(migrate.WithDropIndex(true), migrate.WithDropColumn(true))
		if dialectName == driver { // ent takes no other name
			c := enttest.Open(t, driver, dsn, enttest.WithOptions(options...), migration)
			defer func() { require.NoError(t, c.Close()) }()
			story(t, c)
		} else {
			options = append(options, ent.Driver(entsql.OpenDB(dialectName, db)))
			story(t, enttest.NewClient(t, enttest.WithOptions(options...), migration))
		}
		require.Equal(t, want, (&database{dialect: dialectName, db: db}).recorded(t))
	})
}

// TestCase55DebugOfAClient makes debugging clients of audited ones.
func TestCase55DebugOfAClient(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, dialectName string, want []string) {
		d := newDatabase(t, dialectName)
		silent := ent.Log(func(...any) {})
		story(t, ent.NewClient(ent.Driver(d.open()), ent.Auditor(recorder(t)), silent).Debug())
		require.Equal(t, want, d.recorded(t))
		d = newDatabase(t, dialectName)
		story(t, ent.NewClient(ent.Driver(d.open()), silent).Debug().Audited(recorder(t)))
		require.Equal(t, want, d.recorded(t))
	})
}

// TestCase55RawSQL runs statements of the caller's own on audited clients and
// transactions. They run, and leave no entry of a row.
func TestCase55RawSQL(t *testing.T) {
	t.Parallel()
	eachDialect(t, func(t *testing.T, dialectName string, _ []string) {
		d := newDatabase(t, dialectName)
		c := ent.NewClient(ent.Driver(d.open()), ent.Auditor(recorder(t)))
		ctx := t.Context()
		c.User.Create().SetName("ann").ExecX(ctx)
		res, err := c.ExecContext(ctx, "UPDATE users SET age = 5")
		require.NoError(t, err)
		n, err := res.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		tx, err := c.Tx(ctx)
		require.NoError(t, err)
		tx.User.Update().AddAge(1).ExecX(ctx)
		require.Equal(t, []int{6}, ages(t, tx.QueryContext))
		_, err = tx.ExecContext(ctx, "UPDATE users SET age = 10 WHERE age = 6")
		require.NoError(t, err)
		require.Equal(t, []int{10}, ages(t, tx.Client().QueryContext))
		tx.User.Update().AddAge(1).ExecX(ctx)
		require.NoError(t, tx.Commit())
		require.Equal(t, []int{11}, ages(t, c.QueryContext))
		require.Equal(t, []int{11}, ages(t, c.Debug().QueryContext))
		var rows []string
		for _, line := range d.recorded(t) {
			if strings.HasPrefix(line, "user.update ") {
				rows = append(rows, line[strings.Index(line, "age:"):])
			}
		}
		require.Equal(t, []string{"age:5→6", "age:10→11"}, rows)
	})
}

func ages(t *testing.T, query func(ctx context.Context, query string, args ...any) (*sql.Rows, error)) []int {
	t.Helper()
	rows, err := query(t.Context(), "SELECT age FROM users")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var all []int
	require.NoError(t, entsql.ScanSlice(rows, &all))
	require.NoError(t, rows.Err())
	return all
}
