package main

import (
	"context"
	"database/sql"
	"errors"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/bench/ent"
	"github.com/entaudit/audit/internal/bench/ent/migrate"
	"github.com/entaudit/audit/internal/bench/plain"
)

// database is an open database with an audited and an unaudited client on one pool.
type database struct {
	dialect   string
	pool      *sql.DB
	rec       *entaudit.Recorder
	audited   side
	unaudited side
	triggered bool // a trigger notes the changes as well
}

// openDatabase makes the tables on an empty database and fills in the rows that stay.
func openDatabase(ctx context.Context, dialectName, driver, dsn string, cfg entaudit.Config) (*database, error) {
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	// All sides use the same connection, one after the other.
	pool.SetMaxOpenConns(1)
	d := &database{dialect: dialectName, pool: pool}
	if err := d.setup(ctx, cfg); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return d, nil
}

func (d *database) setup(ctx context.Context, cfg entaudit.Config) error {
	rec, err := entaudit.New(cfg)
	if err != nil {
		return err
	}
	drv := entsql.OpenDB(d.dialect, d.pool)
	client := ent.NewClient(ent.Driver(drv), ent.Auditor(rec))
	d.rec, d.audited = rec, audited{client}
	d.unaudited = unaudited{plain.NewClient(plain.Driver(drv))}
	// Creation writes to the description of the tables, which all databases share.
	tables, err := schema.CopyTables(migrate.Tables)
	if err != nil {
		return err
	}
	if err := migrate.Create(ctx, client.Schema, tables, migrate.WithForeignKeys(true)); err != nil {
		return err
	}
	if err := d.fill(ctx); err != nil {
		return err
	}
	return d.settle(ctx)
}

// settle brings the tables back to where they began.
func (d *database) settle(ctx context.Context) error {
	empty := "TRUNCATE TABLE "
	if d.dialect == dialect.SQLite {
		empty = "DELETE FROM "
	}
	statements := []string{empty + entaudit.DefaultTable}
	if d.triggered {
		statements = append(statements, empty+"trigger_logs")
	}
	if d.dialect == dialect.Postgres {
		// What the statistics collector would do now and then, in the middle of a measurement.
		statements = append(statements, "VACUUM ANALYZE invoices, groups, members, member_groups, ledgers, lines")
	}
	for _, s := range statements {
		if _, err := d.pool.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (d *database) close() error { return d.pool.Close() }
