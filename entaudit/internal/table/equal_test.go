package table

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

func TestEqual(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		e := randomEntry(rng)
		c := e
		c.RecordedAt = time.Now()
		require.True(t, Equal(&e, &c))
	}
	// Every field of an entry counts, nested ones included.
	a := full()
	seen := 0
	eachField(reflect.TypeFor[entaudit.Entry](), nil, func(index []int) {
		b := full()
		b.ID, b.CauseID, b.TxID, b.OccurredAt = a.ID, a.CauseID, a.TxID, a.OccurredAt
		require.True(t, Equal(&a, &b))
		f := reflect.ValueOf(&b).Elem().FieldByIndex(index)
		f.SetZero()
		name := reflect.TypeFor[entaudit.Entry]().FieldByIndex(index).Name
		require.Equal(t, name == "RecordedAt", Equal(&a, &b), name)
		seen++
	})
	require.Greater(t, seen, 35)
}

// eachField calls f with the index of every field of typ that is not a struct of
// this module.
func eachField(typ reflect.Type, at []int, f func(index []int)) {
	for i := range typ.NumField() {
		index := append(slices.Clip(at), i)
		if ft := typ.Field(i).Type; ft.Kind() == reflect.Struct && ft.PkgPath() == typ.PkgPath() {
			eachField(ft, index, f)
			continue
		}
		f(index)
	}
}
