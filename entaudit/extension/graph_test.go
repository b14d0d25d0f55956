package extension

import (
	"testing"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/entc/gen"
	"entgo.io/ent/entc/load"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// Account is audited and has a treatment of each kind.
type Account struct{ ent.Schema }

func (Account) Mixin() []ent.Mixin {
	return []ent.Mixin{entaudit.Mixin{Resource: "bank_account", Tenant: "bank", Label: "holder", Ignore: []string{"notes"}, IgnoreTouch: true}}
}

func (Account) Fields() []ent.Field {
	return []ent.Field{
		field.String("bank").StorageKey("bank_id"),
		field.String("holder").Annotations(entaudit.Personal()),
		field.String("iban").Unique().Annotations(entaudit.Sensitive()),
		field.String("pin").Sensitive(),
		field.String("notes"),
		field.String("cache").Annotations(entaudit.Ignore()),
		field.Float("balance"),
		field.String("api_key"),
		field.Int("points").Annotations(entsql.Default("0")),
		field.String("short").SchemaType(map[string]string{dialect.Postgres: "char(2)"}),
		field.Enum("state").GoType(state("")),
		field.Int("number"),
		field.Time("updated_at").Default(time.Now).UpdateDefault(time.Now),
	}
}

func (Account) Indexes() []ent.Index { return []ent.Index{index.Fields("number", "holder").Unique()} }

func (Account) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("cards", Card.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("owners", Owner.Type),
		edge.To("tags", Tag.Type).Annotations(entaudit.Ignore()),
		edge.To("parent", Account.Type).Unique(),
	}
}

type state string

func (state) Values() []string { return []string{"open", "closed"} }

// Card belongs to an account by a foreign key that is not a field.
type Card struct{ ent.Schema }

func (Card) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

func (Card) Fields() []ent.Field {
	return []ent.Field{field.UUID("id", uuid.UUID{}), field.String("number")}
}

func (Card) Edges() []ent.Edge {
	return []ent.Edge{edge.From("account", Account.Type).Ref("cards").Unique()}
}

// Owner is unaudited.
type Owner struct{ ent.Schema }

func (Owner) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("kept by another system")}
}

// Tag is unaudited as well.
type Tag struct{ ent.Schema }

func (Tag) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("no history needed")}
}

// Lone is not decided.
type Lone struct{ ent.Schema }

// Stray is not decided either.
type Stray struct{ ent.Schema }

// Both says two things.
type Both struct{ ent.Schema }

func (Both) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

func (Both) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("why")}
}

// Silent gives no reason.
type Silent struct{ ent.Schema }

func (Silent) Annotations() []schema.Annotation {
	return []schema.Annotation{entaudit.Unaudited("")}
}

// Named is audited with the given settings.
type Named struct {
	ent.Schema
	mixin entaudit.Mixin
}

func (n Named) Mixin() []ent.Mixin { return []ent.Mixin{n.mixin} }

func (Named) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// Session has a secret for an id.
type Session struct{ ent.Schema }

func (Session) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

func (Session) Fields() []ent.Field { return []ent.Field{field.String("id").Sensitive()} }

// Marked has an id that is annotated as a secret.
type Marked struct{ ent.Schema }

func (Marked) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

func (Marked) Fields() []ent.Field {
	return []ent.Field{field.String("id").Annotations(entaudit.Sensitive())}
}

// Shown is a view, which nobody mutates.
type Shown struct{ ent.View }

func (Shown) Fields() []ent.Field { return []ent.Field{field.String("name")} }

// complete are the schemas of which all is decided.
func complete() []ent.Interface { return []ent.Interface{Account{}, Card{}, Owner{}, Tag{}} }

// newGraph returns the graph of schemas as entc gives it to extensions. names rename
// types.
func newGraph(t *testing.T, x *Extension, names map[string]string, schemas ...ent.Interface) *gen.Graph {
	t.Helper()
	loaded := make([]*load.Schema, len(schemas))
	for i, s := range schemas {
		text, err := load.MarshalSchema(s)
		require.NoError(t, err)
		loaded[i], err = load.UnmarshalSchema(text)
		require.NoError(t, err)
		if name := names[loaded[i].Name]; name != "" {
			loaded[i].Name = name
		}
	}
	storage, err := gen.NewStorage("sql")
	require.NoError(t, err)
	g, err := gen.NewGraph(&gen.Config{
		Package: "example.com/app/ent", Schema: "example.com/app/ent/schema", Target: t.TempDir(),
		Storage: storage, IDType: &field.TypeInfo{Type: field.TypeInt}, Hooks: x.Hooks(), Templates: x.Templates(),
	}, loaded...)
	require.NoError(t, err)
	return g
}
