package entaudit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// sick is a writer that knows what is wrong with it.
type sick struct {
	memory

	check, health error
}

func (s *sick) Check(context.Context) error  { return s.check }
func (s *sick) Health(context.Context) error { return s.health }

func TestCheckAsksEveryWriterW25(t *testing.T) {
	t.Parallel()
	table, behind := errors.New("no such table"), errors.New("100 entries behind")
	well := &sick{}
	ill := &sick{check: table, health: behind}
	for _, tt := range []struct {
		name          string
		w             entaudit.Writer
		check, health string
	}{
		{"one that cannot tell", &memory{}, "", ""},
		{"well", well, "", ""},
		{"ill", ill, "entaudit: check: no such table", "entaudit: health: 100 entries behind"},
		{"one of several", entaudit.Multi(&memory{}, well, ill), "entaudit: check: no such table", "entaudit: health: 100 entries behind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, _ := setup(t, entaudit.Config{Writer: tt.w})
			if tt.check == "" {
				require.NoError(t, rec.Check(t.Context()))
				require.NoError(t, rec.Health(t.Context()))
				return
			}
			require.EqualError(t, rec.Check(t.Context()), tt.check)
			require.ErrorIs(t, rec.Check(t.Context()), table)
			require.EqualError(t, rec.Health(t.Context()), tt.health)
			require.ErrorIs(t, rec.Health(t.Context()), behind)
		})
	}
	rec, _ := setup(t, entaudit.Config{Off: true, Writer: ill})
	require.NoError(t, rec.Check(t.Context()), "what is off needs no writer")
}
