package agent

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/lines"
)

// verdict is what a read says about the file.
type verdict uint8

const (
	more    verdict = iota // the bytes are the source's, and the slab is full
	eof                    // the bytes are the source's, and there are no more
	foreign                // the file holds other bytes
	failed
)

// serve reads a file's share: open it, read, check that it is still the same, split, join, filter, render. At the end of the file it
// is parked, or ended when nothing will come.
func (l *lane) serve(s *source) {
	f, finish := l.file(s)
	if f == nil {
		return
	}
	l.cur = s
	l.clockNow()
	for taken := 0; taken < turnBytes; {
		data, v := l.fetch(s, f)
		n := l.split(s, data)
		taken += n
		l.settle(s)
		switch {
		case v == foreign:
			l.report(s, suspect, nil)
			return
		case v == failed:
			l.report(s, reading, l.openErr)
			return
		case v == eof:
			l.atEnd(s, data[n:], finish)
			return
		case n == 0:
			l.long(s, f, finish)
			return
		}
	}
	l.wake(s)
}

func (l *lane) clockNow() {
	l.now = time.Now()
	l.stamp = tree.AppendTime(l.stamp[:0], l.now)
}

// file is the open file of s and whether s ends at the end of it; nil when s is not to be read now.
func (l *lane) file(s *source) (f content, finish bool) {
	a := l.a
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.phase != reading || l.now.Before(s.retryAt) {
		return nil, false
	}
	if !a.mayFollowLocked(s, l.now) {
		a.blocked = append(a.blocked, s)
		a.poke()
		return nil, false
	}
	if !a.mayReadLocked(s) {
		return nil, false
	}
	if s.file == nil {
		if err := a.openLocked(s); err != nil {
			a.cannotOpenLocked(s, err, l.now)
			return nil, false
		}
	}
	s.parked = 0
	return s.file, s.finish
}

// fetch reads from the position on, with the bytes before it as proof, and looks at the head. data is valid until the next fetch.
func (l *lane) fetch(s *source, f content) (data []byte, v verdict) {
	t := int(min(s.pos, tailBytes))
	l.base = s.pos
	n, err := f.ReadAt(l.slab, s.pos-int64(t))
	if err != nil && !errors.Is(err, io.EOF) {
		l.openErr = fmt.Errorf("read %s: %w", s.first, err)
		return nil, failed
	}
	if n < t || !s.provesTail(l.slab[:t]) {
		return nil, foreign
	}
	data = l.slab[t:n]
	h, err := f.ReadAt(l.headBuf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		l.openErr = fmt.Errorf("read %s: %w", s.first, err)
		return nil, failed
	}
	if !s.head.holds(l.headBuf[:h]) {
		if l.changed(s, f, data) {
			return data, foreign // read before the file was replaced: still the source's
		}
		return nil, foreign
	}
	l.grow(s, l.headBuf[:min(int64(h), s.pos+int64(len(data)))])
	v = eof
	if n == len(l.slab) {
		v = more
	}
	l.sized(s, s.pos+int64(len(data)))
	s.verified = l.now
	return data, v
}

// provesTail reports whether b are the bytes before the position.
func (s *source) provesTail(b []byte) bool {
	if s.tailKnown {
		return bytes.Equal(b, s.tail.bytes())
	}
	if tailSum(b) != s.tailSum {
		return false
	}
	s.tail.set(b)
	s.tailKnown = true
	return true
}

// changed reads the same bytes again and reports whether they differ from data.
func (l *lane) changed(s *source, f content, data []byte) bool {
	again := make([]byte, len(data))
	n, _ := f.ReadAt(again, s.pos)
	return !bytes.Equal(again[:n], data)
}

// grow keeps more of the head, as it was proven.
func (l *lane) grow(s *source, b []byte) {
	if s.head.len < headBytes && len(b) > s.head.len {
		s.head.grow(b)
		if s.env != nil && s.head.len == headBytes {
			s.env = nil // the fingerprint is known from here on
		}
	} else if s.head.raw == nil && s.head.len > 0 {
		s.head.raw = append([]byte(nil), b[:s.head.len]...)
	}
}

