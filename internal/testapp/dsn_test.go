package main

import (
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

func TestParseDSN(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, dsn, driver, shown string }{
		{"file", "/var/lib/app.db", "sqlite", "/var/lib/app.db"},
		{"file URL", "file:app.db?_pragma=synchronous(2)", "sqlite", "app.db"},
		{"postgres", "postgres://u:secret@h:5433/d?sslmode=disable", "pgx", "postgres://u:xxxxx@h:5433/d?sslmode=disable"},
		{"mysql", "mysql://u:secret@h/d", "mysql", "mysql://u:xxxxx@h/d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := parseDSN(tt.dsn)
			require.NoError(t, err)
			require.Equal(t, tt.driver, s.driver)
			require.Equal(t, tt.shown, s.shown)
		})
	}
	for _, dsn := range []string{"oracle://x", "postgres://h:port/d", "mysql://u:secret@h/d?timeout=soon"} {
		_, err := parseDSN(dsn)
		require.ErrorContains(t, err, "-dsn: ")
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestMySQLDSN(t *testing.T) {
	t.Parallel()
	s, err := parseDSN("mysql://u%40:p%2Fw@h/d?timeout=5s")
	require.NoError(t, err)
	c, err := mysql.ParseDSN(s.dsn)
	require.NoError(t, err)
	require.Equal(t, []string{"u@", "p/w", "h:3306", "d"}, []string{c.User, c.Passwd, c.Addr, c.DBName})
	require.True(t, c.ParseTime && c.ClientFoundRows)
	require.Equal(t, "UTC", c.Loc.String())
	require.Equal(t, "5s", c.Timeout.String())
	other, err := s.named("e")
	require.NoError(t, err)
	require.Contains(t, other.dsn, "/e?")
}
