package entaudit_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // an error of a real database

	"github.com/entaudit/audit/entaudit"
)

// Errors in the shape of those that ent generates, and of drivers that this module does
// not require.
type (
	ValidationError struct {
		Name string
		err  error
	}
	NotFoundError   struct{ label string }
	ConstraintError struct {
		msg  string
		wrap error
	}
	pqError     struct{ Code, Message, Detail, Constraint string }
	mattnError  struct{ Code, ExtendedCode int }
	nilReceiver struct{ err error }
	loop        struct{}
	wide        struct{}
)

func (e *ValidationError) Error() string { return e.err.Error() }
func (e *ValidationError) Unwrap() error { return e.err }
func (e *NotFoundError) Error() string   { return "ent: " + e.label + " not found" }
func (e ConstraintError) Error() string  { return "ent: constraint failed: " + e.msg }
func (e *ConstraintError) Unwrap() error { return e.wrap }
func (e *pqError) Error() string         { return "pq: " + e.Message }
func (e *pqError) SQLState() string      { return e.Code }
func (e mattnError) Error() string       { return "UNIQUE constraint failed: users.email" }
func (e *nilReceiver) Error() string     { return e.err.Error() }
func (e *nilReceiver) Unwrap() error     { return e.err }
func (loop) Error() string               { return "hunter2" }
func (l loop) Unwrap() error             { return l }
func (wide) Error() string               { return "hunter2" }
func (w wide) Unwrap() []error           { return []error{w, w} }

func TestErrorCodeS48(t *testing.T) {
	t.Parallel()
	duplicate := &pgconn.PgError{
		Code: "23505", ConstraintName: "users_email_key", Message: `duplicate key value violates unique constraint "users_email_key"`,
		Detail: "Key (email)=(hunter2) already exists.",
	}
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), `CREATE TABLE users (email text UNIQUE, team text, CHECK (team <> 'hunter2'), UNIQUE (team, email));
		CREATE TRIGGER refuse BEFORE INSERT ON users WHEN new.email = 'raise' BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: hunter2'); END;
		INSERT INTO users (email) VALUES ('a')`)
	require.NoError(t, err)
	run := func(query string) error {
		_, err := db.ExecContext(t.Context(), query)
		require.Error(t, err)
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"none", nil, ""},
		{"PostgreSQL", duplicate, "sqlstate 23505 users_email_key"},
		{"PostgreSQL through ent", &ConstraintError{"hunter2", fmt.Errorf("hunter2: %w", duplicate)}, "sqlstate 23505 users_email_key"},
		{"PostgreSQL, a column", &pgconn.PgError{Code: "23502", TableName: "users", ColumnName: "email", Message: "hunter2"}, "sqlstate 23502 users.email"},
		{"PostgreSQL, no name", &pgconn.PgError{Code: "40001", Message: "hunter2"}, "sqlstate 40001"},
		{"PostgreSQL, a hostile name", &pgconn.PgError{Code: "23505", ConstraintName: "bob@x (hunter2)"}, "sqlstate 23505"},
		{"lib/pq", &pqError{Code: "23503", Constraint: "fk", Message: "hunter2"}, "sqlstate 23503 fk"},
		{"MySQL", &mysql.MySQLError{Number: 1062, Message: "Duplicate entry 'hunter2' for key 'users.email'"}, "mysql 1062 users.email"},
		{"MySQL, a hostile value", &mysql.MySQLError{Number: 1062, Message: "Duplicate entry 'a' for key 'hunter2' for key 'email'"}, "mysql 1062 email"},
		{
			"MySQL, a foreign key",
			&mysql.MySQLError{Number: 1452, Message: "Cannot add or update a child row: a foreign key constraint fails (`x`.`y`, CONSTRAINT `fk_1` FOREIGN KEY (`z`))"},
			"mysql 1452 fk_1",
		},
		{"MySQL, another", &mysql.MySQLError{Number: 1366, Message: "Incorrect value: ', CONSTRAINT `hunter2`' for key 'hunter2'"}, "mysql 1366"},
		{"SQLite", run("INSERT INTO users (email) VALUES ('a')"), "sqlite 2067 users.email"},
		{"SQLite, a check", run("INSERT INTO users (team) VALUES ('hunter2')"), "sqlite 275"},
		{"SQLite, a trigger", run("INSERT INTO users (email) VALUES ('raise')"), "sqlite 1811"},
		{"SQLite, syntax", run("INSERT INTO hunter2 VALUES (1)"), "sqlite 1"},
		{"SQLite by cgo", fmt.Errorf("hunter2: %w", mattnError{19, 2067}), "sqlite 2067 users.email"},
		{"ent, validation", fmt.Errorf("x: %w", &ValidationError{"User.name", errors.New("value hunter2")}), "validation User.name"},
		{"ent, not found", &NotFoundError{"user hunter2"}, "not_found"},
		{"the deadline", fmt.Errorf("hunter2: %w", context.DeadlineExceeded), "timeout"},
		{"the caller", context.Canceled, "canceled"},
		{"no rows", sql.ErrNoRows, "no_rows"},
		{"joined", errors.Join(errors.New("hunter2"), duplicate), "sqlstate 23505 users_email_key"},
		{"a plain error", errors.New("dial postgres://bob:hunter2@db/x"), "errors.errorString"},
		{"wrapped", fmt.Errorf("hunter2: %w", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "hunter2"}}), "net.DNSError"},
		{"a nil pointer", (*nilReceiver)(nil), "entaudit_test.nilReceiver"},
		{"one that wraps itself", loop{}, "entaudit_test.loop"},
		{"one that wraps itself twice", wide{}, "entaudit_test.wide"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := entaudit.ErrorCode(tt.err)
			require.Equal(t, tt.want, got)
			require.NotContains(t, strings.ToLower(got), "hunter2")
		})
	}
}

func FuzzErrorCode(f *testing.F) {
	f.Add("Duplicate entry 'x' for key 'users.email'", "c")
	f.Add("Cannot delete, CONSTRAINT `fk`", "users_email_key")
	f.Fuzz(func(t *testing.T, message, name string) {
		for _, err := range []error{
			&mysql.MySQLError{Number: 1062, Message: message},
			&pgconn.PgError{Code: name, ConstraintName: name, Message: message, Detail: message},
			&ValidationError{name, errors.New(message)},
		} {
			got := entaudit.ErrorCode(err)
			if len(got) > entaudit.LimitName || strings.ContainsAny(got, "\n\r\x00'\"`@=()<>") {
				t.Errorf("%q from %q and %q", got, message, name)
			}
		}
	})
}
