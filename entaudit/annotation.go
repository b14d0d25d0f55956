package entaudit

import (
	"slices"

	"entgo.io/ent/schema"
)

// AnnotationName is the name under which annotations of this package are found
// by code generators.
const AnnotationName = "EntAudit"

// Annotation tells the generator how a schema, field or edge is recorded. Make
// it with the functions of this package or let [Mixin] do so.
type Annotation struct {
	Audited     bool     // the schema has the mixin
	Unaudited   string   // why the schema is not audited
	Resource    string   // name in entries
	Tenant      string   // field that holds the row's tenant
	Label       string   // field that holds a human name
	IgnoreTouch bool     // leave out updates that change update defaults only
	WholeRows   bool     // read all columns
	IgnoreNames []string // fields the mixin ignores
	Sensitive   bool     // field: masked
	Personal    bool     // field: personal data
	Ignore      bool     // field or edge: not recorded
}

// Name implements ent's schema.Annotation.
func (Annotation) Name() string { return AnnotationName }

// Merge implements ent's schema.Merger: what either of the two says holds.
func (a Annotation) Merge(other schema.Annotation) schema.Annotation {
	b, ok := other.(Annotation)
	if !ok {
		return a
	}
	pick := func(s, t string) string {
		if t != "" {
			return t
		}
		return s
	}
	return Annotation{
		Audited:     a.Audited || b.Audited,
		Unaudited:   pick(a.Unaudited, b.Unaudited),
		Resource:    pick(a.Resource, b.Resource),
		Tenant:      pick(a.Tenant, b.Tenant),
		Label:       pick(a.Label, b.Label),
		IgnoreTouch: a.IgnoreTouch || b.IgnoreTouch,
		WholeRows:   a.WholeRows || b.WholeRows,
		IgnoreNames: append(slices.Clip(a.IgnoreNames), b.IgnoreNames...),
		Sensitive:   a.Sensitive || b.Sensitive,
		Personal:    a.Personal || b.Personal,
		Ignore:      a.Ignore || b.Ignore,
	}
}

// Sensitive masks the values of a field in entries. Fields that ent itself
// calls Sensitive are masked without it.
func Sensitive() Annotation { return Annotation{Sensitive: true} }

// Personal says that a field holds personal data. It is recorded as any other
// and listed as personal in the coverage file.
func Personal() Annotation { return Annotation{Personal: true} }

// Ignore leaves a field or edge out of entries.
func Ignore() Annotation { return Annotation{Ignore: true} }

// Unaudited leaves a schema out of auditing. What mutations of its rows do to rows of
// others that are audited is recorded all the same. The reason appears in the coverage
// file; without one, generation fails.
func Unaudited(reason string) Annotation {
	if reason == "" {
		reason = " "
	}
	return Annotation{Unaudited: reason}
}
