package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/bench/request"
)

func TestPeers(t *testing.T) {
	t.Parallel()
	var results bytes.Buffer
	require.NoError(t, request.Compare(t.Context(), contenders(), 2, &results, io.Discard))
	var names []string
	for line := range strings.Lines(results.String()) {
		fields := strings.Fields(line)
		require.Regexp(t, `^ratio http \S+ \d+\.\d\d\n$`, line)
		names = append(names, fields[2])
	}
	require.Equal(t, []string{
		"plain", "httplog-plain", "otelhttp-plain", "written-plain", "httplog-written-plain",
		"body1k", "httplog-body1k", "otelhttp-body1k", "written-body1k", "httplog-written-body1k",
		"jwt-es256", "written-jwt-es256",
	}, names)
}
