package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// journal is what this process, which no fault reaches, knows of what the process under
// test was told and what it answered. An intent is on disk before the op is sent, and
// the outcome as soon as it is known.
type journal struct {
	mu      sync.Mutex
	file    *os.File
	clock   int
	records map[int]*record // by number
}

// record is one op in the journal. Began and ended are readings of the journal's own
// clock, which orders all of them.
type record struct {
	op
	process, worker int
	began, ended    int
	took            time.Duration
	outcome         outcome
	why             string // of a failure, as an error code
}

func newJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in a folder of our own
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &journal{file: f, records: map[int]*record{}}, nil
}

// intend notes that an op is about to be sent, and gives it its number.
func (j *journal) intend(o op, process, worker int) (*record, error) {
	j.mu.Lock()
	j.clock++
	o.n = len(j.records) + 1
	r := &record{op: o, process: process, worker: worker, began: j.clock, outcome: unknown}
	j.records[o.n] = r
	_, err := fmt.Fprintf(j.file, "intent %d %d %s\n", process, worker, o)
	j.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return r, j.sync()
}

// settle notes what became of an op.
func (j *journal) settle(r *record, how outcome, why string, took time.Duration) error {
	j.mu.Lock()
	j.clock++
	r.ended, r.outcome, r.why, r.took = j.clock, how, why, took
	_, err := fmt.Fprintf(j.file, "outcome %d %s %s\n", r.n, how, why)
	j.mu.Unlock()
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return j.sync()
}

func (j *journal) sync() error {
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// all returns the records in the order of their numbers. Nothing may be under way.
func (j *journal) all() []*record {
	j.mu.Lock()
	defer j.mu.Unlock()
	records := make([]*record, 0, len(j.records))
	for n := 1; n <= len(j.records); n++ {
		records = append(records, j.records[n])
	}
	return records
}

func (j *journal) close() error { return j.file.Close() }
