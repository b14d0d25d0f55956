package extension

import (
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// Shelf is not audited and takes audited rows along.
type Shelf struct{ ent.Schema }

func (Shelf) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("nothing to see")}
}

func (Shelf) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("books", Book.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("kept", Book.Type).Annotations(entsql.OnDelete(entsql.NoAction)),
		edge.To("topics", Book.Type),
		edge.To("marked", Book.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Book is audited.
type Book struct{ ent.Schema }

func (Book) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

func (Book) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("marks", Shelf.Type).Ref("marked"),
		edge.From("hidden", Shelf.Type).Ref("topics").Unique().Annotations(entaudit.Ignore()),
	}
}

// TestCase79CoverageOfCascades: a delete of a row that nothing records takes rows and
// links of others along.
func TestCase79CoverageOfCascades(t *testing.T) {
	t.Parallel()
	text, err := coverage(newGraph(t, New(), nil, Shelf{}, Book{}))
	require.NoError(t, err)
	for _, name := range []string{"Book.shelf_books ", "Book.shelf_topics ", "Book.marks "} {
		require.Regexp(t, `(?m)^`+name+` *NOT RECORDED when a row of Shelf is deleted, which is not audited$`, string(text))
	}
	require.NotRegexp(t, `(?m)^Book.shelf_kept .*is deleted`, string(text))
}
