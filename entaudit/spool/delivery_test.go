package spool

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/audittest"
	"github.com/entaudit/audit/entaudit/queue"
)

// hang is a writer that takes nothing.
func hang() entaudit.Writer {
	return entaudit.WriterFunc(func(ctx context.Context, _ []entaudit.Entry) error {
		<-ctx.Done()
		return ctx.Err()
	})
}

func TestKeepsTheContractOfAWriter(t *testing.T) {
	t.Parallel()
	audittest.Writer(t, func(t *testing.T) entaudit.Writer {
		sp, err := Open(Config{Dir: filepath.Join(t.TempDir(), "s")})
		require.NoError(t, err)
		q, err := queue.New(&audittest.Memory{}, queue.Config{Spool: sp, Durable: true, Delay: time.Millisecond})
		require.NoError(t, err)
		t.Cleanup(func() { _ = q.Close(context.Background()) }) // a rule closes it with no time left
		return q
	})
}

func TestF24ShutdownWithABacklog(t *testing.T) {
	t.Parallel()
	const backlog = 20_000
	for name, deadline := range map[string]time.Duration{"none": 0, "short": 100 * time.Millisecond, "long": time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "s")
			sp, err := Open(Config{Dir: dir})
			require.NoError(t, err)
			stored := &counter{most: backlog / 2}
			if deadline == time.Minute {
				stored.most = backlog
			}
			stored.wait.Lock() // nothing is taken until Close
			q, err := queue.New(stored, queue.Config{Capacity: backlog, MaxBytes: 1 << 30, Spool: sp})
			require.NoError(t, err)
			for i := 0; i < backlog; i += 1000 {
				require.NoError(t, q.Write(t.Context(), numbered(i, i+1000)))
			}
			stored.wait.Unlock()
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			err = q.Close(ctx)
			s := q.Stats()
			if deadline == time.Minute {
				require.NoError(t, err)
			} else {
				var left *queue.LeftError
				require.ErrorAs(t, err, &left)
				require.Equal(t, s.Spooled, left.Spooled)
				require.Zero(t, left.Lost)
			}
			require.Equal(t, uint64(backlog), s.Stored+uint64(s.Spooled))
			require.Zero(t, s.Dropped)
			require.Zero(t, s.Depth)
			after, _ := begin(t, dir, Config{})
			actions := drain(t, after)
			require.Len(t, actions, s.Spooled)
			require.Equal(t, names(backlog-s.Spooled, backlog), actions, "in order, and what comes before is stored")
		})
	}
}

// counter is a writer that takes so many entries and then hangs.
type counter struct {
	wait    sync.Mutex
	n, most int
}

func (c *counter) Write(ctx context.Context, entries []entaudit.Entry) error {
	c.wait.Lock()
	defer c.wait.Unlock()
	if ctx.Err() != nil {
		return ctx.Err() // it has waited for too long
	}
	if c.n += len(entries); c.n > c.most {
		<-ctx.Done()
	}
	return ctx.Err()
}

func TestDeliversWhatWasLeftFirst(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "s")
	sp, err := Open(Config{Dir: dir})
	require.NoError(t, err)
	q, err := queue.New(hang(), queue.Config{Spool: sp, Capacity: 10})
	require.NoError(t, err)
	for i := range 50 {
		require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, q.Close(ctx), "50 entries left in the spool")

	sp, err = Open(Config{Dir: dir})
	require.NoError(t, err)
	m := &audittest.Memory{}
	q, err = queue.New(m, queue.Config{Spool: sp})
	require.NoError(t, err)
	require.NoError(t, q.Write(t.Context(), numbered(50, 60)))
	require.NoError(t, q.Close(t.Context()))
	var actions []string
	for _, e := range m.Entries() {
		actions = append(actions, e.Action)
	}
	require.Equal(t, names(0, 60), actions)
	require.Equal(t, queue.Stats{Accepted: 10, Recovered: 50, Stored: 60}, q.Stats())
}

