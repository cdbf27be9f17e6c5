package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/lines"
	"github.com/weirlog/weir/queue"
)

// Stdin is the Input.Listen of type stdin: the lines of the process' standard input, which ends. Encoding, parsers and line filters of
// the Input hold for it. What was read cannot be read again: a kill loses what was not acknowledged.
type Stdin struct {
	// Reader is read instead of os.Stdin, when it is set.
	Reader io.Reader
}

// Validate finds nothing wrong.
func (c *Stdin) Validate() []error { return nil }

// Open opens nothing by itself: lines need what the agent compiled.
func (c *Stdin) Open(*slog.Logger) (input.Input, error) {
	return nil, errors.New("stdin is opened by its agent")
}

// stdin reads lines and hands their records over. All but the channel is Run's.
type stdin struct {
	l      *listener
	r      io.Reader
	feed   *feed
	chunks chan chunk
	back   chan []byte // buffers that were taken in

	enc     *lines.Encoding
	term    lines.Terminator
	dec     *lines.Decoder
	ready   bool // enc and term are those of the stream
	joiner  *lines.Joiner
	scratch lines.Scratch

	buf     []byte // of the unfinished line: all of it, or its end when it is long
	scanned int    // bytes of buf that hold no line end
	begin   int64  // position of the unfinished line
	long    *longRest

	now   time.Time
	stamp []byte
	recs  []queue.Record
	bytes int64
	acks  sync.WaitGroup
}

// longRest is what is kept of a line over the limit while it streams by.
type longRest struct {
	head []byte
	sum  hash.Hash
	n    int64 // bytes in sum
}

// chunk is what one read gave.
type chunk struct {
	b   []byte
	err error
}

// Sizes of a read, and of a line's end that is kept back while a long line streams by (its terminator is in it), in bytes.
const (
	stdinRead = 16 << 10
	stdinEnd  = 64
)

func newStdin(l *listener, c *Stdin) *stdin {
	s := &stdin{l: l, r: c.Reader, chunks: make(chan chunk), back: make(chan []byte, 2), enc: l.in.enc, term: l.in.term}
	if s.r == nil {
		s.r = os.Stdin
	}
	for range cap(s.back) {
		s.back <- make([]byte, stdinRead)
	}
	s.joiner = l.in.spec.NewJoiner(&s.scratch, s)
	return s
}

// Run reads to the end and returns when everything is acknowledged. A read that waits for input cannot be interrupted: when ctx ends
// first, its goroutine stays until the process ends, and what it would read is nobody's.
func (s *stdin) Run(ctx context.Context, _ input.Sink) error {
	s.feed = s.l.feedOf("stdin")
	go s.read(ctx)
	tick := time.NewTicker(duePeriod)
	defer tick.Stop()
	push := context.WithoutCancel(ctx) // what was read is handed on, also while the agent stops: it bounds that itself
	for {
		var c chunk
		select {
		case c = <-s.chunks:
			s.clock()
			s.take(c.b)
			if c.b != nil {
				s.back <- c.b[:cap(c.b)]
			}
		case <-tick.C:
			s.clock()
			s.joiner.Due(s.now)
		case <-ctx.Done():
			c.err = io.EOF
		}
		if c.err != nil {
			s.clock()
			s.finish()
		}
		if err := s.push(push); err != nil {
			return err
		}
		if c.err != nil {
			s.wait()
			if !errors.Is(c.err, io.EOF) {
				s.l.log.Error("read stdin", "error", c.err)
			}
			return nil
		}
	}
}

func (s *stdin) clock() {
	s.now = time.Now()
	s.stamp = tree.AppendTime(s.stamp[:0], s.now)
}

