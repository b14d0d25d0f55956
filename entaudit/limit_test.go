package entaudit

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestBound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		s     string
		limit int
		want  string
		mark  Mark
	}{
		{"empty", "", 0, "", ""},
		{"fits", "abc", 3, "abc", ""},
		{"backslashes alone are kept", `a\x00`, 10, `a\x00`, ""},
		{"cut", "abcd", 3, "abc", MarkCut},
		{"S34 cut between characters", "ab€", 4, "ab", MarkCut},
		{"S34 whole character at the limit", "ab€d", 5, "ab€", MarkCut},
		{"nothing fits", "€", 2, "", MarkCut},
		{"no room", "a", 0, "", MarkCut},
		{"negative limit", "a", -1, "", MarkCut},
		{"S33 NUL", "a\x00b", 10, `a\x00b`, MarkEscaped},
		{"S33 invalid UTF-8", "a\xffb", 10, `a\xffb`, MarkEscaped},
		{"escapes can be told from text", "\\x00\x00", 20, `\\x00\x00`, MarkEscaped},
		{"escaped and cut before an escape", "ab\x00", 5, `ab`, MarkCut},
		{"escaped and cut behind an escape", "a\x00b\x00", 6, `a\x00b`, MarkCut},
		{"what is cut off needs no escape", `a\b` + "\x00", 3, `a\b`, MarkCut},
		{"a character on the border is not broken up", "aa€\x00", 3, "aa", MarkCut},
		{"nothing but continuation bytes", strings.Repeat("\x80", 100), 9, `\x80\x80`, MarkCut},
		{"replacement character is text", "\ufffd", 3, "\ufffd", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, mark := Bound(tt.s, tt.limit)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.mark, mark)
		})
	}
}

func FuzzBound(f *testing.F) {
	for _, s := range []string{"", "abc", "a\x00b", "€uro\xff", `\x00`, "\xe2\x82", strings.Repeat("é", 40), "\u202e\U0001f600"} {
		for _, limit := range []int{0, 1, 5, 64} {
			f.Add(s, limit)
		}
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got, mark := Bound(s, limit)
		if len(got) > max(limit, 0) {
			t.Errorf("Bound(%q, %d) = %q has %d bytes", s, limit, got, len(got))
		}
		if !plain(got) {
			t.Errorf("Bound(%q, %d) = %q cannot be stored", s, limit, got)
		}
		if (mark == "") != (got == s) {
			t.Errorf("Bound(%q, %d) = %q is marked %q", s, limit, got, mark)
		}
		if again, m := Bound(got, limit); again != got || m != "" {
			t.Errorf("Bound(%q, %d) again = %q, %q", got, limit, again, m)
		}
		if mark == MarkEscaped && unescape(got) != s {
			t.Errorf("Bound(%q, %d) = %q reads as %q", s, limit, got, unescape(got))
		}
		if mark == MarkCut && plain(s) {
			if !strings.HasPrefix(s, got) {
				t.Errorf("Bound(%q, %d) = %q is not a prefix", s, limit, got)
			}
			if _, n := utf8.DecodeRuneInString(s[len(got):]); len(got)+n <= max(limit, 0) {
				t.Errorf("Bound(%q, %d) = %q has room for more", s, limit, got)
			}
		}
	})
}

// unescape reads what escape writes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], `\\`):
			b.WriteByte('\\')
			i++
		case strings.HasPrefix(s[i:], `\x`):
			c, err := hex.DecodeString(s[i+2 : i+4])
			if err != nil {
				return err.Error()
			}
			b.Write(c)
			i += 3
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func TestBoundID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("7", LimitName+1)
	sum := sha256.Sum256([]byte(long))
	id, mark := boundID(long)
	require.Equal(t, "sha256:"+hex.EncodeToString(sum[:]), id)
	require.Equal(t, MarkHashed, mark)

	id, mark = boundID("a\x00\\")
	require.Equal(t, `a\x00\\`, id)
	require.Equal(t, MarkEscaped, mark)

	other, _ := boundID(long + "8")
	id, _ = boundID(long + "9")
	require.NotEqual(t, other, id, "ids that differ behind the limit must stay apart")
}

func TestFinishBoundsEveryText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		mark       Mark
	}{
		{"W10 too long", strings.Repeat("é", 3000), MarkCut},
		{"S33 NUL and invalid UTF-8", "a\x00\xff", MarkEscaped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := tt.text
			e := Entry{
				Kind: KindManual, Outcome: Success,
				Service: v, Action: v, Reason: v,
				Actor:  Actor{ID: v, Type: ActorType(v), Email: v, ImpersonatorID: v, Chain: []string{v, "ok"}},
				Tenant: Tenant{ID: v, Slug: v}, ActorTenantID: v,
				Resource: Resource{Type: v, ID: v, Label: v, Schema: v},
				Request:  Request{ID: v, TraceID: v, Method: v, Path: v, Route: v, Query: v, IP: v, UserAgent: v},
			}
			e.finish()
			for _, s := range append([]string{
				e.Service, e.Action, e.Reason, e.Actor.ID, string(e.Actor.Type), e.Actor.Email, e.Actor.ImpersonatorID,
				e.Tenant.ID, e.Tenant.Slug, e.ActorTenantID, e.Resource.Type, e.Resource.ID, e.Resource.Label,
				e.Resource.Schema, e.Request.ID, e.Request.TraceID, e.Request.Method, e.Request.Path, e.Request.Route,
				e.Request.Query, e.Request.IP, e.Request.UserAgent,
			}, e.Actor.Chain...) {
				require.True(t, plain(s), "%q", s)
				require.LessOrEqual(t, len(s), LimitPath)
			}
			require.Len(t, e.Marks, 23, "one mark for each text: %v", e.Marks)
			require.Equal(t, tt.mark, e.Marks["path"])
			require.Equal(t, MarkCut, e.Marks["actor_chain"])

			marks := len(e.Marks)
			again := e
			again.finish()
			require.Equal(t, e, again, "finishing twice changes the entry")
			require.Len(t, again.Marks, marks)
		})
	}
}

func TestFinishKeepsWhatFits(t *testing.T) {
	t.Parallel()
	e := Entry{Action: "user.update", Kind: KindManual, Outcome: Success, Actor: Actor{ID: `DOMAIN\alice`, Type: " Tenant_User ", Chain: []string{"a"}}}
	e.finish()
	require.Nil(t, e.Marks)
	require.Equal(t, Actor{ID: `DOMAIN\alice`, Type: ActorTenantUser, Chain: []string{"a"}}, e.Actor)
}

func TestFinishKeepsAFewOfTheChain(t *testing.T) {
	t.Parallel()
	e := Entry{Actor: Actor{Chain: strings.Split("abcdefghijkl", "")}}
	e.finish()
	require.Equal(t, strings.Split("abcdefgh", ""), e.Actor.Chain)
	require.Equal(t, MarkCut, e.Marks["actor_chain"])
}
