// Package auditenv fills the settings of this module's packages from AUDIT_*
// environment variables.
//
//	s, err := auditenv.Load(os.Environ())
//	if err != nil {
//		return err // names the variable
//	}
//	rec, err := entaudit.New(s.Recorder)
//	r.Use(chiaudit.Handler(rec, s.Handler))
//
// The variables are listed in docs/configuration.md. Lists are written with commas or
// as JSON, maps as name=value with commas or as JSON. An empty variable counts as not
// set. What the environment cannot say, such as the Writer, is set on the result before it
// is used.
package auditenv
