package entaudit

import (
	"slices"
	"strings"
)

// Actor is who does something. The zero Actor is nobody known: entries then
// say [ActorAnonymous], or [ActorSystem] outside of requests. The type of an Actor
// with an ID stays blank where nobody says it.
type Actor struct {
	ID             string
	Type           ActorType
	Email          string
	ImpersonatorID string   // who really acts, when ID is impersonated
	Chain          []string // further actors behind the impersonator, nearest first
}

func (a Actor) clone() Actor {
	a.Chain = slices.Clone(a.Chain)
	return a
}

// ActorType classifies actors. Any string is allowed; it is kept trimmed and
// in lower case.
type ActorType string

// Actor types that the library itself uses or that are common.
const (
	ActorPlatformAdmin ActorType = "platform_admin"
	ActorTenantUser    ActorType = "tenant_user"
	ActorAnonymous     ActorType = "anonymous"
	ActorSystem        ActorType = "system"
	ActorService       ActorType = "service"
	ActorJob           ActorType = "job"
	ActorAgent         ActorType = "agent"
)

// ParseActorType returns s trimmed and in lower case, or [ActorAnonymous] where
// s is blank. Types that this package does not know are kept.
func ParseActorType(s string) ActorType {
	if s = strings.ToLower(strings.TrimSpace(s)); s != "" {
		return ActorType(s)
	}
	return ActorAnonymous
}

// IsZero reports whether nobody is known.
func (a Actor) IsZero() bool {
	return a.ID == "" && a.Type == "" && a.Email == "" && a.ImpersonatorID == "" && len(a.Chain) == 0
}

// Tenant is the customer, organisation or workspace that something belongs to.
type Tenant struct {
	ID   string
	Slug string
}

// IsZero reports whether no tenant is known.
func (t Tenant) IsZero() bool { return t == Tenant{} }
