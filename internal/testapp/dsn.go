package main

import (
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
	_ "modernc.org/sqlite"             // driver sqlite
)

// source is a database that -dsn names.
type source struct {
	dialect string // as ent calls it
	driver  string // as database/sql calls it
	dsn     string // as the driver reads it
	shown   string // for people, without a password
	spool   string // folder of entries that wait to be stored there
}

func (s source) open() (*sql.DB, error) {
	db, err := sql.Open(s.driver, s.dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", s.shown, err)
	}
	return db, nil
}

// parseDSN tells databases apart by the scheme of their URL. Without one it is the
// path of an SQLite file.
func parseDSN(dsn string) (source, error) {
	scheme, _, ok := strings.Cut(dsn, "://")
	if !ok {
		return sqliteFile(strings.TrimPrefix(dsn, "file:")), nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		// The error would repeat the URL, which may hold a password.
		return source{}, fmt.Errorf("-dsn: not a URL that begins with %s://", scheme)
	}
	switch scheme {
	case "postgres", "postgresql":
		return source{dialect: dialect.Postgres, driver: "pgx", dsn: dsn, shown: u.Redacted(), spool: spoolOf(dsn)}, nil
	case "mysql", "mariadb":
		return mySQL(u)
	}
	return source{}, fmt.Errorf("-dsn: %s:// is neither postgres:// nor mysql:// nor the path of a file", scheme)
}

// spoolOf is a folder for a database on a server: entries that wait for one must not be
// stored in another.
func spoolOf(dsn string) string {
	sum := sha256.Sum256([]byte(dsn))
	return filepath.Join(os.TempDir(), "entaudit-testapp-"+hex.EncodeToString(sum[:8])+".spool")
}

// sqliteFile is a file that several connections write to: each transaction takes
// the write lock when it begins, since one that reads first cannot wait for it.
func sqliteFile(path string) source {
	path, params, _ := strings.Cut(path, "?")
	dsn := "file:" + path + "?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate"
	if params != "" {
		dsn += "&" + params
	}
	return source{dialect: dialect.SQLite, driver: "sqlite", dsn: dsn, shown: path, spool: path + ".spool"}
}

// mySQL turns a URL into what the driver reads. Times are in UTC on both sides, and
// an update counts the rows it found rather than those it altered, as the other
// databases do.
func mySQL(u *url.URL) (source, error) {
	c := mysql.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net = "tcp"
	c.Addr = net.JoinHostPort(cmp.Or(u.Hostname(), "127.0.0.1"), cmp.Or(u.Port(), "3306"))
	c.DBName = strings.TrimPrefix(u.Path, "/")
	c.ParseTime, c.Loc, c.ClientFoundRows = true, time.UTC, true
	c.Params = map[string]string{"time_zone": "'+00:00'"}
	dsn := c.FormatDSN()
	if u.RawQuery != "" {
		dsn += "&" + u.RawQuery
	}
	if _, err := mysql.ParseDSN(dsn); err != nil {
		return source{}, fmt.Errorf("-dsn: %w", err)
	}
	return source{dialect: dialect.MySQL, driver: "mysql", dsn: dsn, shown: u.Redacted(), spool: spoolOf(dsn)}, nil
}
