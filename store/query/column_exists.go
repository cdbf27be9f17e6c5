package query

// presentNode matches rows with a value in the column.
type presentNode struct{ path string }

func (n *presentNode) open(s *Scan) matcher {
	col := s.src.Field(n.path)
	if col == nil {
		return &noneMatcher{}
	}
	return &presentMatcher{col, s.rows}
}

type presentMatcher struct {
	col  Field
	rows int
}

func (m *presentMatcher) cost() int         { return m.rows }
func (m *presentMatcher) next(zone int) int { return zone }
func (m *presentMatcher) and(zone int, sel *Selection) bool {
	m.col.Present(zone, sel)
	return sel.Any()
}

// idsNode matches documents by _id.
type idsNode struct{ ids map[string]struct{} }

// idFinder is a source that finds a document by its _id.
type idFinder interface {
	FindID(id string) (row int, ok bool)
}

func (n *idsNode) open(s *Scan) matcher {
	m := &rowsMatcher{byZone: map[int]*Selection{}}
	if f, ok := s.src.(idFinder); ok {
		for id := range n.ids {
			if row, ok := f.FindID(id); ok && row < s.rows {
				m.add(row)
			}
		}
	} else {
		for row := range s.rows {
			if _, ok := n.ids[s.src.ID(row)]; ok {
				m.add(row)
			}
		}
	}
	if m.total == 0 {
		return &noneMatcher{}
	}
	m.zones = s.zones
	return m
}

// rowsMatcher matches a small set of rows.
type rowsMatcher struct {
	byZone map[int]*Selection
	total  int
	zones  int
}

func (m *rowsMatcher) add(row int) {
	z := row / ZoneRows
	if m.byZone[z] == nil {
		m.byZone[z] = &Selection{}
	}
	m.byZone[z].Set(row % ZoneRows)
	m.total++
}

func (m *rowsMatcher) cost() int { return m.total }

func (m *rowsMatcher) next(zone int) int {
	for ; zone < m.zones; zone++ {
		if m.byZone[zone] != nil {
			return zone
		}
	}
	return farZone
}

func (m *rowsMatcher) and(zone int, sel *Selection) bool {
	hit := m.byZone[zone]
	if hit == nil {
		*sel = Selection{}
		return false
	}
	return sel.And(hit)
}

func (m *rowsMatcher) count() (int, bool) { return m.total, true }
