package query

// matchAll is match_all and match_none.
type matchAll struct {
	base
	none bool
}

func parseMatchAll(d *decoder, name string, n *Node) (Query, error) {
	q := &matchAll{}
	return q, q.members(name, n, func(string, *Node) (bool, error) { return false, nil })
}

func parseMatchNone(d *decoder, name string, n *Node) (Query, error) {
	q := &matchAll{none: true}
	return q, q.members(name, n, func(string, *Node) (bool, error) { return false, nil })
}

// MatchAll is the query every document matches.
func MatchAll() Query { return &matchAll{base: base{boost: 1}} }

func (q *matchAll) plan(p *planner) (node, error) {
	if q.none {
		return noneNode{}, nil
	}
	return p.leaf(allNode{}, q.boost), nil
}

type allNode struct{}

func (allNode) open(s *Scan) matcher {
	if s.rows == 0 {
		return &noneMatcher{}
	}
	return &allMatcher{rows: s.rows}
}

type allMatcher struct{ rows int }

func (m *allMatcher) cost() int                         { return m.rows }
func (m *allMatcher) next(zone int) int                 { return zone }
func (m *allMatcher) and(zone int, sel *Selection) bool { return sel.Any() }
func (m *allMatcher) count() (int, bool)                { return m.rows, true }

type noneNode struct{}

func (noneNode) open(*Scan) matcher { return &noneMatcher{} }

// farZone is what next answers when no zone is left.
const farZone = 1 << 30

type noneMatcher struct{}

func (*noneMatcher) cost() int          { return 0 }
func (*noneMatcher) next(int) int       { return farZone }
func (*noneMatcher) count() (int, bool) { return 0, true }
func (*noneMatcher) and(_ int, sel *Selection) bool {
	*sel = Selection{}
	return false
}

// leaf gives a node its score, unless scores are not asked for.
func (p *planner) leaf(n node, boost float32) node {
	if _, none := n.(noneNode); none || !p.scoring {
		return n
	}
	return scoredNode{n, boost, p.weigh(n)}
}

// constant gives a node the same score in every row.
func (p *planner) constant(n node, boost float32) node {
	if _, none := n.(noneNode); none || !p.scoring {
		return n
	}
	return scoredNode{node: n, boost: boost}
}

// scoredNode adds boost, times the relevance when there is one, to the score of each row that n matches.
type scoredNode struct {
	node
	boost     float32
	relevance *relevance
}

func (n scoredNode) open(s *Scan) matcher {
	m := n.node.open(s)
	if _, none := m.(*noneMatcher); none {
		return m
	}
	sm := &scoredMatcher{matcher: m, boost: n.boost, relevance: n.relevance}
	if n.relevance != nil {
		sm.col, _ = s.src.Field(n.relevance.path).(Text)
		sm.at = make([][]int, len(n.relevance.terms))
	}
	return sm
}

type scoredMatcher struct {
	matcher
	boost     float32
	relevance *relevance // nil: the score is boost
	col       Text
	at        [][]int
}

func (m *scoredMatcher) score(zone int, sel *Selection, out *[ZoneRows]float32) {
	tmp := *sel
	if !m.and(zone, &tmp) {
		return
	}
	if m.relevance == nil || m.col == nil {
		tmp.Each(func(row int) { out[row] += m.boost })
		return
	}
	tmp.Each(func(row int) { out[row] += float32(float64(m.boost) * m.relevance.of(m.col, zone*ZoneRows+row, m.at)) })
}

// maxScore: what no frequency reaches.
func (m *scoredMatcher) maxScore() float32 {
	if m.relevance == nil {
		return m.boost
	}
	return float32(float64(m.boost) * m.relevance.idf)
}

func (m *scoredMatcher) count() (int, bool) {
	if c, ok := m.matcher.(counter); ok {
		return c.count()
	}
	return 0, false
}
