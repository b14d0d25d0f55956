package entaudit

import "time"

// Delayed is what errors of a [Writer] implement that know how long to wait before the
// next try, such as those of package webhook; zero where they do not.
type Delayed interface {
	error
	RetryAfter() time.Duration
}

// RetryAfter returns how long err asks to wait before the next try: the longest that a
// [Delayed] in it says, also one of several errors that were joined. Zero where none says
// anything. It is not bounded: a destination may ask for days.
func RetryAfter(err error) time.Duration {
	var wait time.Duration
	if d, ok := err.(Delayed); ok { //nolint:errorlint // each error of the tree is looked at
		wait = max(d.RetryAfter(), 0)
	}
	switch u := err.(type) { //nolint:errorlint // the same
	case interface{ Unwrap() error }:
		wait = max(wait, RetryAfter(u.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, part := range u.Unwrap() {
			wait = max(wait, RetryAfter(part))
		}
	}
	return wait
}
