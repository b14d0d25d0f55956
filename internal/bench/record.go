package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// record is what is stored in the row of number i, the same in every run.
type record struct {
	number, customer string
	quantity         int
	paid             bool
	status           string
	reference        uuid.UUID
	dueAt            time.Time
	note             *string
}

func recordOf(i int) record {
	r := record{
		number:   fmt.Sprintf("INV-%08d", i),
		customer: fmt.Sprintf("Customer %d of a middling name", i%97),
		quantity: i,
		paid:     i%2 == 0,
		status:   statusOf(i),
		dueAt:    time.Date(2025, time.March, 1, 8, 30, 0, 0, time.UTC).Add(time.Duration(i%8760) * time.Hour),
	}
	binary.BigEndian.PutUint64(r.reference[8:], uint64(i)*0x9e3779b97f4a7c15) //nolint:gosec // i is not negative
	r.reference[6], r.reference[8] = 0x40, r.reference[8]&0x3f|0x80
	if i%2 == 0 {
		note := "paid in advance, see the letter of the first of March"
		r.note = &note
	}
	return r
}

func statusOf(i int) string { return [...]string{"draft", "open", "closed"}[i%3] }

// groupRecord is what is stored in a group.
type groupRecord struct {
	code, name string
	seats      int
}

// groupOf returns the group of number i with some number of seats.
func groupOf(i, seats int) groupRecord {
	return groupRecord{
		code: fmt.Sprintf("group-%08d", i), name: fmt.Sprintf("Group %d of a middling name", i%97), seats: seats,
	}
}

// upsertOf returns the k-th row of an upsert: one of a group that is always there, the
// ids of which go up from id, and one that is new, from the i-th on, in turn.
func upsertOf(id, i, k int) groupRecord {
	if k%2 == 0 {
		return groupOf(id-1+k/2, i+k)
	}
	return groupOf(baseRows+i+k, i+k)
}

// idsFrom returns n ids from the first on.
func idsFrom(first, n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = first + i
	}
	return ids
}

// caller returns a context as a request of a signed-in user has it.
func caller(ctx context.Context) context.Context {
	ctx = entaudit.WithRequest(ctx, entaudit.Request{
		ID: "01980b4e6f2c7d30", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		Method: "POST", Path: "/invoices/17", Route: "/invoices/{id}", IP: "192.0.2.17",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	})
	ctx = entaudit.WithActor(ctx, entaudit.Actor{ID: "user-17", Type: entaudit.ActorTenantUser, Email: "ann@example.com"})
	return entaudit.WithTenant(ctx, entaudit.Tenant{ID: "tenant-3", Slug: "acme"})
}
