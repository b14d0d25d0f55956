package main

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// heapSampleEvery is how often the heap is looked at, which takes some microseconds and
// does not stop the program.
const heapSampleEvery = time.Millisecond

// peakHeap runs f and returns by how many bytes the heap was at most larger than before
// it: what is in use, and garbage that was not collected yet.
func peakHeap(f func() error) (peak uint64, err error) {
	// What a finalizer frees is gone after the second.
	runtime.GC()
	runtime.GC()
	base := heapInUse()
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(heapSampleEvery)
		defer tick.Stop()
		most := base
		for {
			select {
			case <-tick.C:
				most = max(most, heapInUse())
			case <-stop:
				done <- max(most, heapInUse())
				return
			}
		}
	}()
	err = f()
	close(stop)
	return <-done - base, err
}

// heapInUse returns the bytes of objects on the heap.
func heapInUse() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
