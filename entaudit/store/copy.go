package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// minCopy is from how many entries on COPY is used: it is cheaper for the server than
// an INSERT, and takes one more round trip.
const minCopy = 50

// pool returns the pool of connections behind drv where they are pgx's own, so that
// they know COPY, else nil.
func pool(drv dialect.Driver) *sql.DB {
	d, ok := drv.(*entsql.Driver)
	if !ok || d.Dialect() != dialect.Postgres {
		return nil
	}
	db, ok := d.ExecQuerier.(*sql.DB)
	if !ok {
		return nil
	}
	if _, ok := db.Driver().(*stdlib.Driver); !ok {
		return nil
	}
	return db
}

// errNoCopy says that entries have to be inserted in the other way.
var errNoCopy = errors.New("COPY is not to be had")

// copy stores entries by COPY, a statement of its own transaction. Where that is not
// to be had it returns errNoCopy, and has stored none.
func (s *Store) copy(ctx context.Context, entries []entaudit.Entry) (err error) {
	if len(entries) < minCopy || s.pool == nil || s.noCopy.Load() {
		return errNoCopy
	}
	conn, err := s.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("store: copy: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	err = conn.Raw(func(raw any) error {
		c, ok := raw.(*stdlib.Conn)
		if !ok {
			return errNoCopy
		}
		statement, data := table.Copy(s.table, entries)
		_, err := c.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(data), statement)
		return err
	})
	if errors.Is(err, errNoCopy) || refusesCopy(err) {
		s.noCopy.Store(true)
		return errNoCopy
	}
	if err != nil {
		return fmt.Errorf("store: copy: %w", err)
	}
	return nil
}

// refusesCopy reports whether err says that the table takes no COPY: because of
// row-level security, for being a view, or since the server is not PostgreSQL itself.
func refusesCopy(err error) bool {
	const notSupported, wrongObject, syntax = "0A000", "42809", "42601"
	var e *pgconn.PgError
	return errors.As(err, &e) && slices.Contains([]string{notSupported, wrongObject, syntax}, e.Code)
}
