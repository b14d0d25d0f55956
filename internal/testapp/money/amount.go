// Package money has exact amounts of money.
package money

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"entgo.io/ent/dialect"
)

// Digits are the digits behind the point that an [Amount] has.
const Digits = 2

// Amount is an exact amount, kept in hundredths. The zero value is nothing.
type Amount struct{ hundredths int64 }

// Hundredths returns the amount of n hundredths.
func Hundredths(n int64) Amount { return Amount{n} }

// Parse reads a decimal number such as "1250", "-3.5" or "19.99". More than two
// digits behind the point are refused unless they are zeros: an amount is never
// rounded on its way in.
func Parse(s string) (Amount, error) {
	r, ok := new(big.Rat).SetString(s)
	if !ok || strings.ContainsAny(s, "/eExXpP_") {
		return Amount{}, fmt.Errorf("%q is not an amount", s)
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() || !r.Num().IsInt64() {
		return Amount{}, fmt.Errorf("%q is not an amount of whole hundredths", s)
	}
	return Amount{r.Num().Int64()}, nil
}

// Add returns the sum.
func (a Amount) Add(b Amount) Amount { return Amount{a.hundredths + b.hundredths} }

// Times returns the amount n times.
func (a Amount) Times(n int64) Amount { return Amount{a.hundredths * n} }

// String returns the amount with two digits behind the point.
func (a Amount) String() string { return big.NewRat(a.hundredths, 100).FloatString(Digits) }

// MarshalText implements encoding.TextMarshaler: amounts are JSON strings, which
// no reader rounds.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON takes a string or a number as it is written.
func (a *Amount) UnmarshalJSON(data []byte) (err error) {
	var s string
	if json.Unmarshal(data, &s) != nil {
		s = string(data)
	}
	*a, err = Parse(s)
	return err
}

// Value implements driver.Valuer.
func (a Amount) Value() (driver.Value, error) { return a.String(), nil }

// Scan implements sql.Scanner.
func (a *Amount) Scan(v any) (err error) {
	switch v := v.(type) {
	case nil:
		*a = Amount{}
	case []byte:
		*a, err = Parse(string(v))
	default:
		*a, err = Parse(fmt.Sprint(v))
	}
	return err
}

// SchemaType is the column of an amount: a decimal where the database has one.
func SchemaType() map[string]string {
	return map[string]string{
		dialect.Postgres: "numeric(14,2)",
		dialect.MySQL:    "decimal(14,2)",
		dialect.SQLite:   "text",
	}
}
