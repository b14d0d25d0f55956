package wrap

import (
	"context"

	"github.com/entaudit/audit/entaudit"
)

// Filter returns a Writer that hands to w the entries that keep is true for. The others
// are left out on purpose and leave no trace: filter what one of several destinations
// gets, not what is recorded. Keep is called from many goroutines at once and must not
// modify the entry.
func Filter(w entaudit.Writer, keep func(*entaudit.Entry) bool) entaudit.Writer {
	return &filter{around: around{name: "filter", ws: []entaudit.Writer{w}}, keep: keep}
}

type filter struct {
	around

	keep func(*entaudit.Entry) bool
}

func (f *filter) Write(ctx context.Context, entries []entaudit.Entry) error {
	if err := f.open(); err != nil {
		return err
	}
	kept := make([]entaudit.Entry, 0, len(entries))
	for i := range entries {
		if f.keep(&entries[i]) {
			kept = append(kept, entries[i])
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return f.ws[0].Write(ctx, kept)
}
