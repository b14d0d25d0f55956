package quiet

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLog(t *testing.T) { // not parallel: slog.SetDefault
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		before := slog.Default()
		defer slog.SetDefault(before)
		slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
		var l Log
		for range 3 {
			l.Warn("slow", "n", 1)
			l.Error("down")
		}
		time.Sleep(For)
		l.Warn("slow", "n", 2)
		l.Warn("slow", "n", 3)
		require.Equal(t, 2, strings.Count(out.String(), "msg=slow"), out.String())
		require.Equal(t, 1, strings.Count(out.String(), "level=ERROR msg=down"), out.String())
		require.Contains(t, out.String(), "n=2 not_logged=2")
	})
}
