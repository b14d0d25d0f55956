package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/entaudit/audit/entaudit"
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

// record runs the story and returns what it left. The service has stopped by then:
// all that was to be recorded is stored.
func record(ctx context.Context, at source, log io.Writer) (t *trace, err error) {
	a, err := newApp(ctx, at, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		return nil, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		err = errors.Join(err, a.close(end))
	}()
	people, err := a.seed(ctx)
	if err != nil {
		return nil, err
	}
	srv, err := listen(ctx, "127.0.0.1:0", a.router)
	if err != nil {
		return nil, err
	}
	say(log, "serving on %s with %s\n", srv.url, at.shown)
	t = &trace{dialect: at.dialect, captions: map[string]string{}}
	c, err := newCast(a.issuer, people)
	if err == nil {
		s := &story{client: http.Client{Timeout: answerTimeout}, url: srv.url, log: log, cast: c, trace: t}
		err = s.tell(ctx)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := errors.Join(err, srv.stop(end), a.flush(end)); err != nil {
		return nil, err
	}
	t.entries, err = a.all(ctx)
	return t, err
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
