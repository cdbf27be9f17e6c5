package lumberjack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"
)

// Limits bound what a peer may send. A zero field takes its default.
type Limits struct {
	Window int // events of a window; 65,536
	Frame  int // bytes of an event, and of a compressed frame before it is unpacked; 64 MiB
	Batch  int // bytes of events after which a part of a window is handed over; 4 MiB
}

const (
	defaultWindow = 65536
	defaultFrame  = 64 << 20
	defaultBatch  = 4 << 20

	// maxPairs bounds the fields of a version 1 event.
	maxPairs = 65536
	// readBuffer is the buffer of a connection.
	readBuffer = 16 << 10
	// emptyFrames is how many frames in a row may bring no event.
	emptyFrames = 1024
)

func (l Limits) filled() Limits {
	for _, f := range []struct {
		p *int
		d int
	}{{&l.Window, defaultWindow}, {&l.Frame, defaultFrame}, {&l.Batch, defaultBatch}} {
		if *f.p <= 0 {
			*f.p = f.d
		}
	}
	return l
}

// ProtocolError says that the peer does not speak the protocol or broke a limit. The connection is of no further use.
type ProtocolError struct {
	Why string
	Big bool // a limit was broken
}

func (e *ProtocolError) Error() string { return "lumberjack: " + e.Why }

func garbage(format string, args ...any) error {
	return &ProtocolError{Why: fmt.Sprintf(format, args...)}
}

func tooBig(format string, args ...any) error {
	return &ProtocolError{Why: fmt.Sprintf(format, args...), Big: true}
}

// Batch is events of one window, in order.
type Batch struct {
	Version byte   // '1' or '2'
	Last    uint32 // sequence of the last event: what to acknowledge

	data []byte
	ends []int
}

// Len is the number of events.
func (b *Batch) Len() int { return len(b.ends) }

// Event is event i: a JSON object as the peer sent it (not checked), or the pairs of a version 1 event as an object of texts, in which
// the pair "line" is called "message".
func (b *Batch) Event(i int) []byte {
	from := 0
	if i > 0 {
		from = b.ends[i-1]
	}
	return b.data[from:b.ends[i]:b.ends[i]]
}

// Bytes is the size of the events together.
func (b *Batch) Bytes() int { return len(b.data) }

// Reader reads batches from a connection. It belongs to one goroutine.
type Reader struct {
	lim    Limits
	raw    *bufio.Reader
	packed content       // of raw, while a compressed frame is read
	z      io.ReadCloser // nil before the first compressed frame
	in     *bufio.Reader // of z
	inside bool          // a compressed frame is open

	left  int // events of the window still to come
	begun begun
	batch Batch

	host host
}

// begun is an event whose head is read; its batch went out first. typ is 0 when there is none.
type begun struct {
	typ    byte
	seq, n uint32 // n: bytes of JSON, or pairs
}

// host is who a Reader gets memory from.
type host interface {
	// alloc is empty, with room for n bytes at least; nil when there is no memory, now or after having waited for it.
	alloc(n int, wait bool) []byte
	free(b []byte) // that alloc gave
	enough() bool  // a batch of what is there should go out, as others wait for memory
	progress()     // called before each frame
}

// alone is the host of a Reader without a Server.
type alone struct{}

func (alone) alloc(n int, _ bool) []byte { return make([]byte, 0, n) }
func (alone) free([]byte)                {}
func (alone) enough() bool               { return false }
func (alone) progress()                  {}

// NewReader reads from r.
func NewReader(r io.Reader, lim Limits) *Reader {
	return &Reader{lim: lim.filled(), raw: bufio.NewReaderSize(r, readBuffer), host: alone{}}
}