// sized notes the end of the file.
func (l *lane) sized(s *source, size int64) {
	if size > s.size {
		s.size, s.grew = size, l.now
		s.account.lastLine.Store(l.now.UnixMilli())
		s.account.unreadSince.CompareAndSwap(0, l.now.UnixMilli())
	}
	s.account.size.Store(s.size)
}

// split takes the complete lines of data, which begins at the position, and returns their bytes.
func (l *lane) split(s *source, data []byte) int {
	if len(data) == 0 || !l.resolve(s, data) {
		return 0
	}
	base, off := s.pos, 0
	for {
		rest := data[off:]
		n := s.term.Next(rest, int(min(max(s.scanned-base-int64(off), 0), int64(len(rest)))))
		if n < 0 {
			break
		}
		l.line(s, data[off:off+n], base+int64(off))
		off += n
		if l.batch.full() {
			l.advance(s, base, data, off)
			l.settle(s)
			l.handOver()
		}
	}
	l.advance(s, base, data, off)
	if end := base + int64(len(data)); end > s.scanned || len(data) < slabBytes {
		s.scanned = end
	}
	return off
}

// advance moves the position behind the first off bytes of data, which lies in the slab behind its proof.
func (l *lane) advance(s *source, base int64, data []byte, off int) {
	if pos := base + int64(off); pos > s.pos {
		t := int(min(base, tailBytes))
		s.tail.set(l.slab[:t+off])
		s.account.read.Add(pos - s.pos)
		s.pos = pos
		s.scanned = max(s.scanned, pos)
		s.account.position.Store(pos)
	}
}

// resolve finds encoding and line ends of the file when its first bytes are needed for that.
func (l *lane) resolve(s *source, data []byte) bool {
	if s.resolved {
		return true
	}
	s.enc, s.term = s.in.enc, s.in.term
	if s.enc.Marked() {
		if s.head.len < 2 {
			return false
		}
		s.enc = s.enc.Resolve(s.head.raw)
		term, err := lines.FindTerminator(s.in.conf.LineTerminator, s.enc)
		if err != nil { // it exists in one byte order and so in the other
			return false
		}
		s.term = term
	}
	s.resolved = true
	return true
}

// nulRun is how many NUL bytes at a line's beginning are a preallocated or torn place of the file, not text.
const nulRun = 4096

// line makes a message of one line of s, raw with its end, which begins at from.
func (l *lane) line(s *source, raw []byte, from int64) {
	text, ended := s.term.Strip(raw)
	l.begin(s, from, from+int64(len(raw)))
	if !ended {
		l.msg.Flags |= lines.Unterminated
	}
	if limit := s.in.spec.Limit(); len(text) > limit {
		l.cut(s, lines.Cut{Bytes: int64(len(text)), SHA256: sha256.Sum256(text)})
	}
	l.text(s, text)
}

// begin starts the message of the line [from, to).
func (l *lane) begin(s *source, from, to int64) {
	l.msg = lines.Message{Offset: from, Span: lines.Span{Ref: s.ref, From: from, To: to}, Read: l.now}
}

// cut says that only the beginning of the line is kept.
func (l *lane) cut(s *source, c lines.Cut) {
	l.msg.Cut = &c
	l.msg.Flags |= lines.Truncated
	l.a.stats.cut.Add(c.Bytes - int64(s.in.spec.Limit()))
}

// text gives the message its text, the bytes of the line without its end, and hands it on. A cut line may hold more than is kept.
func (l *lane) text(s *source, text []byte) {
	m := &l.msg
	m.Text = plainText(m, text, s.in.spec.Limit(), s.enc, l.decoder(s.enc))
	s.account.lines.Add(1)
	l.push(s, m)
}

