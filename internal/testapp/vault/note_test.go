package vault_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/testapp/vault"
)

func TestNoteRoundTrips(t *testing.T) {
	t.Parallel()
	note := vault.Note("a passphrase")
	for _, plain := range []string{"", "call them on Monday"} {
		v, err := note.V(plain)
		require.NoError(t, err)
		if plain != "" {
			require.NotContains(t, v, plain)
		}
		got, err := note.S(&sql.NullString{String: v.(string), Valid: true})
		require.NoError(t, err)
		require.Equal(t, plain, got)
	}
	got, err := note.S(&sql.NullString{})
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestNoteRefusesAnotherKey(t *testing.T) {
	t.Parallel()
	v, err := vault.Note("one").V("secret")
	require.NoError(t, err)
	for _, sealed := range []string{v.(string), "c2hvcnQ=", "%"} {
		_, err = vault.Note("two").S(&sql.NullString{String: sealed, Valid: true})
		require.ErrorContains(t, err, "vault: ")
	}
}
