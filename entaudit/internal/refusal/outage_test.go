package refusal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestOutage(t *testing.T) {
	t.Parallel()
	pg := func(code string) error { return &pgconn.PgError{Code: code, Message: "canary"} }
	my := func(n uint16) error { return &mysql.MySQLError{Number: n, Message: "canary"} }
	for _, tt := range []struct {
		name         string
		err          error
		outage, slow bool
	}{
		{"nothing", nil, false, false},
		{"something", errors.New("no"), false, false},
		{"disk full", pg("53100"), true, false},
		{"server stops", fmt.Errorf("store: %w", pg("57P01")), true, false},
		{"deadlock", pg("40P01"), true, false},
		{"read-only", pg("25006"), true, false},
		{"too long for the column", pg("22001"), false, false},
		{"constraint", pg("23514"), false, false},
		{"index row too large", pg("54000"), false, false},
		{"statement timeout", pg("57014"), false, true},
		{"MySQL's table is full", my(1114), true, false},
		{"MySQL's lock", my(1205), true, false},
		{"MySQL: too long", my(1406), false, false},
		{"MySQL: interrupted", my(1317), false, true},
		{"MySQL: connection", mysql.ErrInvalidConn, false, false}, // the next write says more
		{"no time left", context.DeadlineExceeded, false, true},
		{"network timeout", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, false, true},
		{"given up", context.Canceled, true, false},
		{"connection refused", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, true, false},
		{"no room on the disk", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true, false},
		{"too long for the network", &os.PathError{Op: "write", Path: "x", Err: syscall.EMSGSIZE}, false, false},
		{"half an answer", fmt.Errorf("x: %w", io.ErrUnexpectedEOF), true, false},
		{"one of several", errors.Join(pg("22001"), fmt.Errorf("y: %w", errors.Join(errors.New("z"), pg("53100")))), true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.outage, Outage(tt.err))
			require.Equal(t, tt.slow, timedOut(tt.err))
		})
	}
}

// loop is an error that wraps itself.
type loop struct{}

func (l loop) Error() string   { return "loop" }
func (l loop) Unwrap() []error { return []error{l, l} }

func TestOutageEnds(t *testing.T) {
	t.Parallel()
	require.False(t, Outage(loop{}))
}
