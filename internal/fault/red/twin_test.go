package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// TestTwinsApply: what twins replace is in the code, and their tests exist. Whether the
// tests fail is for make red.
func TestTwinsApply(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..")
	twins, err := readTwins("testdata")
	require.NoError(t, err)
	for _, tw := range twins {
		t.Run(tw.name, func(t *testing.T) {
			t.Parallel()
			_, err := tw.overlay(root, t.TempDir())
			require.NoError(t, err)
			require.NotEmpty(t, tw.what)
			paths, err := filepath.Glob(filepath.Join(root, tw.pkg, "*_test.go"))
			require.NoError(t, err)
			var tests strings.Builder
			for _, path := range paths {
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				tests.Write(text)
			}
			require.Contains(t, tests.String(), "\nfunc "+tw.test+"(t *testing.T) {")
		})
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	const text = "a\nb\nc\nb\n"
	for _, tt := range []struct{ name, change, want, wrong string }{
		{"replaces", "@@ was\nc\n@@ is\nC\nD\n", "a\nb\nC\nD\nb\n", ""},
		{"removes", "@@ was\nb\nc\n@@ is\n", "a\n\nb\n", ""},
		{"several", "@@ was\na\n@@ is\nA\n@@ was\nc\n@@ is\nC\n", "A\nb\nC\nb\n", ""},
		{"is not there", "@@ was\nd\n@@ is\nD\n", "", `is there 0 times: "d"`},
		{"is there twice", "@@ was\nb\n@@ is\nB\n", "", `is there 2 times: "b"`},
		{"half a pair", "@@ was\nb\n", "", "no @@ is"},
		{"no pair", "b\n", "", "no @@ was"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := apply([]byte(text), txtar.File{Name: "x.go", Data: []byte(tt.change)})
			if tt.wrong != "" {
				require.ErrorContains(t, err, tt.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, string(got))
		})
	}
}
