package compat_test

import (
	"context"
	"errors"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// replicated sends what a client asks to a replica and the rest to the primary, as
// ent's documentation has it.
type replicated struct{ primary, replica dialect.Driver }

func (r *replicated) Query(ctx context.Context, query string, args, v any) error {
	// A statement of a mutation may give rows back.
	if ent.QueryFromContext(ctx) == nil {
		return r.primary.Query(ctx, query, args, v)
	}
	return r.replica.Query(ctx, query, args, v)
}

func (r *replicated) Exec(ctx context.Context, query string, args, v any) error {
	return r.primary.Exec(ctx, query, args, v)
}

func (r *replicated) Tx(ctx context.Context) (dialect.Tx, error) { return r.primary.Tx(ctx) }

func (r *replicated) BeginTx(ctx context.Context, opts *entsql.TxOptions) (dialect.Tx, error) {
	return r.primary.(*entsql.Driver).BeginTx(ctx, opts)
}

func (r *replicated) Dialect() string { return r.primary.Dialect() }

func (r *replicated) Close() error { return errors.Join(r.primary.Close(), r.replica.Close()) }

// embedding is a wrapper that has a driver inside and nothing else: what is asserted on
// the driver is not there.
type embedding struct{ dialect.Driver }
