package hook

import (
	"context"
	"log/slog"
	"sync"

	"entgo.io/ent/dialect"

	"github.com/entaudit/audit/entaudit"
)

// foreignKey is a Ref and what a recorder has learned of it. The graph says what the
// database does when a row is deleted, but the tables may have been made without foreign
// keys. So until a key was seen at work in a database, rows are looked at again after
// the DELETE; from then on it is relied upon.
type foreignKey struct {
	*Ref
	to     *Schema
	acts   sync.Map // by place
	warned sync.Once
}

// place is where a key was seen at work. One recorder may serve several databases.
type place struct{ dialect, database, schema string }

// enforcedIn are expressions for the name of the database and its server, which are NULL in a session
// in which foreign keys do nothing: SQLite leaves them off by default, for each
// connection of its own, and others can switch them off.
var enforcedIn = map[string]string{
	dialect.SQLite: "(SELECT IFNULL((SELECT file FROM pragma_database_list WHERE name = 'main'), '')" +
		" FROM pragma_foreign_keys WHERE foreign_keys)",
	dialect.Postgres: "CASE WHEN current_setting('session_replication_role', true) IS DISTINCT FROM 'replica'" +
		" THEN current_database() || '.' || coalesce(current_schema(), '') || '@' || pg_postmaster_start_time()::text END",
	dialect.MySQL: "IF(@@foreign_key_checks, CONCAT(IFNULL(DATABASE(), ''), '@', @@hostname, ':', @@port), NULL)",
}

type foreignKeysOf struct{ s *Schema }

// foreignKeys returns the keys that refer to a table and reach anything that is
// recorded.
func foreignKeys(rec *entaudit.Recorder, s *Schema) []*foreignKey {
	return rec.Memo(foreignKeysOf{s}, func() any {
		var keys []*foreignKey
		for i := range s.Refs {
			if r := &s.Refs[i]; len(s.ID) == 1 && r.reaches(make(map[*Schema]bool)) {
				keys = append(keys, &foreignKey{Ref: r, to: s})
			}
		}
		return keys
	}).([]*foreignKey)
}

// reaches reports whether anything that is recorded goes or changes by r. seen are
// tables that are being asked already.
func (r *Ref) reaches(seen map[*Schema]bool) bool {
	s := r.from
	switch {
	case s == nil || seen[s]:
		return false
	case s.Audited:
		return true
	case r.Action != Cascade:
		return false
	}
	seen[s] = true
	for _, end := range s.Ends {
		if end.Edge != "" && end.of != nil && end.of.Audited {
			return true
		}
	}
	for i := range s.Refs {
		if s.Refs[i].reaches(seen) {
			return true
		}
	}
	return false
}

// known reports whether it is certain what the key does. Which default a column has is
// not, nor which of the databases without a name, in memory, this one is.
func (k *foreignKey) known(at place) bool {
	_, ok := k.acts.Load(at)
	return ok && k.Action != SetDefault && at.database != ""
}

// learn takes in what became of a row that referred by the key to one that has gone.
// stays tells that the row is still there, with the given value in the key's column;
// alone that no other key would have taken it along.
func (k *foreignKey) learn(ctx context.Context, at place, stays bool, value any, alone bool) {
	switch {
	case k.Action == Cascade && !stays && alone, k.Action == SetNull && stays && value == nil:
		k.acts.Store(at, true)
	case k.Action == Cascade && stays, k.Action == SetNull && (stays || alone):
		k.warn(ctx)
	}
}

// warn says once that the key does not do what the graph says.
func (k *foreignKey) warn(ctx context.Context) {
	k.warned.Do(func() {
		slog.WarnContext(ctx, "entaudit: a delete leaves rows that the graph says go or change with it: "+
			"the table has no such foreign key, or the connection does not enforce it",
			"of", k.to.Table, "table", k.Table, "column", k.Column)
	})
}
