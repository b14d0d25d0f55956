// Package queue puts a bounded queue in front of a writer, so that whoever records an
// entry does not wait for the store.
//
// It is for entries that do not belong to a transaction. A queue in memory loses what it
// holds when the process is killed; with [Config].Spool and [Config].Durable it loses
// nothing that it took. A writer that fails is waited for, however long that takes; an
// entry that it refuses while it takes others becomes a dead letter. Everything that
// is lost is told of: by an error of Write, by [Config].OnDrop, by [Stats], and by an entry
// of kind system and operation gap as soon as writing works again.
//
// An entry may be handed to the writer more than once: after a failure of which nobody
// knows whether it was stored, and the last one that it took, to find out whether it takes
// anything. Ids tell them apart.
package queue
