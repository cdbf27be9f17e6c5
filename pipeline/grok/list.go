package grok

import (
	"math"
	"strings"
	"unsafe"
)

// List is patterns that are tried on one text in order. Literals that several of them require are looked for once.
type List struct {
	patterns []*Pattern
	literals []string
	literal  []int // index into literals of each pattern, -1 = it requires none
}

// NewList returns a List. The slice must not change afterwards.
func NewList(patterns []*Pattern) *List {
	l := &List{patterns: patterns, literal: make([]int, len(patterns))}
	index := map[string]int{}
	for i, p := range patterns {
		lit := p.prog.literal
		l.literal[i] = -1
		if lit == "" {
			continue
		}
		at, ok := index[lit]
		if !ok {
			at = len(l.literals)
			index[lit] = at
			l.literals = append(l.literals, lit)
		}
		l.literal[i] = at
	}
	return l
}

// Len returns the number of patterns.
func (l *List) Len() int { return len(l.patterns) }

// ListMatcher matches a List. It belongs to one goroutine.
type ListMatcher struct {
	list     *List
	matchers []*Matcher
	found    []int8 // per literal of the text at hand: 0 not looked for, 1 is there, -1 is not
}

// NewMatcher returns a ListMatcher.
func (l *List) NewMatcher() *ListMatcher {
	m := &ListMatcher{list: l, found: make([]int8, len(l.literals))}
	for _, p := range l.patterns {
		m.matchers = append(m.matchers, p.NewMatcher())
	}
	return m
}

// Match returns the index of the first pattern from index from on that matches b, -1 when none does. A call with from > 0 goes on
// with the b of the call before. After an error the search can go on behind the returned index, whose pattern gave up.
func (m *ListMatcher) Match(b []byte, from int) (int, error) {
	if from == 0 {
		clear(m.found)
	}
	if len(b) > math.MaxInt32-1 {
		return -1, ErrTimeout
	}
	s := unsafe.String(unsafe.SliceData(b), len(b)) // reads only, for the call
	for i := from; i < len(m.matchers); i++ {
		if !m.candidate(i, s) {
			continue
		}
		ok, err := m.matchers[i].matchKnown(b, s)
		if ok || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// Matcher returns the Matcher of pattern i, for the groups of its last match.
func (m *ListMatcher) Matcher(i int) *Matcher { return m.matchers[i] }

// candidate says that the text holds what pattern i requires.
func (m *ListMatcher) candidate(i int, s string) bool {
	at := m.list.literal[i]
	if at < 0 {
		return true
	}
	if m.found[at] == 0 {
		m.found[at] = -1
		if strings.Contains(s, m.list.literals[at]) {
			m.found[at] = 1
		}
	}
	return m.found[at] > 0
}
