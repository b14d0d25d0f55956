package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

// twin is a protection, and the test that is red without it.
type twin struct {
	name, what string
	pkg, test  string
	files      []txtar.File // what to replace in which file
}

// What a test can do without the protection.
const (
	red   = "red"
	green = "GREEN" // it does not notice
	late  = "LATE"  // it took too long, which tells nothing
)

// readTwins reads all twins of a folder. Each is a txtar archive. Its comment is a line
// that says what is taken away and one that names package and test; each of its files
// has pairs of texts, the first of which is in the file of that name exactly once:
//
//	@@ was
//	...
//	@@ is
//	...
func readTwins(dir string) ([]twin, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("nothing in %s", dir)
	}
	var twins []twin
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			return nil, err
		}
		t := twin{name: strings.TrimSuffix(filepath.Base(path), ".txtar"), files: a.Files}
		what, test, _ := strings.Cut(strings.TrimSpace(string(a.Comment)), "\n")
		if _, err := fmt.Sscanf(test, "test: %s %s", &t.pkg, &t.test); err != nil || len(a.Files) == 0 {
			return nil, fmt.Errorf("%s: want a line, a line \"test: ./package TestName\", and files", path)
		}
		t.what = what
		twins = append(twins, t)
	}
	return twins, nil
}

// apply returns the changed text of a file.
func apply(text []byte, change txtar.File) ([]byte, error) {
	pairs := strings.Split("\n"+string(change.Data), "\n@@ was\n")
	if len(pairs) < 2 || pairs[0] != "" {
		return nil, fmt.Errorf("%s: no @@ was", change.Name)
	}
	for _, pair := range pairs[1:] {
		was, is, found := strings.Cut(pair, "\n@@ is\n")
		if !found {
			if was, found = strings.CutSuffix(pair, "\n@@ is"); !found {
				return nil, fmt.Errorf("%s: no @@ is", change.Name)
			}
		}
		old := []byte(was)
		if n := bytes.Count(text, old); n != 1 {
			return nil, fmt.Errorf("%s: is there %d times: %q", change.Name, n, was)
		}
		text = bytes.Replace(text, old, []byte(strings.TrimSuffix(is, "\n")), 1)
	}
	return text, nil
}

// overlay writes the changed copies and the file that has the go command take them.
func (t twin) overlay(root, dir string) (string, error) {
	replace := map[string]string{}
	for i, f := range t.files {
		path, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(f.Name)))
		if err != nil {
			return "", err
		}
		text, err := os.ReadFile(path) //nolint:gosec // a file of this module
		if err != nil {
			return "", err
		}
		if text, err = apply(text, f); err != nil {
			return "", err
		}
		to := filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(to, text, 0o600); err != nil { //nolint:gosec // in a folder of our own
			return "", err
		}
		replace[path] = to
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, data, 0o600)
}

// show runs the test without the protection.
func (t twin) show(ctx context.Context, root string) (how string, err error) {
	dir, err := os.MkdirTemp("", "entaudit-red-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path, err := t.overlay(root, dir)
	if err != nil {
		return "", err
	}
	passed, out, err := runTests(ctx, root, t.pkg, []string{t.test}, "-failfast", "-overlay="+path)
	switch {
	case err != nil:
		return "", err
	case passed:
		return green, nil
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return "", fmt.Errorf("does not compile:\n%s", end(out))
	case strings.Contains(out, "panic: test timed out"):
		return late, nil
	}
	return red, nil
}

// pass returns an error unless the tests of the twins pass with all protections in
// place. One that is skipped would show nothing.
func pass(ctx context.Context, root string, twins []twin) error {
	tests := map[string][]string{}
	for _, t := range twins {
		if !slices.Contains(tests[t.pkg], t.test) {
			tests[t.pkg] = append(tests[t.pkg], t.test)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(tests)) {
		passed, out, err := runTests(ctx, root, pkg, tests[pkg])
		if err != nil {
			return err
		}
		for _, test := range tests[pkg] {
			if !passed || !strings.Contains(out, "--- PASS: "+test+" ") {
				return fmt.Errorf("%s in %s does not pass with all protections in place:\n%s", test, pkg, end(out))
			}
		}
	}
	return nil
}

// end returns the last lines of what a test printed.
func end(out string) string { return out[max(len(out)-4000, 0):] }

// runTests runs tests of a package. That they fail is no error.
func runTests(ctx context.Context, root, pkg string, tests []string, flags ...string) (passed bool, out string, err error) {
	args := append([]string{"test", "-count=1", "-v", "-vet=off", "-timeout=10m", "-run=^(" + strings.Join(tests, "|") + ")$"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...) //nolint:gosec // as the twin says
	cmd.Dir = root
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return false, string(text), nil
	}
	return err == nil, string(text), err
}
