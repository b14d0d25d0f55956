package jsonl

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/entaudit/audit/entaudit"
)

// maxLine bounds a line. The largest entry has about a quarter of that.
const maxLine = 64 << 20

// LineError tells of a line that is not an entry.
type LineError struct {
	Path string
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("jsonl: %s:%d: %v", e.Path, e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *LineError) Unwrap() error { return e.Err }

var (
	errTorn = errors.New("the last line is not whole")
	errLong = fmt.Errorf("the line is longer than %d bytes", maxLine)
)

// Read returns the entries of a file, in order. A line that is not one comes as a
// [LineError], and reading goes on with the next; any other error is the last. A file that
// is being written may end in a line that is not whole yet. [Files] has the names of
// rotated files.
func Read(path string) iter.Seq2[entaudit.Entry, error] {
	return func(yield func(entaudit.Entry, error) bool) {
		f, err := os.Open(path) //nolint:gosec // the caller's to choose
		if err != nil {
			yield(entaudit.Entry{}, fmt.Errorf("jsonl: read: %w", err))
			return
		}
		defer func() { _ = f.Close() }() // nothing was written
		for e, err := range readLines(f, path) {
			if !yield(e, err) {
				return
			}
		}
	}
}

func readLines(r io.Reader, path string) iter.Seq2[entaudit.Entry, error] {
	return func(yield func(entaudit.Entry, error) bool) {
		b := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			line, err := readLine(b)
			if err == io.EOF { //nolint:errorlint // readLine returns it as it is
				return
			}
			var e entaudit.Entry
			if err == nil {
				err = e.UnmarshalJSON(line)
			} else if !errors.Is(err, errTorn) && !errors.Is(err, errLong) {
				yield(e, fmt.Errorf("jsonl: read %s: %w", path, err))
				return
			}
			if err != nil {
				err = &LineError{Path: path, Line: n, Err: err}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// readLine returns the next line without its end, io.EOF where there is none.
func readLine(b *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := b.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			long, line = true, line[:0]
		}
		if !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil && long:
			return nil, errLong
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, io.EOF) && (long || len(line) > 0):
			return nil, errTorn
		}
		return nil, err
	}
}
