package torture_test

import (
	"bytes"
	"database/sql"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/kinds"
	"github.com/entaudit/audit/internal/torture/ent/user"
	"github.com/entaudit/audit/internal/torture/gotype"
)

// secret is a part of all values that must not appear anywhere.
const secret = "hunter"

// spread writes secrets in every way that a client has, and returns the errors.
func spread(t *testing.T, c *ent.Client) []error {
	t.Helper()
	ctx := t.Context()
	doc := func(s string) map[string]any {
		return map[string]any{"theme": "dark", "nested": []any{map[string]any{"apiKey": s}}, "password": s}
	}
	u := c.User.Create().SetName("ann").SetPassword("hunter1").SetSettings(doc("hunter1")).SaveX(ctx)
	c.User.CreateBulk(
		c.User.Create().SetName("bob").SetPassword("hunter2").SetSettings(doc("hunter2")), c.User.Create().SetName("carl"),
	).ExecX(ctx)
	c.User.UpdateOne(u).SetPassword("hunter3").SetSettings(doc("hunter3")).ExecX(ctx)
	c.User.Update().SetPassword("hunter4").SetSettings(doc("hunter4")).ExecX(ctx)
	c.User.Update().Where(user.Name("bob")).ClearPassword().ClearSettings().ExecX(ctx)
	c.User.Update().Where(user.Name("ann")).Modify().SetPassword("hunter5").ExecX(ctx)
	k := c.Kinds.Create().SetIbanLike("hunter6").SetSecret("hunter6").SaveX(ctx)
	c.Kinds.UpdateOne(k).SetIbanLike("hunter7").SetSecret("hunter7").ExecX(ctx)
	errs := []error{
		c.User.UpdateOneID(u.ID).SetPassword("hunter8").SetName("").Exec(ctx),
		c.User.UpdateOneID(u.ID + 100).SetPassword("hunter8").SetSettings(doc("hunter8")).Exec(ctx),
		c.User.UpdateOneID(u.ID).Where(user.Password("hunter8")).SetNick("x").Exec(ctx),
	}
	c.User.Delete().ExecX(ctx)
	c.Kinds.Delete().Where(kinds.IbanLike("hunter7")).ExecX(ctx)
	return errs
}

// everything returns all columns of all rows of the audit table as text.
func (b *bundle) everything(t *testing.T) string {
	t.Helper()
	rows, err := b.db.QueryContext(t.Context(), "SELECT * FROM audit_logs")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var text strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.RawBytes)
		}
		require.NoError(t, rows.Scan(values...))
		for _, v := range values {
			text.Write(*v.(*sql.RawBytes))
			text.WriteByte('\n')
		}
	}
	require.NoError(t, rows.Err())
	return text.String()
}

func TestCase44SecretsInTheTable(t *testing.T) {
	t.Parallel()
	sealed, err := gotype.Sealed().V(secret) // a prefix of what stands for the values
	require.NoError(t, err)
	perform(t, entaudit.Config{}, []scene{{"everywhere", story[int]{
		do: func(t *testing.T, _ *bundle, c *ent.Client, _ int) {
			for _, err := range spread(t, c) {
				require.Error(t, err)
				require.NotContains(t, err.Error(), secret)
			}
		},
		check: func(t *testing.T, b *bundle, e []entaudit.Entry, _ int) {
			require.Len(t, e, 15)
			text := b.everything(t)
			require.Contains(t, text, entaudit.Redacted)
			require.NotContains(t, text, secret)
			require.NotContains(t, text, sealed.(string), "the name of the column says that it is secret")
			for _, e := range e {
				for _, c := range e.Changes {
					if c.Field == "password" {
						requireMasked(t, e, "old", c.Old)
						requireMasked(t, e, "new", c.New)
					}
				}
			}
			c, ok := e[3].Change("settings")
			require.True(t, ok)
			require.JSONEq(t, `{"theme":"dark","nested":[{"apiKey":"[REDACTED]"}],"password":"[REDACTED]"}`, string(c.New))
		},
	}}})
}

func requireMasked(t *testing.T, e entaudit.Entry, side string, v []byte) {
	t.Helper()
	if v == nil || string(v) == "null" {
		return
	}
	require.Equal(t, `"[REDACTED]"`, string(v))
	require.Equal(t, entaudit.MarkRedacted, e.Marks["changes.password."+side])
}

// TestCase44SecretsInLogs has entries logged instead of stored.
func TestCase44SecretsInLogs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	writer := entaudit.NewSlog(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b := setup(t, "sqlite3", entaudit.Config{Writer: writer, AfterCommit: true})
	for _, err := range spread(t, b.client) {
		require.NotContains(t, err.Error(), secret)
	}
	require.Contains(t, out.String(), "user.update")
	require.NotContains(t, out.String(), secret)
}

// TestCase86OnlyTheStoredForm allows the encrypted column to be recorded.
func TestCase86OnlyTheStoredForm(t *testing.T) {
	t.Parallel()
	cfg := entaudit.Config{Redact: entaudit.Redact{Allow: []string{"secret"}}}
	first, err := gotype.Sealed().V("hunter6")
	require.NoError(t, err)
	second, err := gotype.Sealed().V("hunter7")
	require.NoError(t, err)
	eachWith(t, cfg, func(t *testing.T, b *bundle) {
		for _, err := range spread(t, b.client) {
			require.NotContains(t, err.Error(), secret)
		}
		b.oracle.compare(t)
		text := b.everything(t)
		require.NotContains(t, text, secret)
		require.Contains(t, text, first.(string))
		require.Contains(t, text, second.(string))
		b.oracle.exec(t, "DROP TABLE audit_logs")
		err := b.client.Kinds.Create().SetSecret("hunter9").Exec(t.Context())
		require.ErrorContains(t, err, "audit_logs")
		require.NotContains(t, err.Error(), secret)
	})
}
