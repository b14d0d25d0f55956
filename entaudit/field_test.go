package entaudit_test

import (
	"bytes"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/entaudit"
)

// eachField calls f with the path of every field of v and of the structs inside it.
func eachField(v reflect.Value, path string, f func(path string, field reflect.Value)) {
	for i := range v.NumField() {
		field, name := v.Field(i), path+v.Type().Field(i).Name
		if field.Kind() == reflect.Struct && field.Type() != reflect.TypeFor[time.Time]() {
			eachField(field, name+".", f)
			continue
		}
		f(name, field)
	}
}

// TestNoFieldIsLeftOutT06 blanks one field of an entry after the other: who reads what was
// written has to be able to tell.
func TestNoFieldIsLeftOutT06(t *testing.T) {
	t.Parallel()
	ways := map[string]func(e entaudit.Entry) string{
		"json": func(e entaudit.Entry) string {
			data, err := e.MarshalJSON()
			require.NoError(t, err)
			return string(data)
		},
		"slog": func(e entaudit.Entry) string {
			var buf bytes.Buffer
			l := slog.New(slog.NewJSONHandler(&buf, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey && len(groups) == 0 {
					return slog.Attr{}
				}
				return a
			}}))
			require.NoError(t, entaudit.NewSlog(l).Write(t.Context(), []entaudit.Entry{e}))
			return buf.String()
		},
	}
	for name, written := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, fields := written(full("x")), 0
			e := full("x")
			eachField(reflect.ValueOf(&e).Elem(), "", func(path string, field reflect.Value) {
				kept := reflect.New(field.Type()).Elem()
				kept.Set(field)
				field.SetZero()
				require.NotEqualf(t, whole, written(e), "Entry.%s is not written", path)
				field.Set(kept)
				fields++
			})
			require.Equal(t, whole, written(e))
			require.Greater(t, fields, 35)
		})
	}
}
