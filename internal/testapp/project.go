package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/entaudit/audit/internal/testapp/ent"
	"github.com/entaudit/audit/internal/testapp/ent/project"
	"github.com/entaudit/audit/internal/testapp/ent/tag"
	"github.com/entaudit/audit/internal/testapp/money"
)

// projectBody is what clients send of a project. Blank fields of an update stay as
// they are; tags, where given, replace those it has.
type projectBody struct {
	Name        *string       `json:"name"`
	Code        *string       `json:"code"`
	Description *string       `json:"description"`
	Priority    *int8         `json:"priority"`
	Budget      *money.Amount `json:"budget"`
	Progress    *float64      `json:"progress"`
	Archived    *bool         `json:"archived"`
	Tags        []string      `json:"tags"`
}

func (a *app) listProjects(w http.ResponseWriter, r *http.Request) error {
	list, err := a.client.Project.Query().
		Where(project.OrganisationID(tenant(r.Context()))).
		WithTags().
		Order(project.ByID()).
		All(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, list)
	return nil
}

func (a *app) showProject(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	p, err := a.client.Project.Query().
		Where(project.ID(id), project.OrganisationID(tenant(r.Context()))).
		WithTags().
		Only(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, p)
	return nil
}

func (a *app) createProject(w http.ResponseWriter, r *http.Request) error {
	var b projectBody
	if err := decode(w, r, &b); err != nil {
		return err
	}
	if b.Name == nil || b.Code == nil {
		return badRequest("name and code are needed")
	}
	var p *ent.Project
	err := a.inTx(r.Context(), func(ctx context.Context, tx *ent.Tx) error {
		tags, err := findTags(ctx, tx, tenant(ctx), b.Tags)
		if err != nil {
			return err
		}
		p, err = tx.Project.Create().
			SetOrganisationID(tenant(ctx)).
			SetName(*b.Name).
			SetCode(*b.Code).
			SetNillableDescription(b.Description).
			SetNillablePriority(b.Priority).
			SetNillableBudget(b.Budget).
			SetNillableProgress(b.Progress).
			AddTagIDs(tags...).
			Save(ctx)
		return err
	})
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusCreated, p)
	return nil
}

func (a *app) updateProject(w http.ResponseWriter, r *http.Request) error {
	var b projectBody
	id, err := pathID(r)
	if err == nil {
		err = decode(w, r, &b)
	}
	if err != nil {
		return err
	}
	var p *ent.Project
	err = a.inTx(r.Context(), func(ctx context.Context, tx *ent.Tx) error {
		p, err = saveProject(ctx, tx, id, b)
		return err
	})
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, p)
	return nil
}

// saveProject looks the project up before it updates it: the predicate of an update
// that writes tags alone, which lie in another table, is never asked.
func saveProject(ctx context.Context, tx *ent.Tx, id int, b projectBody) (*ent.Project, error) {
	p, err := tx.Project.Query().Where(project.ID(id), project.OrganisationID(tenant(ctx))).Only(ctx)
	if err != nil {
		return nil, err
	}
	update := p.Update().
		SetNillableName(b.Name).
		SetNillableCode(b.Code).
		SetNillableDescription(b.Description).
		SetNillablePriority(b.Priority).
		SetNillableBudget(b.Budget).
		SetNillableProgress(b.Progress).
		SetNillableArchived(b.Archived)
	if b.Tags != nil {
		tags, err := findTags(ctx, tx, tenant(ctx), b.Tags)
		if err != nil {
			return nil, err
		}
		update.ClearTags().AddTagIDs(tags...)
	}
	return update.Save(ctx)
}

// deleteProject removes a project; its invoices stay, without one.
func (a *app) deleteProject(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	err = a.client.Project.DeleteOneID(id).Where(project.OrganisationID(tenant(r.Context()))).Exec(r.Context())
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// findTags returns the ids of tags by name, and makes those that do not exist.
func findTags(ctx context.Context, tx *ent.Tx, org uuid.UUID, names []string) ([]int, error) {
	known, err := tx.Tag.Query().Where(tag.OrganisationID(org), tag.NameIn(names...)).All(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]int, len(names))
	for _, t := range known {
		ids[t.Name] = t.ID
	}
	var list []int
	for _, n := range names {
		if _, ok := ids[n]; !ok {
			t, err := tx.Tag.Create().SetOrganisationID(org).SetName(n).Save(ctx)
			if err != nil {
				return nil, err
			}
			ids[n] = t.ID
		}
		list = append(list, ids[n])
	}
	return list, nil
}
