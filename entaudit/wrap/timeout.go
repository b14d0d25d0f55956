package wrap

import (
	"context"
	"fmt"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// Timeout returns a Writer that gives each write to w at most limit. It ends the context:
// w has to honour that, as every Writer must. A limit that is not positive is none.
func Timeout(w entaudit.Writer, limit time.Duration) entaudit.Writer {
	return &timeout{around: around{name: "timeout", ws: []entaudit.Writer{w}}, limit: limit}
}

type timeout struct {
	around

	limit time.Duration
}

func (t *timeout) Write(ctx context.Context, entries []entaudit.Entry) error {
	if err := t.open(); err != nil {
		return err
	}
	if t.limit <= 0 {
		return t.ws[0].Write(ctx, entries)
	}
	limited, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	err := t.ws[0].Write(limited, entries)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("timeout of %v: %w", t.limit, err)
	}
	return err
}
