package main

import (
	"cmp"
	"crypto/sha256"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testapp/ent"
	"github.com/entaudit/audit/internal/testapp/ent/invoice"
	"github.com/entaudit/audit/internal/testapp/ent/user"
)

// ownInvoice returns the id of the invoice in the path, if it is the tenant's.
func (a *app) ownInvoice(r *http.Request) (int, error) {
	id, err := pathID(r)
	if err != nil {
		return 0, err
	}
	return a.client.Invoice.Query().
		Where(invoice.ID(id), invoice.OrganisationID(tenant(r.Context()))).
		OnlyID(r.Context())
}

// comment adds a comment of the actor to an invoice.
func (a *app) comment(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Body string `json:"body"`
	}
	id, err := a.ownInvoice(r)
	if err == nil {
		err = decode(w, r, &b)
	}
	if err != nil {
		return err
	}
	var mentions []string
	for word := range strings.FieldsSeq(b.Body) {
		if at, ok := strings.CutPrefix(word, "@"); ok {
			mentions = append(mentions, at)
		}
	}
	author, err := a.author(r)
	if err != nil {
		return err
	}
	c, err := a.client.Comment.Create().
		SetBody(b.Body).
		SetMentions(mentions).
		SetInvoiceID(id).
		SetNillableAuthorID(author).
		Save(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusCreated, c)
	return nil
}

// author returns the id of the user who sends a request, nil where there is no such
// user any more.
func (a *app) author(r *http.Request) (*int, error) {
	actor, _ := entaudit.ActorFrom(r.Context())
	sub, err := strconv.Atoi(actor.ID)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // actors whose id is not a number are no users
	}
	id, err := a.client.User.Query().
		Where(user.ID(sub), user.OrganisationID(tenant(r.Context()))).
		OnlyID(r.Context())
	if ent.IsNotFound(err) {
		return nil, nil //nolint:nilnil // nobody is a valid author
	}
	if err != nil {
		return nil, err
	}
	return &id, nil
}

// attach adds a document, which is the body of the request, to an invoice.
func (a *app) attach(w http.ResponseWriter, r *http.Request) error {
	id, err := a.ownInvoice(r)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return badRequest("body: %v", err)
	}
	digest, fast := sha256.Sum256(content), fnv.New64a()
	if _, err := fast.Write(content); err != nil {
		return err
	}
	d, err := a.client.Document.Create().
		SetID(uuid.New()).
		SetInvoiceID(id).
		SetName(cmp.Or(r.URL.Query().Get("name"), "untitled")).
		SetContent(content).
		SetSize(int64(len(content))).
		SetFingerprint(fast.Sum64() >> 1). // drivers refuse the highest bit
		SetDigest(digest[:]).
		Save(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusCreated, map[string]any{"id": d.ID, "name": d.Name, "size": d.Size})
	return nil
}
