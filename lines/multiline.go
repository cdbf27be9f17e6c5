package lines

import (
	"errors"
	"fmt"
	"time"
)

// Multiline says which lines belong together.
type Multiline struct {
	Type         string // pattern, count or while_pattern
	Pattern      string
	Negate       bool
	Match        string // after or before
	FlushPattern string
	CountLines   int
	MaxLines     int
	Timeout      time.Duration
	SkipNewline  bool
}

type multilineSpec struct {
	pattern, end *Matcher
	negate       bool
	before       bool
	count        int
	while        bool
	maxLines     int
	timeout      time.Duration
	between      string
	limit        int
}

// Multiline adds a parser that joins lines.
func (s *Spec) Multiline(m Multiline) error {
	sp := &multilineSpec{negate: m.Negate, maxLines: m.MaxLines, timeout: m.Timeout, between: "\n", limit: s.limit}
	if m.SkipNewline {
		sp.between = ""
	}
	if m.MaxLines < 0 || m.Timeout < 0 {
		return errors.New("multiline: max_lines or timeout is negative")
	}
	var err error
	if m.FlushPattern != "" {
		if sp.end, err = NewMatcher(m.FlushPattern); err != nil {
			return fmt.Errorf("multiline.flush_pattern: %w", err)
		}
	}
	switch m.Type {
	case "count":
		if m.CountLines < 1 {
			return errors.New("multiline.count_lines: below 1")
		}
		sp.count = m.CountLines
	case "pattern", "", "while_pattern":
		if m.Pattern == "" {
			return errors.New("multiline.pattern: empty")
		}
		if sp.pattern, err = NewMatcher(m.Pattern); err != nil {
			return fmt.Errorf("multiline.pattern: %w", err)
		}
		sp.while = m.Type == "while_pattern"
		if !sp.while && m.Match != "after" && m.Match != "before" {
			return fmt.Errorf("multiline.match: %q is not after or before", m.Match)
		}
		sp.before = m.Match == "before"
	default:
		return fmt.Errorf("multiline.type: %q is not pattern, count or while_pattern", m.Type)
	}
	s.steps = append(s.steps, sp)
	return nil
}

func (s *multilineSpec) step() step { return &multiline{spec: s} }

// multiline holds one open message per stream.
type multiline struct {
	spec *multilineSpec
	open [streams]open
	prev [streams]bool // the line before matched
}

func (s *multiline) push(j *Joiner, at int, m *Message) {
	o := &s.open[m.Stream]
	switch {
	case s.spec.count > 0:
		s.take(o, m)
		if o.lines >= s.spec.count || s.ends(o, m) {
			s.emit(j, at, o)
		}
	case s.spec.while:
		s.pushWhile(j, at, o, m)
	default:
		s.pushPattern(j, at, o, m)
	}
}

// take starts a message with m or joins m to the open one.
func (s *multiline) take(o *open, m *Message) {
	if !o.on {
		o.begin(m, s.spec.limit)
		return
	}
	o.add(m, s.spec.between, s.spec.maxLines, s.spec.limit)
}

// ends reports whether m, not the first line of o, is the flush pattern's.
func (s *multiline) ends(o *open, m *Message) bool {
	return s.spec.end != nil && o.lines > 1 && s.spec.end.Match(m.Text)
}

func (s *multiline) pushWhile(j *Joiner, at int, o *open, m *Message) {
	if s.spec.pattern.Match(m.Text) != s.spec.negate {
		s.take(o, m)
		if s.ends(o, m) {
			s.emit(j, at, o)
		}
		return
	}
	if o.on {
		s.emit(j, at, o)
	}
	j.run(at+1, m)
}

func (s *multiline) pushPattern(j *Joiner, at int, o *open, m *Message) {
	prev := &s.prev[m.Stream]
	if o.on && s.spec.end != nil && s.spec.end.Match(m.Text) {
		s.take(o, m)
		s.emit(j, at, o)
		return
	}
	match := s.spec.pattern.Match(m.Text)
	joins := match
	if s.spec.before {
		joins = *prev
	}
	*prev = match
	if o.on && joins == s.spec.negate {
		s.emit(j, at, o)
	}
	s.take(o, m)
}

func (s *multiline) emit(j *Joiner, at int, o *open) {
	j.run(at+1, o.take())
	o.drained()
}

func (s *multiline) due(j *Joiner, at int, now time.Time) {
	for i := range s.open {
		if o := &s.open[i]; o.on && s.spec.timeout > 0 && now.Sub(o.last) >= s.spec.timeout {
			s.emit(j, at, o)
		}
	}
}

func (s *multiline) flush(j *Joiner, at int) {
	for i := range s.open {
		if o := &s.open[i]; o.on {
			s.emit(j, at, o)
		}
	}
}

func (s *multiline) low(ref uint32, high int64) int64 {
	for i := range s.open {
		high = s.open[i].low(ref, high)
	}
	return high
}

func (s *multiline) held() int {
	n := 0
	for i := range s.open {
		n += s.open[i].held()
	}
	return n
}
