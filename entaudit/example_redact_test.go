package entaudit_test

import (
	"fmt"

	"github.com/entaudit/audit/entaudit"
)

func ExampleRedactor() {
	d, err := entaudit.NewRedactor(entaudit.Redact{Keys: []string{"shoe_size"}, Allow: []string{"public_token"}})
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"passwordHash", "X-Api-Key", "secretary", "token_count", "ShoeSize", "public_token"} {
		fmt.Println(name, d.Name(name))
	}
	query, _ := d.Query("page=2&%70assword=hunter2")
	fmt.Println(query)
	// Output:
	// passwordHash true
	// X-Api-Key true
	// secretary false
	// token_count false
	// ShoeSize true
	// public_token false
	// page=2&%70assword=[REDACTED]
}

func ExampleAppendString() {
	fmt.Printf("%s\n", entaudit.AppendString(nil, "one line\nand \u202esdrawkcab"))
	// Output: "one line\nand \u202esdrawkcab"
}
