package oracle

import (
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
)

func quote(dialectName, name string) string {
	if dialectName == dialect.MySQL {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

// trigger returns the statements that make the trigger of one operation on one table.
func trigger(dialectName string, t *schema.Table, op Op) string {
	before, after, tx := "NULL", "NULL", "''"
	if op != Insert {
		before = image(dialectName, t, "OLD.")
	}
	if op != Delete {
		after = image(dialectName, t, "NEW.")
	}
	if dialectName == dialect.Postgres {
		tx = "txid_current()::text"
	}
	insert := fmt.Sprintf("INSERT INTO %s (tx, tbl, op, old_row, new_row) VALUES (%s, '%s', '%s', %s, %s);",
		Log, tx, t.Name, op, before, after)
	name := quote(dialectName, "oracle_"+t.Name+"_"+string(op))
	on := "CREATE TRIGGER " + name + " AFTER " + strings.ToUpper(string(op)) + " ON " + quote(dialectName, t.Name) + " FOR EACH ROW "
	switch dialectName {
	case dialect.Postgres:
		return "CREATE FUNCTION " + name + "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + insert + " RETURN NULL; END $$;" +
			on + "EXECUTE FUNCTION " + name + "();"
	case dialect.MySQL:
		return on + insert
	default:
		return on + "BEGIN " + insert + " END;"
	}
}

// image returns the expression for a row as a JSON object of its columns, each as text
// in hexadecimal digits: no value can break the object, and no database alters it.
func image(dialectName string, t *schema.Table, row string) string {
	names, values, pairs := make([]string, len(t.Columns)), make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = "'" + c.Name + "'"
		values[i] = hexadecimal(dialectName, c, row+quote(dialectName, c.Name))
		pairs[i] = names[i] + ", " + values[i]
	}
	if dialectName == dialect.Postgres {
		return "json_object(ARRAY[" + strings.Join(names, ", ") + "], ARRAY[" + strings.Join(values, ", ") + "])::text"
	}
	return "json_object(" + strings.Join(pairs, ", ") + ")"
}

// hexadecimal returns the expression for the text of a value in hexadecimal digits.
func hexadecimal(dialectName string, c *schema.Column, ref string) string {
	switch dialectName {
	case dialect.Postgres:
		switch c.Type {
		case field.TypeBytes:
			return "encode(" + ref + ", 'hex')"
		case field.TypeTime:
			ref = "trunc(extract(epoch FROM " + ref + ") * 1000000)"
		}
		return "encode(convert_to(" + ref + "::text, 'UTF8'), 'hex')"
	case dialect.MySQL:
		switch {
		case c.Type == field.TypeTime:
			ref = "DATE_FORMAT(" + ref + ", '%Y-%m-%d %H:%i:%s.%f')"
		case c.Type.Float():
			// A sum is of 64 bits: the text of 32 bits would be rounded.
			ref = "CAST(" + ref + " + 0e0 AS CHAR)"
		case c.Type.Numeric(), c.Type == field.TypeBool, c.Type == field.TypeOther, c.Type == field.TypeJSON, c.Type == field.TypeUUID:
			ref = "CAST(" + ref + " AS CHAR)" // HEX of a number or a uuid is another thing
		}
		return "HEX(" + ref + ")"
	default:
		value := ref
		if c.Type.Float() {
			value = "CASE typeof(" + ref + ") WHEN 'real' THEN printf('%!.17g', " + ref + ") ELSE " + ref + " END"
		}
		return "CASE WHEN " + ref + " IS NULL THEN NULL ELSE hex(CAST(" + value + " AS BLOB)) END"
	}
}
