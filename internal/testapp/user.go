package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/entaudit/audit/internal/testapp/ent"
	"github.com/entaudit/audit/internal/testapp/ent/user"
)

const (
	hashRounds  = 100_000
	minPassword = 8
)

// userBody is what clients send of a user. Blank fields of an update stay as they
// are.
type userBody struct {
	Email       *string        `json:"email"`
	Name        *string        `json:"name"`
	Role        *user.Role     `json:"role"`
	Password    *string        `json:"password"`
	Active      *bool          `json:"active"`
	Preferences map[string]any `json:"preferences"`
}

func (a *app) listUsers(w http.ResponseWriter, r *http.Request) error {
	list, err := a.client.User.Query().Where(user.OrganisationID(tenant(r.Context()))).Order(user.ByID()).All(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, list)
	return nil
}

func (a *app) showUser(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	u, err := a.client.User.Query().Where(user.ID(id), user.OrganisationID(tenant(r.Context()))).Only(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, u)
	return nil
}

func (a *app) createUser(w http.ResponseWriter, r *http.Request) error {
	var b userBody
	if err := decode(w, r, &b); err != nil {
		return err
	}
	if b.Email == nil || b.Name == nil || b.Password == nil {
		return badRequest("email, name and password are needed")
	}
	hash, err := hashPassword(*b.Password)
	if err != nil {
		return err
	}
	create := a.client.User.Create().
		SetOrganisationID(tenant(r.Context())).
		SetEmail(*b.Email).
		SetName(*b.Name).
		SetPassword(hash).
		SetNillableRole(b.Role)
	if b.Preferences != nil {
		create.SetPreferences(b.Preferences)
	}
	u, err := create.Save(r.Context())
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusCreated, u)
	return nil
}

func (a *app) updateUser(w http.ResponseWriter, r *http.Request) error {
	var b userBody
	id, err := pathID(r)
	if err == nil {
		err = decode(w, r, &b)
	}
	if err != nil {
		return err
	}
	u, err := a.saveUser(r.Context(), id, b)
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, u)
	return nil
}

func (a *app) saveUser(ctx context.Context, id int, b userBody) (*ent.User, error) {
	update := a.client.User.UpdateOneID(id).
		Where(user.OrganisationID(tenant(ctx))).
		SetNillableEmail(b.Email).
		SetNillableName(b.Name).
		SetNillableRole(b.Role).
		SetNillableActive(b.Active)
	if b.Preferences != nil {
		update.SetPreferences(b.Preferences)
	}
	if b.Password != nil {
		hash, err := hashPassword(*b.Password)
		if err != nil {
			return nil, err
		}
		update.SetPassword(hash)
	}
	return update.Save(ctx)
}

func (a *app) deleteUser(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	err = a.client.User.DeleteOneID(id).Where(user.OrganisationID(tenant(r.Context()))).Exec(r.Context())
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// hashPassword returns what is stored instead of a password.
func hashPassword(password string) (string, error) {
	if len(password) < minPassword {
		return "", problem{http.StatusUnprocessableEntity, fmt.Sprintf("a password has at least %d bytes", minPassword)}
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	key, err := pbkdf2.Key(sha256.New, password, salt, hashRounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key), nil
}
