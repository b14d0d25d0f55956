// Package smoke_test runs a generated graph once: what it changes must be recorded.
package smoke_test

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/entaudit/audit/entaudit"

	"compat/ent"
	"compat/ent/auditlog"
	"compat/ent/membership"
	"compat/ent/pet"
	_ "compat/ent/runtime"
	"compat/ent/user"
)

// open returns an audited client on an empty database.
func open(t *testing.T, opts ...ent.Option) *ent.Client {
	t.Helper()
	db, err := stdsql.Open("sqlite", "file:"+t.TempDir()+"/test.db?_pragma=foreign_keys(1)")
	require.NoError(t, err)
	// With global ids ent sets sequences before the first table that has one makes SQLite's table of them.
	_, err = db.ExecContext(t.Context(), "CREATE TABLE counted (id integer PRIMARY KEY AUTOINCREMENT)")
	require.NoError(t, err)
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	opts = append([]ent.Option{ent.Driver(sql.OpenDB(dialect.SQLite, db)), ent.Auditor(rec)}, opts...)
	client := ent.NewClient(opts...)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	require.NoError(t, client.Schema.Create(t.Context()))
	return client
}

// entries returns how many entries there are by their actions.
func entries(t *testing.T, c *ent.Client) map[string]int {
	t.Helper()
	count := make(map[string]int)
	for _, l := range c.AuditLog.Query().AllX(context.Background()) {
		require.Equal(t, entaudit.Success, l.Outcome)
		count[l.Action]++
	}
	return count
}

// last returns the changes of the newest entry of an action.
func last(t *testing.T, c *ent.Client, action string) map[string]string {
	t.Helper()
	l := c.AuditLog.Query().Where(auditlog.Action(action)).Order(auditlog.ByID(sql.OrderDesc())).FirstX(context.Background())
	changes, err := entaudit.DecodeChanges(l.Changes)
	require.NoError(t, err)
	got := make(map[string]string)
	for _, c := range changes {
		got[c.Field] = string(c.Old) + " → " + string(c.New)
	}
	return got
}

func TestRows(t *testing.T) {
	c, ctx := open(t), t.Context()
	u := c.User.Create().SetName("ann").SetSettings(map[string]any{"a": 1}).SetToken(uuid.New()).SaveX(ctx)
	c.User.CreateBulk(c.User.Create().SetName("bob"), c.User.Create().SetName("cat").SetPassword("secret")).ExecX(ctx)
	require.Equal(t, `"[REDACTED]"`, last(t, c, "account.create")["password"][len(" → "):])
	u.Update().SetName("eve").ExecX(ctx)
	require.Equal(t, map[string]string{"name": `"ann" → "eve"`}, without(last(t, c, "account.update"), "updated_at"))
	require.Equal(t, 3, c.User.Update().AddAge(1).AppendTags([]string{"x"}).SaveX(ctx))
	require.Equal(t, "0 → 1", last(t, c, "account.update")["age"])
	require.Equal(t, 2, c.User.Delete().Where(user.NameNEQ("eve")).ExecX(ctx))
	require.Subset(t, entries(t, c), map[string]int{"account.create": 3, "account.update": 4, "account.delete": 2})

	o := c.Order.Create().SetCache("x").SaveX(ctx)
	c.Order.UpdateOne(o).SetGroup("b").SetCache("y").SetAuditor("eve").ExecX(ctx)
	require.Equal(t, map[string]string{"group": `"a" → "b"`, "auditor": `null → "eve"`}, last(t, c, "order.update"))
	c.Order.DeleteOneID(o.ID).ExecX(ctx)
	require.Equal(t, `7 → `, last(t, c, "order.delete")["number"])

	c.Session.Create().SetUser(u).ExecX(ctx)
	require.Empty(t, c.AuditLog.Query().Where(auditlog.ResourceType("session")).AllX(ctx))
}

func without(m map[string]string, key string) map[string]string {
	delete(m, key)
	return m
}

func TestEdges(t *testing.T) {
	c, ctx := open(t), t.Context()
	u, v := c.User.Create().SetName("u").SaveX(ctx), c.User.Create().SetName("v").SaveX(ctx)
	p := c.Pet.Create().SetName("p").SetOwner(u).SaveX(ctx)
	c.Pet.CreateBulk(c.Pet.Create().SetName("q").SetOwner(u), c.Pet.Create().SetName("r")).ExecX(ctx)
	p.Update().SetOwner(v).ExecX(ctx)
	require.Equal(t, map[string]string{"owner": fmt.Sprint(u.ID, " → ", v.ID)}, last(t, c, "pet.update"))
	require.Equal(t, 1, c.Pet.Delete().Where(pet.Name("r")).ExecX(ctx))
	c.Card.Create().SetID("c1").SetNumber("1").SetOwner(u).ExecX(ctx)
	c.Card.UpdateOneID("c1").ClearOwner().ExecX(ctx)
	require.Equal(t, fmt.Sprint(u.ID, " → null"), last(t, c, "card.update")["owner_id"])

	g := c.Group.Create().SetName("g").AddUsers(u).SaveX(ctx)
	m := c.Membership.Create().SetUser(v).SetGroup(g).SaveX(ctx)
	m.Update().SetWeight(5).ExecX(ctx)
	require.Equal(t, map[string]string{"weight": "1 → 5"}, last(t, c, "membership.update"))
	require.Equal(t, 1, c.Membership.Delete().Where(membership.UserID(v.ID)).ExecX(ctx))

	u.Update().AddFriends(v).AddFollowing(v).SetSpouse(v).SetNext(v).AddChildren(v).AddPartners(v).ExecX(ctx)
	require.Equal(t, 1, u.QueryFriends().CountX(ctx)+v.QueryFollowing().CountX(ctx))
	c.Tag.Create().SetName("t").AddPets(p).ExecX(ctx)
	p.Update().ClearTags().ExecX(ctx)
	n := c.Node.Create().SetID(1).SetData([]byte{1}).SaveX(ctx)
	c.Node.Create().SetID(2).SetParent(n).ExecX(ctx)
	p.Update().ClearOwner().ExecX(ctx)
	c.Node.DeleteOne(n).ExecX(ctx)
	w := c.User.Create().SetName("w").AddPets(p).SaveX
	c.User.DeleteOne(w(ctx)).ExecX(ctx)
	require.Zero(t, c.Pet.Query().Where(pet.Name("p")).CountX(ctx), "deleted with its owner")
	require.Subset(t, entries(t, c), map[string]int{
		"pet.create": 3, "card.create": 1, "card.update": 1, "group.create": 1, "membership.update": 1, "membership.delete": 1,
		"tag.create": 1, "node.create": 2, "node.delete": 1, "account.delete": 1,
	})
}

func TestTransactions(t *testing.T) {
	c, ctx := open(t), t.Context()
	for _, commit := range []bool{false, true} {
		tx, err := c.Tx(ctx)
		require.NoError(t, err)
		u := tx.User.Create().SetName("ann").SaveX(ctx)
		u.Update().SetAge(3).ExecX(ctx)
		tx.Client().User.Update().AddAge(1).ExecX(ctx)
		require.NoError(t, tx.Record(ctx, entaudit.Entry{Action: "own"}))
		if commit {
			require.NoError(t, tx.Commit())
			u.Unwrap().Update().SetAge(9).ExecX(ctx)
		} else {
			require.NoError(t, tx.Rollback())
		}
	}
	require.Equal(t, map[string]int{"account.create": 1, "account.update": 3, "own": 1}, entries(t, c))
	c.Debug()
	c.Use(func(next ent.Mutator) ent.Mutator { return next })
}