// plainText is a line in UTF-8, valid until the decoder's next use: of a cut one the beginning, without a byte order mark at the
// beginning of the input and without a run of NUL bytes. It sets the message's flags.
func plainText(m *lines.Message, text []byte, limit int, enc *lines.Encoding, dec *lines.Decoder) []byte {
	if m.Cut != nil {
		if enc.Plain() {
			text = lines.CutText(text, limit)
		} else {
			text = text[:limit-limit%enc.Width()]
		}
	}
	if m.Offset == 0 {
		text = text[enc.Mark(text):]
	}
	if len(text) >= nulRun && text[0] == 0 && enc.Width() == 1 {
		if trimmed := bytes.TrimLeft(text, "\x00"); len(text)-len(trimmed) >= nulRun {
			text = trimmed
			m.Flags |= lines.Nul
		}
	}
	if !enc.Plain() {
		var bad bool
		if text, bad = dec.Decode(text); bad {
			m.Flags |= lines.BadEncoding
		}
	}
	return text
}

// push hands a line to the chain's parsers, or on when there are none.
func (l *lane) push(s *source, m *lines.Message) {
	if s.in.spec.Empty() {
		l.Emit(m)
		return
	}
	c := s.chain
	if c.joiner == nil {
		c.joiner = s.in.spec.NewJoiner(&l.scratch, l)
	}
	if l.refs[s.ref] == nil {
		l.prune()
		l.refs[s.ref] = s
	}
	c.joiner.Push(m)
}

// pruneRefs is how many sources of a lane are remembered before those that are over are looked for.
const pruneRefs = 4096

// prune forgets sources that are over and hold nothing back.
func (l *lane) prune() {
	if len(l.refs) < l.pruneAt {
		return
	}
	l.a.mu.Lock()
	defer l.a.mu.Unlock()
	for ref, s := range l.refs {
		if s.phase == ended && !slices.Contains(s.chain.lagging, s) {
			delete(l.refs, ref)
		}
	}
	l.pruneAt = max(2*len(l.refs), pruneRefs)
}

// decoder is the lane's decoder of an encoding, nil when the bytes are text as they are.
func (l *lane) decoder(enc *lines.Encoding) *lines.Decoder {
	if enc.Plain() {
		return nil
	}
	d := l.dec[enc]
	if d == nil {
		d = enc.NewDecoder()
		l.dec[enc] = d
	}
	return d
}

// long looks for the end of a line that is longer than a read, and takes the line when it is found. How far it looked is remembered.
func (l *lane) long(s *source, f content, finish bool) {
	back, width := int64(s.term.Len()-1), int64(s.enc.Width())
	for taken := 0; taken < turnBytes; taken += slabBytes {
		at := max(s.scanned-back, s.pos)
		at -= (at - s.pos) % width
		n, err := f.ReadAt(l.slab, at)
		if err != nil && !errors.Is(err, io.EOF) {
			l.report(s, reading, fmt.Errorf("read %s: %w", s.first, err))
			return
		}
		if end := s.term.Next(l.slab[:n], 0); end >= 0 {
			l.longLine(s, f, at+int64(end), true)
			return
		}
		s.scanned = at + int64(n)
		l.sized(s, s.scanned)
		if n == len(l.slab) {
			continue
		}
		if finish {
			l.longLine(s, f, s.scanned, false)
			return
		}
		l.atEnd(s, nil, false)
		return
	}
	l.wake(s)
}

// longLine takes the line from the position to end, its terminator included when it is ended. Of one over the limit the beginning is
// kept, the rest streams by.
func (l *lane) longLine(s *source, f content, end int64, ended bool) {
	defer l.wake(s)
	size := end - s.pos
	limit := int64(s.in.spec.Limit())
	buf := make([]byte, min(size, limit+16)) // 16: more than any line end has
	if _, err := io.ReadFull(io.NewSectionReader(f, s.pos, int64(len(buf))), buf); err != nil {
		return // truncated meanwhile: the next look says so
	}
	last := make([]byte, min(size, tailBytes))
	if _, err := f.ReadAt(last, end-int64(len(last))); err != nil && !errors.Is(err, io.EOF) {
		return
	}
	stripped, _ := s.term.Strip(last)
	length := size - int64(len(last)-len(stripped))
	l.begin(s, s.pos, end)
	if !ended {
		l.msg.Flags |= lines.Unterminated
	}
	if length > limit {
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(f, s.pos, length)); err != nil {
			return
		}
		l.cut(s, lines.Cut{Bytes: length, SHA256: [32]byte(sum.Sum(nil))})
	}
	l.text(s, buf[:min(length, int64(len(buf)))])
	s.tail.set(last)
	s.tailKnown = true
	s.account.read.Add(size)
	s.pos, s.scanned, l.base = end, end, end
	s.account.position.Store(end)
	l.settle(s)
	if l.batch.full() {
		l.handOver()
	}
}

