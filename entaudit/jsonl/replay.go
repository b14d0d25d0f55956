package jsonl

import (
	"context"
	"errors"
	"fmt"

	"github.com/entaudit/audit/entaudit"
)

// Most that is handed over at once in a replay.
const (
	batchEntries = 100
	batchBytes   = 4 << 20
)

// Replayed says what became of the lines of a file.
type Replayed struct {
	Written int // entries that the writer took
	Refused int // entries that it did not take, not even alone
	Damaged int // lines that are not entries
}

// Replay hands the entries of a file to w, such as dead letters to the store that had
// refused them. Entries that w has already are no harm: their ids are the same. What w does
// not take together it gets one by one, and one that it refuses does not keep the others
// from it; where it takes none of a whole batch it is taken to be down, and Replay
// ends. The error holds the first few of what was wrong, and is nil where everything was
// written. The file is left as it is.
func Replay(ctx context.Context, path string, w entaudit.Writer) (Replayed, error) {
	p := replay{w: w}
	for e, err := range Read(path) {
		var damaged *LineError
		switch {
		case errors.As(err, &damaged):
			p.done.Damaged++
			p.report(err)
			continue
		case err != nil:
			p.report(err)
			return p.done, errors.Join(p.errs...)
		}
		p.batch = append(p.batch, e)
		for _, c := range e.Changes {
			p.bytes += len(c.Old) + len(c.New)
		}
		if len(p.batch) < batchEntries && p.bytes < batchBytes {
			continue
		}
		if !p.write(ctx) {
			return p.done, errors.Join(p.errs...)
		}
	}
	p.write(ctx)
	return p.done, errors.Join(p.errs...)
}

type replay struct {
	w     entaudit.Writer
	batch []entaudit.Entry
	bytes int // of the batch, about
	done  Replayed
	errs  []error
}

// report keeps the first few errors.
func (p *replay) report(err error) {
	const few = 10
	if len(p.errs) < few {
		p.errs = append(p.errs, err)
	}
}

// write hands the batch over. It reports false where there is no point in going on.
func (p *replay) write(ctx context.Context) bool {
	batch := p.batch
	p.batch, p.bytes = p.batch[:0], 0
	if len(batch) == 0 {
		return true
	}
	if err := p.w.Write(ctx, batch); err == nil {
		p.done.Written += len(batch)
		return true
	}
	taken := false
	for i := range batch {
		err := p.w.Write(ctx, batch[i:i+1:i+1])
		if err == nil {
			taken = true
			p.done.Written++
			continue
		}
		p.done.Refused++
		p.report(fmt.Errorf("jsonl: replay entry %s: %w", batch[i].ID, err))
		if ctx.Err() != nil {
			return false
		}
	}
	return taken
}