// Next is the next batch: a window, or as much of it as Limits.Batch allows. It is valid until the next call. The error is io.EOF when
// the peer closed between windows, a *ProtocolError, or one of the connection. Events of a window that ends in an error are not
// returned: they were not acknowledged, so the peer has them.
func (r *Reader) Next() (*Batch, error) {
	b := &r.batch
	b.data, b.ends = b.data[:0], b.ends[:0]
	if cap(b.data) > 2*r.lim.Batch {
		r.drop()
	}
	if r.begun.typ != 0 {
		done, err := r.body()
		if err != nil {
			return nil, unexpected(err)
		}
		if done {
			return b, nil
		}
	}
	for empty := 0; ; {
		r.host.progress()
		typ, err := r.header()
		if err != nil {
			if errors.Is(err, io.EOF) && r.left > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		done, err := r.frame(typ)
		if err != nil {
			return nil, unexpected(err)
		}
		if done {
			return b, nil
		}
		if typ == frameWindow || typ == frameCompressed {
			if empty++; empty > emptyFrames {
				return nil, garbage("%d frames without an event", empty)
			}
			continue
		}
		empty = 0
	}
}

// content is the bytes of a compressed frame. As it gives single bytes, zlib reads no further than it must.
type content struct {
	r    *bufio.Reader
	left int
}

func (p *content) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.r.Read(b[:min(len(b), p.left)])
	p.left -= n
	return n, err
}

func (p *content) ReadByte() (byte, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	c, err := p.r.ReadByte()
	if err == nil {
		p.left--
	}
	return c, err
}

// unexpected is the error of an input that ends inside a frame.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// source is where frames come from now.
func (r *Reader) source() *bufio.Reader {
	if r.inside {
		return r.in
	}
	return r.raw
}

// header reads version and type of the next frame, leaving a compressed frame that is at its end.
func (r *Reader) header() (typ byte, err error) {
	for {
		in := r.source()
		h, err := in.Peek(2)
		if errors.Is(err, io.EOF) && r.inside && len(h) == 0 {
			if err := r.leave(); err != nil {
				return 0, err
			}
			continue
		}
		if err != nil {
			if errors.Is(err, io.EOF) && len(h) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return 0, r.unpack(err)
		}
		if h[0] != version1 && h[0] != version2 {
			return 0, garbage("version %#02x", h[0])
		}
		if h[1] != frameCompressed {
			r.batch.Version = h[0]
		}
		typ = h[1]
		_, err = in.Discard(2)
		return typ, err
	}
}

// unpack names an error of the packed stream as the peer's.
func (r *Reader) unpack(err error) error {
	if r.inside && (errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrDictionary)) {
		return garbage("compressed frame: %v", err)
	}
	return err
}

// leave ends a compressed frame.
func (r *Reader) leave() error {
	r.inside = false
	if r.packed.left > 0 {
		return garbage("%d bytes behind the compressed stream", r.packed.left)
	}
	return nil
}

// frame reads the body of a frame and reports whether the batch is to be handed over.
func (r *Reader) frame(typ byte) (done bool, err error) {
	switch typ {
	case frameWindow:
		return r.window()
	case frameCompressed:
		return false, r.enter()
	case frameJSON, frameData:
		return r.event(typ)
	}
	return false, garbage("frame type %#02x", typ)
}

// window begins a window. Events of one that was not full go out first.
func (r *Reader) window() (done bool, err error) {
	n, err := r.number()
	if err != nil {
		return false, err
	}
	if int64(n) > int64(r.lim.Window) {
		return false, tooBig("window of %d events, limit %d", n, r.lim.Window)
	}
	r.left = int(n)
	return len(r.batch.ends) > 0, nil
}

// enter opens a compressed frame.
func (r *Reader) enter() error {
	if r.inside {
		return garbage("compressed frame in a compressed frame")
	}
	n, err := r.number()
	if err != nil {
		return err
	}
	if int64(n) > int64(r.lim.Frame) {
		return tooBig("compressed frame of %d bytes, limit %d", n, r.lim.Frame)
	}
	r.packed = content{r.raw, int(n)}
	if r.z == nil {
		r.z, err = zlib.NewReader(&r.packed)
		if err == nil {
			r.in = bufio.NewReaderSize(r.z, readBuffer)
		}
	} else if err = r.z.(zlib.Resetter).Reset(&r.packed, nil); err == nil {
		r.in.Reset(r.z)
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return io.ErrUnexpectedEOF
		}
		return garbage("compressed frame: %v", err)
	}
	r.inside = true
	return nil
}

// event reads the head of an event, and appends the event when there is memory for it beside those already read.
func (r *Reader) event(typ byte) (done bool, err error) {
	if r.left == 0 {
		return false, garbage("event outside of a window")
	}
	seq, err := r.number()
	if err != nil {
		return false, err
	}
	n, err := r.number()
	if err != nil {
		return false, err
	}
	want := stepBytes
	if typ == frameJSON {
		want = int(min(n, roomBytes))
	} else if n > maxPairs {
		return false, tooBig("event of %d fields, limit %d", n, maxPairs)
	}
	r.begun = begun{typ, seq, n}
	ok, err := r.room(want)
	if !ok || err != nil {
		return true, err
	}
	return r.body()
}

