package query

import "slices"

// span is a closed interval of encoded numbers.
type span struct{ lo, hi int64 }

// numbersNode matches rows with a value in one of the spans, which are disjoint and ascending.
type numbersNode struct {
	path  string
	spans []span
}

// spansOf makes disjoint ascending spans; nil when none holds a value.
func spansOf(spans []span) []span {
	spans = slices.DeleteFunc(spans, func(s span) bool { return s.lo > s.hi })
	slices.SortFunc(spans, func(a, b span) int {
		switch {
		case a.lo < b.lo:
			return -1
		case a.lo > b.lo:
			return 1
		}
		return 0
	})
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.lo <= out[n-1].hi {
			out[n-1].hi = max(out[n-1].hi, s.hi)
			continue
		}
		out = append(out, s)
	}
	return out
}

func newNumbersNode(path string, spans []span) node {
	if spans = spansOf(spans); len(spans) == 0 {
		return noneNode{}
	}
	return &numbersNode{path, spans}
}

func (n *numbersNode) open(s *Scan) matcher {
	col, ok := s.src.Field(n.path).(Numbers)
	if !ok {
		return &noneMatcher{}
	}
	return &numbersMatcher{col: col, spans: n.spans, rows: s.rows, zones: s.zones}
}

type numbersMatcher struct {
	col         Numbers
	spans       []span
	rows, zones int
	vec         NumberVec
	hit         Selection
}

func (m *numbersMatcher) cost() int { return m.rows }

func (m *numbersMatcher) next(zone int) int {
	for ; zone < m.zones; zone++ {
		if lo, hi, ok := m.col.Bounds(zone); ok && overlaps(m.spans, lo, hi) {
			return zone
		}
	}
	return farZone
}

// overlaps tells whether a span shares a value with [lo, hi].
func overlaps(spans []span, lo, hi int64) bool {
	for _, s := range spans {
		if s.lo <= hi && lo <= s.hi {
			return true
		}
	}
	return false
}

// covers tells whether one span holds all of [lo, hi].
func covers(spans []span, lo, hi int64) bool {
	for _, s := range spans {
		if s.lo <= lo && hi <= s.hi {
			return true
		}
	}
	return false
}

func (m *numbersMatcher) and(zone int, sel *Selection) bool {
	lo, hi, ok := m.col.Bounds(zone)
	if !ok || !overlaps(m.spans, lo, hi) {
		*sel = Selection{}
		return false
	}
	if covers(m.spans, lo, hi) {
		m.col.Present(zone, sel)
		return sel.Any()
	}
	m.col.Load(zone, &m.vec)
	if !sel.And(&m.vec.Has) {
		return false
	}
	switch {
	case m.vec.Start != nil:
		m.selectMulti()
	case len(m.spans) == 1:
		m.selectOne(m.spans[0], sel)
	default:
		m.selectSet(sel)
	}
	return sel.And(&m.hit)
}

// selectOne tests all rows of words that have a candidate, without a branch per row.
func (m *numbersMatcher) selectOne(s span, sel *Selection) {
	width := uint64(s.hi) - uint64(s.lo)
	for w, word := range sel {
		if word == 0 {
			m.hit[w] = 0
			continue
		}
		var bits uint64
		end := min((w+1)*64, len(m.vec.V))
		for i := w * 64; i < end; i++ {
			if uint64(m.vec.V[i])-uint64(s.lo) <= width {
				bits |= 1 << (i & 63)
			}
		}
		m.hit[w] = bits
	}
}

func (m *numbersMatcher) selectSet(sel *Selection) {
	m.hit = Selection{}
	sel.Each(func(row int) {
		if inSpans(m.spans, m.vec.V[row]) {
			m.hit.Set(row)
		}
	})
}

func (m *numbersMatcher) selectMulti() {
	m.hit = Selection{}
	for row := range ZoneRows {
		for _, v := range m.vec.V[m.vec.Start[row]:m.vec.Start[row+1]] {
			if inSpans(m.spans, v) {
				m.hit.Set(row)
				break
			}
		}
	}
}

func inSpans(spans []span, v int64) bool {
	_, found := slices.BinarySearchFunc(spans, v, func(s span, v int64) int {
		switch {
		case v < s.lo:
			return 1
		case v > s.hi:
			return -1
		}
		return 0
	})
	return found
}
