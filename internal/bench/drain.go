package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/store"
)

// queueBatch is how many entries a queue or a relay hands over at once.
const queueBatch = 500

// drain is an audit table, and the rows that the entries become there.
type drain struct {
	tmp     *scratch
	db      *sql.DB
	drv     dialect.Driver
	entries *store.Store
}

func newDrain(ctx context.Context, dialectName string, load []entaudit.Entry) (d *drain, err error) {
	tmp, err := newScratch(ctx, dialectName, "", false)
	if err != nil {
		return nil, err
	}
	d = &drain{tmp: tmp}
	if d.db, err = sql.Open(tmp.driver, tmp.dsn); err != nil {
		return nil, errors.Join(err, tmp.drop())
	}
	d.drv = entsql.OpenDB(dialectName, d.db)
	if d.entries, err = store.New(d.drv, store.Config{}); err == nil {
		err = store.Migrate(ctx, d.drv)
	}
	if err == nil {
		err = store.MigrateOutbox(ctx, d.drv)
	}
	if err == nil {
		err = d.entries.Write(ctx, load)
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *drain) close() error { return errors.Join(d.db.Close(), d.tmp.drop()) }

func (d *drain) exec(ctx context.Context, query string) error {
	_, err := d.db.ExecContext(ctx, query)
	return err
}

// write stores entries as they come out of a queue.
func (d *drain) write(ctx context.Context, load []entaudit.Entry) error {
	for len(load) > 0 {
		n := min(queueBatch, len(load))
		if err := d.entries.Write(ctx, load[:n]); err != nil {
			return err
		}
		load = load[n:]
	}
	return nil
}

// onConn calls f with a connection of PostgreSQL.
func (d *drain) onConn(ctx context.Context, f func(c *pgconn.PgConn) error) (err error) {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return conn.Raw(func(raw any) error { return f(raw.(*stdlib.Conn).Conn().PgConn()) })
}

// drainPostgres compares batches of entries with one raw COPY of all the rows that they
// become, into the same table with its indexes.
func drainPostgres(ctx context.Context, load []entaudit.Entry) (*twoWays, error) {
	d, err := newDrain(ctx, dialect.Postgres, load)
	if err != nil {
		return nil, err
	}
	rows, err := d.rows(ctx)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return &twoWays{
		ours:  func(ctx context.Context) error { return d.write(ctx, load) },
		raw:   func(ctx context.Context) error { return d.copyIn(ctx, rows) },
		reset: func(ctx context.Context) error { return d.exec(ctx, "TRUNCATE audit_logs") },
		close: func(context.Context) error { return d.close() },
	}, nil
}

// rows returns the rows of the table as COPY sends them.
func (d *drain) rows(ctx context.Context) ([]byte, error) {
	var rows bytes.Buffer
	err := d.onConn(ctx, func(c *pgconn.PgConn) error {
		_, err := c.CopyTo(ctx, &rows, "COPY audit_logs TO STDOUT")
		return err
	})
	return rows.Bytes(), err
}

func (d *drain) copyIn(ctx context.Context, rows []byte) error {
	return d.onConn(ctx, func(c *pgconn.PgConn) error {
		_, err := c.CopyFrom(ctx, bytes.NewReader(rows), "COPY audit_logs FROM STDIN")
		return err
	})
}

// relayPostgres compares what a relay does, from an outbox in the same database, with a
// raw COPY of the rows that arrive.
func relayPostgres(ctx context.Context, load []entaudit.Entry) (*twoWays, error) {
	d, err := newDrain(ctx, dialect.Postgres, load)
	if err != nil {
		return nil, err
	}
	waiting, err := store.New(d.drv, store.Config{Table: store.OutboxTable})
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	rows, err := d.rows(ctx)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return &twoWays{
		ours: func(ctx context.Context) error { return d.relay(ctx, len(load)) },
		raw:  func(ctx context.Context) error { return d.copyIn(ctx, rows) },
		reset: func(ctx context.Context) error {
			return errors.Join(d.exec(ctx, "TRUNCATE audit_logs, audit_outbox"), waiting.Write(ctx, load))
		},
		close: func(context.Context) error { return d.close() },
	}, nil
}

// relay empties the outbox, in which n entries are.
func (d *drain) relay(ctx context.Context, n int) error {
	arrived := make(chan struct{})
	//nolint:contextcheck // a relay has a context of its own until it is closed
	r, err := outbox.New(d.drv, entaudit.WriterFunc(func(ctx context.Context, entries []entaudit.Entry) error {
		if err := d.entries.Write(ctx, entries); err != nil {
			return err
		}
		if n -= len(entries); n == 0 {
			close(arrived)
		}
		return nil
	}), outbox.Config{Batch: queueBatch})
	if err != nil {
		return err
	}
	select {
	case <-arrived:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return r.Close(ctx) // when the last batch is settled
}

// rawRows is how many rows the raw statement of SQLite has: its driver binds arguments
// in quadratic time.
const rawRows = 20

// drainSQLite compares batches of entries with a prepared statement that inserts several
// of the rows that they become, into the same table with its indexes.
func drainSQLite(ctx context.Context, load []entaudit.Entry) (*twoWays, error) {
	d, err := newDrain(ctx, dialect.SQLite, load)
	if err != nil {
		return nil, err
	}
	d.db.SetMaxOpenConns(1)
	args, columns, err := d.values(ctx)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	row := ", (?" + strings.Repeat(",?", columns-1) + ")"
	stmt, err := d.db.PrepareContext(ctx, "INSERT INTO audit_logs VALUES "+strings.Repeat(row, rawRows)[2:]) //nolint:gosec // placeholders
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return &twoWays{
		ours: func(ctx context.Context) error { return d.write(ctx, load) },
		raw: func(ctx context.Context) error {
			for i := 0; i+rawRows*columns <= len(args); i += rawRows * columns {
				if _, err := stmt.ExecContext(ctx, args[i:i+rawRows*columns]...); err != nil {
					return err
				}
			}
			return nil
		},
		reset: func(ctx context.Context) error { return d.exec(ctx, "DELETE FROM audit_logs") },
		close: func(context.Context) error { return errors.Join(stmt.Close(), d.close()) },
	}, nil
}

// values returns all values of the table, row by row, as they are stored.
func (d *drain) values(ctx context.Context) (args []any, columns int, err error) {
	rows, err := d.db.QueryContext(ctx, "SELECT * FROM audit_logs ORDER BY id")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, 0, err
	}
	for rows.Next() {
		row := make([]any, len(names))
		dest := make([]any, len(names))
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, 0, fmt.Errorf("row: %w", err)
		}
		for i, v := range row {
			if t, ok := v.(time.Time); ok {
				row[i] = t.UTC().Format("2006-01-02 15:04:05.000000-07:00") // as the library stores it
			}
		}
		args = append(args, row...)
	}
	return args, len(names), rows.Err()
}
