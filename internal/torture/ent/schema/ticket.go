package schema

import (
	"context"
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/entaudit/audit/entaudit"
	gen "github.com/entaudit/audit/internal/torture/ent/ticket"
)

// Ticket lives in a table whose name, like that of a column, is a keyword of SQL, and
// leaves columns to the database.
type Ticket struct{ ent.Schema }

// Mixin audits the type.
func (Ticket) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Annotations of the type.
func (Ticket) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("order")}
}

// Fields of the Ticket.
func (Ticket) Fields() []ent.Field {
	return []ent.Field{
		field.String("title").StorageKey("select"),
		field.String("code").Optional().Annotations(entsql.DefaultExprs(map[string]string{
			dialect.SQLite: "lower(hex(randomblob(8)))", dialect.Postgres: "md5(random()::text)", dialect.MySQL: "(uuid())",
		})),
		field.Int("number").Optional().Annotations(entsql.Default("7")),
		field.Time("made_at").Optional().Annotations(entsql.DefaultExpr("CURRENT_TIMESTAMP")),
	}
}

// Hooks of the Ticket keep titles in lower case.
func (Ticket) Hooks() []ent.Hook {
	return []ent.Hook{func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if title, ok := m.Field(gen.FieldTitle); ok {
				if err := m.SetField(gen.FieldTitle, strings.ToLower(title.(string))); err != nil {
					return nil, err
				}
			}
			return next.Mutate(ctx, m)
		})
	}}
}

// Whole is a type whose columns the database changes itself.
type Whole struct{ ent.Schema }

// Mixin audits the type.
func (Whole) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{WholeRows: true}} }

// Fields of Whole.
func (Whole) Fields() []ent.Field {
	return []ent.Field{field.String("title"), field.String("note").Optional()}
}
