package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/entaudit/audit/internal/testapp/ent"
)

const (
	shutdownTimeout = 15 * time.Second
	tokenLife       = 24 * time.Hour
)

// serve runs the service until ctx ends, then lets requests finish and stores what
// the queue still holds.
func serve(ctx context.Context, s settings, out io.Writer) error {
	at, err := parseDSN(s.dsn)
	if err != nil {
		return err
	}
	a, err := newApp(ctx, at, slog.New(slog.NewTextHandler(out, nil)))
	if err != nil {
		return err
	}
	people, err := a.seed(ctx)
	if err != nil {
		return errors.Join(err, a.close(ctx))
	}
	srv, err := listen(ctx, s.addr, a.router)
	if err != nil {
		return errors.Join(err, a.close(ctx))
	}
	err = a.welcome(out, at, srv, people)
	if err == nil {
		select {
		case <-ctx.Done():
			say(out, "\nshutting down\n")
		case err = <-srv.failed:
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return errors.Join(err, srv.stop(end), a.close(end))
}

// server is the service while it listens.
type server struct {
	http   *http.Server
	url    string
	failed chan error // at most one, when serving ends by itself
}

func listen(ctx context.Context, addr string, h http.Handler) (*server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &server{
		http: &http.Server{
			Handler:           h,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       30 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       time.Minute,
		},
		url:    "http://" + l.Addr().String(),
		failed: make(chan error, 1),
	}
	go func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return s, nil
}

// stop lets running requests finish.
func (s *server) stop(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("shut down: %w", err), s.http.Close())
	}
	return nil
}

// welcome prints commands that can be pasted into a shell.
func (a *app) welcome(out io.Writer, at source, srv *server, p seeded) error {
	expires := time.Now().Add(tokenLife)
	var b strings.Builder
	fmt.Fprintf(&b, "testapp serves %s with %s. Tokens are good for a day, or until it ends. Paste:\n\n", srv.url, at.shown)
	for _, who := range []struct {
		variable string
		user     *ent.User
		org      *ent.Organisation
	}{{"ALICE", p.alice, p.acme}, {"BOB", p.bob, p.acme}, {"CAROL", p.carol, p.globex}} {
		token, err := a.issuer.user(who.user, who.org, expires)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s='Authorization: Bearer %s'\n", who.variable, token)
	}
	operator, err := a.issuer.operator("olga@testapp.example", expires)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "OLGA='Authorization: Bearer %s'\n", operator)
	b.WriteString(strings.ReplaceAll(commands, "URL", srv.url))
	_, err = io.WriteString(out, b.String())
	return err
}

func emailOf(name string, o *ent.Organisation) string {
	return strings.ToLower(name) + "@" + o.Slug + ".example"
}

// commands can be pasted as often as one likes: the numbers of invoices come from the
// clock, since those of an earlier run may be in the database still.
const commands = `
# Alice writes two invoices that should have been paid long ago, Bob marks one as paid.
N=$(date +%s)
ID=$(curl -s -H "$ALICE" URL/invoices -d '{"number":"A-'$N'-1","customer":"Initech","due_on":"2020-01-31",
  "lines":[{"text":"Logo","price":"450"},{"text":"Cards","quantity":200,"price":"0.35"}]}' |
  tee /dev/stderr | sed 's/^{"id":\([0-9]*\).*/\1/')
curl -H "$ALICE" URL/invoices -d '{"number":"A-'$N'-2","customer":"Umbra","due_on":"2020-02-29",
  "lines":[{"text":"Fonts","price":"75.50"}]}'
curl -H "$BOB" URL/invoices/$ID -X PATCH -d '{"status":"paid","note":"paid in cash"}'

# Who did what to it, and what was it before?
curl -H "$ALICE" "URL/audit?resource=invoice&id=$ID"

# Carol, of another tenant, does not find it. Nobody at all is refused.
curl -i -H "$CAROL" URL/invoices/$ID
curl -i -X DELETE URL/invoices/$ID

# One bad row: all of them roll back, and so do their entries.
curl -H "$ALICE" URL/invoices/import -d '[{"number":"A-'$N'-3","customer":"Hooli","due_on":"2030-01-31",
  "lines":[{"text":"Site","price":"900"}]},{"number":"A-'$N'-1"}]'

# A bulk update, a mutation left out on purpose, and a panic.
curl -H "$ALICE" -X POST URL/invoices/close-overdue
curl -H "$OLGA" -X POST URL/admin/reminders/reset
curl -H "$ALICE" URL/debug/panic

# All entries of the tenant. Those of requests wait in a queue for a moment.
sleep 1
curl -H "$ALICE" 'URL/audit?limit=100'

`
