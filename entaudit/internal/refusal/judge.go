// Package refusal tells entries that a writer refuses from a writer that is out of order:
// both show as a write that fails, and only the former may be given up.
package refusal

import (
	"time"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

const (
	// proofs is how often an entry has to fail alone, right before the writer takes
	// another, until it counts as refused.
	proofs = 2
	// knownFor is how long an entry that was stored serves as the other one. It may have
	// been deleted on purpose since then and must not come back.
	knownFor = 10 * time.Minute
)

// Judge watches the writes of one goroutine.
type Judge struct {
	// Write is one call of the writer, which ends in time.
	Write func(entries []entaudit.Entry) error

	known   []entaudit.Entry // the last entry that the writer took
	knownAt time.Time
	failing time.Time // since when nothing was taken
}

// Try writes entries.
func (j *Judge) Try(entries []entaudit.Entry) error {
	err := j.Write(entries)
	switch last := len(entries) - 1; {
	case err == nil:
		j.known, j.knownAt, j.failing = entries[last:last+1:last+1], time.Now(), time.Time{}
	case j.failing.IsZero():
		j.failing = time.Now()
	}
	return err
}

// Works reports whether the writer takes an entry that it has taken before or, where none
// is known, one that tells of the outage. No entry that waits serves for it, which would
// overtake those before it.
func (j *Judge) Works(service string) bool {
	if time.Since(j.knownAt) >= knownFor {
		return j.takesNew(service)
	}
	return j.Try(j.known) == nil
}

// takesNew reports whether the writer takes an entry that it has not got yet: where it has
// one already it need not store anything to say yes.
func (j *Judge) takesNew(service string) bool {
	since := j.failing
	if since.IsZero() {
		since = time.Now()
	}
	return j.Try([]entaudit.Entry{outage(service, since)}) == nil
}

// Divide writes entries, which have just failed together with err, in halves, down to those
// that are refused, from left to right. It tells settle what became of the next n: stored,
// or refused with an error. It returns false when it is an outage after all, or settle says
// so; the rest is then as it was. No two writes fail one after the other, which would open a
// circuit breaker.
func (j *Judge) Divide(entries []entaudit.Entry, err error, settle func(n int, refused error) bool) bool {
	if !j.fault(entries, err) {
		return false
	}
	if len(entries) == 1 {
		return j.prove(entries, err, settle)
	}
	half := len(entries) / 2
	for _, part := range [][]entaudit.Entry{entries[:half:half], entries[half:]} {
		if err := j.Try(part); err != nil {
			if !j.Divide(part, err, settle) {
				return false
			}
		} else if !settle(len(part), nil) {
			return false
		}
	}
	return true
}

// prove tries an entry that has failed alone again.
func (j *Judge) prove(entry []entaudit.Entry, err error, settle func(n int, refused error) bool) bool {
	for n := 1; n < proofs; n++ {
		if err = j.Try(entry); err == nil {
			return settle(1, nil)
		}
		if !j.fault(entry, err) {
			return false
		}
	}
	return settle(1, err)
}

// fault reports whether it was up to the entries that they failed with err.
func (j *Judge) fault(entries []entaudit.Entry, err error) bool {
	switch {
	case Outage(err):
		return false
	case len(entries) == 1 && timedOut(err):
		return j.takesNew(entries[0].Service)
	}
	return j.Works(entries[0].Service)
}

// ReasonOutage is the reason of the entry that tells of an outage.
const ReasonOutage = "write_failed"

// outage returns an entry that tells of entries that come late. It is one about a gap in
// which nothing is missing.
func outage(service string, since time.Time) entaudit.Entry {
	return Told("audit.outage", ReasonOutage, service, map[string]any{"count": 0, "since": since.UTC().Format(time.RFC3339Nano)})
}

// Told returns an entry of a delivery's own, about a gap.
func Told(action, reason, service string, metadata map[string]any) entaudit.Entry {
	return entaudit.Entry{
		ID:            uuid.Must(uuid.NewV7()),
		SchemaVersion: entaudit.SchemaVersion,
		Service:       service,
		Kind:          entaudit.KindSystem,
		Action:        action,
		Operation:     entaudit.OpGap,
		Outcome:       entaudit.Failure,
		Reason:        reason,
		OccurredAt:    time.Now().UTC().Truncate(time.Microsecond),
		Actor:         entaudit.Actor{Type: entaudit.ActorSystem},
		Metadata:      metadata,
	}
}
