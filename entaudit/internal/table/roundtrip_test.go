package table

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
	"github.com/entaudit/audit/internal/testdb"
)

// hostile returns texts that databases, encodings or shells stumble over.
func hostile() []string {
	return []string{
		"", " ", "plain", "nul\x00byte", "bad\xff\xfeutf8", "\xed\xa0\x80 lone surrogate", "line\u2028sep\u2029",
		`"quotes" 'and' \backslash\`, "'; drop table audit_logs; --", "$1 ? :name @p1 %s %00", "\t\r\n\v\x1b[31m",
		strings.Repeat("漢字🙂", 800), "e\u0301 \u200b \u202e \ufeff \U0010ffff", `\u0000 \ud800`, "NULL", "null", "{}",
		"trailing space ", "İıſK",
	}
}

// randomEntry returns an entry in which about half of the fields are set, to
// hostile values.
func randomEntry(rng *rand.Rand) entaudit.Entry {
	h := hostile()
	text := func() string {
		if rng.IntN(2) == 0 {
			return ""
		}
		return h[rng.IntN(len(h))]
	}
	raw := func() json.RawMessage {
		switch rng.IntN(5) {
		case 0:
			return nil
		case 1:
			return json.RawMessage(`"\ud800 \u0000 \\"`)
		case 2:
			return json.RawMessage(`{"b": [1.0, 12345678901234567890, null], "a" : "x"}`)
		}
		return entaudit.AppendString(nil, text())
	}
	e := entaudit.Entry{
		ID: uuid.Must(uuid.NewV7()), SchemaVersion: entaudit.SchemaVersion, Service: text(), Kind: entaudit.KindManual,
		Action: text(), Operation: entaudit.OpUpdate, Outcome: entaudit.Failure, Reason: text(),
		OccurredAt: time.Unix(rng.Int64N(4e9), rng.Int64N(1e9)).UTC().Truncate(time.Microsecond),
		Duration:   time.Duration(rng.Int64N(1e9)) * time.Microsecond,
		Actor:      entaudit.Actor{ID: text(), Type: entaudit.ActorType(text()), Email: text(), ImpersonatorID: text()},
		Tenant:     entaudit.Tenant{ID: text(), Slug: text()}, ActorTenantID: text(),
		Resource: entaudit.Resource{Type: text(), ID: text(), Label: text(), Schema: text()},
		TxSeq:    rng.IntN(3) * math.MaxInt32 / 2,
		Request: entaudit.Request{
			ID: text(), TraceID: text(), Method: text(), Path: text(), Route: text(), Query: text(),
			StatusCode: rng.IntN(600), IP: text(), UserAgent: text(),
		},
	}
	if rng.IntN(2) == 0 {
		e.CauseID, e.TxID = uuid.New(), uuid.New()
		e.Actor.Chain = []string{text(), text()}
		e.Edges = []entaudit.EdgeChange{{Edge: "groups", Added: []string{"1", text()}, Removed: []string{`["a",2]`}}}
		e.Metadata = map[string]any{"text": text(), "n": json.Number("1.50"), "list": []any{nil, true, map[string]any{"k": "v"}}}
		e.Marks = map[string]entaudit.Mark{"changes." + text(): entaudit.MarkCut}
	}
	for i := range rng.IntN(4) {
		e.Changes = append(e.Changes, entaudit.Change{Field: fmt.Sprint(i, text()), Old: raw(), New: raw()})
	}
	return e
}

// asStored returns entries as JSON, as they are expected back: without the
// database's clock and with texts in JSON as AppendString writes them.
func asStored(t *testing.T, entries []entaudit.Entry) []string {
	t.Helper()
	lines := make([]string, len(entries))
	for i, e := range entries {
		e.RecordedAt = time.Time{}
		data, err := json.Marshal(e)
		require.NoError(t, err)
		var again entaudit.Entry
		require.NoError(t, json.Unmarshal(data, &again))
		data, err = json.Marshal(again)
		require.NoError(t, err)
		lines[i] = strings.ReplaceAll(string(data), `\u0000`, "\ufffd")
	}
	return lines
}

func load(t *testing.T, db *sql.DB, dialectName string) []entaudit.Entry {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT "+SelectList(dialectName)+" FROM audit_logs ORDER BY id")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var entries []entaudit.Entry
	var r Row
	for rows.Next() {
		require.NoError(t, rows.Scan(r.Dest()...))
		e, err := r.Entry()
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), e.RecordedAt, time.Minute, "the database sets recorded_at")
		entries = append(entries, e)
	}
	require.NoError(t, rows.Err())
	return entries
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	recorder, err := entaudit.New(entaudit.Config{})
	require.NoError(t, err)
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			rng := rand.New(rand.NewPCG(seed, 1))
			driver, dsn := testdb.DSN(t, v.dialect)
			for name, value := range v.params {
				dsn = testdb.WithParam(dsn, name, value)
			}
			db := testdb.OpenDSN(t, driver, dsn)
			createTable(t, db, v.dialect)
			want := make([]entaudit.Entry, 300)
			for i := range want {
				want[i] = randomEntry(rng)
				recorder.Finish(&want[i])
			}
			for part := want; len(part) > 0; {
				n := min(1+rng.IntN(40), len(part))
				query, args, err := Insert(v.dialect, "audit_logs", part[:n])
				require.NoError(t, err)
				_, err = db.ExecContext(t.Context(), query, args...)
				require.NoError(t, err, "seed %d", seed)
				part = part[n:]
			}
			got := load(t, db, v.dialect)
			slices.SortFunc(want, func(a, b entaudit.Entry) int { return strings.Compare(a.ID.String(), b.ID.String()) })
			require.Equal(t, asStored(t, want), asStored(t, got), "seed %d", seed)
		})
	}
}

type variant struct {
	name, dialect string
	params        map[string]string
}

// variants lists every dialect and every way in which pgx executes a statement.
func variants() []variant {
	vs := []variant{
		{name: "sqlite3", dialect: dialect.SQLite},
		{name: "mysql", dialect: dialect.MySQL},
		{name: "mysql interpolated", dialect: dialect.MySQL, params: map[string]string{"interpolateParams": "true"}},
	}
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		vs = append(vs, variant{
			name: "postgres " + mode, dialect: dialect.Postgres,
			params: map[string]string{"default_query_exec_mode": mode},
		})
	}
	return vs
}
