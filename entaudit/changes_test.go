package entaudit_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func TestChangesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []entaudit.Change
		want    string
	}{
		{"none", nil, ""},
		{"create", []entaudit.Change{{Field: "name", New: raw(`"a"`)}}, `{"name":{"new":"a"}}`},
		{"delete", []entaudit.Change{{Field: "name", Old: raw(`"a"`)}}, `{"name":{"old":"a"}}`},
		{"null is a value", []entaudit.Change{{Field: "n", Old: raw(`null`), New: raw(`1`)}}, `{"n":{"old":null,"new":1}}`},
		{"neither side", []entaudit.Change{{Field: "n"}}, `{"n":{}}`},
		{
			"order of fields",
			[]entaudit.Change{{Field: "b", New: raw(`1`)}, {Field: "a", New: raw(`2`)}},
			`{"b":{"new":1},"a":{"new":2}}`,
		},
		{
			"digits are kept",
			[]entaudit.Change{{Field: "n", Old: raw(`9007199254740993`), New: raw(`0.10000000000000000000000000000000001`)}},
			`{"n":{"old":9007199254740993,"new":0.10000000000000000000000000000000001}}`,
		},
		{
			"nested values",
			[]entaudit.Change{{Field: "tags", Old: raw(`["a",{"b":[1]}]`), New: raw(`{"old":1}`)}},
			`{"tags":{"old":["a",{"b":[1]}],"new":{"old":1}}}`,
		},
		{
			"S56 a field that forges",
			[]entaudit.Change{{Field: "a\":{},\n\"b\u2028", New: raw(`1`)}},
			`{"a\":{},\n\"b\u2028":{"new":1}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := entaudit.EncodeChanges(tt.changes)
			require.Equal(t, tt.want, string(data))
			got, err := entaudit.DecodeChanges(data)
			require.NoError(t, err)
			require.Equal(t, tt.changes, got)
		})
	}
}

func TestDecodeChangesRefuses(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`[]`, `1`, `"x"`, `{`, `{"a"`, `{"a":`, `{"a":{}`, `{"a":1}`, `{"a":{"old":}}`, `{"a":{}}}`, `{"a":{}} {}`, `{"a":{},}`,
	} {
		t.Run(data, func(t *testing.T) {
			t.Parallel()
			changes, err := entaudit.DecodeChanges([]byte(data))
			require.ErrorContains(t, err, "entaudit: decode changes: ", "decoded %v", changes)
		})
	}
	for _, data := range []string{"", "null", "{}", " {\n} "} {
		changes, err := entaudit.DecodeChanges([]byte(data))
		require.NoError(t, err, data)
		require.Empty(t, changes)
	}
}

func FuzzDecodeChanges(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":{"old":1,"new":2}}`, `{"a":{"new":null},"a":{}}`, `{"a":{"new":"\u0000\ud800"}}`, `{"":{"x":[]}}`, `{"a":`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		changes, err := entaudit.DecodeChanges(data)
		if err != nil {
			return
		}
		encoded := entaudit.EncodeChanges(changes)
		again, err := entaudit.DecodeChanges(encoded)
		if err != nil {
			t.Fatalf("%q was read, then written as %q: %v", data, encoded, err)
		}
		if second := entaudit.EncodeChanges(again); string(second) != string(encoded) {
			t.Errorf("%q was written as %q, then as %q", data, encoded, second)
		}
	})
}

func TestEdgesRoundTrip(t *testing.T) {
	t.Parallel()
	data, err := entaudit.EncodeEdges(nil)
	require.NoError(t, err)
	require.Nil(t, data)

	data, err = entaudit.EncodeEdges([]entaudit.EdgeChange{
		{Edge: "groups", Added: []string{"3", "4"}},
		{Edge: "friends", Unknown: true},
		{Edge: "groups", Removed: []string{"1"}, Added: []string{"5"}},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"friends":{"unknown":true},"groups":{"added":["3","4","5"],"removed":["1"]}}`, string(data))

	edges, err := entaudit.DecodeEdges(data)
	require.NoError(t, err)
	require.Equal(t, []entaudit.EdgeChange{
		{Edge: "friends", Unknown: true},
		{Edge: "groups", Added: []string{"3", "4", "5"}, Removed: []string{"1"}},
	}, edges)

	edges, err = entaudit.DecodeEdges(nil)
	require.NoError(t, err)
	require.Nil(t, edges)
	_, err = entaudit.DecodeEdges([]byte(`{"groups":[]}`))
	require.ErrorContains(t, err, "entaudit: decode edges: ")
}
