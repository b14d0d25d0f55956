package chiaudit

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
)

// route finds out which of the router's patterns a request matches. chi knows
// it for certain only once the routing is done, and changes in which a request
// is still running need it earlier: so the router is asked beforehand, and the
// answer corrected afterwards where the routing went another way.
type route struct {
	expected     string // the router's answer beforehand
	ctx          *chi.Context
	method, path string
	depth        int      // patterns matched on the way to the middleware
	routed       bool     // routing had begun before the middleware
	other        bool     // the path is that of a route of another method
	secrets      []string // values in the path whose parameters have masked names
}

// enter returns what is known of the route before the next handler runs. Where
// the middleware stands in front of the router, and not within it, the returned
// context holds the routing context that the router will fill. A router further in
// gets none: middleware such as chi's StripSlashes and GetHead serves requests in
// another way, or panics, where there is one that its router has not made.
func (h *handler) enter(ctx context.Context, r *http.Request, next http.Handler) (route, context.Context) {
	rctx := chi.RouteContext(ctx)
	if routes, ok := next.(chi.Routes); ok && rctx == nil {
		rctx = chi.NewRouteContext()
		rctx.Routes = routes
		ctx = context.WithValue(ctx, chi.RouteCtxKey, rctx)
	}
	if rctx == nil || rctx.Routes == nil {
		return route{}, ctx
	}
	rt := route{ctx: rctx, method: r.Method, path: r.URL.RawPath, depth: len(rctx.RoutePatterns), routed: rctx.RouteMethod != ""}
	if rt.path == "" {
		rt.path = r.URL.Path
	}
	if rt.path == "" {
		rt.path = "/"
	}
	if rt.expected, rt.secrets = h.find(rctx.Routes, rt.method, rt.path); rt.expected == "" {
		secrets, found := h.ofOtherMethods(rctx.Routes, rt.path)
		rt.secrets, rt.other = append(rt.secrets, secrets...), found
	}
	return rt, ctx
}

// find returns the pattern of the route that routes would choose, and the values of
// its parameters that have masked names, or those on the way to where there is no route.
func (h *handler) find(routes chi.Routes, method, path string) (pattern string, secrets []string) {
	rctx := h.routes.Get().(*chi.Context)
	defer h.routes.Put(rctx)
	rctx.Reset()
	if routes.Find(rctx, method, path) == "" {
		return "", h.secretParams(rctx)
	}
	return rctx.RoutePattern(), h.secretParams(rctx)
}

// ofOtherMethods returns the values in a path that no route of the request's method has
// whose parameters have masked names in a route of another one, and whether there is
// such a route. chi tells nothing of it. Methods that the program has registered itself
// are not known here.
func (h *handler) ofOtherMethods(routes chi.Routes, path string) (secrets []string, found bool) {
	for _, method := range [...]string{
		http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodHead, http.MethodOptions, http.MethodConnect, http.MethodTrace, "QUERY",
	} {
		pattern, values := h.find(routes, method, path)
		secrets, found = append(secrets, values...), found || pattern != ""
	}
	return secrets, found
}

// expectation returns what stands for the route in an action before it is final.
func (rt *route) expectation() string {
	switch {
	case rt.expected != "":
		return rt.expected
	case rt.ctx == nil:
		return "unknown-route"
	}
	return "unmatched"
}

// final returns the pattern that the request matched, "" where there was none,
// and whether that is known.
func (rt *route) final(h *handler, status int) (pattern string, known bool) {
	if rt.ctx == nil {
		return "", false
	}
	if status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout {
		// An http.TimeoutHandler within may have abandoned a handler that still
		// uses the routing context, and may have been reached by another path.
		return rt.expected, rt.expected != ""
	}
	return rt.chosen(h, status), true
}

// chosen returns the pattern that the router chose in the end.
func (rt *route) chosen(h *handler, status int) string {
	rt.secrets = append(rt.secrets, h.secretParams(rt.ctx)...)
	if status == http.StatusMethodNotAllowed && rt.expected == "" && !rt.other {
		rt.rewritten(h)
	}
	missing := status == http.StatusNotFound || status == http.StatusMethodNotAllowed
	if len(rt.ctx.RoutePatterns) == rt.depth {
		if missing && !rt.routed && rt.ctx.RouteMethod != "" {
			return "" // routed, under a path or method changed on the way, to nothing
		}
		return rt.expected // answered before it was routed any further
	}
	if missing && !rt.reached(h) {
		return ""
	}
	pattern := rt.ctx.RoutePattern()
	if prefix, mount := strings.CutSuffix(pattern, "*"); mount && strings.HasPrefix(rt.expected, prefix) {
		return rt.expected // answered by the middleware of a mounted router
	}
	return pattern
}

// rewritten notes the secrets in a path that middleware has changed on the way, and that
// only then was that of a route of another method.
func (rt *route) rewritten(h *handler) {
	if routes := mounted(rt.ctx.Routes, rt.ctx.RoutePatterns); routes != nil && rt.ctx.RoutePath != "" {
		secrets, _ := h.ofOtherMethods(routes, rt.ctx.RoutePath)
		rt.secrets = append(rt.secrets, secrets...)
	}
}

// reached reports whether the last pattern is that of a handler. It is not where
// a mounted router had no route for the rest of the path.
func (rt *route) reached(h *handler) bool {
	last := rt.ctx.RoutePatterns[len(rt.ctx.RoutePatterns)-1]
	switch {
	case strings.HasSuffix(last, "*"):
		return rt.expected != ""
	case rt.ctx.RoutePath == "/" && last != "/":
		// The path of something mounted, without the slash behind it.
		sub := mounted(rt.ctx.Routes, rt.ctx.RoutePatterns)
		if sub == nil {
			return true
		}
		pattern, _ := h.find(sub, rt.method, "/")
		return pattern != ""
	}
	return true
}

// mounted returns the router that patterns lead to from routes, nil where it is
// something else.
func mounted(routes chi.Routes, patterns []string) chi.Routes {
	for _, p := range patterns {
		prefix := strings.TrimRight(p, "/*") + "/*"
		i := slices.IndexFunc(routes.Routes(), func(r chi.Route) bool { return r.Pattern == prefix })
		if i < 0 {
			return nil
		}
		if routes = routes.Routes()[i].SubRoutes; routes == nil {
			return nil
		}
	}
	return routes
}
