package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/go-chi/chi/v5"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/queue"
	"github.com/entaudit/audit/entaudit/spool"
	"github.com/entaudit/audit/entaudit/store"
	"github.com/entaudit/audit/internal/testapp/ent"
	"github.com/entaudit/audit/internal/testapp/ent/migrate"
	_ "github.com/entaudit/audit/internal/testapp/ent/runtime" // hooks and defaults of the schemas
)

// app is the service.
type app struct {
	log    *slog.Logger
	db     *sql.DB
	store  *store.Store
	reach  *reach
	rec    *entaudit.Recorder
	client *ent.Client
	issuer *issuer
	router chi.Router
}

// newApp opens the database and puts the service together. Mutations write their
// entries in their own transaction; the entries of requests wait in a queue, on disk
// until they are stored.
func newApp(ctx context.Context, at source, log *slog.Logger) (a *app, err error) {
	db, err := at.open()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err := db.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", at.shown, err)
	}
	drv := entsql.OpenDB(at.dialect, db)
	a = &app{log: log, db: db}
	if a.issuer, err = newIssuer(); err != nil {
		return nil, err
	}
	if a.store, err = store.New(drv, store.Config{}); err != nil {
		return nil, err
	}
	a.reach = &reach{Writer: a.store}
	writer, err := durable(ctx, a.reach, at.spool)
	if err != nil {
		return nil, err
	}
	if a.rec, err = entaudit.New(entaudit.Config{Service: serviceName, Writer: writer}); err != nil {
		return nil, errors.Join(err, writer.Close(ctx))
	}
	a.client = ent.NewClient(ent.Driver(drv), ent.Auditor(a.rec))
	if err := a.build(ctx); err != nil {
		return nil, errors.Join(err, a.rec.Close(ctx))
	}
	return a, nil
}

// durable is a queue in front of w whose entries are on disk before a request is
// answered, and stay there where w refuses them. It takes over what an earlier run left.
func durable(ctx context.Context, w entaudit.Writer, dir string) (*queue.Queue, error) {
	disk, err := spool.Open(spool.Config{Dir: dir})
	if err != nil {
		return nil, err
	}
	dead, err := spool.OpenDead(spool.Config{Dir: deadOf(dir)})
	if err != nil {
		return nil, errors.Join(err, disk.Close(ctx))
	}
	q, err := queue.New(w, queue.Config{Spool: disk, Durable: true, DeadLetter: dead}) //nolint:contextcheck // the queue outlives whoever makes it
	if err != nil {
		return nil, errors.Join(err, disk.Close(ctx), dead.Close(ctx))
	}
	return q, nil
}

// deadOf is the folder of entries that the store refuses, beside that of a spool.
func deadOf(spool string) string { return spool + ".dead" }

func (a *app) build(ctx context.Context) error {
	tables, err := schema.CopyTables(migrate.Tables) // ent writes into them, and several apps may start at once
	if err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	if err := migrate.Create(ctx, a.client.Schema, tables, migrate.WithForeignKeys(true)); err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	tokens, err := a.issuer.verifier(ctx)
	if err != nil {
		return err
	}
	if err := a.rec.Check(ctx); err != nil { // now rather than with the first request
		return fmt.Errorf("audit trail: %w", err)
	}
	a.router = a.routes(tokens)
	return nil
}

// flush stops recording requests and stores what is still in the queue.
func (a *app) flush(ctx context.Context) error { return a.rec.Close(ctx) }

// close ends the service. It may come after flush.
func (a *app) close(ctx context.Context) error {
	return errors.Join(a.flush(ctx), a.db.Close())
}

func (a *app) routes(tokens *chiaudit.JWT) chi.Router {
	r := chi.NewRouter()
	r.Get("/health", a.handle(a.health)) // asked every few seconds: not worth an entry
	r.Group(func(r chi.Router) {
		r.Use(a.recoverer, chiaudit.Handler(a.rec, chiaudit.Options{
			Actor:        tokens.Actor,
			TenantHeader: tenantHeader,
			Redact:       entaudit.Redact{Keys: []string{"note"}}, // encrypted in the database, and not in requests
		}))
		r.NotFound(a.handle(func(http.ResponseWriter, *http.Request) error {
			return problem{http.StatusNotFound, "not found"}
		}))
		r.MethodNotAllowed(a.handle(a.noMethod)) // both leave an entry as any other request
		r.Get("/debug/panic", func(http.ResponseWriter, *http.Request) { panic("somebody asked for it") })
		r.With(a.authenticated, a.operators).Post("/admin/reminders/reset", a.handle(a.resetReminders))
		r.With(a.authenticated, a.ofTenant, ownTenant).Group(a.tenantRoutes)
	})
	return r
}

func (a *app) tenantRoutes(r chi.Router) {
	r.Get("/audit", a.handle(a.listEntries))

	r.Get("/users", a.handle(a.listUsers))
	r.Post("/users", a.handle(a.createUser))
	r.Get("/users/{id}", a.handle(a.showUser))
	r.Patch("/users/{id}", a.handle(a.updateUser))
	r.Delete("/users/{id}", a.handle(a.deleteUser))

	r.Get("/projects", a.handle(a.listProjects))
	r.Post("/projects", a.handle(a.createProject))
	r.Get("/projects/{id}", a.handle(a.showProject))
	r.Patch("/projects/{id}", a.handle(a.updateProject))
	r.Delete("/projects/{id}", a.handle(a.deleteProject))

	r.Get("/invoices", a.handle(a.listInvoices))
	r.Post("/invoices", a.handle(a.createInvoice))
	r.Post("/invoices/close-overdue", a.handle(a.closeOverdue))
	r.Post("/invoices/import", a.handle(a.importInvoices))
	r.Get("/invoices/{id}", a.handle(a.showInvoice))
	r.Patch("/invoices/{id}", a.handle(a.updateInvoice))
	r.Delete("/invoices/{id}", a.handle(a.deleteInvoice))
	r.Post("/invoices/{id}/comments", a.handle(a.comment))
	r.Post("/invoices/{id}/documents", a.handle(a.attach))
}

// noMethod answers for a path that exists with the methods that it has.
func (a *app) noMethod(w http.ResponseWriter, r *http.Request) error {
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost} {
		if a.router.Match(chi.NewRouteContext(), method, r.URL.Path) {
			w.Header().Add("Allow", method)
		}
	}
	return problem{http.StatusMethodNotAllowed, "method not allowed"}
}

func (a *app) health(w http.ResponseWriter, r *http.Request) error {
	if err := a.db.PingContext(r.Context()); err != nil {
		return err
	}
	if err := a.rec.Health(r.Context()); err != nil {
		a.log.LogAttrs(r.Context(), slog.LevelWarn, "audit trail", slog.Any("error", err))
		return problem{http.StatusServiceUnavailable, "entries wait or get lost"}
	}
	a.answer(w, r, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// inTx runs f in a transaction: what it changes is committed together with its
// entries, or neither is.
func (a *app) inTx(ctx context.Context, f func(ctx context.Context, tx *ent.Tx) error) error {
	tx, err := a.client.Tx(ctx)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		if err := tx.Rollback(); err != nil { // a panic goes on to the recoverer
			a.log.LogAttrs(ctx, slog.LevelError, "roll back", slog.Any("error", err))
		}
	}()
	err = f(ctx, tx)
	returned = true
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
