// Package spool keeps entries on disk until they are delivered: a [Spool] for package
// queue, and [Dead] for what a writer refuses.
//
// Entries are appended to segment files, each as a record of JSON with a checksum, and
// are there once the file has been synced; callers that come at the same time share one
// sync. A segment is deleted when all its entries are acknowledged. Below the folder of
// a spool each process has a folder of its own, which it locks: a lock that is free tells
// that the process is gone, and the next one takes over what it left, once.
//
// What is appended at once is a batch, which is begun when the one before it is on disk. Room
// for batches to come is set aside in a file, up to a mebibyte of zeros within the limits: a
// sync takes half as long where it changes nothing but contents. So a power failure may leave
// any part of the last batch, and it is told from damage by the batches.
//
// A file whose write or sync has failed is cut back to what was synced before and never
// appended to again, since a second sync would report success without having done
// anything. What a crash left half written at the end of the newest file is cut off; it was
// never acknowledged. Whatever else cannot be read is damage: it is skipped and counted, and
// its file is kept as it is in the folder "damaged". That counts a file too that could not be
// cut back.
//
// Entries come out as JSON gives them back, whether they have been read from disk or were
// still in memory: a writer that compares an entry that comes again finds no difference.
//
// It works on Unix systems, on local file systems that honour fsync and flock.
package spool
