package outbox_test

import (
	"slices"
	"testing"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/internal/testdb"
)

// TestOutboxKeepsTheContractOfAWriter has entries wait in the table, and a relay deliver them.
func TestOutboxKeepsTheContractOfAWriter(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			audittest.Writer(t, func(t *testing.T) entaudit.Writer { return setup(t, d).entries })
			audittest.Delivers(t, func(t *testing.T) (entaudit.Writer, func(testing.TB) []entaudit.Entry) {
				a, m := setup(t, d), &audittest.Memory{}
				return a.entries, func(testing.TB) []entaudit.Entry {
					empty(t, a.relay(t, m, outbox.Config{}))
					entries := m.Entries()
					slices.SortStableFunc(entries, func(a, b entaudit.Entry) int { return slices.Compare(a.ID[:], b.ID[:]) })
					return entries
				}
			})
		})
	}
}
