package entaudit_test

import (
	"context"
	"fmt"

	"github.com/entaudit/audit/entaudit"
)

// A middleware outside of the authentication opens the request; what the
// authentication sets later is seen by both.
func ExampleSetActor() {
	ctx := entaudit.WithRequest(context.Background(), entaudit.Request{ID: "r1", Method: "GET"})

	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	entaudit.SetActor(inner, entaudit.Actor{ID: "alice"})

	actor, ok := entaudit.ActorFrom(ctx)
	fmt.Println(actor.ID, ok)
	// Output: alice true
}

// One part of a request runs as somebody else.
func ExampleWithActor() {
	ctx := entaudit.WithRequest(context.Background(), entaudit.Request{ID: "r1"})
	entaudit.SetActor(ctx, entaudit.Actor{ID: "alice"})

	job := entaudit.WithActor(ctx, entaudit.Actor{ID: "mailer", Type: entaudit.ActorService})

	inside, _ := entaudit.ActorFrom(job)
	outside, _ := entaudit.ActorFrom(ctx)
	fmt.Println(inside.ID, outside.ID)
	// Output: mailer alice
}

func ExampleSkip() {
	ctx := entaudit.Skip(context.Background(), "first import, see the archive")
	reason, skipped := entaudit.SkipFrom(ctx)
	fmt.Println(skipped, reason)
	// Output: true first import, see the archive
}
