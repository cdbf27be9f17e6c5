package lines

import "time"

// includeSpec keeps messages that match one of its patterns.
type includeSpec struct{ patterns []*Matcher }

// IncludeMessage adds a parser that keeps only what matches one of patterns; the rest is dropped by the rule "include_message".
func (s *Spec) IncludeMessage(patterns []string) error {
	list, err := NewMatchers(patterns)
	if err != nil {
		return err
	}
	s.steps = append(s.steps, &includeSpec{patterns: list})
	return nil
}

func (s *includeSpec) step() step { return (*include)(s) }

// include holds nothing back.
type include includeSpec

func (s *include) push(j *Joiner, at int, m *Message) {
	if Any(s.patterns, m.Text) {
		j.run(at+1, m)
		return
	}
	j.drop(m, "include_message")
}

func (*include) due(*Joiner, int, time.Time)    {}
func (*include) flush(*Joiner, int)             {}
func (*include) low(_ uint32, high int64) int64 { return high }
func (*include) held() int                      { return 0 }

// Filter is include_lines and exclude_lines: includes are asked first, no includes keep everything.
type Filter struct {
	include, exclude []*Matcher
}

// NewFilter compiles both lists; the error names the list.
func NewFilter(include, exclude []string) (Filter, error) {
	var f Filter
	var err error
	if f.include, err = NewMatchers(include); err != nil {
		return f, err
	}
	f.exclude, err = NewMatchers(exclude)
	return f, err
}

// Rule is "" for a text that is kept, else the rule that drops it: empty, include_lines or exclude_lines.
func (f *Filter) Rule(m *Message) string {
	if len(m.Text) == 0 && m.JSON == nil && m.Fields == nil {
		return "empty"
	}
	if len(f.include) > 0 && !Any(f.include, m.Text) {
		return "include_lines"
	}
	if len(f.exclude) > 0 && Any(f.exclude, m.Text) {
		return "exclude_lines"
	}
	return ""
}
