// Package testdb gives tests a throw-away database on each supported dialect.
//
// SQLite needs nothing. PostgreSQL and MySQL are found through
// ENTAUDIT_POSTGRES_DSN and ENTAUDIT_MYSQL_DSN, else on their usual ports of this
// machine; where no server answers, the test is skipped, and with
// ENTAUDIT_REQUIRE_DB=1 it fails.
package testdb

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // driver sqlite
)

// Variables that name the servers to use.
const (
	EnvPostgres = "ENTAUDIT_POSTGRES_DSN"
	EnvMySQL    = "ENTAUDIT_MYSQL_DSN"
	EnvRequire  = "ENTAUDIT_REQUIRE_DB"
	// EnvDialects confines tests that run on every dialect to some, as "postgres"
	// or "sqlite3,mysql". It is for passes that are slow, such as with -race.
	EnvDialects = "ENTAUDIT_DIALECTS"
)

// dropAttempts is how often dropping a database is tried.
const dropAttempts = 200

// dropPause is the wait between two of them: a busy server has much to remove.
const dropPause = 100 * time.Millisecond

// timeout bounds each statement that makes or drops a database.
const timeout = 30 * time.Second

// Dialects returns the names of the dialects to test on, as ent calls them: all of
// them, SQLite first, unless ENTAUDIT_DIALECTS says otherwise.
func Dialects() []string {
	all := []string{dialect.SQLite, dialect.Postgres, dialect.MySQL}
	only := os.Getenv(EnvDialects)
	if only == "" {
		return all
	}
	names := strings.Split(only, ",")
	for _, name := range names {
		if !slices.Contains(all, name) {
			panic(fmt.Sprintf("testdb: %s: unknown dialect %q", EnvDialects, name))
		}
	}
	return names
}

// Open returns a pool on an empty database of the dialect. Pool and database go
// away with the test.
func Open(t testing.TB, dialectName string) *sql.DB {
	t.Helper()
	driver, dsn := DSN(t, dialectName)
	return OpenDSN(t, driver, dsn)
}

// OpenDSN returns a further pool on a database made by [DSN].
func OpenDSN(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// DSN makes an empty database of the dialect and returns the name of its
// database/sql driver and its data source name. The database goes away with the
// test; pools that the test opens on it must be closed by then.
func DSN(t testing.TB, dialectName string) (driver, dsn string) {
	t.Helper()
	switch dialectName {
	case dialect.SQLite:
		// The name of a subtest may have a #, which would end the name of the file.
		file := url.URL{Path: filepath.Join(t.TempDir(), "test.db")}
		return "sqlite", "file:" + file.EscapedPath() +
			"?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"
	case dialect.Postgres:
		return "pgx", postgres(t)
	case dialect.MySQL:
		return "mysql", mySQL(t)
	default:
		t.Fatalf("testdb: unknown dialect %q", dialectName)
		return "", ""
	}
}

// WithParam returns a DSN of [DSN] with one more parameter, such as
// default_query_exec_mode for PostgreSQL or _txlock for SQLite.
func WithParam(dsn, name, value string) string {
	sep := "?"
	if strings.Contains(dsn, "?") {
		sep = "&"
	}
	return dsn + sep + name + "=" + url.QueryEscape(value)
}

// Address returns where the server of a DSN of [DSN] listens.
func Address(dsn string) string {
	if u, err := url.Parse(dsn); err == nil && u.Scheme == "postgres" {
		return u.Host
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return ""
	}
	return cfg.Addr
}

// WithAddress returns a DSN of [DSN] with the server somewhere else, such as behind a proxy.
func WithAddress(dsn, address string) string {
	return strings.Replace(dsn, Address(dsn), address, 1)
}

func postgres(t testing.TB) string {
	t.Helper()
	base := cmp.Or(os.Getenv(EnvPostgres), "postgres://postgres@127.0.0.1:5432/test?sslmode=disable")
	u, err := url.Parse(base)
	require.NoError(t, err, "%s: must be a URL", EnvPostgres)
	name := create(t, "pgx", base, EnvPostgres, `CREATE DATABASE %s`, `DROP DATABASE IF EXISTS %s WITH (FORCE)`)
	u.Path = "/" + name
	if q := u.Query(); !q.Has("synchronous_commit") {
		q.Set("synchronous_commit", "off") // no test takes the server's power away
		u.RawQuery = q.Encode()
	}
	return u.String()
}

func mySQL(t testing.TB) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(cmp.Or(os.Getenv(EnvMySQL), "root:@tcp(127.0.0.1:3306)/test"))
	require.NoError(t, err, "%s: must be a DSN", EnvMySQL)
	cfg.ParseTime, cfg.Loc, cfg.MultiStatements = true, time.UTC, true
	cfg.DBName = create(t, "mysql", cfg.FormatDSN(), EnvMySQL,
		`CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`, `DROP DATABASE IF EXISTS %s`)
	return cfg.FormatDSN()
}

// create makes a database with a name of its own, to be dropped with the test.
func create(t testing.TB, driver, dsn, env, createStmt, dropStmt string) string {
	t.Helper()
	server, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := server.PingContext(ctx); err != nil {
		require.NoError(t, server.Close())
		if os.Getenv(EnvRequire) == "1" {
			t.Fatalf("testdb: no server; set %s: %v", env, err)
		}
		t.Skipf("testdb: no server; set %s: %v", env, err)
	}
	name := "entaudit_" + strings.ToLower(rand.Text())
	_, err = server.ExecContext(ctx, fmt.Sprintf(createStmt, name))
	require.NoError(t, err)
	t.Cleanup(func() {
		// The test's own context is done by now.
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		// MariaDB fails while it still removes files of a table that was altered.
		for range dropAttempts {
			if _, err = server.ExecContext(ctx, fmt.Sprintf(dropStmt, name)); err == nil {
				break
			}
			time.Sleep(dropPause)
		}
		require.NoError(t, err)
		require.NoError(t, server.Close())
	})
	return name
}
