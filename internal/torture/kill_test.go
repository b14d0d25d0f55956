package torture_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// envChild tells a process of this test that it is the one to be killed: dialect,
// driver and DSN, one per line.
const envChild = "ENTAUDIT_TEST_CHILD"

// TestChild is the process that TestCase87 kills. By itself it does nothing.
func TestChild(t *testing.T) {
	if os.Getenv(envChild) == "" {
		t.Skip(envChild + " is not set: this is not the process to be killed")
	}
	var dialectName, driver, dsn string
	_, err := fmt.Sscan(os.Getenv(envChild), &dialectName, &driver, &dsn)
	require.NoError(t, err)
	rec, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	drv := entsql.OpenDB(dialectName, testdb.OpenDSN(t, driver, dsn))
	c := ent.NewClient(ent.Driver(drv), ent.Auditor(rec))
	for i := 0; ; i++ {
		mutateOnce(t, c, i)
		if i == 0 {
			fmt.Println("ready")
		}
	}
}

// mutateOnce makes one mutation or one transaction of several.
func mutateOnce(t *testing.T, c *ent.Client, i int) {
	ctx := context.Background()
	switch i % 6 {
	case 0:
		c.User.Create().SetName(fmt.Sprint(i)).ExecX(ctx)
	case 1:
		c.User.MapCreateBulk(make([]int, 5), func(u *ent.UserCreate, j int) { u.SetName(fmt.Sprint(i, j)) }).ExecX(ctx)
	case 2:
		c.User.Update().Where(user.AgeLT(3)).AddAge(1).ExecX(ctx)
	case 3:
		if u, err := c.User.Query().Order(user.ByID(entsql.OrderDesc())).First(ctx); err == nil {
			c.User.UpdateOne(u).AddVersion(1).ExecX(ctx)
		}
	case 4:
		tx, err := c.Tx(ctx)
		require.NoError(t, err)
		tx.User.Create().SetName("tx").ExecX(ctx)
		tx.User.Update().Where(user.AgeGTE(3)).SetAge(0).ExecX(ctx)
		require.NoError(t, tx.Commit())
	case 5:
		c.User.Delete().Where(user.AgeGTE(2), user.VersionLT(3)).ExecX(ctx)
	}
}

// TestCase87Kill9 kills a process that mutates at random points. What its database's
// triggers saw and what its entries say must be the same each time.
func TestCase87Kill9(t *testing.T) {
	t.Parallel()
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	for _, name := range []string{dialect.SQLite, dialect.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			driver, dsn := testdb.DSN(t, name)
			b := open(t, name, driver, dsn, entaudit.Config{})
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			for range rounds {
				killOne(t, name, driver, dsn, time.Duration(rng.IntN(60_000))*time.Microsecond)
				b.awaitOthers(t)
				b.oracle.compare(t)
			}
			require.NotEmpty(t, b.entries(t))
			t.Logf("%d kills, %d entries", rounds, len(b.entries(t)))
		})
	}
}

// awaitOthers waits until the server has noticed that the process is dead: what it sent
// last may still run.
func (b *bundle) awaitOthers(t *testing.T) {
	t.Helper()
	if b.dialect != dialect.Postgres {
		return
	}
	b.db.SetMaxOpenConns(1)
	require.Eventually(t, func() bool {
		var n int
		err := b.db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&n)
		return err == nil && n == 0
	}, 10*time.Second, 2*time.Millisecond)
}

// killOne starts a process that mutates and kills it after a while.
func killOne(t *testing.T, dialectName, driver, dsn string, after time.Duration) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), envChild+"="+dialectName+"\n"+driver+"\n"+dsn)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ready := bufio.NewScanner(out).Scan()
	<-time.After(after)
	require.NoError(t, cmd.Process.Kill())
	err = cmd.Wait()
	require.True(t, ready, "the process was not ready")
	require.ErrorContains(t, err, "killed", "the process must not end by itself")
}
