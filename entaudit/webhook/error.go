package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Error tells of a request that was not taken. It holds nothing that the receiver said but
// its status, and not the URL.
type Error struct {
	Status int           // of the answer; 0 where there was none
	After  time.Duration // what the answer asked to wait; 0 where it did not
	Err    error         // why there was no answer
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("webhook: no answer: %v", e.Err)
	}
	return fmt.Sprintf("webhook: status %d %s", e.Status, http.StatusText(e.Status))
}

// Unwrap returns why there was no answer.
func (e *Error) Unwrap() error { return e.Err }

// Permanent reports whether sending the same again is of no use: the receiver has
// answered, and it is not a matter of time.
func (e *Error) Permanent() bool {
	switch e.Status {
	case 0, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.Status < 500
}

// RetryAfter returns how long the receiver has asked to wait; zero where it has not.
func (e *Error) RetryAfter() time.Duration { return e.After }

// plain returns err without the URL, which may hold a token.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// maxWait bounds what a receiver can ask for.
const maxWait = 24 * time.Hour

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(s string, now time.Time) time.Duration {
	var d time.Duration
	if seconds, err := strconv.ParseUint(s, 10, 32); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxWait)
}
