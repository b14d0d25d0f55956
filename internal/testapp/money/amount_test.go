package money_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/entaudit/audit/internal/testapp/money"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, want string }{
		{"0", "0.00"},
		{"1250", "1250.00"},
		{"-3.5", "-3.50"},
		{"19.990", "19.99"},
		{"90071992547409.93", "90071992547409.93"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := money.Parse(tt.name)
			require.NoError(t, err)
			require.Equal(t, tt.want, a.String())
		})
	}
	for _, s := range []string{"", "x", "1.999", "1/2", "1e2", "0x10", "99999999999999999999"} {
		_, err := money.Parse(s)
		require.Error(t, err, s)
	}
}

func TestAmountRoundTrips(t *testing.T) {
	t.Parallel()
	a := money.Hundredths(1999)
	data, err := json.Marshal(a)
	require.NoError(t, err)
	require.Equal(t, `"19.99"`, string(data))
	for _, text := range []string{`"19.99"`, `19.99`} {
		var b money.Amount
		require.NoError(t, json.Unmarshal([]byte(text), &b))
		require.Equal(t, a, b)
	}
	v, err := a.Value()
	require.NoError(t, err)
	for _, stored := range []any{v, []byte("19.99"), 19.99} {
		var b money.Amount
		require.NoError(t, b.Scan(stored))
		require.Equal(t, a, b)
	}
	b := a
	require.NoError(t, b.Scan(nil))
	require.Equal(t, money.Amount{}, b)
	require.Equal(t, money.Hundredths(5997), a.Times(2).Add(a))
}
