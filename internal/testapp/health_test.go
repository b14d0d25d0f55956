package main

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/testdb"
)

// TestStartsOnlyWhereEntriesCanBeStored has a table that takes none.
func TestStartsOnlyWhereEntriesCanBeStored(t *testing.T) {
	t.Parallel()
	driver, dsn := testdb.DSN(t, "sqlite3")
	at := source{dialect: "sqlite3", driver: driver, dsn: dsn, shown: "sqlite3", spool: t.TempDir()}
	a, err := newApp(t.Context(), at, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, err = a.db.ExecContext(t.Context(), "CREATE TRIGGER full BEFORE INSERT ON audit_logs BEGIN SELECT RAISE(ABORT, 'no room'); END")
	require.NoError(t, err)
	require.NoError(t, a.close(context.WithoutCancel(t.Context())))
	_, err = newApp(t.Context(), at, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "audit trail: ")
	require.ErrorContains(t, err, "no room")
}

// TestHealthTellsOfTheAuditTrail has one that takes no entries any more.
func TestHealthTellsOfTheAuditTrail(t *testing.T) {
	t.Parallel()
	b := setup(t, "sqlite3")
	require.Equal(t, http.StatusOK, b.send(t, person{}, "GET", "/health", "").status)
	require.NoError(t, b.app.flush(t.Context()))
	require.Equal(t, http.StatusServiceUnavailable, b.send(t, person{}, "GET", "/health", "").status)
}
