package table

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
)

// sample returns an update of eight fields made inside a request.
func sample() entaudit.Entry {
	e := entaudit.Entry{
		ID: uuid.Must(uuid.NewV7()), SchemaVersion: 1, Service: "billing",
		Kind: entaudit.KindMutation, Action: "invoice.update", Operation: entaudit.OpUpdate,
		Outcome: entaudit.Success, OccurredAt: time.Now().UTC().Truncate(time.Microsecond),
		Actor:         entaudit.Actor{ID: "7d0c9a52-9d67-4f26-93bb-31bf7cf4a2c1", Type: entaudit.ActorTenantUser, Email: "kim@example.org"},
		Tenant:        entaudit.Tenant{ID: "4f1c", Slug: "acme"},
		ActorTenantID: "4f1c",
		Resource:      entaudit.Resource{Type: "invoice", ID: "10442", Label: "R-2031"},
		TxID:          uuid.Must(uuid.NewV7()), TxSeq: 1,
		Request: entaudit.Request{
			ID: "host/Zp0VzqW8bA-000017", Method: "POST", Path: "/invoices/10442", Route: "/invoices/{id}",
			IP: "192.0.2.17", UserAgent: "curl/8.5.0",
		},
	}
	for i := range 8 {
		e.Changes = append(e.Changes, entaudit.Change{
			Field: fmt.Sprintf("field_%d", i),
			Old:   json.RawMessage(fmt.Sprintf(`"the old value %d"`, i)),
			New:   json.RawMessage(fmt.Sprintf(`"the new value %d"`, i)),
		})
	}
	return e
}

func samples(n int) []entaudit.Entry {
	entries := make([]entaudit.Entry, n)
	for i := range entries {
		entries[i] = sample()
	}
	return entries
}

func BenchmarkInsert(b *testing.B) {
	for _, d := range testdb.Dialects() {
		for _, n := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/%d", d, n), func(b *testing.B) {
				entries := samples(n)
				b.ReportAllocs()
				for b.Loop() {
					_, _, err := Insert(d, entaudit.DefaultTable, entries)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkStore measures the statement itself on each database.
func BenchmarkStore(b *testing.B) {
	for _, d := range testdb.Dialects() {
		for _, n := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/%d", d, n), func(b *testing.B) {
				db := testdb.Open(b, d)
				createTable(b, db, d)
				entries := samples(n)
				b.ReportAllocs()
				for b.Loop() {
					for i := range entries {
						entries[i].ID = uuid.Must(uuid.NewV7())
					}
					query, args, err := Insert(d, entaudit.DefaultTable, entries)
					require.NoError(b, err)
					_, err = db.ExecContext(b.Context(), query, args...)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkRecordOfOne measures the statement for several entries with one:
// the reason why one entry has a statement of its own, or has not.
func BenchmarkRecordOfOne(b *testing.B) {
	db := testdb.Open(b, dialect.Postgres)
	createTable(b, db, dialect.Postgres)
	entries := samples(1)
	b.ReportAllocs()
	for b.Loop() {
		entries[0].ID = uuid.Must(uuid.NewV7())
		_, err := db.ExecContext(b.Context(), `INSERT INTO "audit_logs"`+pg().record, appendRecords(entries, false))
		require.NoError(b, err)
	}
}
