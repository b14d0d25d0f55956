package chiaudit

import (
	"errors"
	"net/http"
)

// Resolver tells who sends a request from a credential in it, as [Options].Actor
// does and with the same rules. [JWT.Actor], [APIKeys.Actor] and [ClientCertificate]
// are some; one for sessions is a function that looks up the cookie's.
type Resolver = func(*http.Request) (Identity, error)

// First returns a Resolver that asks several in order and takes the first that knows
// an actor. A credential that is not valid does not keep the next from knowing; the
// entry tells the reason in any case. It panics where one of them is nil.
func First(resolvers ...Resolver) Resolver {
	for _, resolve := range resolvers {
		if resolve == nil {
			panic("chiaudit: First: a resolver is nil")
		}
	}
	resolvers = append([]Resolver(nil), resolvers...)
	return func(r *http.Request) (Identity, error) {
		var failed error
		for _, resolve := range resolvers {
			id, err := resolve(r)
			if failed == nil {
				failed = err
			}
			switch {
			case id.Actor.IsZero() || !knows(err):
			case failed == nil:
				return id, nil
			default:
				return id, &passedOver{failed}
			}
		}
		return Identity{}, failed
	}
}

// passedOver says that a credential is not valid, and that another one is, which the
// Identity beside it is from. Whoever does not know it takes it for a failure.
type passedOver struct{ error }

func (e *passedOver) Unwrap() error { return e.error }

// knows reports whether what a Resolver returns with err is proven.
func knows(err error) bool {
	var over *passedOver
	return err == nil || errors.As(err, &over)
}
