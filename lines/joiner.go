package lines

import (
	"time"

	"github.com/valyala/fastjson"
)

// Sink takes what a Joiner makes of lines.
type Sink interface {
	// Emit takes a message; it is the Joiner's again when Emit returns.
	Emit(m *Message)
	// Drop is told the bytes that make no message, and the rule.
	Drop(span Span, rule string)
}

// Scratch is what joiners of one goroutine share.
type Scratch struct {
	json fastjson.Parser
}

// Spec is the parsers of an input, compiled once for all its files. It is immutable.
type Spec struct {
	steps []spec
	limit int
}

// spec makes the step of one file.
type spec interface {
	step() step
}

// step is one parser with what it holds back of one file.
type step interface {
	// push takes a message and hands on none, one or two.
	push(j *Joiner, at int, m *Message)
	// due hands on what waited longer than its parser's timeout.
	due(j *Joiner, at int, now time.Time)
	// flush hands on everything held back.
	flush(j *Joiner, at int)
	// low is the lowest byte of file ref that is held back, or high.
	low(ref uint32, high int64) int64
	// held is the number of bytes held back.
	held() int
}

// NewSpec starts a list of parsers whose messages keep at most limit bytes.
func NewSpec(limit int) *Spec { return &Spec{limit: limit} }

// Empty reports whether lines pass as they are.
func (s *Spec) Empty() bool { return len(s.steps) == 0 }

// Limit is the number of bytes kept of a message.
func (s *Spec) Limit() int { return s.limit }

// Joiner runs the parsers over the lines of a file and of those that follow it under its name. It is not safe for concurrent use.
type Joiner struct {
	steps   []step
	limit   int
	scratch *Scratch
	sink    Sink
}

// NewJoiner makes the state of one file. The scratch and the sink may be shared by joiners of the same goroutine.
func (s *Spec) NewJoiner(scratch *Scratch, sink Sink) *Joiner {
	j := &Joiner{limit: s.limit, scratch: scratch, sink: sink, steps: make([]step, len(s.steps))}
	for i, sp := range s.steps {
		j.steps[i] = sp.step()
	}
	return j
}

// Push takes one line.
func (j *Joiner) Push(m *Message) { j.run(0, m) }

// run hands m to step at, or out.
func (j *Joiner) run(at int, m *Message) {
	if at < len(j.steps) {
		j.steps[at].push(j, at, m)
		return
	}
	if len(m.Text) > j.limit {
		m.Text = CutText(m.Text, j.limit)
		m.Flags |= Truncated
	}
	j.sink.Emit(m)
}

// drop accounts for a message that goes nowhere.
func (j *Joiner) drop(m *Message, rule string) {
	for _, s := range m.Merged {
		j.sink.Drop(s, rule)
	}
	j.sink.Drop(m.Span, rule)
}

// Due hands on what waited longer than a parser's timeout.
func (j *Joiner) Due(now time.Time) {
	for i, s := range j.steps {
		s.due(j, i, now)
	}
}

// Flush hands on everything that is held back: nothing will follow.
func (j *Joiner) Flush() {
	for i, s := range j.steps {
		s.flush(j, i)
	}
}

// Low is the lowest byte of file ref that is held back, or high when none below it is: the place to read from after a restart.
func (j *Joiner) Low(ref uint32, high int64) int64 {
	for _, s := range j.steps {
		high = s.low(ref, high)
	}
	return high
}

// Held is the number of bytes that are held back; 0 means that nothing is.
func (j *Joiner) Held() int {
	n := 0
	for _, s := range j.steps {
		n += s.held()
	}
	return n
}

// open is a message that waits for more.
type open struct {
	msg   Message
	on    bool
	lines int       // taken in
	last  time.Time // of the last line
}

// begin starts with m, copying what is m's owner's.
func (o *open) begin(m *Message, limit int) {
	text, merged := o.msg.Text[:0], o.msg.Merged[:0]
	o.msg = *m
	o.msg.Text, o.msg.Merged = text, append(merged, m.Merged...)
	o.on, o.lines, o.last = true, 0, m.Read
	o.text(m.Text, "", limit)
}

// add joins m behind what is there.
func (o *open) add(m *Message, between string, maxLines, limit int) {
	o.span(m)
	o.last = m.Read
	o.msg.Flags |= m.Flags
	o.msg.Fields = mergeFields(o.msg.Fields, m.Fields)
	o.msg.JSON = mergeFields(o.msg.JSON, m.JSON)
	if maxLines > 0 && o.lines >= maxLines {
		o.msg.Flags |= Truncated
		o.lines++
		return
	}
	o.text(m.Text, between, limit)
}

// span takes the bytes of m in: they prolong the range, or begin a new one when something lies between.
func (o *open) span(m *Message) {
	for _, s := range append(m.Merged[:len(m.Merged):len(m.Merged)], m.Span) {
		if s.Ref == o.msg.Span.Ref && s.From == o.msg.Span.To {
			o.msg.Span.To = s.To
			continue
		}
		o.msg.Merged = append(o.msg.Merged, o.msg.Span)
		o.msg.Span = s
	}
}

func (o *open) text(text []byte, between string, limit int) {
	o.lines++
	room := limit - len(o.msg.Text)
	if o.lines > 1 {
		room -= len(between)
	}
	if room < 0 || room == 0 && len(text) > 0 {
		o.msg.Flags |= Truncated
		return
	}
	if o.lines > 1 {
		o.msg.Text = append(o.msg.Text, between...)
	}
	if len(text) > room {
		text = CutText(text, room)
		o.msg.Flags |= Truncated
	}
	o.msg.Text = append(o.msg.Text, text...)
}

// keep bounds the buffer a finished message leaves behind.
const keep = 64 << 10

// take ends the message; the result is valid until the next begin.
func (o *open) take() *Message {
	o.on = false
	if o.lines > 1 {
		o.msg.Flags |= Joined
	}
	return &o.msg
}

// drained lets a large buffer go after the message went out.
func (o *open) drained() {
	if cap(o.msg.Text) > keep {
		o.msg.Text = nil
	}
	o.msg.JSON, o.msg.Fields, o.msg.Cut = nil, nil, nil
}

func (o *open) low(ref uint32, high int64) int64 {
	if !o.on {
		return high
	}
	for _, s := range o.msg.Merged {
		if s.Ref == ref {
			high = min(high, s.From)
		}
	}
	if o.msg.Span.Ref == ref {
		high = min(high, o.msg.Span.From)
	}
	return high
}

func (o *open) held() int {
	if !o.on {
		return 0
	}
	return max(len(o.msg.Text), 1)
}

// mergeFields puts src over dst, object by object; either may be nil.
func mergeFields(dst, src map[string]any) map[string]any {
	if dst == nil {
		return src
	}
	for k, v := range src {
		if sub, ok := v.(map[string]any); ok {
			if old, ok := dst[k].(map[string]any); ok {
				dst[k] = mergeFields(old, sub)
				continue
			}
		}
		dst[k] = v
	}
	return dst
}
