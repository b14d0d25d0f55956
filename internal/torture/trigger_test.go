package torture_test

import (
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// TestWholeRows has the database itself write columns that ent does not.
func TestWholeRows(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		dialect.Postgres: {
			`CREATE FUNCTION bump() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := lower(NEW.title); NEW.note := 'by the database'; RETURN NEW; END $$`,
			`CREATE TRIGGER bump BEFORE INSERT OR UPDATE ON wholes FOR EACH ROW EXECUTE FUNCTION bump()`,
		},
		dialect.MySQL: {
			"CREATE TRIGGER bump_i BEFORE INSERT ON wholes FOR EACH ROW SET NEW.title = lower(NEW.title), NEW.note = 'by the database'",
			"CREATE TRIGGER bump_u BEFORE UPDATE ON wholes FOR EACH ROW SET NEW.title = lower(NEW.title), NEW.note = 'by the database'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, name, entaudit.Config{})
			for _, s := range statements {
				b.oracle.exec(t, s)
			}
			w := b.client.Whole.Create().SetTitle("ANN").SaveX(t.Context())
			b.oracle.exec(t, "DROP TRIGGER bump"+map[string]string{dialect.Postgres: " ON wholes", dialect.MySQL: "_u"}[name])
			b.client.Whole.UpdateOne(w).SetNote("by ent").ExecX(t.Context())
			for _, s := range statements[1:] {
				b.oracle.exec(t, s)
			}
			b.client.Whole.Update().SetTitle("BOB").ExecX(t.Context())
			e := b.entries(t)
			requireChanges(t, map[string]string{"title": `- → "ann"`, "note": `- → "by the database"`}, e[0])
			requireChanges(t, map[string]string{"note": `"by the database" → "by ent"`}, e[1])
			requireChanges(t, map[string]string{"title": `"ann" → "bob"`, "note": `"by ent" → "by the database"`}, e[2])
			b.oracle.compare(t)
			require.Len(t, e, 3)
		})
	}
}
