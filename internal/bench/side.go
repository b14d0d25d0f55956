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
}
