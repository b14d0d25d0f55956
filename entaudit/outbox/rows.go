package outbox

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/table"
)

// letter is an entry in the outbox.
type letter struct {
	entaudit.Entry

	attempts int   // how often it was refused by itself
	damage   error // why it cannot be read; of the entry there is the id
}

// rows is the outbox as a table. No transaction of its is open while anything else is
// waited for.
type rows struct {
	drv     dialect.Driver
	dialect string
	table   string // quoted
}

// clock returns the database's clock in milliseconds since 1970.
func (r rows) clock() string {
	switch r.dialect {
	case dialect.Postgres:
		return "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
	case dialect.MySQL:
		return "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"
	default:
		return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
	}
}

// statement is one while it is put together.
type statement struct {
	dialect string
	text    strings.Builder
	args    []any
}

func (r rows) statement(parts ...string) *statement {
	s := &statement{dialect: r.dialect}
	return s.add(parts...)
}

func (s *statement) add(parts ...string) *statement {
	for _, p := range parts {
		s.text.WriteString(p)
	}
	return s
}

// arg adds an argument.
func (s *statement) arg(v any) *statement {
	s.args = append(s.args, v)
	if s.dialect == dialect.Postgres {
		return s.add("$", strconv.Itoa(len(s.args)))
	}
	return s.add("?")
}

// ids adds a condition: the id is one of those of letters. On PostgreSQL, whose
// drivers keep prepared statements, its text does not depend on how many there are.
func (s *statement) ids(letters []letter) *statement {
	if s.dialect == dialect.Postgres {
		list := make([]string, len(letters))
		for i := range letters {
			list[i] = letters[i].ID.String()
		}
		return s.add("id = ANY(").arg("{" + strings.Join(list, ",") + "}").add("::uuid[])")
	}
	s.add("id IN (")
	for i := range letters {
		if i > 0 {
			s.add(", ")
		}
		s.arg(letters[i].ID.String())
	}
	return s.add(")")
}

// due adds what selects the first of the rows that may be taken.
func (r rows) due(s *statement, limit int) *statement {
	s.add(" FROM ", r.table, " WHERE (relay_after IS NULL OR relay_after <= ", r.clock(), ")")
	return s.add(" ORDER BY id LIMIT ", strconv.Itoa(limit))
}

// claim takes up to limit entries, the first by id, that nobody else has taken. They are the caller's for lease. Entries of transactions that have not
// committed yet are left for later.
func (r rows) claim(ctx context.Context, limit int, lease time.Duration) ([]letter, error) {
	if r.dialect == dialect.MySQL {
		return r.claimLocked(ctx, limit, lease)
	}
	columns := selectList(r.dialect)
	var s *statement
	if r.dialect == dialect.Postgres {
		// A sub-select could be executed more than once.
		s = r.due(r.statement("WITH due AS MATERIALIZED (SELECT id AS due_id"), limit).
			add(" FOR UPDATE SKIP LOCKED) UPDATE ", r.table, " SET relay_after = ", r.clock(), " + ").arg(lease.Milliseconds()).
			add(" FROM due WHERE id = due_id RETURNING ", columns)
	} else {
		s = r.statement("UPDATE ", r.table, " SET relay_after = ", r.clock(), " + ").arg(lease.Milliseconds())
		s = r.due(s.add(" WHERE id IN (SELECT id"), limit).add(") RETURNING ", columns)
	}
	return read(ctx, r.drv, s)
}

// claimLocked is claim where no UPDATE returns rows.
func (r rows) claimLocked(ctx context.Context, limit int, lease time.Duration) (letters []letter, err error) {
	tx, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	s := r.statement("SELECT ", selectList(r.dialect))
	letters, err = read(ctx, tx, r.due(s, limit).add(" FOR UPDATE SKIP LOCKED"))
	if err == nil && len(letters) > 0 {
		s := r.statement("UPDATE ", r.table, " SET relay_after = ", r.clock(), " + ").arg(lease.Milliseconds())
		err = exec(ctx, tx, s.add(" WHERE ").ids(letters))
	}
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return letters, tx.Commit()
}

// begin begins a transaction that locks rows only, and no room between them that
// others want to insert into.
func (r rows) begin(ctx context.Context) (dialect.Tx, error) {
	type beginner interface {
		BeginTx(ctx context.Context, opts *entsql.TxOptions) (dialect.Tx, error)
	}
	if b, ok := r.drv.(beginner); ok {
		return b.BeginTx(ctx, &entsql.TxOptions{Isolation: sql.LevelReadCommitted})
	}
	return r.drv.Tx(ctx)
}

// remove deletes entries that have arrived.
func (r rows) remove(ctx context.Context, letters []letter) error {
	if len(letters) == 0 {
		return nil
	}
	return exec(ctx, r.drv, r.statement("DELETE FROM ", r.table, " WHERE ").ids(letters))
}

// release gives entries back, to be taken by anybody at once.
func (r rows) release(ctx context.Context, letters []letter) error {
	if len(letters) == 0 {
		return nil
	}
	return exec(ctx, r.drv, r.statement("UPDATE ", r.table, " SET relay_after = ").arg(int64(0)).add(" WHERE ").ids(letters))
}

// postpone notes that an entry was refused by itself, and leaves it alone for a while.
func (r rows) postpone(ctx context.Context, l letter, wait time.Duration) error {
	s := r.statement("UPDATE ", r.table, " SET relay_attempts = ").arg(l.attempts + 1)
	s.add(", relay_after = ", r.clock(), " + ").arg(wait.Milliseconds())
	return exec(ctx, r.drv, s.add(" WHERE ").ids([]letter{l}))
}

// check executes what claim executes, and takes nothing.
func (r rows) check(ctx context.Context) error {
	if _, err := r.claim(ctx, 0, 0); err != nil {
		return err
	}
	return r.remove(ctx, []letter{{}}) // there is no such id
}

// waiting returns how many entries there are, and the first by id.
func (r rows) waiting(ctx context.Context) (n int, oldest uuid.UUID, err error) {
	var res entsql.Rows
	s := r.statement("SELECT (SELECT count(*) FROM ", r.table, "), (SELECT id FROM ", r.table, " ORDER BY id LIMIT 1)")
	if err := r.drv.Query(ctx, s.text.String(), []any{}, &res); err != nil {
		return 0, uuid.Nil, err
	}
	defer func() { err = errors.Join(err, res.Close()) }()
	var id uuid.NullUUID
	if res.Next() {
		if err := res.Scan(&n, &id); err != nil {
			return 0, uuid.Nil, err
		}
	}
	return n, id.UUID, res.Err()
}

func exec(ctx context.Context, conn dialect.ExecQuerier, s *statement) error {
	return conn.Exec(ctx, s.text.String(), s.args, nil)
}

// selectList are the columns that read scans, in the order in which it does. What comes
// before a value that cannot be read is known.
func selectList(dialectName string) string { return "relay_attempts, " + table.SelectList(dialectName) }

// read returns letters in the order of their ids.
func read(ctx context.Context, conn dialect.ExecQuerier, s *statement) (letters []letter, err error) {
	var res entsql.Rows
	if err := conn.Query(ctx, s.text.String(), s.args, &res); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Close()) }()
	for res.Next() {
		var row table.Row
		var attempts sql.NullInt64
		err := res.Scan(append([]any{&attempts}, row.Dest()...)...)
		e, noID := row.Entry()
		if noID != nil {
			return nil, errors.Join(err, noID)
		}
		letters = append(letters, letter{Entry: e, attempts: int(attempts.Int64), damage: err})
	}
	slices.SortFunc(letters, func(a, b letter) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return letters, res.Err()
}
