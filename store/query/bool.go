package query

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// boolQuery is bool.
type boolQuery struct {
	base
	must, filter, should, not []Query
	min                       string // minimum_should_match as given, "" when not
}

func parseBool(d *decoder, name string, n *Node) (Query, error) {
	q := &boolQuery{}
	return q, q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "must":
			q.must, err = d.list(v)
		case "filter":
			q.filter, err = d.list(v)
		case "should":
			q.should, err = d.list(v)
		case "must_not", "mustNot":
			q.not, err = d.list(v)
		case "minimum_should_match":
			return scalar(name, key, v, &q.min)
		case "adjust_pure_negative":
			var ignored bool
			return flag(name, key, v, &ignored)
		default:
			return false, nil
		}
		return true, err
	})
}

func (q *boolQuery) plan(p *planner) (node, error) {
	scoring := p.scoring
	must, err := p.planAll(q.must)
	if err != nil {
		return nil, err
	}
	should, err := p.planAll(q.should)
	if err != nil {
		return nil, err
	}
	p.scoring = false
	defer func() { p.scoring = scoring }()
	filter, err := p.planAll(q.filter)
	if err != nil {
		return nil, err
	}
	not, err := p.planAll(q.not)
	if err != nil {
		return nil, err
	}
	p.scoring = scoring
	need, err := q.required()
	if err != nil {
		return nil, err
	}
	if len(must)+len(filter)+len(should)+len(not) == 0 {
		return p.leaf(allNode{}, q.boost), nil
	}
	return boost(combine(append(must, filter...), should, not, need), q.boost), nil
}

// required is the number of should clauses that must match.
func (q *boolQuery) required() (int, error) {
	if q.min == "" {
		if len(q.should) > 0 && len(q.must)+len(q.filter) == 0 {
			return 1, nil
		}
		return 0, nil
	}
	need, err := minimumShouldMatch(q.min, len(q.should))
	if err == nil && need == 0 && len(q.must)+len(q.filter) == 0 && len(q.should) > 0 {
		need = 1
	}
	return need, err
}

// minimumShouldMatch resolves 2, -1, 75%, -25% and "2<75% 9<-3" for n clauses. The answer may be over n: nothing matches then.
func minimumShouldMatch(spec string, n int) (int, error) {
	spec = strings.TrimSpace(spec)
	if strings.Contains(spec, "<") {
		result := n
		for _, part := range strings.Fields(strings.ReplaceAll(spec, " <", "<")) {
			over, rule, ok := strings.Cut(part, "<")
			bound, err := strconv.Atoi(over)
			if !ok || err != nil {
				return 0, badf("failed to parse minimum_should_match [%s]", spec)
			}
			if n <= bound {
				return result, nil
			}
			if result, err = minimumShouldMatch(rule, n); err != nil {
				return 0, err
			}
		}
		return result, nil
	}
	if pct, ok := strings.CutSuffix(spec, "%"); ok {
		f, err := strconv.ParseFloat(pct, 64)
		if err != nil || math.IsNaN(f) || math.Abs(f) > 1e6 {
			return 0, badf("failed to parse minimum_should_match [%s]", spec)
		}
		v := int(f * float64(n) / 100)
		if f < 0 {
			v += n
		}
		return max(0, v), nil
	}
	v, err := strconv.Atoi(spec)
	if err != nil {
		return 0, badf("failed to parse minimum_should_match [%s]", spec)
	}
	if v < 0 {
		v += n
	}
	return max(0, v), nil
}

// combine folds constants and makes the smallest node for the clauses.
func combine(and, should, not []node, need int) node {
	should = slices.DeleteFunc(should, isNone)
	not = slices.DeleteFunc(not, isNone)
	if len(should) < need || slices.ContainsFunc(and, isNone) || slices.ContainsFunc(not, isAll) {
		return noneNode{}
	}
	scored := slices.ContainsFunc(should, isScored)
	switch {
	case need == 0 && !scored:
		should = nil
	case need == 1 && len(should) == 1, need > 0 && need == len(should):
		and, should, need = append(and, should...), nil, 0
	}
	if len(and) > 1 {
		and = slices.DeleteFunc(and, isAll)
	}
	if len(should) == 0 && len(not) == 0 {
		switch len(and) {
		case 0:
			return allNode{}
		case 1:
			return and[0]
		}
	}
	if len(and) == 0 && len(not) == 0 && need == 1 && !scored && slices.ContainsFunc(should, isAll) {
		return allNode{}
	}
	return &boolNode{and: and, should: should, not: not, need: need}
}

func isNone(n node) bool   { _, ok := n.(noneNode); return ok }
func isAll(n node) bool    { _, ok := n.(allNode); return ok }
func isScored(n node) bool { return scores(n) }

// scores tells whether a node contributes to scores.
func scores(n node) bool {
	switch n := n.(type) {
	case scoredNode, *disMaxNode, *boostingNode, boostedNode:
		return true
	case *boolNode:
		return slices.ContainsFunc(n.and, scores) || slices.ContainsFunc(n.should, scores)
	case interface{ scores() bool }:
		return n.scores()
	}
	return false
}

// boost multiplies the scores of a node.
func boost(n node, by float32) node {
	if by == 1 || !scores(n) {
		return n
	}
	if s, ok := n.(scoredNode); ok {
		s.boost *= by
		return s
	}
	return boostedNode{n, by}
}

