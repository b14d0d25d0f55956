package extension

import (
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// unaudited is what the types below have in common.
type unaudited struct{ ent.Schema }

func (unaudited) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("nothing to see")}
}

// Book is audited.
type Book struct{ ent.Schema }

func (Book) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

func (Book) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("marks", Marker.Type).Ref("marked"),
		edge.From("hidden", Hider.Type).Ref("books").Annotations(entaudit.Ignore()),
		edge.To("places", Place.Type).Through("located", Located.Type),
	}
}

// Room takes no books along, but its shelves, which do.
type Room struct{ unaudited }

func (Room) Edges() []ent.Edge {
	return []ent.Edge{edge.To("shelves", Shelf.Type).Annotations(entsql.OnDelete(entsql.Cascade))}
}

// House keeps its rooms, which stay without it.
type House struct{ unaudited }

func (House) Edges() []ent.Edge { return []ent.Edge{edge.To("rooms", Room.Type)} }

// Shelf writes keys of books.
type Shelf struct{ unaudited }

func (Shelf) Edges() []ent.Edge {
	return []ent.Edge{edge.To("books", Book.Type).Annotations(entsql.OnDelete(entsql.NoAction))}
}

// Crate is written by nobody but its shelf and clears what refers to it.
type Crate struct{ unaudited }

// Label refers to a book and a crate.
type Label struct{ ent.Schema }

func (Label) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

func (Label) Edges() []ent.Edge { return []ent.Edge{edge.To("crate", Crate.Type).Unique()} }

// Loan refers to a book by a key of its own.
type Loan struct{ unaudited }

func (Loan) Edges() []ent.Edge { return []ent.Edge{edge.To("book", Book.Type).Unique()} }

// Marker is linked with books, which tell of it.
type Marker struct{ unaudited }

func (Marker) Edges() []ent.Edge { return []ent.Edge{edge.To("marked", Book.Type)} }

// Hider is linked with books, which leave it out.
type Hider struct{ unaudited }

func (Hider) Edges() []ent.Edge { return []ent.Edge{edge.To("books", Book.Type)} }

// Place is linked with books by rows of a type that is not audited either.
type Place struct{ unaudited }

func (Place) Edges() []ent.Edge {
	return []ent.Edge{edge.From("books", Book.Type).Ref("places").Through("located", Located.Type)}
}

// Located is the link of a book and a place.
type Located struct{ unaudited }

func (Located) Fields() []ent.Field { return []ent.Field{field.Int("book_id"), field.Int("place_id")} }

func (Located) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("book", Book.Type).Unique().Required().Field("book_id"),
		edge.To("place", Place.Type).Unique().Required().Field("place_id").Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// TestCase79Watched tells the types whose mutations may change what is recorded of
// others from those whose cannot.
func TestCase79Watched(t *testing.T) {
	t.Parallel()
	g := newGraph(
		t, New(), nil, Book{}, Room{}, House{}, Shelf{}, Crate{}, Label{}, Loan{}, Marker{}, Hider{}, Place{}, Located{},
	)
	types, err := describe(g)
	require.NoError(t, err)
	got := make(map[string]bool)
	for _, typ := range types {
		if !typ.Audited {
			got[typ.Name] = typ.Watched
		}
	}
	require.Equal(t, map[string]bool{
		"Room": false, "House": false, "Shelf": true, "Crate": true, "Loan": false,
		"Marker": true, "Hider": false, "Place": true, "Located": false,
	}, got)

	text, err := coverage(g)
	require.NoError(t, err)
	for name, watched := range got {
		how := "unaudited: nothing to see"
		if watched {
			how += "; what it does to audited rows and their links is recorded"
		}
		require.Regexp(t, `(?m)^`+name+` +`+how+`$`, string(text))
	}
	require.Regexp(t, `(?m)^Book.places +NOT RECORDED when a row of Located is written for itself, which is not audited$`, string(text))
	require.NotRegexp(t, `(?m)^Book.marks +NOT RECORDED`, string(text))
}

// TestCase79TwoLevels has a delete reach audited rows behind others.
func TestCase79TwoLevels(t *testing.T) {
	t.Parallel()
	types, err := describe(newGraph(t, New(), nil, Attic{}, Box{}, Toy{}))
	require.NoError(t, err)
	for _, typ := range types {
		require.Equal(t, !typ.Audited, typ.Watched, typ.Name)
	}
}

// Attic takes its boxes along, and they their toys.
type Attic struct{ unaudited }

func (Attic) Edges() []ent.Edge {
	return []ent.Edge{edge.To("boxes", Box.Type).Annotations(entsql.OnDelete(entsql.Cascade))}
}

// Box is in between.
type Box struct{ unaudited }

func (Box) Edges() []ent.Edge {
	return []ent.Edge{edge.To("toys", Toy.Type).Annotations(entsql.OnDelete(entsql.Cascade))}
}

// Toy is audited.
type Toy struct{ ent.Schema }

func (Toy) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }
