package request

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	var results, remarks bytes.Buffer
	none := Contender{"none", func(Case) (func(http.Handler) http.Handler, error) { return nil, nil }}
	same := Contender{"same", func(Case) (func(http.Handler) http.Handler, error) {
		return func(next http.Handler) http.Handler { return next }, nil
	}}
	require.NoError(t, Compare(t.Context(), []Contender{Audited("", Discard()), none, same}, 3, &results, &remarks))
	require.Regexp(t, strings.Join([]string{
		`^ratio http plain \d+\.\d\d`, `ratio http same-plain \d+\.\d\d`, `ratio http body1k \d+\.\d\d`, `ratio http same-body1k \d+\.\d\d`,
		`ratio http jwt-es256 \d+\.\d\d`, `ratio http same-jwt-es256 \d+\.\d\d\n$`,
	}, `\n`), results.String())
	require.Equal(t, 6, strings.Count(remarks.String(), "allocations more"))
}

func TestCompareFailsWithAContender(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	err := Compare(t.Context(), []Contender{{"x", func(Case) (func(http.Handler) http.Handler, error) { return nil, broken }}}, 1, &bytes.Buffer{}, &bytes.Buffer{})
	require.ErrorIs(t, err, broken)
	refusing := Contender{"x", func(Case) (func(http.Handler) http.Handler, error) {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		}, nil
	}}
	err = Compare(t.Context(), []Contender{refusing}, 1, &bytes.Buffer{}, &bytes.Buffer{})
	require.ErrorContains(t, err, "answered with status 403")
}

// What is measured is recording: the bodies, masked, and the actor.
func TestAuditedRecordsWhatTheCasesHold(t *testing.T) {
	t.Parallel()
	cases, err := Cases(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, Close(t.Context(), cases)) }()
	got := map[string]entaudit.Entry{}
	for _, c := range cases {
		w := entaudit.WriterFunc(func(_ context.Context, entries []entaudit.Entry) error {
			require.Len(t, entries, 1)
			got[c.Name] = entries[0]
			return nil
		})
		use, err := Audited("", w).Use(c)
		require.NoError(t, err)
		out := &blank{header: http.Header{}}
		c.serve(router(use), out)
		require.NoError(t, c.check(out))
	}
	require.Len(t, got, 3)
	require.Equal(t, "GET /invoices/{id}", got["plain"].Action)
	require.Equal(t, "alice", got["jwt-es256"].Actor.ID)
	for _, name := range []string{"request_body", "response_body"} {
		body := got["body1k"].Metadata[name].(map[string]any)["body"].(json.RawMessage)
		require.Equal(t, 16, strings.Count(string(body), `"token":"[REDACTED]"`))
	}
	require.InDelta(t, 1024, len(Body()), 50)
}
