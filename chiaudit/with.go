package chiaudit

import (
	"errors"
	"net/http"
)

// RouteOptions say for some routes what [Options] say for all. The zero value
// changes nothing.
type RouteOptions struct {
	Exclude      bool   // requests leave no entry; see [Rule] for those that always do
	Record       bool   // requests leave their entry, whatever Options.Exclude and SkipAnonymous say
	NoBodies     bool   // no body is recorded
	RequestBody  bool   // the request's body is recorded, whatever its method and Options.NoRequestBody
	ResponseBody bool   // the response's body is recorded
	Action       string // in the place of method and route: "invoice.approve"
	Resource     string // the type of what the routes are about
}

func (o RouteOptions) validate() error {
	switch {
	case o.Exclude && o.Record:
		return errors.New("chiaudit: RouteOptions.Exclude: Record is set as well")
	case o.NoBodies && (o.RequestBody || o.ResponseBody):
		return errors.New("chiaudit: RouteOptions.NoBodies: RequestBody or ResponseBody is set as well")
	}
	return nil
}

// With returns chi middleware that says for the routes behind it what is recorded of
// their requests, for use where they are registered:
//
//	r.With(chiaudit.With(chiaudit.RouteOptions{Action: "invoice.approve"})).Post("/invoices/{id}/approve", approve)
//
// It stands behind [Handler] and does nothing without it. Of several the innermost
// decides. It panics while the router is built when o makes no sense.
func With(o RouteOptions) func(http.Handler) http.Handler {
	if err := o.validate(); err != nil {
		panic(err.Error())
	}
	return func(next http.Handler) http.Handler {
		if next == nil {
			panic("chiaudit: With: the next handler is nil")
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, _ := r.Context().Value(captureKey{}).(*capture)
			for ; c != nil; c = c.outer {
				c.follow(o)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// follow applies the options of a route.
func (c *capture) follow(o RouteOptions) {
	c.remarks.follow(o)
	switch {
	case o.NoBodies:
		c.in.head.keep(0)
		c.tracker.out.keep(0)
	case o.RequestBody:
		c.in.head.keep(c.h.limit)
	}
	if o.ResponseBody && c.method != http.MethodHead {
		c.tracker.out.keep(c.h.limit)
	}
}
