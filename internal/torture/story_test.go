package torture_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/migrate"
)

// scene is a story with its name. Scenes that are performed together share a database
// per dialect: to make one takes longer than all of them.
type scene struct {
	name  string
	story player
}

type player interface {
	play(t *testing.T, b *bundle, inTx bool)
}

// perform plays scenes on every dialect, each once outside of a transaction and once
// in one that is committed.
func perform(t *testing.T, cfg entaudit.Config, scenes []scene) {
	t.Helper()
	eachWith(t, cfg, func(t *testing.T, b *bundle) {
		for _, s := range scenes {
			// One after the other: they use the same tables.
			t.Run(s.name, func(t *testing.T) { s.story.play(t, b, false) })
			t.Run(s.name+"/tx", func(t *testing.T) { s.story.play(t, b, true) })
		}
	})
}

// story is a test that runs with and without a transaction. What it did is compared
// with what the database's triggers saw.
type story[T any] struct {
	seed  func(t *testing.T, b *bundle) T // what is there before auditing begins
	do    func(t *testing.T, b *bundle, c *ent.Client, seeded T)
	check func(t *testing.T, b *bundle, e []entaudit.Entry, seeded T)
	quiet bool // changes are left out of entries on purpose
}

func (s story[T]) play(t *testing.T, b *bundle, inTx bool) {
	t.Helper()
	b.clear(t)
	var seeded T
	if s.seed != nil {
		seeded = s.seed(t, b)
		b.oracle.forget(t)
	}
	// A client of its own: hooks that the story adds are gone with it.
	c := ent.NewClient(ent.Driver(b.drv), ent.Auditor(b.rec))
	if inTx {
		tx, err := c.Tx(t.Context())
		require.NoError(t, err)
		finish := tx.Rollback
		defer func() { require.NoError(t, finish()) }()
		s.do(t, b, tx.Client(), seeded)
		finish = func() error { return nil }
		require.NoError(t, tx.Commit())
	} else {
		s.do(t, b, c, seeded)
	}
	if !s.quiet {
		b.oracle.compare(t)
	}
	s.check(t, b, b.entries(t), seeded)
	require.Zero(t, b.db.Stats().InUse, "connections in use")
}

// clear empties all tables.
func (b *bundle) clear(t *testing.T) {
	t.Helper()
	quote := `"`
	if b.dialect == dialect.MySQL {
		quote = "`"
	}
	var all strings.Builder
	for _, name := range childrenFirst() {
		all.WriteString("DELETE FROM " + quote + name + quote + ";")
	}
	b.oracle.exec(t, all.String())
	b.oracle.forget(t)
}

// childrenFirst returns the names of all tables, each before those that it refers to.
func childrenFirst() (names []string) {
	done := make(map[*schema.Table]bool)
	var visit func(*schema.Table)
	visit = func(table *schema.Table) {
		if done[table] {
			return
		}
		done[table] = true
		for _, child := range migrate.Tables {
			if slices.ContainsFunc(child.ForeignKeys, func(fk *schema.ForeignKey) bool { return fk.RefTable == table }) {
				visit(child)
			}
		}
		names = append(names, table.Name)
	}
	for _, table := range migrate.Tables {
		visit(table)
	}
	return names
}

// longAgo is earlier than any time that a test makes, also in whole seconds.
func longAgo() time.Time { return time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC) }

// oldUser is the builder of a user that was last updated long ago.
func oldUser(c *ent.Client, name string) *ent.UserCreate {
	return c.User.Create().SetName(name).SetUpdatedAt(longAgo())
}

func seedUser(t *testing.T, b *bundle) *ent.User {
	t.Helper()
	return oldUser(b.plain, "ann").SetAge(10).SetNick("a").SetTags([]string{"x"}).
		SetSettings(map[string]any{"theme": "dark"}).SetEmail("ann@example.com").SaveX(t.Context())
}

// requireNone is the check of a story that leaves no entry.
func requireNone[T any](t *testing.T, _ *bundle, e []entaudit.Entry, _ T) {
	t.Helper()
	require.Empty(t, e)
}

// byID returns entries by the id of their resource.
func byID(entries []entaudit.Entry) map[string]entaudit.Entry {
	m := make(map[string]entaudit.Entry, len(entries))
	for _, e := range entries {
		m[e.Resource.ID] = e
	}
	return m
}
