package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/outbox"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/spool"
	"github.com/entaudit/audit/entaudit/store"
)

// plan says how the process under test is put together.
type plan struct {
	app, audit string // data source names: of the rows, and of the delivered entries
	delivery   string
	dir        string // of the spool
	canary     string // a secret that must be nowhere
	conns      int
	capacity   int
	segment    int64 // bytes of a file of the spool; 0 means the default
	ballast    int   // bytes of text in each entry of the program's own
	block      time.Duration
	timeout    time.Duration // of a write to the audit database
	patience   time.Duration // of whoever waits for an op
	grace      time.Duration
	shutdown   time.Duration
}

// How entries that do not belong to a transaction are delivered.
const (
	viaQueue     = "queue"     // in memory
	viaSpool     = "spool"     // each is on disk before it is accepted
	viaSpillover = "spillover" // on disk is what memory has no room for, and what is left at the end
	viaOutbox    = "outbox"    // a table beside the rows, those of mutations too, and a relay
)

func (p *plan) flags(f *flag.FlagSet) {
	f.StringVar(&p.app, "app", p.app, "database of the rows")
	f.StringVar(&p.audit, "audit", p.audit, "database of the delivered entries")
	f.StringVar(&p.delivery, "delivery", p.delivery, "queue, spool, spillover or outbox")
	f.StringVar(&p.dir, "dir", p.dir, "folder of the spool")
	f.StringVar(&p.canary, "canary", p.canary, "secret that the process handles")
	f.IntVar(&p.conns, "conns", p.conns, "connections of each pool")
	f.IntVar(&p.capacity, "capacity", p.capacity, "entries that the queue holds")
	f.Int64Var(&p.segment, "segment", p.segment, "bytes of a file of the spool")
	f.IntVar(&p.ballast, "ballast", p.ballast, "bytes of text in each entry of the program's own")
	f.DurationVar(&p.block, "block", p.block, "wait for room in the queue")
	f.DurationVar(&p.timeout, "timeout", p.timeout, "of a write to the audit database")
	f.DurationVar(&p.patience, "patience", p.patience, "of whoever waits for an op")
	f.DurationVar(&p.grace, "grace", p.grace, "of the recorder")
	f.DurationVar(&p.shutdown, "shutdown", p.shutdown, "time to close in")
}

func parseArgs(p *plan, args []string) error {
	f := flag.NewFlagSet("child", flag.ContinueOnError)
	p.flags(f)
	return f.Parse(args)
}

// args are the flags that make the same plan.
func (p plan) args() []string {
	var args []string
	f := flag.NewFlagSet("", flag.ContinueOnError)
	p.flags(f)
	f.VisitAll(func(v *flag.Flag) { args = append(args, "-"+v.Name+"="+v.Value.String()) })
	return args
}

// token is a well-formed credential with the canary inside.
func (p plan) token() string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	signed := part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(`{"sub":"`+p.canary+`"}`)
	mac := hmac.New(sha256.New, []byte(p.canary))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// line is the delivery of the process under test.
type line struct {
	writer  entaudit.Writer
	certain func(error) bool // it says that the entry was not accepted
	numbers func() counts
	table   string                          // of the entries of mutations; empty means the usual one
	close   func(ctx context.Context) error // when the writer is closed; may be nil
}

// counts is what a delivery says of itself.
type counts struct {
	Accepted, Recovered, Stored, Dropped, Rejected, DeadLettered uint64
	Depth, Spooled, Goroutines                                   int
}

func (l *line) stats() string {
	c := l.numbers()
	c.Goroutines = runtime.NumGoroutine()
	text, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// deliver builds the delivery that the plan names.
func (p plan) deliver(app, audit *sql.DB) (*line, error) {
	dest, err := store.New(entsql.OpenDB(dialect.Postgres, audit), store.Config{})
	if err != nil {
		return nil, err
	}
	switch p.delivery {
	case viaQueue:
		return p.queued(dest, queue.Config{})
	case viaSpool, viaSpillover:
		s, err := spool.Open(spool.Config{Dir: p.dir, SegmentBytes: p.segment})
		if err != nil {
			return nil, err
		}
		return p.queued(dest, queue.Config{Spool: s, Durable: p.delivery == viaSpool})
	case viaOutbox:
		return p.relayed(entsql.OpenDB(dialect.Postgres, app), dest)
	}
	return nil, fmt.Errorf("unknown delivery %q", p.delivery)
}

// queued is a queue with what c says of its spool.
func (p plan) queued(dest entaudit.Writer, c queue.Config) (*line, error) {
	c.Capacity, c.BatchSize = p.capacity, min(p.capacity, queue.DefaultBatchSize)
	c.Block, c.Timeout, c.Delay, c.MaxBackoff = p.block, p.timeout, 20*time.Millisecond, time.Second
	q, err := queue.New(dest, c)
	if err != nil {
		return nil, err
	}
	return &line{
		writer:  q,
		certain: func(err error) bool { return errors.Is(err, queue.ErrFull) || errors.Is(err, queue.ErrClosed) },
		numbers: func() counts {
			s := q.Stats()
			return counts{
				Accepted: s.Accepted, Recovered: s.Recovered, Stored: s.Stored, Spooled: s.Spooled,
				Dropped: s.Dropped, Rejected: s.Rejected, DeadLettered: s.DeadLettered, Depth: s.Depth,
			}
		},
	}, nil
}

// lease is for how long nobody else takes what a killed relay had taken.
const lease = 5 * time.Second

// relayed is an outbox in front of dest.
func (p plan) relayed(app dialect.Driver, dest entaudit.Writer) (*line, error) {
	box, err := store.New(app, store.Config{Table: store.OutboxTable})
	if err != nil {
		return nil, err
	}
	relay, err := outbox.New(app, dest, outbox.Config{
		Poll: 20 * time.Millisecond, Timeout: p.timeout, Lease: lease, MaxBackoff: time.Second,
	})
	if err != nil {
		return nil, err
	}
	return &line{
		writer:  box,
		certain: func(error) bool { return false }, // nobody knows what became of a COMMIT
		table:   store.OutboxTable,
		close:   relay.Close,
		numbers: func() counts {
			ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
			defer cancel()
			s, err := relay.Stats(ctx)
			if err != nil {
				s.Pending = -1 // nobody knows
			}
			return counts{Stored: s.Relayed, DeadLettered: s.DeadLettered, Depth: s.Pending}
		},
	}, nil
}
