package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/entaudit/audit/chiaudit"
	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testapp/ent"
)

// serviceName is what the service is called, in tokens and in entries.
const serviceName = "testapp"

// operatorID is the id of the one who runs the service.
const operatorID = "operator"

// issuer signs tokens with a key that lives as long as the process.
type issuer struct{ key []byte }

func newIssuer() (*issuer, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	return &issuer{key: key}, nil
}

// verifier returns what checks the issuer's tokens and nobody else's.
func (i *issuer) verifier(ctx context.Context) (*chiaudit.JWT, error) {
	return chiaudit.NewJWT(ctx, chiaudit.JWTConfig{
		Secret:      i.key,
		Issuer:      serviceName,
		Audience:    []string{serviceName},
		DefaultType: entaudit.ActorTenantUser,
		Claims:      chiaudit.ClaimMap{Tenant: "tenant", TenantSlug: "tenant_slug"},
	})
}

// user returns a token of a user for his organisation.
func (i *issuer) user(u *ent.User, o *ent.Organisation, expires time.Time) (string, error) {
	return i.sign(userClaims(u, o, expires))
}

// impersonated returns a token of a user with which an operator acts in his place.
func (i *issuer) impersonated(u *ent.User, o *ent.Organisation, expires time.Time) (string, error) {
	c := userClaims(u, o, expires)
	c["act"] = jwt.MapClaims{"sub": operatorID}
	return i.sign(c)
}

func userClaims(u *ent.User, o *ent.Organisation, expires time.Time) jwt.MapClaims {
	return jwt.MapClaims{
		"sub":         strconv.Itoa(u.ID),
		"email":       u.Email,
		"tenant":      o.ID.String(),
		"tenant_slug": o.Slug,
		"exp":         expires.Unix(),
	}
}

// operator returns a token of somebody who runs the service and belongs to no
// tenant.
func (i *issuer) operator(email string, expires time.Time) (string, error) {
	return i.sign(jwt.MapClaims{
		"sub":        operatorID,
		"email":      email,
		"actor_type": string(entaudit.ActorPlatformAdmin),
		"exp":        expires.Unix(),
	})
}

func (i *issuer) sign(c jwt.MapClaims) (string, error) {
	c["iss"], c["aud"] = serviceName, serviceName
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(i.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}
