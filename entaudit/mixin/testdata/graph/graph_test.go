package graph_test

import (
	"database/sql"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/mixin"

	"graph/ent"
	"graph/ent/auditlog"
	"graph/ent/migrate"
	_ "graph/ent/runtime"
	"graph/ent/trail"
)

func open(t *testing.T) (*ent.Client, *sql.DB) {
	db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/test.db?_pragma=foreign_keys(1)")
	require.NoError(t, err)
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, db)))
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	require.NoError(t, client.Schema.Create(t.Context()))
	return client, db
}

const row = ` (id, schema_version, kind, outcome, occurred_at, metadata, marks, edges)
	VALUES ('019aa000-0000-7000-8000-000000000001', 1, 'manual', 'success', '2026-01-02 03:04:05.000006+00:00', '{"a":1}', '{"path":"cut"}', '{}')`

func TestRead(t *testing.T) {
	client, db := open(t)
	for _, table := range []string{"audit_logs", "trail"} {
		_, err := db.Exec("INSERT INTO " + table + row)
		require.NoError(t, err)
	}
	log := client.AuditLog.Query().Where(auditlog.KindEQ(entaudit.KindManual)).OnlyX(t.Context())
	require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), log.OccurredAt.UTC())
	require.WithinDuration(t, time.Now(), log.RecordedAt, time.Minute)
	require.Equal(t, entaudit.MarkCut, log.Marks["path"])
	require.Equal(t, "{}", string(log.EdgeChanges))
	require.Equal(t, 1, client.Trail.Query().Where(trail.OutcomeEQ(entaudit.Success)).CountX(t.Context()))
}

func TestMutationsAreRefused(t *testing.T) {
	client, db := open(t)
	for _, table := range []string{"audit_logs", "trail"} {
		_, err := db.Exec("INSERT INTO " + table + row)
		require.NoError(t, err)
	}
	ctx := t.Context()
	tx, err := client.Tx(ctx)
	require.NoError(t, err)
	defer tx.Rollback()
	var errs []error
	add := func(err error) { errs = append(errs, err) }
	for _, c := range []*ent.Client{client, tx.Client()} {
		log := func() *ent.AuditLogCreate {
			return c.AuditLog.Create().SetID(uuid.New()).SetSchemaVersion(1).SetKind(entaudit.KindManual).
				SetOutcome(entaudit.Success).SetOccurredAt(time.Now()).SetRecordedAt(time.Now())
		}
		entry := func() *ent.TrailCreate {
			return c.Trail.Create().SetID(uuid.New()).SetSchemaVersion(1).SetKind(entaudit.KindManual).
				SetOutcome(entaudit.Success).SetOccurredAt(time.Now()).SetRecordedAt(time.Now())
		}
		id := uuid.MustParse("019aa000-0000-7000-8000-000000000001")
		add(log().Exec(ctx))
		add(log().OnConflict().UpdateNewValues().Exec(ctx))
		add(c.AuditLog.CreateBulk(log(), log()).Exec(ctx))
		add(c.AuditLog.CreateBulk(log(), log()).OnConflict().Ignore().Exec(ctx))
		add(c.AuditLog.Update().Exec(ctx))
		add(c.AuditLog.Update().Modify(func(u *entsql.UpdateBuilder) { u.Set("reason", "x") }).Exec(ctx))
		add(c.AuditLog.UpdateOneID(id).Exec(ctx))
		add(c.AuditLog.UpdateOne(c.AuditLog.GetX(ctx, id)).Exec(ctx))
		_, err := c.AuditLog.Delete().Exec(ctx)
		add(err)
		add(c.AuditLog.DeleteOneID(id).Exec(ctx))
		add(entry().Exec(ctx))
		add(entry().OnConflict().UpdateNewValues().Exec(ctx))
		add(c.Trail.CreateBulk(entry(), entry()).Exec(ctx))
		add(c.Trail.Update().SetRegion("x").Exec(ctx))
		add(c.Trail.UpdateOneID(id).SetRegion("x").Exec(ctx))
		_, err = c.Trail.Delete().Exec(ctx)
		add(err)
		add(c.Trail.DeleteOneID(id).Exec(ctx))
	}
	for i, err := range errs {
		require.ErrorIs(t, err, mixin.ErrImmutable, "mutation %d", i)
	}
	require.EqualError(t, errs[0], "entaudit: OpCreate of AuditLog: the audit log can be read, not changed")
	require.NoError(t, tx.Rollback())
	require.Equal(t, 1, client.AuditLog.Query().CountX(ctx))
	require.Equal(t, 1, client.Trail.Query().Where(trail.RegionIsNil()).CountX(ctx))

	client.User.Create().SetName("a").ExecX(ctx) // other schemas of the graph are as they were
}

func TestColumnsAreTheSame(t *testing.T) {
	require.Len(t, migrate.TrailColumns, len(migrate.AuditLogsColumns)+1)
}
