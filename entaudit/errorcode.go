package entaudit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ErrorCode tells of err what an entry may hold: a code, and the name of the
// constraint, columns or field that it is about. The texts of errors hold values of
// rows, statements and passwords; nothing of them is taken but names of the schema. It
// knows the errors of pgx, lib/pq, go-sql-driver/mysql and the SQLite drivers by their
// shape, without importing them, and those that ent generates:
//
//	sqlstate 23505 users_email_key
//	mysql 1062 users.email
//	sqlite 2067 users.email
//	validation User.name
//	timeout
//
// Of any other it is the type of the innermost error. It is "" for nil.
func ErrorCode(err error) string {
	if err == nil {
		return ""
	}
	budget := maxErrors
	code := errorCode(err, &budget)
	if code == "" {
		code = typeName(innermost(err))
	}
	code, _ = Bound(code, LimitName)
	return code
}

// maxErrors is how many errors of a tree are looked at.
const maxErrors = 64

// errorCode returns the code of the first error in the tree of err that has one.
func errorCode(err error, budget *int) string {
	if *budget--; *budget < 0 || err == nil {
		return ""
	}
	if code := ownCode(err); code != "" {
		return code
	}
	for _, e := range unwrap(err) {
		if code := errorCode(e, budget); code != "" {
			return code
		}
	}
	return ""
}

// unwrap returns the errors that err wraps. Its methods may panic, as those of a nil
// pointer do.
func unwrap(err error) (wrapped []error) {
	defer func() { _ = recover() }() // then it wraps nothing
	switch e := err.(type) {         //nolint:errorlint // the tree is walked here
	case interface{ Unwrap() error }:
		return []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}

// innermost returns the error that err began with, as far as there is one.
func innermost(err error) error {
	for range maxErrors {
		w := unwrap(err)
		if len(w) == 0 || w[0] == nil {
			break
		}
		err = w[0]
	}
	return err
}

func typeName(err error) string { return strings.TrimPrefix(fmt.Sprintf("%T", err), "*") }

// ownCode returns the code of err itself, "" where it has none.
func ownCode(err error) string {
	switch err { //nolint:errorlint // the tree is walked by the caller
	case context.Canceled:
		return "canceled"
	case context.DeadlineExceeded:
		return "timeout"
	case sql.ErrNoRows:
		return "no_rows"
	case sql.ErrTxDone:
		return "transaction_done"
	case sql.ErrConnDone, driver.ErrBadConn:
		return "connection_lost"
	}
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() != reflect.Struct {
		return ""
	}
	switch name := v.Type().Name(); {
	case name == "ValidationError":
		return strings.TrimRight("validation "+identifier(field(v, "Name")), " ")
	case name == "NotFoundError" && entOwn(v):
		return "not_found"
	case name == "NotSingularError" && entOwn(v):
		return "not_singular"
	case name == "PanicError":
		return "panic"
	}
	return databaseCode(err, v)
}

// entOwn reports whether v is an error that ent generates: it has a label and nothing
// else.
func entOwn(v reflect.Value) bool { return v.NumField() == 1 && v.Type().Field(0).Name == "label" }

// databaseCode returns the code of an error of a database.
func databaseCode(err error, v reflect.Value) string {
	code := ""
	switch e := err.(type) { //nolint:errorlint // the tree is walked by the caller
	case interface{ SQLState() string }: // pgx and lib/pq
		constraint := field(v, "ConstraintName")
		if constraint == "" {
			constraint = field(v, "Constraint")
		}
		if constraint == "" {
			constraint = strings.Trim(field(v, "TableName")+"."+field(v, "ColumnName"), ".")
		}
		code = "sqlstate " + identifier(e.SQLState()) + " " + identifier(constraint)
	case interface{ Code() int }: // modernc's SQLite
		if v.Type().PkgPath() != "modernc.org/sqlite" {
			return ""
		}
		code = fmt.Sprintf("sqlite %d %s", e.Code(), sqliteNames(int64(e.Code()), err))
	default:
		switch {
		case v.FieldByName("Number").IsValid() && v.FieldByName("SQLState").IsValid() && v.FieldByName("Number").CanUint():
			code = fmt.Sprintf("mysql %d %s", v.FieldByName("Number").Uint(), mysqlNames(field(v, "Message")))
		case v.FieldByName("ExtendedCode").IsValid() && v.FieldByName("ExtendedCode").CanInt(): // mattn's SQLite
			code = fmt.Sprintf("sqlite %d %s", v.FieldByName("ExtendedCode").Int(), sqliteNames(v.FieldByName("ExtendedCode").Int(), err))
		}
	}
	return strings.TrimRight(code, " ")
}

// field returns the text of an exported field, "" where there is none.
func field(v reflect.Value, name string) string {
	if f := v.FieldByName(name); f.IsValid() && f.Kind() == reflect.String {
		return f.String()
	}
	return ""
}

// mysqlNames returns the names in a message of MySQL or MariaDB: of the key, which
// stands at the end behind the values, or of the foreign key.
func mysqlNames(message string) string {
	const key, constraint = " for key '", ", CONSTRAINT `"
	if i := strings.LastIndex(message, key); i >= 0 && strings.HasPrefix(message, "Duplicate entry ") {
		return identifier(strings.TrimSuffix(message[i+len(key):], "'"))
	}
	if _, names, ok := strings.Cut(message, constraint); ok && strings.HasPrefix(message, "Cannot ") {
		name, _, _ := strings.Cut(names, "`")
		return identifier(name)
	}
	return ""
}

// sqliteNames returns the names in the message of a constraint of SQLite that failed.
// The texts of other errors may be those of triggers.
func sqliteNames(code int64, err error) string {
	const check, notNull, primaryKey, unique = 275, 1299, 1555, 2067
	_, names, ok := strings.Cut(err.Error(), " constraint failed: ")
	if !ok || !slices.Contains([]int64{check, notNull, primaryKey, unique}, code) {
		return ""
	}
	names, _, _ = strings.Cut(names, " (")
	return identifier(strings.ReplaceAll(names, ", ", ","))
}

// identifier returns s where it looks like names of a schema, else "": whatever a
// driver or a server puts in the place of a name, no value of a row leaves with it.
func identifier(s string) string {
	if len(s) > LimitName {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; !alnum(c) && !strings.ContainsRune("_.,-$", rune(c)) {
			return ""
		}
	}
	return s
}
