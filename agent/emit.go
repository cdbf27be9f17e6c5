package agent

import (
	"slices"

	"github.com/weirlog/weir/agent/processor"
	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/lines"
)

// of is the source of a ref; messages that waited may be of a source that was read earlier.
func (l *lane) of(ref uint32) *source {
	if l.cur != nil && l.cur.ref == ref {
		return l.cur
	}
	return l.refs[ref]
}

// Emit renders a message into the batch, unless a rule drops it. It is the sink of the joiners.
func (l *lane) Emit(m *lines.Message) {
	s := l.of(m.Span.Ref)
	if rule := s.in.filter.Rule(m); rule != "" {
		l.dropAll(m, rule)
		return
	}
	if s.env == nil {
		l.envelope(s)
	}
	var bad bool
	b := l.batch
	stamp := l.stamp
	if !m.Read.Equal(l.now) {
		stamp = tree.AppendTime(nil, m.Read)
	}
	var rule string
	if b.arena, bad, rule = s.in.appendMessage(b.arena, s.env, stamp, m); rule != "" {
		l.dropAll(m, rule)
		return
	}
	if bad {
		l.a.stats.badText.Add(1)
	}
	for _, sp := range m.Merged {
		if o := l.of(sp.Ref); o != nil {
			o.account.merged.Add(sp.Len())
			b.fate(o, sp.From, sp.To, ledger.Merged, "partial")
		}
	}
	b.recs = append(b.recs, rec{src: s, from: m.Span.From, to: m.Span.To, end: len(b.arena), env: s.env, read: m.Read})
}

// appendMessage renders a message: bad says that its text held bytes which mean nothing, rule what drops it. stamp is m.Read as text.
func (in *compiled) appendMessage(b []byte, env *envelope, stamp []byte, m *lines.Message) (out []byte, bad bool, rule string) {
	if m.Codec == nil && m.Fields == nil && len(in.chain) == 0 {
		b, bad = env.appendPlain(b, stamp, m)
	} else {
		ev := env.newEvent(m)
		if rule = processor.Run(in.chain, ev); rule != "" {
			return b, false, rule
		}
		if !in.conf.KeepNull {
			tree.DropNulls(ev.Fields)
		}
		b = ev.Append(b)
	}
	return b, bad || m.Flags&lines.BadEncoding != 0, ""
}

// envelope renders what is constant for s.
func (l *lane) envelope(s *source) {
	env, missing := s.in.envelope(&l.a.cfg, s)
	if missing {
		l.a.stats.topicMissing.Add(1)
	}
	s.env = env
}

func (l *lane) dropAll(m *lines.Message, rule string) {
	for _, sp := range m.Merged {
		l.Drop(sp, rule)
	}
	l.Drop(m.Span, rule)
}

// Drop accounts for bytes that make no record.
func (l *lane) Drop(sp lines.Span, rule string) {
	if s := l.of(sp.Ref); s != nil {
		s.account.dropped.Add(sp.Len())
		l.batch.fate(s, sp.From, sp.To, ledger.Dropped, rule)
	}
	l.a.stats.drop(rule, sp.Len())
}

// settle notes in the batch how far s may move when the batch is acknowledged: to its position, or to the first byte that waits for
// more lines.
func (l *lane) settle(s *source) {
	c := s.chain
	if c.joiner == nil {
		l.move(s, s.pos)
		return
	}
	if c.joiner.Held() > 0 {
		l.open[c] = struct{}{}
	}
	if !slices.Contains(c.lagging, s) {
		c.lagging = append(c.lagging, s)
	}
	l.settleLagging(c)
}

// settleLagging moves the sources of c whose bytes went out meanwhile.
func (l *lane) settleLagging(c *chain) {
	c.lagging = slices.DeleteFunc(c.lagging, func(s *source) bool {
		low := c.joiner.Low(s.ref, s.pos)
		l.move(s, low)
		return low == s.pos
	})
}

// move notes a position, with the proof of it, and the end of a source that is over.
func (l *lane) move(s *source, pos int64) {
	if pos != s.settled {
		sum, ok := l.tailAt(s, pos)
		if !ok {
			return // the place stays behind until the source moves on
		}
		s.settled = pos
		l.batch.move(move{src: s, pos: pos, tail: sum, size: s.size, read: l.now.UnixMilli()})
	}
	if s.head.len != s.headSaved {
		l.batch.proof = l.batch.proof || s.headSaved == 0
		s.headSaved = s.head.len
		length, sum := s.head.len, s.head.sum
		l.a.reg.change(s.ref, dirtyHead, func(sv *saved) { sv.headLen, sv.headSum = length, sum })
	}
	if s.ending && pos == s.pos {
		s.ending = false
		delete(l.refs, s.ref)
		l.batch.ends = append(l.batch.ends, s)
	}
}

// tailAt is the registry's form of the bytes before pos.
func (l *lane) tailAt(s *source, pos int64) (sum uint64, ok bool) {
	if pos == s.pos {
		if !s.tailKnown {
			return s.tailSum, true
		}
		return tailSum(s.tail.bytes()), true
	}
	t := int(min(pos, tailBytes))
	if from := pos - int64(t); s == l.cur && from >= l.base-min(l.base, tailBytes) && pos <= l.base+slabBytes {
		at := int(from - (l.base - min(l.base, tailBytes)))
		return tailSum(l.slab[at : at+t]), true
	}
	l.a.mu.Lock()
	f := s.file
	l.a.mu.Unlock()
	if f == nil {
		return 0, false
	}
	var b [tailBytes]byte
	if n, _ := f.ReadAt(b[:t], pos-int64(t)); n != t {
		return 0, false
	}
	return tailSum(b[:t]), true
}