// room makes room for an event; false when the events held should go out first. A reader without whole events holds nothing while it
// waits, so readers do not wait for each other; only events over roomBytes wait in the middle.
func (r *Reader) room(want int) (ok bool, err error) {
	b := &r.batch
	at := len(b.data)
	if cap(b.data)-at >= want {
		return true, nil
	}
	whole := len(b.ends) > 0
	if !whole {
		r.drop()
	}
	grown := r.host.alloc(max(2*cap(b.data), at+want, firstBytes), !whole)
	if grown == nil {
		if whole {
			return false, nil
		}
		return false, errNoMemory
	}
	grown = append(grown, b.data...)
	r.drop()
	b.data = grown
	return true, nil
}

// body appends the event begun.
func (r *Reader) body() (done bool, err error) {
	b, e := &r.batch, r.begun
	r.begun = begun{}
	from := len(b.data)
	if e.typ == frameJSON {
		err = r.take(from, e.n)
	} else {
		err = r.pairs(from, e.n)
	}
	if err != nil {
		return false, r.unpack(err)
	}
	b.ends = append(b.ends, len(b.data))
	b.Last = e.seq
	r.left--
	return r.left == 0 || len(b.data) >= r.lim.Batch || r.host.enough(), nil
}

const (
	firstBytes = 4 << 10  // the first buffer of a batch
	stepBytes  = 64 << 10 // how far memory runs ahead of bytes received in a large event
	roomBytes  = 1 << 20  // how much memory an event is given before its bytes are there
)

// take appends n bytes of an event that began at from.
func (r *Reader) take(from int, n uint32) error {
	b := &r.batch
	if int64(len(b.data)-from)+int64(n) > int64(r.lim.Frame) {
		return tooBig("event of more than %d bytes", r.lim.Frame)
	}
	in := r.source()
	for left := int(n); left > 0; {
		step := min(left, stepBytes)
		if at := len(b.data); cap(b.data)-at < step {
			grown := r.host.alloc(min(max(2*cap(b.data), at+step), r.lim.Frame+r.lim.Batch), true)
			if grown == nil {
				return errNoMemory
			}
			grown = append(grown, b.data...)
			r.drop()
			b.data = grown
		}
		at := len(b.data)
		if _, err := io.ReadFull(in, b.data[at:at+step]); err != nil {
			return err
		}
		b.data = b.data[:at+step]
		left -= step
	}
	return nil
}

// drop gives the buffer of the events back.
func (r *Reader) drop() {
	if r.batch.data != nil {
		r.host.free(r.batch.data)
		r.batch.data = nil
	}
}

// errNoMemory: an event cannot be held now.
var errNoMemory = errors.New("lumberjack: no memory for an event")

// pairs appends the pairs of a version 1 event as a JSON object.
func (r *Reader) pairs(from int, n uint32) error {
	b := &r.batch
	b.data = append(b.data, '{')
	for i := range n {
		if i > 0 {
			b.data = append(b.data, ',')
		}
		if err := r.text(from, true); err != nil {
			return err
		}
		b.data = append(b.data, ':')
		if err := r.text(from, false); err != nil {
			return err
		}
	}
	b.data = append(b.data, '}')
	return nil
}

// text appends one key or value as a JSON string.
func (r *Reader) text(from int, key bool) error {
	n, err := r.number()
	if err != nil {
		return err
	}
	at := len(r.batch.data)
	if err := r.take(from, n); err != nil {
		return err
	}
	b := &r.batch
	s := string(b.data[at:])
	if key && s == "line" {
		s = "message"
	}
	b.data = appendJSON(b.data[:at], s)
	if len(b.data)-from > r.lim.Frame {
		return tooBig("event of more than %d bytes", r.lim.Frame)
	}
	return nil
}

func (r *Reader) number() (uint32, error) {
	in := r.source()
	p, err := in.Peek(4)
	if err != nil {
		return 0, r.unpack(err)
	}
	n := binary.BigEndian.Uint32(p)
	_, err = in.Discard(4)
	return n, err
}