// TestW17KilledProcess runs itself as a child that accepts entries, durably, and kills it.
func TestW17KilledProcess(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("SPOOL_TEST_CHILD"); dir != "" {
		child(t, dir)
		return
	}
	for round := range 5 {
		dir := filepath.Join(t.TempDir(), "s")
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestW17KilledProcess$")
		cmd.Env = append(os.Environ(), "SPOOL_TEST_CHILD="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		accepted := map[string]bool{}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			accepted[lines.Text()] = true
			if len(accepted) == 50*(round+1) {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait(), "killed")
		require.GreaterOrEqual(t, len(accepted), 50*(round+1))
		s, _ := begin(t, dir, Config{})
		there := map[string]bool{}
		for _, a := range drain(t, s) {
			require.False(t, there[a], "twice: %s", a)
			there[a] = true
		}
		for a := range accepted {
			require.True(t, there[a], "accepted and lost: %s", a)
		}
	}
}

func child(t *testing.T, dir string) {
	sp, err := Open(Config{Dir: dir, SegmentBytes: 10_000})
	require.NoError(t, err)
	q, err := queue.New(hang(), queue.Config{Spool: sp, Durable: true})
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for w := range 8 {
		wg.Go(func() {
			for i := w; ; i += 8 {
				require.NoError(t, q.Write(t.Context(), numbered(i, i+1)))
				mu.Lock()
				_, err := os.Stdout.WriteString(strconv.Itoa(i) + "\n")
				mu.Unlock()
				require.NoError(t, err)
			}
		})
	}
	wg.Wait()
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "dead")
	d, err := OpenDead(Config{Dir: dir})
	require.NoError(t, err)
	q, err := queue.New(refusing("3", "7"), queue.Config{DeadLetter: d})
	require.NoError(t, err)
	require.NoError(t, q.Write(t.Context(), numbered(0, 10)))
	require.NoError(t, q.Close(t.Context()))
	require.Equal(t, uint64(2), q.Stats().DeadLettered)

	d, err = OpenDead(Config{Dir: dir})
	require.NoError(t, err)
	list := func() (actions []string) {
		for e, err := range d.All() {
			require.NoError(t, err)
			actions = append(actions, e.Action)
		}
		return actions
	}
	require.Equal(t, []string{"3", "7"}, list())
	require.Equal(t, []string{"3", "7"}, list())
	n, err := d.Replay(t.Context(), refusing("3"))
	require.ErrorContains(t, err, "replay entry")
	require.Equal(t, 1, n)
	require.Equal(t, []string{"3"}, list())
	m := &audittest.Memory{}
	n, err = d.Replay(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Zero(t, d.Len())
	require.Len(t, m.Entries(), 1)
	require.NoError(t, d.Close(t.Context()))
}

// refusing is a writer that refuses these actions.
func refusing(actions ...string) entaudit.Writer {
	return entaudit.WriterFunc(func(_ context.Context, entries []entaudit.Entry) error {
		for _, e := range entries {
			if slices.Contains(actions, e.Action) {
				return os.ErrInvalid
			}
		}
		return nil
	})
}

func FuzzSegment(f *testing.F) {
	var c encoded
	if err := c.encode(audittest.Sample(f, 2)); err != nil {
		f.Fatal(err)
	}
	f.Add(append(header(int64(headerSize)), c.records...), true)
	f.Add(append(header(int64(headerSize+7)), c.records...), false)
	f.Add([]byte(magic), true)
	f.Add(append([]byte(mark), 1, 0, 0, 0), false)
	f.Fuzz(func(t *testing.T, data []byte, newest bool) {
		name := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(name, data, 0o600))
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		require.NoError(t, err)
		defer func() { require.NoError(t, file.Close()) }()
		seg, _, err := recoverSegment(name, diskFile{file}, newest)
		require.NoError(t, err)
		n := 0
		for seg.acked < seg.end {
			entries, ends, damaged, err := seg.read(seg.acked, seg.end, 2)
			require.NoError(t, err)
			if len(entries) == 0 {
				require.True(t, damaged)
				break
			}
			last := ends[len(ends)-1]
			require.Greater(t, last, seg.acked)
			seg.ack(last)
			n += len(entries)
		}
		require.LessOrEqual(t, n, seg.left)
	})
}
