// Package chiaudit records HTTP requests of chi routers: one entry for each
// request, and the request's facts, actor and tenant on every change made while
// it runs.
//
//	r := chi.NewRouter()
//	r.Use(chiaudit.Handler(rec, chiaudit.Options{Actor: jwt.Actor}))
//
// Recording never fails a request, and changes a response in one thing only: it
// sets the header X-Request-Id to the id that the request's entries carry.
// Refusing requests is the application's business, or that of [Require].
package chiaudit
