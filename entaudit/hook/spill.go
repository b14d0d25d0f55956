package hook

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
)

// spillAt is the number of bytes that a spill keeps in memory.
const spillAt = 4 << 20

// spill keeps a sequence of records, in memory as long as they are few and then in a
// temporary file that has no name any more and goes with the process, so that a
// mutation of very many rows needs no more memory than one of some thousands. Where
// there is no disk all of them stay in memory.
type spill struct {
	dir    string // empty for the system's own
	limit  int
	memory [][]byte
	size   int
	file   *os.File
	w      *bufio.Writer
	broken bool // there is no disk
	n      int
}

func newSpill() *spill { return &spill{limit: spillAt} }

// append adds a record, which must not be changed afterwards.
func (s *spill) append(record []byte) error {
	s.n++
	if s.file == nil && s.size > s.limit && !s.broken {
		if err := s.open(); err != nil {
			slog.Warn("entaudit: no temporary file for a large mutation: it is kept in memory", "error", err)
			s.broken = true
		}
	}
	if s.file == nil {
		s.size += len(record)
		s.memory = append(s.memory, record)
		return nil
	}
	var head [binary.MaxVarintLen64]byte
	_, err := s.w.Write(head[:binary.PutUvarint(head[:], uint64(len(record)))])
	if err == nil {
		_, err = s.w.Write(record)
	}
	if err != nil {
		return fmt.Errorf("write temporary file: %w", err)
	}
	return nil
}

func (s *spill) open() error {
	f, err := os.CreateTemp(s.dir, "entaudit-") // mode 0600
	if err != nil {
		return err
	}
	if err := os.Remove(f.Name()); err != nil {
		// Windows keeps the name of an open file: it is removed when it is closed.
		slog.Debug("entaudit: temporary file keeps its name", "file", f.Name(), "error", err)
	}
	s.file, s.w = f, bufio.NewWriterSize(f, 64<<10)
	return nil
}

// all returns the records in order. None may be added any more.
func (s *spill) all() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, r := range s.memory {
			if !yield(r, nil) {
				return
			}
		}
		if s.file == nil {
			return
		}
		err := s.w.Flush()
		if err == nil {
			_, err = s.file.Seek(0, io.SeekStart)
		}
		in := bufio.NewReaderSize(s.file, 64<<10)
		for i := len(s.memory); i < s.n; i++ {
			var r []byte
			if err == nil {
				r, err = readRecord(in)
			}
			if err != nil {
				yield(nil, fmt.Errorf("read temporary file: %w", err))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func readRecord(in *bufio.Reader) ([]byte, error) {
	n, err := binary.ReadUvarint(in)
	if err != nil {
		return nil, err
	}
	r := make([]byte, n)
	_, err = io.ReadFull(in, r)
	return r, err
}

// close gives up the file. It may be called more than once.
func (s *spill) close() error {
	if s == nil || s.file == nil {
		return nil
	}
	f := s.file
	s.file, s.memory = nil, nil
	err := f.Close()
	if rerr := os.Remove(f.Name()); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}
