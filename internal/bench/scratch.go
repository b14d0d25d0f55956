package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
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

// scratch is an empty database that goes away again.
type scratch struct {
	dialect, driver, dsn string
	drop                 func() error
}

// dropTimeout bounds the removal of a database, which an interrupt does not stop.
const dropTimeout = 30 * time.Second

// newScratch makes a database of the dialect. server is the DSN of its server; empty
// means what ENTAUDIT_POSTGRES_DSN or ENTAUDIT_MYSQL_DSN says, else the usual port of
// this machine. sync tells whether commits wait for the disk where the client decides it.
func newScratch(ctx context.Context, dialectName, server string, sync bool) (*scratch, error) {
	switch dialectName {
	case dialect.SQLite:
		return sqliteScratch(sync)
	case dialect.Postgres:
		return postgresScratch(ctx, server, sync)
	case dialect.MySQL:
		return mySQLScratch(ctx, server)
	}
	return nil, fmt.Errorf("-db: there is no database %q", dialectName)
}

func sqliteScratch(sync bool) (*scratch, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	mode := "NORMAL"
	if sync {
		mode = "FULL"
	}
	return &scratch{
		dialect: dialect.SQLite, driver: "sqlite", drop: func() error { return os.RemoveAll(dir) },
		dsn: "file:" + filepath.Join(dir, "bench.db") +
			"?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(" + mode + ")",
	}, nil
}

func postgresScratch(ctx context.Context, server string, sync bool) (*scratch, error) {
	server = cmp.Or(server, os.Getenv("ENTAUDIT_POSTGRES_DSN"), "postgres://postgres@127.0.0.1:5432/test?sslmode=disable")
	u, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("the DSN of PostgreSQL must be a URL")
	}
	name, drop, err := onServer(ctx, "pgx", server, "CREATE DATABASE %s", "DROP DATABASE IF EXISTS %s WITH (FORCE)")
	if err != nil {
		return nil, err
	}
	u.Path = "/" + name
	q := u.Query()
	q.Set("synchronous_commit", "off")
	if sync {
		q.Set("synchronous_commit", "on")
	}
	u.RawQuery = q.Encode()
	return &scratch{dialect: dialect.Postgres, driver: "pgx", dsn: u.String(), drop: drop}, nil
}

func mySQLScratch(ctx context.Context, server string) (*scratch, error) {
	cfg, err := mysql.ParseDSN(cmp.Or(server, os.Getenv("ENTAUDIT_MYSQL_DSN"), "root:@tcp(127.0.0.1:3306)/test"))
	if err != nil {
		return nil, err
	}
	cfg.ParseTime, cfg.Loc = true, time.UTC
	name, drop, err := onServer(ctx, "mysql", cfg.FormatDSN(),
		"CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "DROP DATABASE IF EXISTS %s")
	if err != nil {
		return nil, err
	}
	cfg.DBName = name
	return &scratch{dialect: dialect.MySQL, driver: "mysql", dsn: cfg.FormatDSN(), drop: drop}, nil
}

// onServer makes a database of a name of its own.
func onServer(ctx context.Context, driver, dsn, create, drop string) (name string, undo func() error, err error) {
	server, err := sql.Open(driver, dsn)
	if err != nil {
		return "", nil, err
	}
	name = "entaudit_bench_" + strings.ToLower(rand.Text())
	if _, err := server.ExecContext(ctx, fmt.Sprintf(create, name)); err != nil {
		return "", nil, errors.Join(err, server.Close())
	}
	return name, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
		defer cancel()
		_, err := server.ExecContext(ctx, fmt.Sprintf(drop, name))
		return errors.Join(err, server.Close())
	}, nil
}

// through returns the scratch with addr as the address of its server.
func (s scratch) through(addr string) (*scratch, error) {
	switch s.dialect {
	case dialect.Postgres:
		u, err := url.Parse(s.dsn)
		if err != nil {
			return nil, err
		}
		u.Host = addr
		s.dsn = u.String()
	case dialect.MySQL:
		cfg, err := mysql.ParseDSN(s.dsn)
		if err != nil {
			return nil, err
		}
		cfg.Addr = addr
		s.dsn = cfg.FormatDSN()
	default:
		return nil, fmt.Errorf("%s has no server", s.dialect)
	}
	return &s, nil
}

// addr returns the address of the server.
func (s scratch) addr() (string, error) {
	if s.dialect == dialect.MySQL {
		cfg, err := mysql.ParseDSN(s.dsn)
		if err != nil {
			return "", err
		}
		return cfg.Addr, nil
	}
	u, err := url.Parse(s.dsn)
	if err != nil {
		return "", err
	}
	return u.Host, nil
}
