package entaudit_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// later asks to be tried again after a while.
type later struct {
	after time.Duration
	err   error
}

func (l later) Error() string             { return "busy" }
func (l later) RetryAfter() time.Duration { return l.after }
func (l later) Unwrap() error             { return l.err }

func TestRetryAfterIsTheLongestOfAll(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		want time.Duration
	}{
		{"no error", nil, 0},
		{"an error that does not say", errors.New("x"), 0},
		{"one that does", later{after: time.Minute}, time.Minute},
		{"wrapped", fmt.Errorf("x: %w", later{after: time.Minute}), time.Minute},
		{"joined", errors.Join(errors.New("x"), later{after: time.Second}, fmt.Errorf("y: %w", later{after: time.Minute})), time.Minute},
		{"in one that says less", later{after: time.Second, err: later{after: time.Minute}}, time.Minute},
		{"the past", later{after: -time.Minute}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, entaudit.RetryAfter(tt.err))
		})
	}
}
