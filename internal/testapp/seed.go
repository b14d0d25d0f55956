package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testapp/ent"
	"github.com/entaudit/audit/internal/testapp/ent/organisation"
	"github.com/entaudit/audit/internal/testapp/ent/user"
	"github.com/entaudit/audit/internal/testapp/postal"
)

// seeded are the tenants and people that a new database begins with.
type seeded struct {
	acme, globex      *ent.Organisation
	alice, bob, carol *ent.User
}

// seed finds the first tenants and people, and makes those that are missing.
func (a *app) seed(ctx context.Context) (s seeded, err error) {
	hash, err := hashPassword("changeme")
	if err != nil {
		return seeded{}, err
	}
	err = a.inTx(ctx, func(ctx context.Context, tx *ent.Tx) (err error) {
		if s.acme, err = seedOrganisation(ctx, tx, "acme", "Acme Studio", "Lisbon"); err != nil {
			return err
		}
		if s.globex, err = seedOrganisation(ctx, tx, "globex", "Globex", "Oslo"); err != nil {
			return err
		}
		for _, u := range []struct {
			to   **ent.User
			org  *ent.Organisation
			name string
			role user.Role
		}{
			{&s.alice, s.acme, "Alice", user.RoleOwner},
			{&s.bob, s.acme, "Bob", user.RoleBilling},
			{&s.carol, s.globex, "Carol", user.RoleOwner},
		} {
			if *u.to, err = seedUser(ctx, tx, u.org, u.name, u.role, hash); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return seeded{}, fmt.Errorf("seed: %w", err)
	}
	return s, nil
}

func seedOrganisation(ctx context.Context, tx *ent.Tx, slug, name, city string) (*ent.Organisation, error) {
	o, err := tx.Organisation.Query().Where(organisation.Slug(slug)).Only(ctx)
	if !ent.IsNotFound(err) {
		return o, err
	}
	id := uuid.New()
	return tx.Organisation.Create().
		SetID(id).
		SetSlug(slug).
		SetName(name).
		SetPlan(organisation.PlanTeam).
		SetAddress(postal.Address{City: city}).
		Save(entaudit.WithTenant(ctx, entaudit.Tenant{ID: id.String(), Slug: slug}))
}

func seedUser(ctx context.Context, tx *ent.Tx, o *ent.Organisation, name string, role user.Role, hash string) (*ent.User, error) {
	email := emailOf(name, o)
	u, err := tx.User.Query().Where(user.OrganisationID(o.ID), user.Email(email)).Only(ctx)
	if !ent.IsNotFound(err) {
		return u, err
	}
	return tx.User.Create().
		SetOrganisationID(o.ID).
		SetEmail(email).
		SetName(name).
		SetRole(role).
		SetPassword(hash).
		Save(entaudit.WithTenant(ctx, entaudit.Tenant{ID: o.ID.String(), Slug: o.Slug}))
}
