package main

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/entaudit/store"
)

// listEntries shows the tenant what was recorded, newest first:
// GET /audit?resource=invoice&id=7, ?actor=3, ?request=..., all optional.
func (a *app) listEntries(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := store.Filter{
		TenantID:     tenant(r.Context()).String(),
		ResourceType: q.Get("resource"),
		ResourceID:   q.Get("id"),
		ActorID:      q.Get("actor"),
		RequestID:    q.Get("request"),
		Kind:         entaudit.Kind(q.Get("kind")),
		Cursor:       q.Get("cursor"),
	}
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return badRequest("limit: %q is not a number of entries", s)
		}
		f.Limit = n
	}
	if f.ResourceID != "" && f.ResourceType == "" {
		return badRequest("id needs resource")
	}
	page, err := a.store.List(r.Context(), f)
	if errors.Is(err, store.ErrCursor) {
		return badRequest("cursor: belongs to another list")
	}
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, struct {
		Entries []entaudit.Entry `json:"entries"`
		Next    string           `json:"next,omitempty"`
	}{append([]entaudit.Entry{}, page.Entries...), page.Next})
	return nil
}
