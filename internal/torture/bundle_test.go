package torture_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/auditlog"
	"github.com/entaudit/audit/internal/torture/ent/migrate"
	_ "github.com/entaudit/audit/internal/torture/ent/runtime"
)

// bundle is one database with an audited client and one that records nothing.
type bundle struct {
	dialect string
	db      *sql.DB
	drv     *counter
	rec     *entaudit.Recorder
	client  *ent.Client
	plain   *ent.Client
	oracle  *witness
}

// setup returns a bundle on an empty database. Recorded row changes are compared with
// what the database's own triggers saw when the test ends.
func setup(t *testing.T, dialectName string, cfg entaudit.Config) *bundle {
	t.Helper()
	driver, dsn := testdb.DSN(t, dialectName)
	return open(t, dialectName, driver, dsn, cfg)
}

func open(t *testing.T, dialectName, driver, dsn string, cfg entaudit.Config) *bundle {
	t.Helper()
	b := &bundle{dialect: dialectName, db: testdb.OpenDSN(t, driver, dsn)}
	b.drv = &counter{Driver: entsql.OpenDB(dialectName, b.db)}
	rec, err := entaudit.New(cfg)
	require.NoError(t, err)
	b.rec = rec
	off, err := entaudit.New(entaudit.Config{Off: true, Writer: entaudit.WriterFunc(
		func(context.Context, []entaudit.Entry) error { return nil },
	)})
	require.NoError(t, err)
	b.plain = ent.NewClient(ent.Driver(b.drv), ent.Auditor(off))
	createTables(t, b.plain)
	// ent does not make views.
	_, err = b.db.ExecContext(t.Context(), "CREATE VIEW rosters AS SELECT name, tenant FROM users")
	require.NoError(t, err)
	b.client = ent.NewClient(ent.Driver(b.drv), ent.Auditor(rec))
	b.oracle = newWitness(t, b)
	return b
}

// createTables makes the tables of the graph.
func createTables(t *testing.T, c *ent.Client) {
	t.Helper()
	// Creation writes to the description of the tables, which all tests share.
	tables, err := schema.CopyTables(migrate.Tables)
	require.NoError(t, err)
	require.NoError(t, migrate.Create(t.Context(), c.Schema, tables, migrate.WithForeignKeys(true)))
}

// each runs f on every dialect.
func each(t *testing.T, f func(t *testing.T, b *bundle)) {
	t.Helper()
	eachWith(t, entaudit.Config{}, f)
}

func eachWith(t *testing.T, cfg entaudit.Config, f func(t *testing.T, b *bundle)) {
	t.Helper()
	for _, name := range testdb.Dialects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, setup(t, name, cfg))
		})
	}
}

// bothWays runs f on every dialect, once outside of a transaction and once in one
// that is committed after it.
func bothWays(t *testing.T, f func(t *testing.T, b *bundle, c *ent.Client)) {
	t.Helper()
	each(t, func(t *testing.T, b *bundle) {
		f(t, b, b.client)
		b.oracle.compare(t)
	})
	for _, name := range testdb.Dialects() {
		t.Run(name+"/tx", func(t *testing.T) {
			t.Parallel()
			b := setup(t, name, entaudit.Config{})
			tx, err := b.client.Tx(t.Context())
			require.NoError(t, err)
			f(t, b, tx.Client())
			require.NoError(t, tx.Commit())
			b.oracle.compare(t)
		})
	}
}

// entries returns all entries in order. Inside a transaction of the test's on SQLite
// it must not be called: it reads through the pool.
func (b *bundle) entries(t *testing.T) []entaudit.Entry {
	t.Helper()
	logs, err := b.plain.AuditLog.Query().Order(auditlog.ByID()).All(context.Background())
	require.NoError(t, err)
	entries := make([]entaudit.Entry, len(logs))
	for i, l := range logs {
		entries[i] = toEntry(t, l)
	}
	return entries
}

// mutations returns the entries of mutations in order: raw SQL, such as that of a
// savepoint, has one of its own.
func (b *bundle) mutations(t *testing.T) []entaudit.Entry {
	t.Helper()
	return slices.DeleteFunc(b.entries(t), func(e entaudit.Entry) bool { return e.Kind != entaudit.KindMutation })
}

func toEntry(t *testing.T, l *ent.AuditLog) entaudit.Entry {
	t.Helper()
	e := entaudit.Entry{
		ID: l.ID, Kind: l.Kind, Outcome: l.Outcome, OccurredAt: l.OccurredAt, RecordedAt: l.RecordedAt,
		Action: l.Action, Operation: l.Operation, Reason: l.Reason,
		Actor:         entaudit.Actor{ID: l.ActorID, Type: l.ActorType},
		Tenant:        entaudit.Tenant{ID: l.TenantID, Slug: l.TenantSlug},
		ActorTenantID: l.ActorTenantID,
		Resource:      entaudit.Resource{Type: l.ResourceType, ID: l.ResourceID, Label: l.ResourceLabel},
		CauseID:       l.CauseID, TxID: l.TxID, TxSeq: l.TxSeq,
		Request:  entaudit.Request{ID: l.RequestID},
		Metadata: l.Metadata, Marks: l.Marks,
	}
	var err error
	e.Changes, err = entaudit.DecodeChanges(l.Changes)
	require.NoError(t, err)
	e.Edges, err = entaudit.DecodeEdges(l.EdgeChanges)
	require.NoError(t, err)
	return e
}

// requireChanges asserts that e has exactly the given changes, "old → new" by field;
// a side that does not exist is "-".
func requireChanges(t *testing.T, want map[string]string, e entaudit.Entry) {
	t.Helper()
	got := make(map[string]string)
	for _, c := range e.Changes {
		got[c.Field] = side(c.Old) + " → " + side(c.New)
	}
	for field, w := range want {
		if w == "*" {
			require.Contains(t, got, field, "changes %v", got)
			want[field] = got[field]
		}
	}
	require.Equal(t, want, got, "changes of %s %s", e.Action, e.Resource.ID)
}

// change returns the change of one field as "old → new".
func change(e entaudit.Entry, field string) string {
	c, _ := e.Change(field)
	return side(c.Old) + " → " + side(c.New)
}

func side(v json.RawMessage) string {
	if v == nil {
		return "-"
	}
	return string(v)
}
