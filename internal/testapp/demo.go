package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/store"
)

// answerTimeout is how long a request of the demonstration may take.
const answerTimeout = 30 * time.Second

// demo runs the service on an empty database of its own, sends it requests of
// several people, prints the entries they left on out, and fails if they are not
// the ones they should be.
func demo(ctx context.Context, s settings, out, log io.Writer) (err error) {
	at, remove, err := scratch(ctx, s.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	t, err := record(ctx, at, log)
	if err != nil {
		return err
	}
	found := t.check()
	if s.json {
		if err := printJSON(out, t.entries); err != nil {
			return err
		}
		return errors.Join(printFindings(log, newPalette(log), found), failed(found))
	}
	if err := newReport(out).print(t); err != nil {
		return err
	}
	return errors.Join(printFindings(out, newPalette(out), found), failed(found))
}

// serve runs the service with its people for as long as tell takes. stop lets running
// requests finish.
func (s *story) serve(ctx context.Context, at source, tell func(a *app, stop func() error) error) (err error) {
	a, err := newApp(ctx, at, slog.New(slog.NewTextHandler(s.log, nil)))
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		var left *queue.LeftError
		if cerr := a.close(end); !errors.As(cerr, &left) || left.Lost > 0 { // what is in the spool is safe
			err = errors.Join(err, cerr)
		}
	}()
	people, err := a.seed(ctx)
	if err != nil {
		return err
	}
	srv, err := listen(ctx, "127.0.0.1:0", a.router)
	if err != nil {
		return err
	}
	say(s.log, "serving on %s with %s\n", srv.url, at.shown)
	stop := sync.OnceValue(func() error {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		return srv.stop(end)
	})
	s.url = srv.url
	if s.cast, err = newCast(a.issuer, people); err == nil {
		err = tell(a, stop)
	}
	return errors.Join(err, stop())
}

// all returns all entries of all tenants, oldest first.
func (a *app) all(ctx context.Context) ([]entaudit.Entry, error) {
	var entries []entaudit.Entry
	f := store.Filter{Oldest: true, Limit: store.MaxLimit}
	for {
		page, err := a.store.List(ctx, f)
		if err != nil {
			return nil, err
		}
		entries = append(entries, page.Entries...)
		if f.Cursor = page.Next; f.Cursor == "" {
			return entries, nil
		}
	}
}

// isTerminal reports whether w is shown to a person as it is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
