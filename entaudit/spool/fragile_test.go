package spool

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
)

// fragile is a files in memory that fails before one of its operations. What it leaves then
// is what was synced, and of what was not whatever a disk may have got to: any sectors of a
// file and any size that it had, and the first changes of folders.
type fragile struct {
	rng    *rand.Rand
	at     int  // the operation
	killed bool // it is the process that ends, so that all that was written is left
	failed func()

	mu      sync.Mutex
	ops     int
	names   map[string]*content // folders have none
	synced  map[string]*content
	changes []func(names map[string]*content) // of folders, since they were synced
	locks   map[string]bool
	left    *fragile // once it has failed
}

// content is that of a file, and what it was since it was synced.
type content struct {
	data   []byte
	before [][]byte
}

func newFragile(rng *rand.Rand, names map[string]*content) *fragile {
	return &fragile{rng: rng, at: -1, names: names, synced: maps.Clone(names), locks: make(map[string]bool)}
}

// begin begins an operation.
func (d *fragile) begin() {
	d.mu.Lock()
	if d.ops == d.at {
		d.fail()
	}
	d.ops++
}

// fail notes what is left. It is called with mu held. Operations go on, and change nothing
// of that.
func (d *fragile) fail() {
	names, n := maps.Clone(d.synced), len(d.changes)
	if !d.killed {
		n = d.rng.IntN(n + 1)
	}
	for _, change := range d.changes[:n] {
		change(names)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if c := names[name]; c != nil {
			data := slices.Clone(c.data)
			if !d.killed {
				data = c.torn(d.rng)
			}
			names[name] = &content{data: data, before: [][]byte{data}}
		}
	}
	d.left = newFragile(d.rng, names)
	d.failed()
}

// torn returns what a power failure may leave of a file.
func (c *content) torn(rng *rand.Rand) []byte {
	all := append(slices.Clone(c.before), c.data)
	data := make([]byte, len(all[rng.IntN(len(all))]))
	hole := rng.IntN(len(data)/sector + 2)
	pick := []func(n int) []byte{
		func(int) []byte { return all[rng.IntN(len(all))] },
		func(n int) []byte { return all[(len(all)-1)*min(1, abs(n-hole))] }, // one sector is missing
		func(n int) []byte { // a beginning is missing, but the header
			if n > 0 && n <= hole {
				return all[0]
			}
			return c.data
		},
	}[rng.IntN(3)]
	for at := 0; at < len(data); at += sector {
		if from := pick(at / sector); at < len(from) {
			copy(data[at:min(at+sector, len(data))], from[at:])
		}
	}
	return data
}

func abs(n int) int { return max(n, -n) }

// change changes a folder.
func (d *fragile) change(f func(names map[string]*content)) {
	f(d.names)
	d.changes = append(d.changes, f)
}

func (d *fragile) Close() error { return nil }

func (d *fragile) Mkdir(dir string) error {
	d.begin()
	defer d.mu.Unlock()
	if _, ok := d.names[dir]; ok {
		return fs.ErrExist
	}
	d.change(func(names map[string]*content) { names[dir] = nil })
	return nil
}

func (d *fragile) List(dir string) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var entries []fs.DirEntry
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		if path.Dir(name) == dir {
			entries = append(entries, dirEntry{path.Base(name), d.names[name] == nil})
		}
	}
	return entries, nil
}

func (d *fragile) Create(name string) (file, error) {
	d.begin()
	defer d.mu.Unlock()
	if _, ok := d.names[name]; ok {
		return nil, fs.ErrExist
	}
	c := &content{before: [][]byte{nil}}
	d.change(func(names map[string]*content) { names[name] = c })
	return fragileFile{d, c}, nil
}

func (d *fragile) Open(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.names[name]
	if c == nil {
		return nil, fs.ErrNotExist
	}
	return fragileFile{d, c}, nil
}

func (d *fragile) Rename(from, to string) error {
	d.begin()
	defer d.mu.Unlock()
	c := d.names[from]
	d.change(func(names map[string]*content) { delete(names, from); names[to] = c })
	return nil
}

func (d *fragile) Remove(name string) error {
	d.begin()
	defer d.mu.Unlock()
	d.change(func(names map[string]*content) { delete(names, name) })
	return nil
}

func (d *fragile) SyncDir(string) error {
	d.begin()
	defer d.mu.Unlock()
	for _, change := range d.changes {
		change(d.synced)
	}
	d.changes = nil
	return nil
}

func (d *fragile) Lock(name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locks[name] {
		return nil, errLocked
	}
	d.locks[name] = true
	return fragileLock{d, name}, nil
}

type fragileLock struct {
	d    *fragile
	name string
}

func (l fragileLock) Close() error {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	delete(l.d.locks, l.name)
	return nil
}

type dirEntry struct {
	name string
	dir  bool
}

func (e dirEntry) Name() string               { return e.name }
func (e dirEntry) IsDir() bool                { return e.dir }
func (e dirEntry) Info() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }

func (e dirEntry) Type() fs.FileMode {
	if e.dir {
		return fs.ModeDir
	}
	return 0
}

type fragileFile struct {
	d *fragile
	c *content
}

func (f fragileFile) Close() error { return nil }

func (f fragileFile) ReadAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	n := copy(b, f.c.data[min(int(at), len(f.c.data)):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f fragileFile) WriteAt(b []byte, at int64) (int, error) {
	if f.d.mu.Lock(); f.d.killed && f.d.ops == f.d.at {
		f.put(b[:f.d.rng.IntN(len(b)+1)], int(at)) // it ends in the middle
	}
	f.d.mu.Unlock()
	f.d.begin()
	defer f.d.mu.Unlock()
	f.c.before = append(f.c.before, slices.Clone(f.c.data))
	f.put(b, int(at))
	return len(b), nil
}

func (f fragileFile) put(b []byte, at int) {
	f.c.data = append(f.c.data, make([]byte, max(0, at+len(b)-len(f.c.data)))...)
	copy(f.c.data[at:], b)
}

func (f fragileFile) Sync() error {
	f.d.begin()
	defer f.d.mu.Unlock()
	f.c.before = [][]byte{slices.Clone(f.c.data)}
	return nil
}

func (f fragileFile) Truncate(n int64) error {
	f.d.begin()
	defer f.d.mu.Unlock()
	f.c.before = append(f.c.before, f.c.data)
	data := make([]byte, n)
	copy(data, f.c.data)
	f.c.data = data
	return nil
}

func (f fragileFile) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.c.data)), nil
}
