package torture_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/torture/ent"
	"github.com/entaudit/audit/internal/torture/ent/card"
	"github.com/entaudit/audit/internal/torture/ent/user"
)

// many is a number of rows that is kept and written in several parts.
const many = 2300

func seedMany(t *testing.T, c *ent.Client) {
	t.Helper()
	for at := 0; at < many; at += 100 {
		c.User.MapCreateBulk(make([]int, 100), func(u *ent.UserCreate, i int) {
			u.SetName(fmt.Sprint(at + i)).SetAge(at + i).SetPassword(fmt.Sprint("secret", i%3)).SetUpdatedAt(longAgo())
		}).ExecX(t.Context())
		c.Card.MapCreateBulk(make([]int, 100), func(k *ent.CardCreate, i int) {
			k.SetID(fmt.Sprintf("card%05d", at+i)).SetNumber(fmt.Sprint(i % 2))
		}).ExecX(t.Context())
	}
}

// TestCase68F31Large: an update and a delete of more rows than are kept in memory leave an
// entry for each, with its own old value.
func TestCase68F31Large(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, b *bundle, c *ent.Client) {
		seedMany(t, c)
		n := c.User.Update().Where(user.AgeGTE(100)).AddAge(1).SetPassword("secret1").SaveX(t.Context())
		require.Equal(t, many-100, n)
		c.Card.Update().SetNumber("1").ExecX(t.Context()) // half of them are that already
		n, err := c.Card.Delete().Where(card.IDGTE("card00050")).Exec(t.Context())
		require.NoError(t, err)
		require.Equal(t, many-50, n)
		t.Cleanup(func() {
			byAction := make(map[string]int)
			for _, e := range b.entries(t) {
				byAction[e.Action]++
				if e.Action == "user.update" {
					p, changed := e.Change("password")
					a, ok := e.Change("age")
					require.True(t, ok)
					was := side(a.Old)
					require.Equal(t, was != "" && mod3(t, was) != 1, changed, "password of %s", was)
					if changed {
						require.Equal(t, `"[REDACTED]" → "[REDACTED]"`, side(p.Old)+" → "+side(p.New))
					}
				}
			}
			require.Equal(t, map[string]int{
				"user.create": many, "payment_card.create": many, "user.update": many - 100,
				"payment_card.update": many / 2, "payment_card.delete": many - 50,
			}, byAction)
		})
	})
}

// mod3 returns the age's place in its hundred, modulo three.
func mod3(t *testing.T, age string) int {
	t.Helper()
	var n int
	_, err := fmt.Sscan(age, &n)
	require.NoError(t, err)
	return n % 100 % 3
}

// TestCase68Concurrent: a row that another session inserts between the reading and a
// large update is not missed.
func TestCase68Concurrent(t *testing.T) {
	t.Parallel()
	b := setup(t, dialect.Postgres, entaudit.Config{})
	seedMany(t, b.plain)
	done := false
	b.drv.onStatement(func(query string) {
		if done || !strings.HasSuffix(query, "FOR NO KEY UPDATE") {
			return
		}
		done = true
		_, err := b.db.ExecContext(context.Background(), "INSERT INTO cards (id, number) VALUES ('zz', '0')")
		require.NoError(t, err)
	})
	require.Equal(t, many+1, b.client.Card.Update().SetNumber("7").SaveX(t.Context()))
	require.True(t, done)
	b.drv.onStatement(nil)
	require.Len(t, b.entries(t), many+1)
}

// TestCase68F31Summary: above the limit one entry stands for all rows.
func TestCase68F31Summary(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{many - 1, 20} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			eachWith(t, entaudit.Config{SummaryAbove: limit}, func(t *testing.T, b *bundle) {
				seedMany(t, b.plain)
				sum := new(big.Int)
				for _, id := range b.plain.Card.Query().IDsX(t.Context()) {
					h := sha256.Sum256([]byte(id))
					sum.Add(sum, new(big.Int).SetBytes(h[:]))
				}
				sum.Mod(sum, new(big.Int).Lsh(big.NewInt(1), 256))
				want := hex.EncodeToString(sum.FillBytes(make([]byte, 32)))

				require.Equal(t, many, b.client.Card.Update().Where(card.NumberNEQ("9")).SetNumber("8").SaveX(t.Context()))
				b.client.Card.Update().Where(card.ID("card00001")).SetNumber("5").ExecX(t.Context())
				require.Equal(t, many, b.client.Card.Delete().ExecX(t.Context()))

				e := b.entries(t)
				require.Len(t, e, 3)
				for i, operation := range map[int]string{0: "update", 2: "delete"} {
					require.Equal(t, entaudit.OpSummary, e[i].Operation)
					require.Equal(t, "payment_card.summary", e[i].Action)
					require.Equal(t, operation, e[i].Metadata["operation"])
					require.EqualValues(t, many, e[i].Metadata["rows"])
					require.Equal(t, want, e[i].Metadata["ids_sha256_sum"])
				}
				requireChanges(t, map[string]string{"number": `- → "8"`}, e[0])
				require.Contains(t, e[0].Metadata["predicate"], "number")
				require.Equal(t, []any{"9"}, e[0].Metadata["arguments"])
				require.NotContains(t, e[2].Metadata, "predicate")
				requireChanges(t, map[string]string{"number": `"8" → "5"`}, e[1])
			})
		})
	}
}

// TestCase68SummaryKeepsSecrets: a type with secrets has no arguments in its summary.
func TestCase68SummaryKeepsSecrets(t *testing.T) {
	t.Parallel()
	eachWith(t, entaudit.Config{SummaryAbove: 1}, func(t *testing.T, b *bundle) {
		for range 3 {
			oldUser(b.plain, "ann").SetPassword("old-secret").ExecX(t.Context())
		}
		b.client.User.Update().Where(user.Password("old-secret")).SetPassword("new-secret").AddAge(2).ClearNick().ExecX(t.Context())
		require.NotContains(t, b.everything(t), "-secret")
		e := b.entries(t)
		require.Len(t, e, 1)
		require.Equal(t, `- → "[REDACTED]"`, change(e[0], "password"))
		require.Equal(t, "- → null", change(e[0], "nick"))
		require.Equal(t, map[string]any{"age": "2"}, e[0].Metadata["added"])
	})
}
