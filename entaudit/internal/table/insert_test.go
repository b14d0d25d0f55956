package table

import (
	"encoding/json"
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

func TestColumns(t *testing.T) {
	t.Parallel()
	require.Len(t, Columns(), inserted+1)
	var r Row
	require.Len(t, r.Dest(), inserted+1)
	require.Len(t, appendRow(nil, dialect.SQLite, &entaudit.Entry{}), inserted)

	// The columns are the keys of an entry's JSON: one name for one thing.
	data, err := json.Marshal(full())
	require.NoError(t, err)
	var keys map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &keys))
	for _, c := range Columns() {
		if c != RecordedAt && c != "changed_fields" {
			require.Contains(t, keys, c)
		}
	}
}

// full returns an entry in which every field is set.
func full() entaudit.Entry {
	e := sample()
	e.Reason, e.Duration, e.CauseID = "timeout", time.Second, e.ID
	e.Actor.ImpersonatorID, e.Actor.Chain = "admin", []string{"agent"}
	e.Resource.Schema = "billing"
	e.Edges = []entaudit.EdgeChange{{Edge: "lines", Added: []string{"1"}}}
	e.Request.TraceID, e.Request.Query, e.Request.StatusCode = "t", "a=b", 200
	e.Metadata, e.Marks = map[string]any{"k": "v"}, map[string]entaudit.Mark{"path": entaudit.MarkCut}
	return e
}

func TestInsertTextIsConstant(t *testing.T) {
	t.Parallel()
	text := func(d string, n int) string {
		query, _, err := Insert(d, "audit.logs", samples(n))
		require.NoError(t, err)
		return query
	}
	for _, d := range testdb.Dialects() {
		require.Equal(t, text(d, 1), text(d, 1), d)
		require.Equal(t, text(d, 7), text(d, 7), d)
	}
	require.Equal(t, text(dialect.Postgres, 2), text(dialect.Postgres, 1000), "the number of rows is not in the text")
	require.True(t, strings.HasPrefix(text(dialect.Postgres, 1), `INSERT INTO "audit"."logs" ("id", `))
	require.True(t, strings.HasPrefix(text(dialect.MySQL, 1), "INSERT INTO `audit`.`logs` (`id`, "))
}

func TestInsertNumberOfEntries(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		_, _, err := Insert(d, "t", nil)
		require.Error(t, err, d)
		_, _, err = Insert(d, "t", make([]entaudit.Entry, MaxRows(d)+1))
		require.Error(t, err, d)
		_, args, err := Insert(d, "t", make([]entaudit.Entry, MaxRows(d)))
		require.NoError(t, err, d)
		require.Less(t, len(args), 65536, d)
	}
	_, _, err := Insert("oracle", "t", samples(1))
	require.EqualError(t, err, `dialect "oracle" is not supported`)
}

func TestInsertLeavesEntryAlone(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		e := full()
		e.Metadata["chan"] = make(chan int)
		before := e.Marks["metadata.chan"]
		_, _, err := Insert(d, "t", []entaudit.Entry{e})
		require.NoError(t, err)
		require.Equal(t, before, e.Marks["metadata.chan"], "entries are shared: the mark goes into the row only")
	}
}

func TestMetadataThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	loop := map[string]any{}
	loop["self"] = loop
	for _, tt := range []struct {
		name   string
		value  any
		want   string
		marked bool
	}{
		{"channel", make(chan int), `"chan int"`, true},
		{"cycle", loop, `"map[string]interface {}"`, true},
		{"bad number", json.Number("01x"), `"json.Number"`, true},
		{"number in quotes", json.Number(`"1"`), `"json.Number"`, true},
		{"panics", panics{}, `"table.panics"`, true},
		{"nested", []any{map[string]any{"f": func() {}}}, `"[]interface {}"`, true},
		{"struct", struct{ A int64 }{1 << 60}, `{"A":1152921504606846976}`, false},
		{"number", json.Number("-1.50e3"), `-1.50e3`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, marks := metadata(map[string]any{"v": tt.value, "w": "kept"}, nil)
			require.Equal(t, `{"v":`+tt.want+`,"w":"kept"}`, got)
			require.Equal(t, tt.marked, marks["metadata.v"] == entaudit.MarkUnencodable)
		})
	}
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("no") }

func TestChunks(t *testing.T) {
	t.Parallel()
	big := sample()
	big.Changes[0].New = json.RawMessage(`"` + strings.Repeat("x", maxBytes/2) + `"`)
	for _, tt := range []struct {
		name    string
		dialect string
		entries []entaudit.Entry
		want    []int
	}{
		{"none", dialect.MySQL, nil, nil},
		{"by number", dialect.MySQL, samples(2001), []int{1000, 1000, 1}},
		{"by number on SQLite", dialect.SQLite, samples(100), []int{100}},
		{"by bytes", dialect.MySQL, []entaudit.Entry{big, big, big, sample()}, []int{1, 1, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []int
			for part := range Chunks(tt.dialect, tt.entries) {
				got = append(got, len(part))
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestDamagedRow(t *testing.T) {
	t.Parallel()
	db := testdb.Open(t, dialect.SQLite)
	createTable(t, db, dialect.SQLite)
	query, args, err := Insert(dialect.SQLite, "audit_logs", []entaudit.Entry{full()})
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(),
		`UPDATE audit_logs SET changes='{"a"', edges='[]', actor_chain='7', metadata='[1]', marks='no'`)
	require.NoError(t, err)
	e := load(t, db, dialect.SQLite)[0]
	for _, name := range []string{"changes", "edges", "actor_chain", "metadata", "marks"} {
		require.Equal(t, entaudit.MarkUnencodable, e.Marks[name], name)
	}
	require.JSONEq(t, `"{\"a\""`, string(e.Changes[0].New), "what is there is shown")
	_, err = json.Marshal(e)
	require.NoError(t, err)
}

// TestOneOrigin stores entries that have their origin in common, which PostgreSQL gets
// once.
func TestOneOrigin(t *testing.T) {
	t.Parallel()
	for _, d := range testdb.Dialects() {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			db := testdb.Open(t, d)
			createTable(t, db, d)
			entries := []entaudit.Entry{full(), full(), full()}
			for i := range entries {
				entries[i].ID = uuid.Must(uuid.NewV7())
				entries[i].TxID, entries[i].TxSeq = entries[0].TxID, i+1
				entries[i].Changes = entries[i].Changes[:i]
			}
			require.True(t, oneOrigin(entries))
			query, args, err := Insert(d, "audit_logs", entries)
			require.NoError(t, err)
			_, err = db.ExecContext(t.Context(), query, args...)
			require.NoError(t, err)
			require.Equal(t, asStored(t, entries), asStored(t, load(t, db, d)))
			for name, change := range map[string]func(*entaudit.Entry){
				"actor":   func(e *entaudit.Entry) { e.Actor.ID = "other" },
				"chain":   func(e *entaudit.Entry) { e.Actor.Chain = []string{"other"} },
				"request": func(e *entaudit.Entry) { e.Request.ID = "other" },
				"tx":      func(e *entaudit.Entry) { e.TxID = e.ID },
				"outcome": func(e *entaudit.Entry) { e.Outcome = entaudit.Denied },
			} {
				other := slices.Clone(entries)
				change(&other[1])
				require.False(t, oneOrigin(other), name)
			}
		})
	}
}