// atEnd parks s, whose unfinished line rest stays in the file, or ends it.
func (l *lane) atEnd(s *source, rest []byte, finish bool) {
	s.next, s.endedAt = l.now.Add(l.a.cfg.timing.serve), l.now
	if finish {
		l.finish(s, rest)
		return
	}
	if l.noteEnd(s, finish) {
		l.wake(s)
		return
	}
	l.park(s)
}

// finish takes the last line, which has no end, and ends s when everything of it went out.
func (l *lane) finish(s *source, rest []byte) {
	if len(rest) > 0 && l.resolve(s, rest) {
		base := s.pos
		l.line(s, rest, base)
		l.advance(s, base, rest, len(rest))
	}
	c := s.chain
	if c.joiner != nil && !l.a.hasSuccessor(s) {
		c.joiner.Flush()
	}
	l.a.mu.Lock()
	s.finish, s.atEOF = false, true
	l.a.restedLocked(s)
	if next := c.after(s); next != nil {
		l.wake(next)
	}
	if s.gone {
		s.phase, s.ending = finished, true
	}
	l.a.closeLocked(s)
	l.a.mu.Unlock()
	l.settle(s)
}

// noteEnd tells the keeper that s was read to its end, lets its successor go on, and reports whether s is to be ended now.
func (l *lane) noteEnd(s *source, finish bool) bool {
	a := l.a
	a.mu.Lock()
	defer a.mu.Unlock()
	s.quietSince = s.grew
	s.atEOF = true
	a.restedLocked(s)
	s.fault = ""
	if next := s.chain.after(s); next != nil && next.phase == reading {
		s.chain.lane.wake(next)
	}
	return s.finish && !finish
}

// park keeps the descriptor of s among those of idle files, or closes it.
func (l *lane) park(s *source) {
	l.clock++
	s.parked = l.clock
	l.parked = append(l.parked, parking{s, l.clock, l.now})
	limit := max(idleOpen/len(l.a.lanes), 1)
	if s.in.conf.CloseEOF {
		l.parked[0], l.parked[len(l.parked)-1] = l.parked[len(l.parked)-1], l.parked[0]
		limit = len(l.parked) - 1
	}
	for len(l.parked) > limit {
		l.unpark()
	}
}

// unpark closes the descriptor that was idle for longest. One whose file has no name any more stays open.
func (l *lane) unpark() {
	p := l.parked[0]
	l.parked[0] = parking{}
	l.parked = l.parked[1:]
	if p.stamp != p.src.parked {
		return
	}
	l.a.mu.Lock()
	defer l.a.mu.Unlock()
	if !p.src.gone {
		l.a.closeLocked(p.src)
		p.src.head.raw, p.src.env = nil, nil // 4 KiB a file; both are made again when it grows
	}
}

// report tells the keeper what a read met.
func (l *lane) report(s *source, ph phase, err error) {
	a := l.a
	a.mu.Lock()
	a.restedLocked(s)
	if ph == suspect {
		s.phase, s.since, s.atEOF = suspect, l.now, false
		a.suspects = append(a.suspects, s)
		a.stats.truncations.Add(1)
	} else {
		s.fault = err.Error()
		s.retryAt = l.now.Add(a.cfg.timing.reread)
		a.retry = append(a.retry, s)
		if !errors.Is(err, os.ErrNotExist) {
			a.stats.readErrors.Add(1)
		}
	}
	a.mu.Unlock()
	a.poke()
}