type boostedNode struct {
	node
	by float32
}

func (n boostedNode) open(s *Scan) matcher {
	m := n.node.open(s)
	if _, ok := m.(scorer); !ok {
		return m
	}
	return &boostedMatcher{matcher: m, by: n.by}
}

type boostedMatcher struct {
	matcher
	by  float32
	own [ZoneRows]float32
}

func (m *boostedMatcher) score(zone int, sel *Selection, out *[ZoneRows]float32) {
	sel.Each(func(row int) { m.own[row] = 0 })
	m.matcher.(scorer).score(zone, sel, &m.own)
	sel.Each(func(row int) { out[row] += m.by * m.own[row] })
}

type boolNode struct {
	and, should, not []node
	need             int // of should
}

func (n *boolNode) open(s *Scan) matcher {
	m := &boolMatcher{need: n.need}
	for _, c := range n.and {
		cm := c.open(s)
		if _, none := cm.(*noneMatcher); none {
			return cm
		}
		m.conj = append(m.conj, cm)
	}
	for _, c := range n.should {
		if cm := c.open(s); !isNoneMatcher(cm) {
			m.should = append(m.should, cm)
		}
	}
	if len(m.should) < n.need {
		return &noneMatcher{}
	}
	for _, c := range n.not {
		if cm := c.open(s); !isNoneMatcher(cm) {
			m.not = append(m.not, cm)
		}
	}
	return m.simplify(s.rows)
}

func isNoneMatcher(m matcher) bool { _, ok := m.(*noneMatcher); return ok }

// boolMatcher matches rows that all of conj, need of should and none of not match.
type boolMatcher struct {
	conj, should, not []matcher
	need              int
	rows              int
	acc, tmp          Selection
}

func (m *boolMatcher) simplify(rows int) matcher {
	if len(m.conj) == 1 && len(m.should) == 0 && len(m.not) == 0 {
		return m.conj[0]
	}
	if len(m.conj) == 0 && len(m.should) == 1 && m.need == 1 && len(m.not) == 0 {
		return m.should[0]
	}
	slices.SortStableFunc(m.conj, func(a, b matcher) int { return a.cost() - b.cost() })
	m.rows = rows
	return m
}

func (m *boolMatcher) cost() int {
	if len(m.conj) > 0 {
		return m.conj[0].cost()
	}
	if m.need == 0 {
		return m.rows
	}
	sum := 0
	for _, c := range m.should {
		sum += c.cost()
	}
	return min(sum, m.rows)
}

func (m *boolMatcher) next(zone int) int {
	for {
		z := zone
		for _, c := range m.conj {
			z = max(z, c.next(z))
		}
		if m.need > 0 {
			first := farZone
			for _, c := range m.should {
				first = min(first, c.next(z))
			}
			z = max(z, first)
		}
		if z == zone || z >= farZone {
			return z
		}
		zone = z
	}
}

func (m *boolMatcher) and(zone int, sel *Selection) bool {
	for _, c := range m.conj {
		if c.next(zone) > zone {
			*sel = Selection{}
			return false
		}
		if !c.and(zone, sel) {
			return false
		}
	}
	if m.need == 1 && !m.anyOf(zone, sel) || m.need > 1 && !m.atLeast(zone, sel) {
		return false
	}
	for _, c := range m.not {
		m.tmp = *sel
		if c.and(zone, &m.tmp) && !sel.AndNot(&m.tmp) {
			return false
		}
	}
	return len(m.conj) > 0 || m.need > 0 || sel.Any()
}

// anyOf keeps the rows that one of should matches.
func (m *boolMatcher) anyOf(zone int, sel *Selection) bool {
	m.acc = Selection{}
	for _, c := range m.should {
		m.tmp = *sel
		if !m.tmp.AndNot(&m.acc) {
			break
		}
		if c.and(zone, &m.tmp) {
			m.acc.Or(&m.tmp)
		}
	}
	return sel.And(&m.acc)
}

// atLeast keeps the rows that need or more of should match.
func (m *boolMatcher) atLeast(zone int, sel *Selection) bool {
	var counts [ZoneRows]uint16
	for _, c := range m.should {
		m.tmp = *sel
		if c.and(zone, &m.tmp) {
			m.tmp.Each(func(row int) { counts[row]++ })
		}
	}
	sel.Each(func(row int) {
		if int(counts[row]) < m.need {
			sel.Clear(row)
		}
	})
	return sel.Any()
}

func (m *boolMatcher) score(zone int, sel *Selection, out *[ZoneRows]float32) {
	for _, list := range [][]matcher{m.conj, m.should} {
		for _, c := range list {
			if s, ok := c.(scorer); ok {
				s.score(zone, sel, out)
			}
		}
	}
}

// Not is the query for what q does not match.
func Not(q Query) Query { return &boolQuery{base: base{boost: 1}, not: []Query{q}} }

// Filtered is q restricted to what the filter matches; scores are q's.
func Filtered(q, filter Query) Query {
	return &boolQuery{base: base{boost: 1}, must: []Query{q}, filter: []Query{filter}}
}

// AnyOf is the query for what one of qs matches.
func AnyOf(qs ...Query) Query { return &boolQuery{base: base{boost: 1}, should: qs} }

// AllOf is the query for what all of qs match, without scores.
func AllOf(qs ...Query) Query { return &boolQuery{base: base{boost: 1}, filter: qs} }
