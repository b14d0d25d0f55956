package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// owner is the user that a cluster runs as: PostgreSQL refuses to be root.
type owner struct{ credential *syscall.Credential }

// newOwner gives a folder to the user that is to run a cluster in it.
func newOwner(dir string) (*owner, error) {
	if os.Geteuid() != 0 {
		return &owner{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	o := &owner{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return o, os.Chown(dir, int(uid), int(gid))
}

// attributes makes a process the owner's. It ends with this one.
func (o *owner) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: o.credential, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
}

// apart puts a process into a group of its own, which ends with this process.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup kills a process that was set apart, with all that it started.
func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended by itself
}

// descendants returns the processes below one.
func descendants(pid int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	below := map[int][]int{}
	for _, path := range stats {
		text, err := os.ReadFile(path) //nolint:gosec // of the system
		if err != nil {
			continue // it has ended
		}
		head, tail, _ := strings.Cut(string(text), " (")
		_, tail, _ = strings.Cut(tail[max(strings.LastIndex(tail, ") "), 0):], " ")
		var id, parent int
		var state string
		if _, err := fmt.Sscan(head, &id); err != nil {
			continue
		}
		if _, err := fmt.Sscan(tail, &state, &parent); err == nil {
			below[parent] = append(below[parent], id)
		}
	}
	all := below[pid]
	for i := 0; i < len(all); i++ {
		all = append(all, below[all[i]]...)
	}
	return all, nil
}

// envPrivate says that this process has its own view of what is mounted where.
const envPrivate = "ENTAUDIT_FAULT_PRIVATE"

var errNotRoot = errors.New("only root can mount a small file system")

// private makes this program anew in a view of its own of what is mounted, where it is
// root: what it mounts is seen by nobody else and goes away with it.
func private() error {
	if os.Geteuid() != 0 || os.Getenv(envPrivate) != "" {
		return nil
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return nil // what needs it is skipped
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{"unshare", "-m", "--propagation", "private", self}, os.Args[1:]...)
	return syscall.Exec(unshare, args, append(os.Environ(), envPrivate+"=1")) //nolint:gosec // itself
}

// mount puts a small file system in memory at a folder.
func mount(dir string, bytes int) error {
	if os.Getenv(envPrivate) == "" {
		return errNotRoot
	}
	if err := syscall.Mount("fault", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0755", bytes)); err != nil {
		return fmt.Errorf("mount a file system at %s: %w", dir, err)
	}
	return nil
}

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
