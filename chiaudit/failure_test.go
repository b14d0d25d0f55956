package chiaudit_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
)

func TestF14T02RecordingNeverBreaksTheResponse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		write entaudit.WriterFunc
	}{
		{"writer fails", func(context.Context, []entaudit.Entry) error { return errors.New("disk full") }},
		{"writer panics", func(context.Context, []entaudit.Entry) error { panic("disk full") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, err := entaudit.New(entaudit.Config{Writer: tt.write})
			require.NoError(t, err)
			var calls atomic.Int32
			r := chi.NewRouter()
			r.Use(chiaudit.Handler(rec, chiaudit.Options{}))
			r.Get("/", func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); w.WriteHeader(201) })
			require.Equal(t, 201, get(r, "/").Code)
			require.Equal(t, 201, get(r, "/").Code)
			require.Equal(t, int32(2), calls.Load())
		})
	}
	t.Run("OnError decides", func(t *testing.T) {
		t.Parallel()
		seen := make(chan error, 1)
		rec, err := entaudit.New(entaudit.Config{
			Writer:  entaudit.WriterFunc(func(context.Context, []entaudit.Entry) error { return io.ErrUnexpectedEOF }),
			OnError: func(_ context.Context, err error) error { seen <- err; return nil },
		})
		require.NoError(t, err)
		require.Equal(t, 200, get(chiaudit.Handler(rec, chiaudit.Options{})(status(200)), "/").Code)
		require.ErrorIs(t, <-seen, io.ErrUnexpectedEOF)
	})
}
