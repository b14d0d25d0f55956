package outbox

import (
	"context"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/internal/refusal"
)

// delivery is one batch on its way.
type delivery struct {
	judge *refusal.Judge
	slow  bool // the last call had no time left

	arrived []letter
	refused []letter // by themselves, while others were taken
	left    []letter // not taken, and nothing is known about why
	tooMany bool     // the writer has no time for so many at once
	err     error    // of the last call that failed
}

// deliver hands letters to the writer. Letters that were refused before go one by one,
// behind the others.
func (d *delivery) deliver(ctx context.Context, letters []letter) {
	var fresh, known []letter
	for _, l := range letters {
		if l.attempts > 0 {
			known = append(known, l)
		} else {
			fresh = append(fresh, l)
		}
	}
	d.hand(ctx, fresh)
	for i := range known {
		d.hand(ctx, known[i:i+1])
	}
}

// hand hands over letters of one kind. Where the writer does not take them together they
// are halved until those are found that it does not take by themselves, unless it is out of
// order; all that are left are then kept for later.
func (d *delivery) hand(ctx context.Context, letters []letter) {
	if len(letters) == 0 {
		return
	}
	if len(d.left) > 0 {
		d.left = append(d.left, letters...)
		return
	}
	entries := make([]entaudit.Entry, len(letters))
	for i := range letters {
		entries[i] = letters[i].Entry
	}
	err := d.judge.Try(entries)
	if err == nil {
		d.arrived = append(d.arrived, letters...)
		return
	}
	d.err = err
	switch {
	case ctx.Err() != nil || entaudit.RetryAfter(err) > 0:
	case d.slow && len(letters) > 1:
		d.tooMany = d.judge.Works(entries[0].Service)
	default:
		d.judge.Divide(entries, err, func(n int, refused error) bool {
			some := letters[:n]
			letters = letters[n:]
			if refused != nil {
				d.refused, d.err = append(d.refused, some...), refused
			} else {
				d.arrived = append(d.arrived, some...)
			}
			return ctx.Err() == nil
		})
	}
	d.left = append(d.left, letters...)
}

// pace is how many entries go at once: fewer to a writer that has no time for more.
type pace struct{ size, most, easy int }

// easyRounds is how many rounds have to go well before there are more at once.
const easyRounds = 8

func (p *pace) learn(d *delivery, n int) {
	switch {
	case d.tooMany:
		p.size, p.easy = max(n/2, 1), 0
	case len(d.arrived) == p.size && p.size < p.most:
		if p.easy++; p.easy == easyRounds {
			p.size, p.easy = min(2*p.size, p.most), 0
		}
	}
}
