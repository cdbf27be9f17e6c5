package syslog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Framing is how messages are told apart on a stream.
type Framing uint8

const (
	Delimiter Framing = iota // each ends with the delimiter
	RFC6587                  // as Delimiter, or "length message" when a digit other than 0 is first
)

// FindFraming is the framing of a setting: delimiter or rfc6587.
func FindFraming(name string) (Framing, error) {
	switch name {
	case "delimiter":
		return Delimiter, nil
	case "rfc6587":
		return RFC6587, nil
	}
	return 0, fmt.Errorf("framing %q is none of delimiter, rfc6587", name)
}

// ErrLength is a length that is none, or one beyond reason: the stream is of no further use.
var ErrLength = errors.New("syslog: length of a message is broken")

// Frame is a message of a stream, as long as there is room for.
type Frame struct {
	Bytes []byte // without what ends it
	From  int64  // of the stream
	To    int64
	Cut   int  // bytes that are not in Bytes
	Last  bool // the stream ended without a delimiter
}

// Framer takes a stream apart. It belongs to one goroutine.
type Framer struct {
	r     *bufio.Reader
	delim []byte
	kind  Framing
	most  int
	at    int64
	buf   []byte
}

const (
	framerBuffer = 16 << 10
	keepBuffer   = 64 << 10 // a larger buffer is let go behind its message
)

// NewFramer reads messages from r, of each at most so many bytes. An empty delimiter is a line feed, before which a carriage return is
// taken away too.
func NewFramer(r io.Reader, kind Framing, delim string, most int) *Framer {
	return &Framer{r: bufio.NewReaderSize(r, framerBuffer), delim: []byte(delim), kind: kind, most: most}
}

// Ready reports whether Next has a whole message without waiting for the stream.
func (f *Framer) Ready() bool {
	b, _ := f.r.Peek(f.r.Buffered())
	if f.kind == RFC6587 && len(b) > 0 && '1' <= b[0] && b[0] <= '9' {
		n, digits := number(b, 9)
		return len(b) > digits && (b[digits] != ' ' || len(b) > digits+n)
	}
	if len(f.delim) == 0 {
		return bytes.IndexByte(b, '\n') >= 0
	}
	return bytes.Contains(b, f.delim)
}

// Next is the next message; valid until the next call. The error is io.EOF at the end of the stream, ErrLength, or the stream's.
func (f *Framer) Next() (Frame, error) {
	if cap(f.buf) > keepBuffer {
		f.buf = nil
	}
	f.buf = f.buf[:0]
	from := f.at
	if f.kind == RFC6587 {
		if c, err := f.r.Peek(1); err == nil && '1' <= c[0] && c[0] <= '9' {
			return f.counted(from)
		}
	}
	return f.delimited(from)
}

// counted reads "length message".
func (f *Framer) counted(from int64) (Frame, error) {
	n, digits := 0, 0
	for {
		c, err := f.r.ReadByte()
		if err != nil {
			return Frame{}, err
		}
		f.at++
		if c == ' ' {
			break
		}
		if c < '0' || c > '9' || digits == 9 {
			return Frame{}, ErrLength
		}
		n = n*10 + int(c-'0')
		digits++
	}
	for keep := min(n, f.most); len(f.buf) < keep; {
		step := min(keep-len(f.buf), framerBuffer)
		at := len(f.buf)
		f.buf = append(f.buf, make([]byte, step)...)
		m, err := io.ReadFull(f.r, f.buf[at:])
		f.at += int64(m)
		if err != nil {
			return Frame{}, err
		}
	}
	cut := n - len(f.buf)
	m, err := f.r.Discard(cut)
	f.at += int64(m)
	return Frame{Bytes: f.buf, From: from, To: f.at, Cut: cut}, err
}

// delimited reads up to the delimiter. What stands before the end of the stream is a message too.
func (f *Framer) delimited(from int64) (Frame, error) {
	last := byte('\n')
	if len(f.delim) > 0 {
		last = f.delim[len(f.delim)-1]
	}
	cut := 0
	for {
		part, err := f.r.ReadSlice(last)
		f.at += int64(len(part))
		room := max(f.most+max(len(f.delim), 2)-len(f.buf), 0) // 2: CR LF
		f.buf = append(f.buf, part[:min(len(part), room)]...)
		cut += len(part) - min(len(part), room)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil && !f.ends(part, cut):
			continue
		case err == nil:
			return f.strip(from, cut, true), nil
		case errors.Is(err, io.EOF) && len(f.buf) > 0:
			return f.strip(from, cut, false), nil
		}
		return Frame{}, err
	}
}

// ends reports whether the message is at its end, now that its last byte is there. Of a message that is cut, part holds the end
// unless it was torn by the buffer, which a delimiter of one byte cannot be.
func (f *Framer) ends(part []byte, cut int) bool {
	if len(f.delim) < 2 {
		return true
	}
	if cut == 0 {
		return bytes.HasSuffix(f.buf, f.delim)
	}
	return bytes.HasSuffix(part, f.delim)
}

// strip takes the delimiter away, and the room there was for it.
func (f *Framer) strip(from int64, cut int, ended bool) Frame {
	b := f.buf
	switch {
	case ended && cut == 0 && len(f.delim) > 0:
		b = b[:len(b)-len(f.delim)]
	case ended && cut == 0: // a line
		b = bytes.TrimSuffix(b, []byte("\n"))
		b = bytes.TrimSuffix(b, []byte("\r"))
	case ended:
		cut -= min(cut, max(len(f.delim), 1))
	}
	if len(b) > f.most {
		cut += len(b) - f.most
		b = b[:f.most]
	}
	return Frame{Bytes: b, From: from, To: f.at, Cut: cut, Last: !ended}
}
