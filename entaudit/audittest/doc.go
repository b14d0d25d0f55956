// Package audittest helps to test what is recorded: a recorder that keeps its
// entries in memory, matchers for them, and the suites that every writer and
// reader of entries passes.
//
//	rec := audittest.New(t)
//	client := enttest.Open(t, "sqlite3", dsn, enttest.WithOptions(ent.Auditor(rec)))
//	client.User.UpdateOneID(id).SetName("b").ExecX(ctx)
//	e := audittest.Recorded(t, rec).One(t, audittest.Resource("user", "1"), audittest.Operation(entaudit.OpUpdate))
//	audittest.RequireChange(t, e, "name", "a", "b")
package audittest
