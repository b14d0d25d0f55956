// Package outbox moves entries from a table in the application's database to where
// they belong: the audit table of another database, or any writer.
//
// Entries reach the table durably and without a disk of their own. Those of
// mutations do by
//
//	entaudit.New(entaudit.Config{Table: store.OutboxTable, ...})
//
// in the mutation's own transaction, and all others by a store on the same table:
//
//	store.New(drv, store.Config{Table: store.OutboxTable})
//
// [store.MigrateOutbox] creates it. A [Relay] takes them from there. Any number of
// relays may run at once, in one process or several.
//
// # What is promised
//
// What is committed to the table arrives, as often as it takes, and is deleted only
// when the writer has taken it: neither a crash, nor a connection lost at whatever
// moment, nor a transaction that commits late makes a difference. The same entry may
// be written more than once; a store keeps one of each id. One relay delivers in the
// order of ids, which is the order in which a process makes them; several take turns
// batch by batch, and the ids still tell the order.
//
// [store.MigrateOutbox]: https://pkg.go.dev/github.com/entaudit/audit/entaudit/store#MigrateOutbox
package outbox
