package entaudit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestUnsupportedError(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("save: %w", &entaudit.UnsupportedError{
		Type: "Account", Operation: "upsert", Problem: "the row has got another id", Hint: "use UpdateNewValues",
	})
	var u *entaudit.UnsupportedError
	require.True(t, errors.As(err, &u))
	require.Equal(t, "Account", u.Type)
	require.EqualError(t, u, "entaudit: upsert Account: cannot be recorded: the row has got another id (use UpdateNewValues)")
}
