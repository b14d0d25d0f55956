package main

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echo answers each line of four bytes with the same bytes.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, err = io.Copy(c, c)
		if cerr := c.Close(); err == nil && cerr != nil {
			t.Error(cerr)
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		<-done
	})
	return l.Addr().String()
}

func TestProxyCountsRoundTrips(t *testing.T) {
	t.Parallel()
	p, err := newProxy(t.Context(), echo(t), time.Millisecond)
	require.NoError(t, err)
	c, err := net.Dial("tcp", p.addr())
	require.NoError(t, err)
	buf := make([]byte, 4)
	for i := range 5 {
		start := time.Now()
		_, err := c.Write([]byte("ping"))
		require.NoError(t, err)
		_, err = io.ReadFull(c, buf)
		require.NoError(t, err)
		require.Equal(t, "ping", string(buf))
		require.GreaterOrEqual(t, time.Since(start), time.Millisecond)
		require.EqualValues(t, i+1, p.trips.Load())
	}
	require.NoError(t, c.Close())
	require.NoError(t, p.close())
}

// A client that is still connected does not keep the proxy from closing.
func TestProxyClosesConnections(t *testing.T) {
	t.Parallel()
	p, err := newProxy(t.Context(), echo(t), 0)
	require.NoError(t, err)
	c, err := net.Dial("tcp", p.addr())
	require.NoError(t, err)
	_, err = c.Write([]byte("ping"))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 4))
	require.NoError(t, err)
	require.NoError(t, p.close())
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, c.Close())
}
