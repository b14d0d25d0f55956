package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNoPostgres is returned where no PostgreSQL is installed to make a cluster from.
var errNoPostgres = errors.New("pg_config names no folder with PostgreSQL's programs")

// cluster is a PostgreSQL of our own, on a port of the loopback address, that faults may
// stop, freeze and fill. It survives the crash of its processes, not of the machine:
// nothing is synced.
type cluster struct {
	bin, data, log string
	port           int
	owner          *owner
	postmaster     *exec.Cmd
	ended          chan struct{}
}

// newCluster makes a cluster in an existing, empty folder. Its write-ahead log goes to a
// folder of its own where that exists.
func newCluster(ctx context.Context, data, wal, log string) (*cluster, error) {
	out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output()
	if err != nil {
		return nil, errors.Join(errNoPostgres, err)
	}
	c := &cluster{bin: strings.TrimSpace(string(out)), data: data, log: log}
	if c.owner, err = newOwner(data); err != nil {
		return nil, err
	}
	if c.port, err = freePort(ctx); err != nil {
		return nil, err
	}
	args := []string{"-D", data, "-U", "postgres", "-A", "trust", "-N", "--locale=C", "-E", "UTF8", "--wal-segsize=1"}
	if _, err := os.Stat(wal); err == nil {
		args = append(args, "-X", wal)
	}
	initdb := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), args...) //nolint:gosec // of the installation
	initdb.SysProcAttr, initdb.Dir = c.owner.attributes(), data
	if text, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, text)
	}
	options := []string{
		"fsync=off", "autovacuum=off", "max_connections=60", "listen_addresses='127.0.0.1'", "unix_socket_directories=''",
		"max_wal_size=32MB", "min_wal_size=2MB", "shared_buffers=16MB", fmt.Sprintf("port=%d", c.port),
	}
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0) //nolint:gosec // in a folder of our own
	if err != nil {
		return nil, err
	}
	_, err = conf.WriteString("\n" + strings.Join(options, "\n") + "\n")
	return c, errors.Join(err, conf.Close())
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// dsn is a data source name of a database in the cluster.
func (c *cluster) dsn(database string) string {
	return dsnAt(fmt.Sprintf("127.0.0.1:%d", c.port), database)
}

func dsnAt(addr, database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable&connect_timeout=2", addr, database)
}

// start starts the cluster and waits until it answers.
func (c *cluster) start(ctx context.Context) error {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// It outlives ctx, so that what is under way can end: stop ends it.
	c.postmaster = exec.Command(filepath.Join(c.bin, "postgres"), "-D", c.data) //nolint:gosec,noctx // as said above
	c.postmaster.SysProcAttr, c.postmaster.Dir = c.owner.attributes(), c.data
	c.postmaster.Stdout, c.postmaster.Stderr = log, log
	if err := c.postmaster.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	c.ended = make(chan struct{})
	go func() {
		_ = c.postmaster.Wait() // it is stopped by signals, which is an error
		_ = log.Close()         // the server has a descriptor of its own, by which it wrote
		close(c.ended)
	}()
	return c.await(ctx)
}

// await waits until the cluster answers.
func (c *cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.dsn("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.ended:
			return fmt.Errorf("postgres ended, see %s: %w", c.log, err)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// crash stops the cluster as a power cut would: no connection is told, nothing is
// written. It is what pg_ctl stop -m immediate does.
func (c *cluster) crash() error {
	if c.postmaster == nil {
		return nil
	}
	if err := c.postmaster.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-c.ended
	c.postmaster = nil
	return nil
}

// revive starts the cluster again where it has ended by itself.
func (c *cluster) revive(ctx context.Context) error {
	select {
	case <-c.ended:
		return c.start(ctx)
	default:
		return c.await(ctx)
	}
}

// signal sends a signal to the postmaster and all of its processes.
func (c *cluster) signal(sig syscall.Signal) error {
	ids, err := descendants(c.postmaster.Process.Pid)
	if err != nil {
		return err
	}
	for _, id := range append([]int{c.postmaster.Process.Pid}, ids...) {
		if err := syscall.Kill(id, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal %d: %w", id, err)
		}
	}
	return nil
}

// freeze stops all of the cluster's processes in the middle of what they do: it accepts
// connections, and answers none.
func (c *cluster) freeze() error { return c.signal(syscall.SIGSTOP) }

// thaw lets them go on.
func (c *cluster) thaw() error { return c.signal(syscall.SIGCONT) }

// exec runs statements in a database of the cluster.
func (c *cluster) exec(ctx context.Context, database string, statements ...string) (err error) {
	conn, err := pgx.Connect(ctx, c.dsn(database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}
