package hook

import (
	"slices"
	"strings"
)

// uniqueKey is a unique key of the rows that are upserted.
type uniqueKey []keyColumn

// keyColumn is a column of a unique key.
type keyColumn struct {
	Field
	id    int // position among the columns of the id, -1 if it is none of them
	field int // position among the other fields, -1 likewise
}

func (k uniqueKey) columns() []string {
	names := make([]string, len(k))
	for i, c := range k {
		names[i] = c.Column
	}
	return names
}

// uniqueKeys returns the keys of the table, the id first.
func (u *upsertScope) uniqueKeys() []uniqueKey {
	var id []string
	for _, f := range u.p.ID {
		id = append(id, f.Column)
	}
	all := append([][]string{id}, u.p.Keys...)
	keys := make([]uniqueKey, len(all))
	for i, names := range all {
		for _, name := range names {
			c := keyColumn{field: -1}
			c.id = slices.IndexFunc(u.p.ID, func(f Field) bool { return f.Column == name })
			if c.id >= 0 {
				c.Field = u.p.ID[c.id]
			}
			if f, ok := u.p.index[name]; ok {
				c.field, c.Field = f, u.p.Fields[f]
			}
			keys[i] = append(keys[i], c)
		}
	}
	return keys
}

// proposed returns the key of the i-th specification, or nil where a value of it is not
// given: NULL is no conflict.
func (u *upsertScope) proposed(k uniqueKey, i int) []any {
	tuple := make([]any, len(k))
	for j, c := range k {
		v := u.given[i]
		if c.field >= 0 {
			v = u.known[i][c.field]
		}
		if v = plainValue(v); v == nil {
			return nil
		}
		tuple[j] = v
	}
	return tuple
}

// tuples returns the keys of some of the specifications.
func (u *upsertScope) tuples(k uniqueKey, from, to int) (tuples [][]any) {
	for i := from; i < to; i++ {
		if t := u.proposed(k, i); t != nil {
			tuples = append(tuples, t)
		}
	}
	return tuples
}

// held returns the key of a row, or nil where a value of it is NULL.
func (u *upsertScope) held(k uniqueKey, w row) []any {
	tuple := make([]any, len(k))
	for j, c := range k {
		if c.id >= 0 {
			tuple[j] = w.ids[c.id]
		} else {
			tuple[j] = w.values[slices.Index(u.fields, c.field)]
		}
		if tuple[j] == nil {
			return nil
		}
	}
	return tuple
}

// name returns a key's values as text.
func (k uniqueKey) name(tuple []any) string {
	var b strings.Builder
	b.WriteString(k[0].Column)
	for j, c := range k {
		b.WriteByte(0)
		b.WriteString(idText(c.Kind, tuple[j]))
	}
	return b.String()
}

// owners returns by id which specification each row was read or written for, and how
// many have none. Keys that the database takes for equal may be written differently: what
// has the same text is put together first, and the rest in order.
func (u *upsertScope) owners() (owner map[string]int, without int) {
	named := make(map[string][]string) // ids of rows by the names of their keys
	for _, k := range u.keys {
		for _, list := range [][]row{u.old.list, u.new.list} {
			for _, w := range list {
				if t := u.held(k, w); t != nil {
					named[k.name(t)] = append(named[k.name(t)], w.id)
				}
			}
		}
	}
	owner = make(map[string]int, len(u.new.list))
	var loose []int
	for i := range u.known {
		found := false
		for _, k := range u.keys {
			t := u.proposed(k, i)
			if t == nil {
				continue
			}
			for _, id := range named[k.name(t)] {
				found = true
				if _, ok := owner[id]; !ok {
					owner[id] = i
				}
			}
		}
		if !found {
			loose = append(loose, i)
		}
	}
	for _, list := range [][]row{u.new.list, u.old.list} {
		for _, w := range list {
			if _, ok := owner[w.id]; !ok && len(loose) > 0 {
				owner[w.id], loose = loose[0], loose[1:]
			}
		}
	}
	return owner, len(loose)
}

// unmet returns how many specifications have met none of the rows that were there.
func (u *upsertScope) unmet() int {
	there := make(map[string]bool)
	for _, k := range u.keys {
		for _, w := range u.old.list {
			if t := u.held(k, w); t != nil {
				there[k.name(t)] = true
			}
		}
	}
	n := len(u.known)
	for i := range u.known {
		for _, k := range u.keys {
			if t := u.proposed(k, i); t != nil && there[k.name(t)] {
				n--
				break
			}
		}
	}
	return n
}
