package extension

import "slices"

// watch notes which types are watched: they are not audited, and their mutations write
// keys or links of types that are, or take rows of those along. What it takes for granted
// of deletes is what entaudit/hook follows.
func watch(types []typeInfo, tables map[string]*tableInfo) {
	audited, rows := make(map[string]bool), make(map[string]bool) // by type and by table
	for _, t := range types {
		audited[t.Name], rows[t.Table()] = t.Audited, t.Audited
	}
	tells := func(e endInfo) bool { return e.Edge != "" && audited[e.Type] }
	recorded := func(table string) bool {
		return rows[table] || tables[table] != nil && slices.ContainsFunc(tables[table].Ends, tells)
	}
	var takes func(table string, seen map[string]bool) bool
	takes = func(table string, seen map[string]bool) bool {
		return tables[table] != nil && slices.ContainsFunc(tables[table].Refs, func(r refInfo) bool {
			if rows[r.Table] || r.Action != "Cascade" || seen[r.Table] {
				return rows[r.Table]
			}
			seen[r.Table] = true
			return recorded(r.Table) || takes(r.Table, seen)
		})
	}
	far := func(e edgeInfo) bool {
		return recorded(e.Table) || e.Links && takes(e.Table, make(map[string]bool))
	}
	for i, t := range types {
		types[i].Watched = !t.Audited && (slices.ContainsFunc(t.FarEdges, far) || takes(t.Table(), make(map[string]bool)))
	}
}

// watched returns those of types that are watched.
func watched(types []typeInfo) []typeInfo {
	return slices.DeleteFunc(slices.Clone(types), func(t typeInfo) bool { return !t.Watched })
}
