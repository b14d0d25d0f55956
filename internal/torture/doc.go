// Package torture has a graph with every kind of field and edge, in ent, and the tests
// that compare what is recorded of it with what the databases' own triggers saw. The
// cases of docs/cases.md run here.
package torture
