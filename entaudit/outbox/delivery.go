package outbox

import (
	"context"
	"fmt"
	"math/bits"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// delivery is one batch on its way.
type delivery struct {
	w       entaudit.Writer
	timeout time.Duration
	// certain says that the writer takes other entries: what it does not take is
	// refused. Otherwise it may be out of order, which only a success disproves.
	certain bool

	arrived []letter
	refused []letter // by themselves, while others were taken
	left    []letter // not taken, and nothing is known about why
	doubted []letter // failed by themselves since the last success
	failed  int      // calls since the last success
	limit   int      // of those, before the writer counts as out of order
	err     error    // of the last call that failed
}

// deliver hands letters to the writer. Where it does not take them together they are
// halved until those are found that it does not take by themselves. Letters that were
// refused before go one by one, behind the others.
func (d *delivery) deliver(ctx context.Context, letters []letter) {
	var fresh, known []letter
	for _, l := range letters {
		if l.attempts > 0 {
			known = append(known, l)
		} else {
			fresh = append(fresh, l)
		}
	}
	// So many to get from all of them to a single one, and some more.
	d.limit = bits.Len(uint(len(letters))) + 4
	d.halve(ctx, fresh)
	for i := range known {
		d.halve(ctx, known[i:i+1])
	}
	if d.certain || len(d.arrived) > 0 && !d.outage() {
		d.refused = append(d.refused, d.doubted...)
	} else {
		d.left = append(d.left, d.doubted...)
	}
}

// outage reports whether so much has failed in a row that it is not up to the entries.
func (d *delivery) outage() bool { return !d.certain && d.failed >= d.limit }

func (d *delivery) halve(ctx context.Context, letters []letter) {
	switch {
	case len(letters) == 0:
		return
	case ctx.Err() != nil || d.outage():
		d.left = append(d.left, letters...)
		return
	}
	err := d.write(ctx, letters)
	switch {
	case err == nil:
		d.arrived = append(d.arrived, letters...)
		d.refused = append(d.refused, d.doubted...)
		d.doubted, d.failed = nil, 0
		return
	case ctx.Err() != nil: // the time is over, which is not their fault
		d.left = append(d.left, letters...)
		d.err = err
		return
	}
	d.err = err
	d.failed++
	if len(letters) == 1 {
		d.doubted = append(d.doubted, letters...)
		return
	}
	middle := len(letters) / 2
	d.halve(ctx, letters[:middle])
	d.halve(ctx, letters[middle:])
}

func (d *delivery) write(ctx context.Context, letters []letter) error {
	entries := make([]entaudit.Entry, len(letters))
	for i := range letters {
		entries[i] = letters[i].Entry
	}
	return write(ctx, d.w, d.timeout, entries)
}

// write is one call of a writer. One that panics has failed.
func write(ctx context.Context, w entaudit.Writer, timeout time.Duration, entries []entaudit.Entry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the writer panicked with %T", p) // the value may hold what was written
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return w.Write(ctx, entries)
}
