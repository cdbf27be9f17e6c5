package query

import (
	"bytes"
	"slices"
	"sort"
)

// valueTest says which values of a column match. All that is set must hold.
type valueTest struct {
	exact  [][]byte // sorted, not nil: one of these
	prefix []byte
	lo, hi []byte // bounds; nil: open
	openLo bool   // lo itself does not match
	openHi bool
	pred   func(value []byte) bool
}

func (t *valueTest) match(v []byte) bool {
	if t.exact != nil {
		_, found := slices.BinarySearchFunc(t.exact, v, bytes.Compare)
		return found
	}
	if !bytes.HasPrefix(v, t.prefix) || !t.inBounds(v) {
		return false
	}
	return t.pred == nil || t.pred(v)
}

func (t *valueTest) inBounds(v []byte) bool {
	if t.lo != nil {
		if c := bytes.Compare(v, t.lo); c < 0 || c == 0 && t.openLo {
			return false
		}
	}
	if t.hi != nil {
		if c := bytes.Compare(v, t.hi); c > 0 || c == 0 && t.openHi {
			return false
		}
	}
	return true
}

// exactly is the test for a set of values.
func exactly(values ...[]byte) *valueTest {
	values = slices.Clone(values)
	slices.SortFunc(values, bytes.Compare)
	return &valueTest{exact: slices.CompactFunc(values, bytes.Equal)}
}

// valuesNode matches rows with a value that passes the test.
type valuesNode struct {
	path string
	test *valueTest
}

func (n *valuesNode) open(s *Scan) matcher {
	switch col := s.src.Field(n.path).(type) {
	case Ordinals:
		return newOrdsMatcher(col, n.test, s)
	case Strings:
		return &stringsMatcher{col: col, test: n.test, rows: s.rows}
	}
	return &noneMatcher{}
}

// ordsOf is the set of ordinals whose values pass the test.
func ordsOf(col Ordinals, t *valueTest) *OrdSet {
	set := NewOrdSet(col.Len())
	if t.exact != nil {
		for _, v := range t.exact {
			if ord, ok := col.Find(v); ok {
				set.Add(ord)
			}
		}
		return set
	}
	from, to := 0, col.Len()
	if col.Sorted() {
		from, to = sortedRange(col, t)
	}
	for ord := from; ord < to; ord++ {
		if t.match(col.Value(uint32(ord))) {
			set.Add(uint32(ord))
		}
	}
	return set
}

// sortedRange narrows a scan of a sorted dictionary by prefix and bounds.
func sortedRange(col Ordinals, t *valueTest) (from, to int) {
	from, to = 0, col.Len()
	lo := t.lo
	if len(t.prefix) > 0 && bytes.Compare(t.prefix, lo) > 0 {
		lo = t.prefix
	}
	if lo != nil {
		from = sort.Search(to, func(i int) bool { return bytes.Compare(col.Value(uint32(i)), lo) >= 0 })
	}
	if t.hi != nil {
		to = from + sort.Search(to-from, func(i int) bool { return bytes.Compare(col.Value(uint32(from+i)), t.hi) > 0 })
	}
	if len(t.prefix) > 0 {
		to = from + sort.Search(to-from, func(i int) bool {
			v := col.Value(uint32(from + i))
			return !bytes.HasPrefix(v, t.prefix) && bytes.Compare(v, t.prefix) > 0
		})
	}
	return from, to
}

func newOrdsMatcher(col Ordinals, t *valueTest, s *Scan) matcher {
	set := ordsOf(col, t)
	if set.N == 0 {
		return &noneMatcher{}
	}
	m := &ordsMatcher{col: col, set: set, rows: s.rows}
	if set.N == 1 {
		m.total = col.Count(set.One)
	} else {
		for w, word := range set.Bits {
			for b := range 64 {
				if word&(1<<b) != 0 {
					m.total += col.Count(uint32(w*64 + b))
				}
			}
		}
	}
	return m
}

type ordsMatcher struct {
	col   Ordinals
	set   *OrdSet
	rows  int
	total int // rows of the ordinals; a row with several counts for each
	hit   Selection
}

func (m *ordsMatcher) cost() int         { return min(m.total, m.rows) }
func (m *ordsMatcher) next(zone int) int { return zone }

func (m *ordsMatcher) and(zone int, sel *Selection) bool {
	m.hit = Selection{}
	m.col.Select(zone, m.set, &m.hit)
	return sel.And(&m.hit)
}

func (m *ordsMatcher) count() (int, bool) { return m.total, m.set.N == 1 }

type stringsMatcher struct {
	col  Strings
	test *valueTest
	rows int
	hit  Selection
}

// cost is a guess: values of such a column are mostly distinct.
func (m *stringsMatcher) cost() int {
	if m.test.exact != nil {
		return min(m.rows, 8*len(m.test.exact))
	}
	return m.rows
}

func (m *stringsMatcher) next(zone int) int { return zone }

func (m *stringsMatcher) and(zone int, sel *Selection) bool {
	m.hit = Selection{}
	if m.test.exact != nil {
		for _, v := range m.test.exact {
			m.col.SelectValue(zone, v, &m.hit)
		}
		return sel.And(&m.hit)
	}
	sel.Each(func(row int) {
		m.col.Each(zone*ZoneRows+row, func(v []byte) {
			if m.test.match(v) {
				m.hit.Set(row)
			}
		})
	})
	return sel.And(&m.hit)
}
