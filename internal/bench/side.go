package main

import "context"

// side is one way of making the same changes.
type side interface {
	// create makes the i-th row.
	create(ctx context.Context, i int) error
	// createBulk makes n rows from the i-th on, in one statement.
	createBulk(ctx context.Context, i, n int) error
	// createTx makes n rows from the i-th on, one by one in one transaction.
	createTx(ctx context.Context, i, n int) error
	// updateOne changes three fields of the row with the id.
	updateOne(ctx context.Context, id, i int) error
	// update changes two fields of n rows from the id on.
	update(ctx context.Context, id, n, i int) error
	// delete deletes the rows after the id.
	delete(ctx context.Context, id int) error
	// link links a member with n groups from the id on.
	link(ctx context.Context, member, group, n int) error
	// unlink takes a member out of all groups.
	unlink(ctx context.Context, member int) error
	// release takes all lines out of a ledger.
	release(ctx context.Context, ledger int) error
	// upsert changes n/2 groups from the id on and makes as many from the i-th on, in one
	// statement.
	upsert(ctx context.Context, id, n, i int) error
	// deleteLedger deletes a ledger, and with it its lines.
	deleteLedger(ctx context.Context, id int) error
}
