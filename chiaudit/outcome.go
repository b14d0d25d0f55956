package chiaudit

import (
	"context"
	"errors"
	"net/http"

	"github.com/entaudit/audit/entaudit"
)

// Reasons that this package gives on the entries of requests.
const (
	ReasonPanic        = "panic"         // the handler panicked; the panic went on to the caller
	ReasonAbortHandler = "abort_handler" // the handler gave up with http.ErrAbortHandler
	ReasonGoexit       = "goexit"        // the handler's goroutine was ended by runtime.Goexit
	ReasonTimeout      = "timeout"       // the request's deadline passed
	ReasonClientGone   = "client_gone"   // the client disconnected, or closed its side, before the handler was done
	ReasonOpened       = "opened"        // a stream has begun; its end has an entry of its own
	ReasonHijacked     = "hijacked"      // the handler took over the connection: what it sent is not known
	ReasonTokenExpired = "token_expired" // a token was right in all respects but its time
	ReasonTokenInvalid = "token_invalid" // a token was presented that proves nothing
	ReasonAuthFailed   = "auth_failed"   // a resolver failed without saying why
)

// ending is how a request ended.
type ending struct {
	status   int // as the client saw it, 0 for none or not known
	outcome  entaudit.Outcome
	reason   string
	doubtful bool // status is what the handler sent; something around it may have sent another, or nothing
}

// byStatus is the ending of a request that was answered with status.
func byStatus(status int) ending {
	e := ending{status: status, outcome: entaudit.Success}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.outcome = entaudit.Denied
	case status >= 400:
		e.outcome = entaudit.Failure
	}
	return e
}

// panicEnding is the ending of a request whose handler panicked with p.
func (t *tracker) panicEnding(ctx context.Context, p any) ending {
	if p == http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
		if errors.Is(ctx.Err(), context.Canceled) {
			return ending{status: t.status, outcome: entaudit.Aborted, reason: ReasonClientGone}
		}
		return ending{status: t.status, outcome: entaudit.Aborted, reason: ReasonAbortHandler}
	}
	// Without a recoverer outside net/http cuts the connection, with what it had
	// buffered.
	e := ending{status: t.status, outcome: entaudit.Failure, reason: ReasonPanic, doubtful: !t.timedOut && !t.hijacked}
	switch {
	case t.timedOut:
		e.status = http.StatusServiceUnavailable
	case t.status == 0 && !t.hijacked:
		e.status = http.StatusInternalServerError
	}
	return e
}

// returnEnding is the ending of a request whose handler returned.
func (t *tracker) returnEnding(ctx context.Context) ending {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		t.probe()
	}
	switch {
	case t.hijacked:
		return ending{status: t.status, outcome: entaudit.Unknown, reason: ReasonHijacked}
	case t.timedOut:
		return ending{status: http.StatusServiceUnavailable, outcome: entaudit.Failure, reason: ReasonTimeout}
	case errors.Is(err, context.DeadlineExceeded):
		return t.deadlineEnding()
	case err != nil:
		return t.goneEnding()
	case t.status == 0:
		return byStatus(http.StatusOK) // what net/http sends for a handler that wrote nothing
	}
	return byStatus(t.status)
}

// goneEnding is the ending of a request whose context was cancelled. That alone
// does not say that the client has not read the response: one that closes its
// side of the connection for writing looks the same.
func (t *tracker) goneEnding() ending {
	e := byStatus(t.status)
	e.reason = ReasonClientGone
	buffered := behindTimeoutHandler(t.w) // which answers by itself once the context is cancelled
	if e.outcome != entaudit.Denied && (t.status == 0 || t.failed || buffered) {
		// A client cannot turn a refusal into something else by hanging up.
		e.outcome = entaudit.Aborted
	}
	e.doubtful = buffered
	return e
}

// deadlineEnding is the ending of a request that outlived its deadline without
// the handler having been cut off.
func (t *tracker) deadlineEnding() ending {
	if t.status == 0 || behindTimeoutHandler(t.w) {
		// Whoever set the deadline may answer in the handler's place.
		return ending{status: t.status, outcome: entaudit.Unknown, reason: ReasonTimeout, doubtful: true}
	}
	e := byStatus(t.status)
	if t.status >= 500 {
		e.reason = ReasonTimeout
	}
	return e
}
