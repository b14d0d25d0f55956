package queue

import (
	"context"

	"github.com/entaudit/audit/entaudit"
)

// Check checks the writer, and the dead letters, as far as they can tell whether they are
// ready ([entaudit.Checker]).
func (q *Queue) Check(ctx context.Context) error {
	if err := entaudit.CheckWriter(ctx, q.w); err != nil {
		return err
	}
	return entaudit.CheckWriter(ctx, q.cfg.DeadLetter)
}
