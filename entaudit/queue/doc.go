// Package queue puts a bounded queue in memory in front of a writer, so that
// whoever records an entry does not wait for the store.
//
// It is for entries that do not belong to a transaction. A queue loses what it
// holds when the process is killed; everything else that it loses is told of:
// by an error of Write, by [Config].OnDrop, by [Stats], and by an entry of kind
// system and operation gap as soon as writing works again.
package queue
