package query

import "math/bits"

// Scan is a plan bound to a source. One goroutine uses it.
type Scan struct {
	src   Source
	rows  int
	zones int
	root  matcher
	runs  []*scriptRun
}

// matcher is a leaf or a bool of a plan over one source.
type matcher interface {
	// cost is an upper bound of matching rows: the cheapest conjunct leads.
	cost() int
	// next is the first zone >= zone that may hold a match, or a number >= the number of zones.
	next(zone int) int
	// and clears the rows of the zone that do not match; false when none is left.
	and(zone int, sel *Selection) bool
}

// scorer is a matcher that adds to scores: out[row] += score for the rows of sel, all of which match the query as a whole.
type scorer interface {
	score(zone int, sel *Selection, out *[ZoneRows]float32)
}

// counter is a matcher that may know its number of matching rows, deleted ones included.
type counter interface {
	count() (n int, ok bool)
}

// NewScan binds a plan to a source.
func (p *Plan) NewScan(src Source) *Scan {
	s := &Scan{src: src, rows: src.Rows()}
	s.zones = (s.rows + ZoneRows - 1) / ZoneRows
	s.root = p.root.open(s)
	return s
}

// Zones is the number of zones of the source.
func (s *Scan) Zones() int { return s.zones }

// Next is the first zone >= zone that may hold a match; ok is false when there is none.
func (s *Scan) Next(zone int) (next int, ok bool) {
	next = s.root.next(zone)
	return next, next < s.zones
}

// Select sets sel to the live matching rows of the zone; false when there is none.
func (s *Scan) Select(zone int, sel *Selection) bool {
	fillZone(sel, s.rows-zone*ZoneRows)
	s.src.Live(zone, sel)
	return s.root.and(zone, sel)
}

// Refine clears the rows of sel that do not match; false when none is left.
func (s *Scan) Refine(zone int, sel *Selection) bool { return s.root.and(zone, sel) }

// Count is the number of live matching rows when it is known without looking at them.
func (s *Scan) Count() (n int, ok bool) {
	if s.src.Deleted() != 0 {
		return 0, false
	}
	if c, is := s.root.(counter); is {
		return c.count()
	}
	return 0, false
}

// Empty tells that no row matches.
func (s *Scan) Empty() bool { _, ok := s.root.(*noneMatcher); return ok || s.rows == 0 }

// Scores tells whether rows can have different scores.
func (s *Scan) Scores() bool { _, ok := s.root.(scorer); return ok }

// Score sets out[row] for the rows of sel.
func (s *Scan) Score(zone int, sel *Selection, out *[ZoneRows]float32) {
	sel.Each(func(row int) { out[row] = 0 })
	if m, ok := s.root.(scorer); ok {
		m.score(zone, sel, out)
	}
}

// fillZone sets the first n rows.
func fillZone(sel *Selection, n int) {
	for w := range sel {
		switch {
		case n >= 64:
			sel[w] = ^uint64(0)
		case n <= 0:
			sel[w] = 0
		default:
			sel[w] = 1<<n - 1
		}
		n -= 64
	}
}

// Count is the number of rows in the selection.
func (s *Selection) Count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Any reports whether a row is set.
func (s *Selection) Any() bool {
	var or uint64
	for _, w := range s {
		or |= w
	}
	return or != 0
}

// Each calls f for each row, ascending.
func (s *Selection) Each(f func(row int)) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			f(i*64 + bits.TrailingZeros64(w))
		}
	}
}

// Down calls f for each row, descending, until it returns false.
func (s *Selection) Down(f func(row int) bool) {
	for i := len(s) - 1; i >= 0; i-- {
		for w := s[i]; w != 0; {
			b := 63 - bits.LeadingZeros64(w)
			if !f(i*64 + b) {
				return
			}
			w &^= 1 << b
		}
	}
}

// Rows appends the rows to dst.
func (s *Selection) Rows(dst []uint16) []uint16 {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			dst = append(dst, uint16(i*64+bits.TrailingZeros64(w)))
		}
	}
	return dst
}

// Get reports whether a row is set.
func (s *Selection) Get(row int) bool { return s[row>>6]&(1<<(row&63)) != 0 }

// Set puts a row in.
func (s *Selection) Set(row int) { s[row>>6] |= 1 << (row & 63) }

// Clear takes a row out.
func (s *Selection) Clear(row int) { s[row>>6] &^= 1 << (row & 63) }

// And keeps the rows that are in o too; false when none is.
func (s *Selection) And(o *Selection) bool {
	var or uint64
	for i := range s {
		s[i] &= o[i]
		or |= s[i]
	}
	return or != 0
}

// AndNot takes out the rows of o; false when none is left.
func (s *Selection) AndNot(o *Selection) bool {
	var or uint64
	for i := range s {
		s[i] &^= o[i]
		or |= s[i]
	}
	return or != 0
}

// Or puts in the rows of o.
func (s *Selection) Or(o *Selection) {
	for i := range s {
		s[i] |= o[i]
	}
}

// AllRows is the live rows of a zone.
func AllRows(src Source, zone int) (sel Selection) {
	fillZone(&sel, src.Rows()-zone*ZoneRows)
	src.Live(zone, &sel)
	return sel
}

// MaxScore is an upper bound of the score of a row.
func (s *Scan) MaxScore() float32 { return maxScore(s.root) }

func maxScore(m matcher) float32 {
	switch m := m.(type) {
	case *boostedMatcher:
		return m.by * maxScore(m.matcher)
	case *boostingMatcher:
		return max(1, m.by) * maxScore(m.matcher)
	case *disMaxMatcher:
		return sumScores(m.boolMatcher)
	case *boolMatcher:
		return sumScores(m)
	case interface{ maxScore() float32 }:
		return m.maxScore()
	}
	return 0
}

func sumScores(m *boolMatcher) float32 {
	var sum float32
	for _, list := range [][]matcher{m.conj, m.should} {
		for _, c := range list {
			sum += maxScore(c)
		}
	}
	return sum
}
