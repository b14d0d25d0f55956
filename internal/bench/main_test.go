package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Not parallel: TestSoakShort, which counts goroutines, must not run beside it.
func TestCommands(t *testing.T) {
	for _, tt := range []struct {
		name string
		args string
		want string
	}{
		{"nothing", "", "want one of"},
		{"unknown", "fast", `"fast": want one of`},
		{"operation", "ratio -op fly", `no operation "fly"`},
		{"database", "ratio -db oracle -n 1 -http=false", `no database "oracle"`},
		{"case", "delivery -case by-mail", `one of "by-mail" is not known`},
		{"server of which", "wire -dsn postgres://x", "-dsn: name one database"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorContains(t, run(t.Context(), strings.Fields(tt.args), io.Discard, io.Discard), tt.want)
		})
	}
}

func TestRatioCommand(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), strings.Fields("ratio -http=false -db sqlite -op create,tx10 -n 3"), &out, io.Discard))
	require.Regexp(t, `^ratio sqlite create \d+\.\d\d\nratio sqlite tx10 \d+\.\d\d\n$`, out.String())
}

func TestRatioCommandOfRequests(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"ratio", "-db", "", "-n", "3"}, &out, io.Discard))
	require.Regexp(t, `^ratio http plain \d+\.\d\d\nratio http body1k \d+\.\d\d\nratio http jwt-es256 \d+\.\d\d\n$`, out.String())
}

func TestDeliveryCommand(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), strings.Fields("delivery -case enqueue,accept-durable,drain-sqlite -n 2 -entries 100"), &out, io.Discard))
	require.Regexp(t, `^ratio delivery enqueue \d+\.\d\d\nratio delivery accept-durable \d+\.\d\d\nratio delivery drain-sqlite \d+\.\d\d\n$`, out.String())
}
