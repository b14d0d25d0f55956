// Package entaudit records who changed what: every row that changes through an
// audited ent client has an entry, written in the same transaction, with the actor,
// the tenant, the request, and the value of every field before and after.
//
// A service needs four things: [Mixin] in its schemas, the extension of package
// entaudit/extension in the program that generates its client, a [Recorder] given to
// that client, and package chiaudit in front of its routes.
//
//	package main
//
//	import (
//		"context"
//		"database/sql"
//		"errors"
//		"log"
//		"net/http"
//		"os"
//		"os/signal"
//		"syscall"
//		"time"
//
//		"entgo.io/ent/dialect"
//		entsql "entgo.io/ent/dialect/sql"
//		"github.com/go-chi/chi/v5"
//		_ "github.com/jackc/pgx/v5/stdlib"
//
//		"github.com/entaudit/audit/chiaudit"
//		"github.com/entaudit/audit/entaudit"
//		"github.com/entaudit/audit/entaudit/queue"
//		"github.com/entaudit/audit/entaudit/store"
//
//		"example.org/billing/ent"
//		_ "example.org/billing/ent/runtime"
//	)
//
//	func main() {
//		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//		defer stop()
//		if err := run(ctx); err != nil {
//			log.Fatal(err)
//		}
//	}
//
//	func run(ctx context.Context) error {
//		db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
//		if err != nil {
//			return err
//		}
//		drv := entsql.OpenDB(dialect.Postgres, db)
//		if err := store.Migrate(ctx, drv); err != nil { // or your own migrations
//			return err
//		}
//		entries, err := store.New(drv, store.Config{})
//		if err != nil {
//			return err
//		}
//		requests, err := queue.New(entries, queue.Config{})
//		if err != nil {
//			return err
//		}
//		rec, err := entaudit.New(entaudit.Config{Service: "billing", Writer: requests})
//		if err != nil {
//			return err
//		}
//		jwt, err := chiaudit.NewJWT(ctx, chiaudit.JWTConfig{
//			Secret: []byte(os.Getenv("JWT_SECRET")), Issuer: "https://login.example.org", Audience: []string{"billing"},
//		})
//		if err != nil {
//			return err
//		}
//		client := ent.NewClient(ent.Driver(drv), ent.Auditor(rec))
//		r := chi.NewRouter()
//		r.Use(chiaudit.Handler(rec, chiaudit.Options{Actor: jwt.Actor}))
//		r.Post("/invoices", func(w http.ResponseWriter, r *http.Request) {
//			if err := client.Invoice.Create().SetNumber("A-1").Exec(r.Context()); err != nil {
//				http.Error(w, "not saved", http.StatusInternalServerError)
//			}
//		})
//
//		srv := &http.Server{Addr: "127.0.0.1:8080", Handler: r, ReadHeaderTimeout: 5 * time.Second}
//		down := make(chan error, 1)
//		go func() {
//			<-ctx.Done()
//			down <- srv.Shutdown(context.WithoutCancel(ctx))
//		}()
//		if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
//			return err
//		}
//		err = <-down // requests that were running have been answered
//		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
//		defer cancel()
//		return errors.Join(err, rec.Close(last)) // drains the queue
//	}
//
// # Delivery
//
// Entries of mutations need no [Writer]: they go to the audit table of the mutated
// database with the mutation itself, and neither exists without the other (see
// TestCase87Kill9 of package internal/torture). All other entries, which are those of
// requests, [Recorder.Record] and [Recorder.Log], go to Config.Writer.
//
// # Origin
//
// Who acts is taken from the context: [WithActor] and [WithTenant] say it for what runs
// under a context, as [Recorder.Run], [Recorder.Begin] and [WithOrigin] do, [SetActor] and
// [SetTenant] for the request that a context belongs to. The former win over Config.Actor
// and Config.Tenant, which win over the latter (see TestWhoWinsT04T09). What nobody said is explicit in entries: an anonymous actor inside a request, the
// system outside of one.
//
// # What is not recorded
//
// Statements that bypass the client, schemas with [Unaudited], and mutations under
// [Skip], which leave an entry that says so. A client without a Recorder refuses to
// mutate, or warns with extension.Gradual. What cannot be told is refused with an
// [UnsupportedError] before anything is written, or marked as unknown.
package entaudit
