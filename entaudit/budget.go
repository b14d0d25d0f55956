package entaudit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Limits of what callers may put into one entry, so that every store takes it.
const (
	maxChanges = 4096   // as many columns as a table has anywhere
	maxLinks   = 10_000 // ids in edges
	maxMarks   = 1000
	maxPath    = 1024 // bytes of the path of a mark within a value
)

// budget is how many bytes of JSON values an entry has room for.
type budget struct{ each, total int }

// take returns how many bytes of v there is room for, and uses them up.
func (b *budget) take(v *value) int {
	n := min(v.size(), b.total)
	if !v.fixed {
		n = min(n, b.each)
	}
	n = max(n, 0)
	b.total -= n
	return n
}

// value is a value on its way into an entry, with its secrets masked.
type value struct {
	name  string
	json  json.RawMessage // nil where there is no value
	fixed bool            // it is short, and says nothing when it is cut
	marks map[string]Mark // by their paths within the value, "" for all of it
}

func (v *value) mark(path string, m Mark) {
	if v.marks == nil {
		v.marks = make(map[string]Mark)
	}
	v.marks[path] = m
}

// size returns the bytes that count: quotes do not.
func (v *value) size() int {
	if len(v.json) > 1 && v.json[0] == '"' {
		return len(v.json) - 2
	}
	return len(v.json)
}

// cut makes the value fit into room bytes: of a string the head, of anything else
// the head of its text.
func (v *value) cut(room int) {
	if v.fixed || v.size() <= room {
		return
	}
	s := string(v.json)
	if v.json[0] == '"' {
		// It is what AppendString wrote; an error would leave the text of it.
		_ = json.Unmarshal(v.json, &s)
	}
	v.json = AppendString(nil, head(s, room))
	v.marks = map[string]Mark{"": MarkCut}
}

// unencodable makes the value the name of a type.
func (v *value) unencodable(of any) {
	name, _ := Bound(fmt.Sprintf("%T", of), LimitName)
	v.stand(name, MarkUnencodable)
}

// stand puts a short text in the place of the value.
func (v *value) stand(text string, m Mark) {
	v.json, v.fixed = AppendString(nil, text), true
	v.marks = map[string]Mark{"": m}
}

// head returns the longest prefix of s that has at most room bytes as JSON.
func head(s string, room int) string {
	var buf [16]byte
	for i, r := range s {
		room -= len(AppendString(buf[:0], s[i:i+utf8.RuneLen(r)])) - 2
		if room < 0 {
			return s[:i]
		}
	}
	return s
}

// smallestFirst returns the order in which values are given room, so that a large
// one does not take it from all others.
func smallestFirst(values []value) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(values[i].size(), values[j].size()), cmp.Compare(values[i].name, values[j].name))
	})
	return order
}

// boundName returns a name fit to be stored. Names that differ stay apart.
func boundName(name string) (string, Mark) {
	if plain(name) && len(name) <= LimitName {
		return name, ""
	}
	return boundID(name)
}

// within returns the path of what is at sub within path, "" being all of it.
func within(path, sub string) string {
	if sub == "" {
		return path
	}
	return path + "." + sub
}

// joinPath is like within and keeps to a limit, behind which the path is that of what
// is around it.
func joinPath(path, name string) string {
	name = prefix(name, maxPath)
	if path != "" {
		name = path + "." + name
	}
	return prefix(name, maxPath)
}
