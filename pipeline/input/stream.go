package input

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/queue"
)

const (
	maxLine  = 10 << 20 // bytes of a line; the rest of a longer one is a line of its own
	readSize = 64 << 10

	chunkRecords = 125     // lines handed over at most at once
	chunkBytes   = 1 << 20 // a chunk ends with the line that reaches this
)

// readLines emits the lines of r as records, joined where the codec joins, until r ends or ctx does.
func readLines(ctx context.Context, r io.Reader, c codec.Codec, now func() time.Time, emit func(Chunk) error) error {
	s := &stream{now: now, emit: emit, r: bufio.NewReaderSize(r, readSize)}
	if j, ok := c.(codec.Joins); ok {
		s.joiner = j.NewJoiner()
	}
	done := make(chan error, 1)
	lines := make(chan [][]byte)
	stop := make(chan struct{})
	defer close(stop)
	// Reading may block for ever on a terminal or pipe, so it has a goroutine that outlives a cancelled Run at most until the next
	// line arrives.
	go func() { done <- s.read(lines, stop) }()
	for {
		select {
		case chunk := <-lines:
			for _, line := range chunk {
				s.line(line)
			}
			if s.flush() != nil {
				return nil
			}
		case err := <-done:
			if s.joiner != nil {
				s.joiner.Flush(s.add)
			}
			if s.flush() != nil {
				return nil
			}
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

type stream struct {
	r      *bufio.Reader
	joiner codec.Joiner
	emit   func(Chunk) error
	now    func() time.Time
	recs   []queue.Record
}

// read sends lines without their ends, as many at once as are there and fit. The last line need not have an end.
func (s *stream) read(lines chan<- [][]byte, stop <-chan struct{}) error {
	for {
		chunk, err := s.chunk()
		if len(chunk) > 0 {
			select {
			case lines <- chunk:
			case <-stop:
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read input: %w", err)
		}
	}
}

func (s *stream) chunk() (chunk [][]byte, err error) {
	for size := 0; len(chunk) < chunkRecords && size < chunkBytes; {
		line, err := s.next()
		if len(line) > 0 || err == nil {
			chunk = append(chunk, line)
			size += len(line)
		}
		if err != nil || s.r.Buffered() == 0 {
			return chunk, err
		}
	}
	return chunk, nil
}

// next reads a line of up to maxLine bytes.
func (s *stream) next() ([]byte, error) {
	var line []byte
	for {
		part, err := s.r.ReadSlice('\n')
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			if len(line) < maxLine {
				continue
			}
			err = nil
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), err
	}
}

func (s *stream) line(line []byte) {
	if s.joiner != nil {
		s.joiner.Line(line, s.add)
		return
	}
	s.add(line)
}

func (s *stream) add(message []byte) {
	s.recs = append(s.recs, queue.Record{Value: message, Time: s.now()})
}

func (s *stream) flush() error {
	if len(s.recs) == 0 {
		return nil
	}
	err := s.emit(Chunk{Records: s.recs})
	s.recs = s.recs[:0]
	return err
}