// read gives chunks until the end.
func (s *stdin) read(ctx context.Context) {
	for {
		var c chunk
		select {
		case b := <-s.back:
			n, err := s.r.Read(b)
			c = chunk{b[:n], err}
		case <-ctx.Done():
			return
		}
		select {
		case s.chunks <- c:
			if c.err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// wait returns when all records are acknowledged, or the agent has ended without them.
func (s *stdin) wait() {
	done := make(chan struct{})
	go func() { s.acks.Wait(); close(done) }()
	select {
	case <-done:
	case <-s.feed.lane.idle:
	}
}

// take splits what is there into lines.
func (s *stdin) take(b []byte) {
	s.l.a.stats.streamed.Add(int64(len(b)))
	s.buf = append(s.buf, b...)
	if !s.resolve(false) {
		return
	}
	off := 0
	for {
		rest := s.buf[off:]
		n := s.term.Next(rest, min(s.scanned, len(rest)))
		if n < 0 {
			s.scanned = len(rest)
			break
		}
		s.line(rest[:n])
		off += n
		s.scanned = 0
	}
	s.buf = append(s.buf[:0], s.buf[off:]...)
	s.shorten()
}

// resolve finds encoding and line ends when the first bytes decide; last says that no more come.
func (s *stdin) resolve(last bool) bool {
	if s.ready || !last && s.enc.Marked() && len(s.buf) < 4 {
		return s.ready
	}
	if s.enc.Marked() {
		s.enc = s.enc.Resolve(s.buf)
		if term, err := lines.FindTerminator(s.l.in.conf.LineTerminator, s.enc); err == nil { // it exists in one byte order and so in the other
			s.term = term
		}
	}
	s.dec, s.ready = s.enc.NewDecoder(), true
	return true
}

// shorten keeps the beginning of an unfinished line that is over the limit, and lets the rest stream by.
func (s *stdin) shorten() {
	limit := s.l.in.spec.Limit()
	if s.long == nil {
		if len(s.buf) <= limit+stdinRead {
			return
		}
		s.long = &longRest{head: append([]byte(nil), s.buf[:limit+stdinEnd]...), sum: sha256.New()}
	}
	if n := (len(s.buf) - stdinEnd) &^ 3; n > 0 { // whole code units
		s.long.sum.Write(s.buf[:n])
		s.long.n += int64(n)
		s.buf = append(s.buf[:0], s.buf[n:]...)
		s.scanned = len(s.buf)
	}
}

// line makes a message of one line with its end; of a long one, raw is its last bytes.
func (s *stdin) line(raw []byte) {
	text, ended := s.term.Strip(raw)
	size := int64(len(raw))
	limit := s.l.in.spec.Limit()
	var cut *lines.Cut
	if s.long != nil {
		s.long.sum.Write(text)
		size += s.long.n
		cut = &lines.Cut{Bytes: s.long.n + int64(len(text)), SHA256: [32]byte(s.long.sum.Sum(nil))}
		text, s.long = s.long.head, nil
	} else if len(text) > limit {
		cut = &lines.Cut{Bytes: int64(len(text)), SHA256: sha256.Sum256(text)}
	}
	m := lines.Message{Offset: s.begin, Span: lines.Span{From: s.begin, To: s.begin + size}, Read: s.now, Cut: cut}
	s.begin += size
	if !ended {
		m.Flags |= lines.Unterminated
	}
	if cut != nil {
		m.Flags |= lines.Truncated
		s.l.a.stats.cut.Add(cut.Bytes - int64(limit))
	}
	m.Text = plainText(&m, text, limit, s.enc, s.dec)
	s.joiner.Push(&m)
}

// finish takes the last line, which has no end, and what waits for more lines.
func (s *stdin) finish() {
	if s.resolve(true); len(s.buf) > 0 || s.long != nil {
		for {
			n := s.term.Next(s.buf, 0)
			if n < 0 {
				break
			}
			s.line(s.buf[:n])
			s.buf = s.buf[n:]
		}
		if len(s.buf) > 0 {
			s.line(s.buf)
		}
		s.buf = nil
	}
	s.joiner.Flush()
}

// Emit renders a message, unless a rule drops it.
func (s *stdin) Emit(m *lines.Message) {
	if rule := s.l.in.filter.Rule(m); rule != "" {
		s.Drop(m.Span, rule)
		return
	}
	stamp := s.stamp
	if !m.Read.Equal(s.now) {
		stamp = tree.AppendTime(nil, m.Read)
	}
	value, bad, rule := s.l.in.appendMessage(make([]byte, 0, len(m.Text)+eventCost), s.l.env, stamp, m)
	if rule != "" {
		s.Drop(m.Span, rule)
		return
	}
	if bad {
		s.l.a.stats.badText.Add(1)
	}
	s.recs = append(s.recs, queue.Record{
		Topic: s.l.env.topic, Time: s.now, Key: s.feed.key, Value: value,
		Origin: ledger.Range{Source: s.feed.id, From: m.Span.From, To: m.Span.To},
	})
	s.bytes += int64(len(m.Text)) + eventCost
}

// Drop accounts for bytes that make no record.
func (s *stdin) Drop(sp lines.Span, rule string) { s.l.a.stats.drop(rule, sp.Len()) }

// push hands over what was made.
func (s *stdin) push(ctx context.Context) error {
	if len(s.recs) == 0 {
		return nil
	}
	if err := s.l.a.pushBudget.take(ctx, s.feed.lane.idle, s.bytes); err != nil {
		return err
	}
	s.acks.Add(1)
	p := &pushed{recs: s.recs, bytes: s.bytes, stream: "stdin", acked: s.acks.Done, on: s.l}
	s.recs, s.bytes = nil, 0
	return s.l.handOver(ctx, s.feed, p)
}
