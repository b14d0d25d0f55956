package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
)

// setup returns a store on an empty, migrated database.
func setup(t testing.TB, dialectName string) (*store.Store, *sql.DB) {
	t.Helper()
	db := testdb.Open(t, dialectName)
	drv := entsql.OpenDB(dialectName, db)
	require.NoError(t, store.Migrate(t.Context(), drv))
	s, err := store.New(drv, store.Config{})
	require.NoError(t, err)
	return s, db
}

// adapter is a Store as the conformance suite takes it. The conversion of the
// filter keeps the suite's in step.
type adapter struct{ *store.Store }

func (a adapter) List(ctx context.Context, f audittest.Filter) ([]entaudit.Entry, string, error) {
	p, err := a.Store.List(ctx, store.Filter(f))
	return p.Entries, p.Next, err
}

func (a adapter) Get(ctx context.Context, id uuid.UUID) (entaudit.Entry, bool, error) {
	e, err := a.Store.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return e, false, nil
	}
	return e, err == nil, err
}

// opener returns a function that opens stores, each with an empty table of its
// own. On PostgreSQL, where making and dropping databases is slow, they share one
// and have a schema each.
func opener(t *testing.T, dialectName, execMode string) func(t *testing.T) *store.Store {
	t.Helper()
	if dialectName != dialect.Postgres {
		return func(t *testing.T) *store.Store {
			s, _ := setup(t, dialectName)
			return s
		}
	}
	driver, dsn := testdb.DSN(t, dialectName)
	dsn = testdb.WithParam(dsn, "default_query_exec_mode", execMode)
	admin := testdb.OpenDSN(t, driver, dsn)
	var schemas atomic.Int64
	return func(t *testing.T) *store.Store {
		schema := fmt.Sprintf("s%d", schemas.Add(1))
		_, err := admin.ExecContext(t.Context(), "CREATE SCHEMA "+schema)
		require.NoError(t, err)
		drv := entsql.OpenDB(dialectName, testdb.OpenDSN(t, driver, testdb.WithParam(dsn, "search_path", schema)))
		require.NoError(t, store.Migrate(t.Context(), drv))
		s, err := store.New(drv, store.Config{})
		require.NoError(t, err)
		return s
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			open := opener(t, d, "cache_statement")
			audittest.Writer(t, func(t *testing.T) entaudit.Writer { return open(t) })
			audittest.Delivers(t, func(t *testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
				s := open(t)
				return s, func(t testing.TB) []entaudit.Entry {
					entries, _, err := adapter{s}.List(t.Context(), audittest.Filter{Oldest: true, Limit: 1000})
					require.NoError(t, err)
					return entries
				}
			})
			audittest.Reader(t, func(t *testing.T) audittest.ReadWriter { return adapter{open(t)} })
		})
	}
}

// TestExecModes reads and writes in the ways of executing statements that poolers
// in front of PostgreSQL need.
func TestExecModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			open := opener(t, dialect.Postgres, mode)
			audittest.Reader(t, func(t *testing.T) audittest.ReadWriter { return adapter{open(t)} })
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	drv := entsql.OpenDB(dialect.SQLite, testdb.Open(t, dialect.SQLite))
	for _, tt := range []struct {
		name string
		drv  dialect.Driver
		cfg  store.Config
		want string
	}{
		{"no driver", nil, store.Config{}, "store: driver is nil"},
		{"table", drv, store.Config{Table: `a"; drop table x`}, `store: Config.Table: "a\"; drop table x" is not a table name`},
		{"dialect", entsql.OpenDB("gremlin", nil), store.Config{}, `store: dialect "gremlin" is not supported`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := store.New(tt.drv, tt.cfg)
			require.EqualError(t, err, tt.want)
		})
	}
	s, err := store.New(drv, store.Config{})
	require.NoError(t, err)
	require.Equal(t, "store", s.String())
}

func TestTableInSchema(t *testing.T) {
	t.Parallel()
	s, db := setup(t, dialect.Postgres)
	_, err := db.ExecContext(t.Context(), `CREATE SCHEMA "Audit"; ALTER TABLE audit_logs SET SCHEMA "Audit"; ALTER TABLE "Audit".audit_logs RENAME TO log`)
	require.NoError(t, err)
	require.ErrorContains(t, s.Check(t.Context()), "audit_logs")
	s, err = store.New(entsql.OpenDB(dialect.Postgres, db), store.Config{Table: "Audit.log"})
	require.NoError(t, err)
	require.NoError(t, s.Check(t.Context()))
	require.NoError(t, s.Write(t.Context(), audittest.Sample(t, 3)))
	page, err := s.List(t.Context(), store.Filter{TenantID: "acme"})
	require.NoError(t, err)
	require.Len(t, page.Entries, 3)
}

func TestConflict(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			s, _ := setup(t, d)
			e := audittest.Sample(t, 1)
			require.NoError(t, s.Write(t.Context(), e))
			forged := e[0]
			forged.Resource.ID = "8"
			err := s.Write(t.Context(), []entaudit.Entry{forged})
			require.ErrorIs(t, err, store.ErrConflict)
			require.EqualError(t, err, "store: entry "+e[0].ID.String()+": stored already with other content")

			// Two contents of one new id in one call: one of them wins.
			pair := audittest.Sample(t, 1)
			other := pair[0]
			other.Reason = "another"
			require.ErrorIs(t, s.Write(t.Context(), append(pair, other)), store.ErrConflict)
			got, err := s.Get(t.Context(), other.ID)
			require.NoError(t, err)
			require.Equal(t, "why", got.Reason)
		})
	}
}

// TestSameEntriesAtOnce has several writers deliver the same entries, as a queue
// and its successor do after a crash.
func TestSameEntriesAtOnce(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			s, _ := setup(t, d)
			entries := audittest.Sample(t, 300)
			var wg sync.WaitGroup
			errs := make([]error, 4)
			for i := range errs {
				wg.Go(func() {
					for n := 10 + i; len(entries) > 0; n += 7 {
						if n >= len(entries) {
							errs[i] = errors.Join(errs[i], s.Write(t.Context(), entries))
							return
						}
						errs[i] = errors.Join(errs[i], s.Write(t.Context(), entries[:n]))
					}
				})
			}
			wg.Wait()
			require.NoError(t, errors.Join(errs...))
			page, err := s.List(t.Context(), store.Filter{Limit: 1000})
			require.NoError(t, err)
			require.Len(t, page.Entries, len(entries))
		})
	}
}
