package input

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/queue"
)

// tailed is an open file and how far it was read.
type tailed struct {
	name   string
	f      *os.File
	c      codec.Codec
	joiner codec.Joiner
	source ledger.Source

	read    int64  // bytes read
	partial []byte // of a line without an end so far
	from    int64  // first byte of the next record
	lens    []int  // bytes of each line the joiner holds, newline included
	recs    []queue.Record
	now     time.Time
}

func openTailed(name string, c codec.Codec) (*tailed, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	t := &tailed{name: name, f: f, c: c}
	t.reset()
	return t, nil
}

// reset forgets what was read.
func (t *tailed) reset() {
	t.read, t.from, t.partial, t.lens = 0, 0, nil, nil
	if j, ok := t.c.(codec.Joins); ok {
		t.joiner = j.NewJoiner()
	}
}

func (t *tailed) seek(e *position) error {
	t.source = e.source
	t.read, t.from = e.offset, e.offset
	_, err := t.f.Seek(e.offset, io.SeekStart)
	return err
}

func (t *tailed) close() error { return t.f.Close() }

// lines reads up to chunkBytes and returns the records of the lines that are whole. The slice is good until the next call.
func (t *tailed) lines(now time.Time) ([]queue.Record, error) {
	t.recs, t.now = t.recs[:0], now
	buf := make([]byte, chunkBytes) // records point into it
	n, err := t.f.Read(buf)
	t.read += int64(n)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	for rest := buf[:n]; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			t.partial = append(t.partial, rest...)
			if len(t.partial) > maxLine {
				t.line(t.partial, len(t.partial))
				t.partial = nil
			}
			break
		}
		line, size := rest[:i], i+1
		if len(t.partial) > 0 {
			line, size = append(t.partial, line...), size+len(t.partial)
			t.partial = nil
		}
		t.line(line, size)
		rest = rest[i+1:]
	}
	return t.recs, err
}

// rest returns the last line, which has no end, and what the joiner holds.
func (t *tailed) rest(now time.Time) []queue.Record {
	t.recs, t.now = t.recs[:0], now
	if len(t.partial) > 0 {
		t.line(t.partial, len(t.partial))
		t.partial = nil
	}
	if t.joiner != nil {
		t.joiner.Flush(t.joined)
	}
	return t.recs
}

func (t *tailed) line(line []byte, size int) {
	line = bytes.TrimSuffix(line, []byte("\r"))
	if t.joiner == nil {
		t.add(line, size)
		return
	}
	t.lens = append(t.lens, size)
	t.joiner.Line(line, t.joined)
}

// joined takes a message of the joiner; as many of the held lines are in it as it has line breaks, and one.
func (t *tailed) joined(message []byte) {
	n, size := strings.Count(string(message), "\n")+1, 0
	for _, l := range t.lens[:n] {
		size += l
	}
	t.lens = append(t.lens[:0], t.lens[n:]...)
	t.add(message, size)
}

func (t *tailed) add(message []byte, size int) {
	t.recs = append(t.recs, queue.Record{Key: []byte(t.name), Value: message, Time: t.now,
		Origin: ledger.Range{Source: t.source, From: t.from, To: t.from + int64(size)}})
	t.from += int64(size)
}
