package main

import (
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
)

// dropTimeout bounds the removal of a scratch database, which also happens after
// the program was told to stop.
const dropTimeout = 30 * time.Second

// scratch makes an empty database beside the one that dsn names, which is left
// alone, and returns how to remove it again. All connections to it must be closed
// by then.
func scratch(ctx context.Context, dsn string) (source, func() error, error) {
	if dsn == "" {
		return scratchFile(os.TempDir())
	}
	at, err := parseDSN(dsn)
	if err != nil {
		return source{}, nil, err
	}
	if at.dialect == dialect.SQLite {
		return scratchFile(filepath.Dir(at.shown))
	}
	name := "entaudit_demo_" + strings.ToLower(rand.Text()[:10])
	made, err := at.named(name)
	if err != nil {
		return source{}, nil, err
	}
	db, err := at.open()
	if err != nil {
		return source{}, nil, err
	}
	create, drop := "CREATE DATABASE "+name, "DROP DATABASE IF EXISTS "+name //nolint:gosec // the name is ours
	if at.dialect == dialect.MySQL {
		create += " CHARACTER SET utf8mb4"
	}
	if _, err := db.ExecContext(ctx, create); err != nil {
		return source{}, nil, errors.Join(fmt.Errorf("make a database for the demonstration: %w", err), db.Close())
	}
	return made, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
		defer cancel()
		return errors.Join(dropDatabase(ctx, db, drop), db.Close(), os.RemoveAll(made.spool), os.RemoveAll(deadOf(made.spool)))
	}, nil
}

func dropDatabase(ctx context.Context, db *sql.DB, statement string) error {
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("remove the database of the demonstration: %w", err)
	}
	return nil
}

func scratchFile(folder string) (source, func() error, error) {
	dir, err := os.MkdirTemp(folder, "entaudit-demo-")
	if err != nil {
		return source{}, nil, fmt.Errorf("make a folder for the demonstration: %w", err)
	}
	return sqliteFile(filepath.Join(dir, "demo.db")), func() error { return os.RemoveAll(dir) }, nil
}

// named returns another database on the same server.
func (s source) named(name string) (source, error) {
	switch s.dialect {
	case dialect.MySQL:
		c, err := mysql.ParseDSN(s.dsn)
		if err != nil {
			return source{}, fmt.Errorf("-dsn: %w", err)
		}
		c.DBName = name
		s.dsn = c.FormatDSN()
	default:
		u, err := url.Parse(s.dsn)
		if err != nil {
			return source{}, fmt.Errorf("-dsn: %w", err)
		}
		u.Path = "/" + name
		s.dsn = u.String()
	}
	s.shown, s.spool = name, spoolOf(s.dsn)
	return s, nil
}
