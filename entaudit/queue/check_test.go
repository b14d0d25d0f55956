package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
)

// checked is a writer that can tell whether it is ready.
type checked struct {
	audittest.Memory

	err error
}

func (c *checked) Check(context.Context) error { return c.err }

func TestCheckAsksWhatIsBehindW25(t *testing.T) {
	t.Parallel()
	missing := errors.New("no such table")
	for _, tt := range []struct {
		name         string
		writer, dead entaudit.Writer
		want         error
	}{
		{"ready", &checked{}, &checked{}, nil},
		{"cannot tell", &audittest.Memory{}, nil, nil},
		{"writer", &checked{err: missing}, nil, missing},
		{"dead letters", &checked{}, &checked{err: missing}, missing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q, err := queue.New(tt.writer, queue.Config{DeadLetter: tt.dead})
			require.NoError(t, err)
			rec, err := entaudit.New(entaudit.Config{Writer: q})
			require.NoError(t, err)
			require.ErrorIs(t, rec.Check(t.Context()), tt.want)
			require.NoError(t, rec.Close(t.Context()))
			require.ErrorIs(t, q.Write(t.Context(), audittest.Sample(t, 1)), entaudit.ErrClosed)
		})
	}
}
