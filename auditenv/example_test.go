package auditenv_test

import (
	"fmt"

	"github.com/entaudit/audit/auditenv"
	"github.com/entaudit/audit/entaudit"
)

func ExampleLoad() {
	s, err := auditenv.Load([]string{ // os.Environ() in a program
		"AUDIT_SERVICE=shop",
		"AUDIT_REDACT_FIELDS=shoe_size",
		"AUDIT_JWT_SECRET=0vK2cV8mW5yQ1tR7uX4zB6nE9hJ3pLsD",
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(s)
	rec, err := entaudit.New(s.Recorder)
	if err != nil {
		panic(err)
	}
	fmt.Println(rec.Redactor().Name("shoeSize"), rec.Redactor().Name("password"))
	_, err = auditenv.Load([]string{"AUDIT_JWT_SECRET=changeme"})
	fmt.Println(err)
	// Output:
	// AUDIT_JWT_SECRET=[REDACTED] AUDIT_REDACT_FIELDS=shoe_size AUDIT_SERVICE=shop
	// true true
	// auditenv: AUDIT_JWT_SECRET: chiaudit: JWTConfig.Secret: 8 bytes are too short, 32 are needed
}
