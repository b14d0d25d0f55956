// Package scratch makes modules that use this repository as users do, in folders
// that go away: what tests generate there leaves nothing in the tree.
package scratch

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// audit is the module under test.
const audit = "github.com/entaudit/audit"

// Module is a Go module in a folder of its own.
type Module struct {
	Dir string
	env []string
}

// New makes a module in dir, which must be empty, with the given files. It requires
// what the module in the folder base does, in the same versions, and this
// repository, whose root is in the folder root, as it is.
func New(ctx context.Context, dir, name, root, base string, files fs.FS) (*Module, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if err := notice(root); err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, files); err != nil {
		return nil, err
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(base, file)) //nolint:gosec // the caller's folder, in this repository
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil { //nolint:gosec // likewise
			return nil, err
		}
	}
	// Nothing may be taken from the flags of whoever runs the test: -modfile would name another module's.
	m := &Module{Dir: dir, env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")}
	_, err = m.Go(ctx, "mod", "edit", "-module="+name, "-require="+audit+"@v0.0.0", "-replace="+audit+"="+root)
	return m, err
}

// notice opens the folders of what is under test. The go command takes the result of a
// test from its cache until something changes that the test itself has opened.
func notice(root string) error {
	return filepath.WalkDir(filepath.Join(root, "entaudit"), func(_ string, _ fs.DirEntry, err error) error { return err })
}

// Require sets the version of a module that m depends on.
func (m *Module) Require(ctx context.Context, module, version string) error {
	_, err := m.Go(ctx, "mod", "edit", "-require="+module+"@"+version)
	return err
}

// Go runs a command of go in m and returns what it prints.
func (m *Module) Go(ctx context.Context, args ...string) (string, error) {
	return m.Run(ctx, cmp.Or(os.Getenv("GO"), "go"), args...)
}

// In returns m with a folder of it, which is made, to run programs in.
func (m *Module) In(folder string) (*Module, error) {
	in := &Module{Dir: filepath.Join(m.Dir, folder), env: m.env}
	return in, os.MkdirAll(in.Dir, 0o750)
}

// Run runs a program in m and returns what it prints, which is also in the error.
func (m *Module) Run(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // tests say what to run
	cmd.Dir, cmd.Env = m.Dir, m.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out), err
}
