package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/entaudit/audit/entaudit"
)

// Tweet has an author that it cannot be without, and links that are types.
type Tweet struct{ ent.Schema }

// Mixin audits the type.
func (Tweet) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Tweet.
func (Tweet) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.String("text"),
		field.Int("author_id"),
	}
}

// Edges of the Tweet.
func (Tweet) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("author", User.Type).Unique().Required().Field("author_id"),
		edge.To("tags", Tag.Type).Through("tweet_tags", TweetTag.Type),
		edge.From("liked_by", User.Type).Ref("likes").Through("tweet_likes", Like.Type),
	}
}

// Tag is linked with tweets.
type Tag struct{ ent.Schema }

// Mixin audits the type.
func (Tag) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Tag.
func (Tag) Fields() []ent.Field {
	return []ent.Field{field.Uint("id"), field.String("name").Unique()}
}

// Edges of the Tag.
func (Tag) Edges() []ent.Edge {
	return []ent.Edge{edge.From("tweets", Tweet.Type).Ref("tags").Through("tweet_tags", TweetTag.Type)}
}

// TweetTag is the link of a tweet and a tag, with an id and defaults of its own.
type TweetTag struct{ ent.Schema }

// Mixin audits the type.
func (TweetTag) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the TweetTag.
func (TweetTag) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New),
		field.Int64("tweet_id"),
		field.Uint("tag_id"),
		field.Time("added_at").Default(time.Now),
		field.String("note").Default("new"),
	}
}

// Edges of the TweetTag. It goes with its tweet, and keeps its tag.
func (TweetTag) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("tweet", Tweet.Type).Unique().Required().Field("tweet_id").Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("tag", Tag.Type).Unique().Required().Field("tag_id"),
	}
}

// Remark is about a link. It goes with it.
type Remark struct{ ent.Schema }

// Mixin audits the type.
func (Remark) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Fields of the Remark.
func (Remark) Fields() []ent.Field {
	return []ent.Field{field.String("text"), field.UUID("link_id", uuid.UUID{})}
}

// Edges of the Remark.
func (Remark) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("link", TweetTag.Type).Unique().Required().Field("link_id").Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Like is the link of a user and a tweet. Its id is both of theirs.
type Like struct{ ent.Schema }

// Mixin audits the type.
func (Like) Mixin() []ent.Mixin { return []ent.Mixin{entaudit.Mixin{}} }

// Annotations of the type.
func (Like) Annotations() []schema.Annotation {
	return []schema.Annotation{field.ID("user_id", "tweet_id")}
}

// Fields of the Like.
func (Like) Fields() []ent.Field {
	return []ent.Field{
		field.Int("weight").Default(1),
		field.Time("liked_at").Default(time.Now),
		field.Int("user_id"),
		field.Int64("tweet_id"),
	}
}

// Edges of the Like. It goes with either of them.
func (Like) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("user", User.Type).Unique().Required().Field("user_id").Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("tweet", Tweet.Type).Unique().Required().Field("tweet_id").Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}
