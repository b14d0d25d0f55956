package refusal

import (
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/entaudit/audit/entaudit"
)

// Outage reports whether err says of the writer that it is out of order, which is never up
// to an entry: a disk is full, a server stops, a connection or a lock is lost. A writer that
// has an entry already may say that it takes it all the same. Where err is of several
// writers, one is enough.
func Outage(err error) bool { return some(err, isOutage) }

// timedOut reports whether the writer had no time left: it may be out of order, or the entry
// too much for it.
func timedOut(err error) bool { return some(err, isTimeout) }

// maxErrors is how many errors of a tree are looked at.
const maxErrors = 64

// some reports whether is holds for an error in the tree of err.
func some(err error, is func(error) bool) bool {
	waiting := []error{err}
	for n := 0; len(waiting) > 0 && n < maxErrors; n++ {
		e := waiting[0]
		waiting = waiting[1:]
		if e == nil {
			continue
		}
		if is(e) {
			return true
		}
		switch e := e.(type) { //nolint:errorlint // the tree is walked here
		case interface{ Unwrap() error }:
			waiting = append(waiting, e.Unwrap())
		case interface{ Unwrap() []error }:
			waiting = append(waiting, e.Unwrap()...)
		}
	}
	return false
}

func isOutage(err error) bool {
	switch err { //nolint:errorlint // as above
	case io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, entaudit.ErrClosed:
		return true
	}
	if errno, ok := err.(syscall.Errno); ok { //nolint:errorlint // as above
		return !slices.Contains([]syscall.Errno{syscall.EMSGSIZE, syscall.E2BIG, syscall.EINVAL, syscall.ENAMETOOLONG}, errno)
	}
	switch family, code := codeOf(err); family {
	case "canceled", "connection_lost", "transaction_done":
		return true
	case "sqlstate":
		return code != canceledStatement && slices.Contains(outageClasses(), code[:min(len(code), 2)])
	case "mysql":
		return slices.Contains(outageMySQL(), code)
	case "sqlite":
		return slices.Contains(outageSQLite(), primary(code))
	}
	return false
}

func isTimeout(err error) bool {
	if t, ok := err.(interface{ Timeout() bool }); ok && t.Timeout() {
		return true
	}
	switch family, code := codeOf(err); family {
	case "timeout":
		return true
	case "sqlstate":
		return code == canceledStatement
	case "mysql": // interrupted, and the time limits of MySQL and MariaDB
		return code == "1317" || code == "3024" || code == "1969"
	case "sqlite":
		return primary(code) == sqliteInterrupt
	}
	return false
}

// codeOf returns the two parts of an [entaudit.ErrorCode].
func codeOf(err error) (family, code string) {
	family, code, _ = strings.Cut(entaudit.ErrorCode(err), " ")
	code, _, _ = strings.Cut(code, " ")
	return family, code
}

// canceledStatement is how PostgreSQL ends a statement that takes too long.
const canceledStatement = "57014"

// outageClasses are PostgreSQL's classes of errors of the connection, of transactions that
// may not write, of passwords, of transactions that are rolled back to let others go on, of
// resources, of locks, of operators and of the system.
func outageClasses() []string {
	return []string{"08", "25", "28", "40", "53", "55", "57", "58"}
}

// outageMySQL are the numbers of a disk, a table or a log that is full, of connections that
// are refused, too many, ended or read-only, and of locks.
func outageMySQL() []string {
	return []string{
		"1021", "1026", "1030", "1114", "1040", "1044", "1045", "1053", "1158", "1159", "1160", "1161",
		"1203", "1205", "1213", "1290", "1792", "1836", "1927", "2006", "2013", "3100", "3101",
	}
}

// sqliteInterrupt is SQLITE_INTERRUPT.
const sqliteInterrupt = 9

// outageSQLite are the results BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN,
// PROTOCOL and NOTADB.
func outageSQLite() []int { return []int{5, 6, 7, 8, 10, 11, 13, 14, 15, 26} }

// primary returns the result of which an extended one is a case.
func primary(code string) int {
	n, err := strconv.Atoi(code)
	if err != nil {
		return 0
	}
	return n & 0xff
}
