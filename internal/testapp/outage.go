package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
)

// reach is the way from the queue to the store. The demonstration cuts it, as a network
// or a server that goes away does.
type reach struct {
	entaudit.Writer

	cut atomic.Bool
}

var errCut = errors.New("the store does not answer")

// Write implements entaudit.Writer.
func (r *reach) Write(ctx context.Context, entries []entaudit.Entry) error {
	if r.cut.Load() {
		return errCut
	}
	return r.Writer.Write(ctx, entries)
}

// Check implements entaudit.Checker.
func (r *reach) Check(ctx context.Context) error { return entaudit.CheckWriter(ctx, r.Writer) }

// String is how the way prints in a pipeline.
func (r *reach) String() string { return entaudit.WriterName(r.Writer) }

// hurry is how long a service may take to end while the store is away.
const hurry = time.Second

// outageRequests is how many requests tellOutage sends.
const outageRequests = 3

// outage cuts the way to the store, sends requests, and ends the service meanwhile: the
// entries of the requests have to be in the spool, which the next service takes over.
func (s *story) outage(ctx context.Context, a *app, stop func() error) error {
	a.reach.cut.Store(true)
	s.tellOutage(ctx)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), hurry)
	defer cancel()
	err := errors.Join(s.err, stop())
	if err != nil {
		return err
	}
	var left *queue.LeftError
	if err := a.flush(end); !errors.As(err, &left) || left.Lost > 0 || left.Spooled < outageRequests {
		return fmt.Errorf("demo: the entries of %d requests should wait on disk: %w", outageRequests, err)
	}
	say(s.log, "the service ends; %d entries wait on disk\n", left.Spooled)
	return nil
}

// tellOutage sends what check knows to have happened during the outage.
func (s *story) tellOutage(ctx context.Context) {
	c := s.cast
	s.send(ctx, "What stores the entries of requests goes away. The service does not: they wait on disk.", c.alice,
		"PATCH", fmt.Sprintf("/projects/%d", s.site), `{"priority":1}`, 200)
	s.send(ctx, "", c.bob, "GET", "/projects", "", 200)
	s.send(ctx, "", c.carol, "GET", "/users", "", 200)
}

// tellRecovery sends a request to the service that has started again.
func (s *story) tellRecovery(ctx context.Context) error {
	s.send(ctx, "The service was restarted meanwhile. Now all is back, and what waited is stored.", s.cast.alice,
		"GET", fmt.Sprintf("/projects/%d", s.site), "", 200)
	return s.err
}

// checkOutage looks for what waited: each once, stored later than what the request changed
// itself, which did not wait.
func (t *trace) checkOutage() error {
	for _, action := range []string{"PATCH /projects/{id}", "GET /projects", "GET /users"} {
		if n := len(t.of(action)); n != 1 {
			return fmt.Errorf("%d entries of %s", n, action)
		}
	}
	change, request := t.of("project.update"), t.of("PATCH /projects/{id}")[0]
	if len(change) != 1 {
		return fmt.Errorf("%d entries of what the request changed", len(change))
	}
	if waited := request.RecordedAt.Sub(change[0].RecordedAt); waited <= 0 {
		return fmt.Errorf("the request's entry was stored %v after that of its change: it did not wait", waited)
	}
	return nil
}

// record runs the story and returns what it left. The service has stopped by then:
// all that was to be recorded is stored.
func record(ctx context.Context, at source, log io.Writer) (*trace, error) {
	s := &story{
		client: http.Client{Timeout: answerTimeout}, log: log,
		trace: &trace{dialect: at.dialect, captions: map[string]string{}},
	}
	err := s.serve(ctx, at, func(a *app, stop func() error) error {
		if err := s.tell(ctx); err != nil {
			return err
		}
		return s.outage(ctx, a, stop)
	})
	if err != nil {
		return nil, err
	}
	err = s.serve(ctx, at, func(a *app, stop func() error) error {
		err := s.tellRecovery(ctx)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if err := errors.Join(err, stop(), a.flush(end)); err != nil {
			return err
		}
		s.trace.entries, err = a.all(ctx)
		return err
	})
	return s.trace, err
}
