package torture_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/oracle"
)

// keyChange is a change of a key of a row, to or from the id of another row.
type keyChange struct {
	tx            uuid.UUID
	table, column string
	row, id       string
	added         bool
}

// requireClaims asserts that what entries say of edges whose keys lie in other tables is
// borne out by the entries of those tables' rows in the same transaction.
func requireClaims(t *testing.T, entries []entaudit.Entry) {
	t.Helper()
	changed := make(map[keyChange]bool)
	for _, e := range entries {
		if e.Kind == entaudit.KindMutation && e.Outcome == entaudit.Success {
			noteKeys(t, e, changed)
		}
	}
	for _, e := range entries {
		typ := watched().types[e.Resource.Type]
		for _, edge := range typ.Edges {
			if edge.Column == "" || watched().ofTable[edge.Table] == "" {
				continue // links, or a type that nobody audits
			}
			for _, claim := range e.Edges {
				if claim.Edge != edge.Name {
					continue
				}
				require.False(t, claim.Unknown, "%s of %s %s", edge.Name, e.Resource.Type, e.Resource.ID)
				for added, rows := range map[bool][]string{true: claim.Added, false: claim.Removed} {
					for _, row := range rows {
						k := keyChange{tx: e.TxID, table: edge.Table, column: edge.Column, row: row, id: e.Resource.ID, added: added}
						require.Contains(t, changed, k, "%s of %s %s: %v", edge.Name, e.Resource.Type, e.Resource.ID, claim)
					}
				}
			}
		}
	}
}

// noteKeys notes the keys that an entry tells of.
func noteKeys(t *testing.T, e entaudit.Entry, changed map[keyChange]bool) {
	t.Helper()
	typ := watched().types[e.Resource.Type]
	for _, c := range e.Changes {
		column := typ.column(c.Field)
		k := keyChange{tx: e.TxID, table: typ.Table, column: column.Name, row: e.Resource.ID}
		old := valueOf(t, column, c.Old, e.Marks["changes."+c.Field+".old"])
		if old != "" && old != oracle.Null {
			k.id = old.ID(column.Type)
			changed[k] = true
		}
		now := valueOf(t, column, c.New, e.Marks["changes."+c.Field+".new"])
		if now != "" && now != oracle.Null {
			k.id, k.added = now.ID(column.Type), true
			changed[k] = true
		}
	}
}
