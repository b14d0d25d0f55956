package entaudit_test

import (
	"encoding/json"
	"testing"

	"entgo.io/ent/schema"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

type foreign struct{}

func (foreign) Name() string { return "Foreign" }

func TestAnnotationMerge(t *testing.T) {
	t.Parallel()
	shared := make([]string, 1, 8)
	shared[0] = "etag"
	a := entaudit.Mixin{Resource: "user", Tenant: "tenant_id", Ignore: shared}.Annotations()[0].(entaudit.Annotation)
	b := entaudit.Annotation{Resource: "account", Label: "email", IgnoreTouch: true, IgnoreNames: []string{"seen_at"}}
	want := entaudit.Annotation{
		Audited: true, Resource: "account", Tenant: "tenant_id", Label: "email", IgnoreTouch: true,
		IgnoreNames: []string{"etag", "seen_at"},
	}
	require.Equal(t, want, a.Merge(b))
	require.Empty(t, shared[:2][1], "merging writes into the mixin's list")
	require.Equal(t, a, a.Merge(foreign{}))

	var merged schema.Annotation = entaudit.Sensitive()
	for _, x := range []entaudit.Annotation{entaudit.Personal(), entaudit.Ignore(), entaudit.Unaudited("cache")} {
		merged = merged.(entaudit.Annotation).Merge(x)
	}
	require.Equal(t, entaudit.Annotation{Sensitive: true, Personal: true, Ignore: true, Unaudited: "cache"}, merged)
}

func TestAnnotationSurvivesGeneration(t *testing.T) {
	t.Parallel()
	// ent hands annotations to generators as JSON.
	want := entaudit.Annotation{Audited: true, Resource: "user", IgnoreNames: []string{"a"}, Personal: true}
	data, err := json.Marshal(want)
	require.NoError(t, err)
	var got entaudit.Annotation
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, want, got)
	require.Equal(t, entaudit.AnnotationName, got.Name())
}

func TestUnauditedWithoutReasonIsToldFromAudited(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, entaudit.Unaudited("").Unaudited)
}
