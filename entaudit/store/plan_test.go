package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testdb"
)

// explainer notes the queries that pass through it.
type explainer struct {
	dialect.Driver
	query string
	args  []any
}

func (e *explainer) Query(ctx context.Context, query string, args, v any) error {
	e.query, e.args = query, args.([]any)
	return e.Driver.Query(ctx, query, args, v)
}

// plan returns how the database runs the query noted last.
func (e *explainer) plan(t *testing.T, db *sql.DB) string {
	t.Helper()
	explain := map[string]string{
		dialect.Postgres: "EXPLAIN (COSTS OFF) ", dialect.SQLite: "EXPLAIN QUERY PLAN ", dialect.MySQL: "EXPLAIN ",
	}[e.Dialect()]
	rows, err := db.QueryContext(t.Context(), explain+e.query, e.args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var b strings.Builder
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		dest := make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		require.NoError(t, rows.Scan(dest...))
		for i, v := range values {
			if columns[i] != "possible_keys" {
				b.WriteString(v.String + " ")
			}
		}
		b.WriteString("\n")
	}
	require.NoError(t, rows.Err())
	return b.String()
}

// populate stores n entries of some tenants, actors, resources and requests.
func populate(t *testing.T, s *store.Store, n int) []entaudit.Entry {
	t.Helper()
	entries := audittest.Sample(t, n)
	for i := range entries {
		e := &entries[i]
		e.Tenant.ID = fmt.Sprintf("tenant-%d", i%100)
		e.Actor.ID = fmt.Sprintf("actor-%d", i%150)
		e.Actor.ImpersonatorID = ""
		e.Resource.Type = []string{"invoice", "order", "user"}[i%3]
		e.Resource.ID = fmt.Sprint(i % 500)
		e.Request.ID = fmt.Sprintf("req-%d", i/3)
		if i%500 == 0 {
			e.Outcome, e.Actor.ImpersonatorID = entaudit.Denied, "root"
		}
	}
	require.NoError(t, s.Write(t.Context(), entries))
	return entries
}

// TestPlans checks that every filter reads through its index, in its order,
// without sorting and without going through the table.
func TestPlans(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills tables")
	}
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			s, db := setup(t, d)
			entries := populate(t, s, 12_000)
			analyze := "ANALYZE audit_logs"
			if d == dialect.MySQL {
				analyze = "ANALYZE TABLE audit_logs"
			}
			_, err := db.ExecContext(t.Context(), analyze)
			require.NoError(t, err)
			x := &explainer{Driver: entsql.OpenDB(d, db)}
			s, err = store.New(x, store.Config{})
			require.NoError(t, err)
			for _, tt := range planned(entries) {
				for _, oldest := range []bool{false, true} {
					tt.filter.Oldest, tt.filter.Cursor = oldest, ""
					page, err := s.List(t.Context(), tt.filter)
					require.NoError(t, err)
					requirePlan(t, x.plan(t, db), d, tt.index, x.query)
					if page.Next != "" {
						tt.filter.Cursor = page.Next
						_, err = s.List(t.Context(), tt.filter)
						require.NoError(t, err)
						requirePlan(t, x.plan(t, db), d, tt.index, x.query)
					}
				}
			}
		})
	}
}

type planCase struct {
	filter store.Filter
	index  string
}

// planned returns filters and the indexes that they must use.
func planned(entries []entaudit.Entry) []planCase {
	since := entries[len(entries)-100].OccurredAt
	return []planCase{
		{store.Filter{}, "id"},
		{store.Filter{TenantID: "tenant-3"}, "auditlog_tenant_id_id"},
		{store.Filter{TenantID: "tenant-3", Kind: entaudit.KindMutation, Operation: entaudit.OpUpdate}, "auditlog_tenant_id_id"},
		{store.Filter{TenantID: "tenant-3", Since: since.Add(-time.Hour), Until: since}, "auditlog_tenant_id_id"},
		{store.Filter{ActorID: "actor-7"}, "auditlog_actor_id_id"},
		{store.Filter{ResourceType: "order", ResourceID: "77"}, "auditlog_resource_type_resource_id_id"},
		{store.Filter{RequestID: "req-77"}, "auditlog_request_id_id"},
		{store.Filter{Outcome: entaudit.Denied}, "auditlog_outcome_id"},
		{store.Filter{ImpersonatorID: "root"}, "auditlog_impersonator_id_id"},
	}
}

func requirePlan(t *testing.T, plan, dialectName, index, query string) {
	t.Helper()
	if index == "id" {
		index = map[string]string{
			dialect.Postgres: "audit_logs_pkey", dialect.SQLite: "sqlite_autoindex_audit_logs_1", dialect.MySQL: "PRIMARY",
		}[dialectName]
	}
	require.Contains(t, plan, index, query)
	if dialectName != dialect.Postgres || index != "auditlog_request_id_id" {
		for _, bad := range []string{"Seq Scan", "TEMP B-TREE", "filesort"} {
			require.NotContains(t, plan, bad, query)
		}
	}
}
