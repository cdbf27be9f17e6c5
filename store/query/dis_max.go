package query

// disMax is dis_max: the best of its queries gives the score.
type disMax struct {
	base
	queries []Query
	tie     float32
}

func parseDisMax(d *decoder, name string, n *Node) (Query, error) {
	q := &disMax{}
	err := q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "queries":
			q.queries, err = d.list(v)
		case "tie_breaker":
			return real(name, key, v, &q.tie)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && q.queries == nil {
		err = n.Errorf("[dis_max] requires 'queries' field with at least one clause")
	}
	return q, err
}

func (q *disMax) plan(p *planner) (node, error) {
	parts, err := p.planAll(q.queries)
	if err != nil {
		return nil, err
	}
	return boost(best(parts, q.tie), q.boost), nil
}

// best is the disjunction whose score is that of its best part and tie times the others'.
func best(parts []node, tie float32) node {
	any := combine(nil, parts, nil, 1)
	b, ok := any.(*boolNode)
	if !ok || !scores(any) {
		return any
	}
	return &disMaxNode{boolNode: b, tie: tie}
}

type disMaxNode struct {
	*boolNode
	tie float32
}

func (n *disMaxNode) open(s *Scan) matcher {
	m := n.boolNode.open(s)
	if b, ok := m.(*boolMatcher); ok {
		return &disMaxMatcher{boolMatcher: b, tie: n.tie}
	}
	return m
}

type disMaxMatcher struct {
	*boolMatcher
	tie       float32
	max, part [ZoneRows]float32
}

func (m *disMaxMatcher) score(zone int, sel *Selection, out *[ZoneRows]float32) {
	var sum [ZoneRows]float32
	sel.Each(func(row int) { m.max[row] = 0 })
	for _, c := range m.should {
		s, ok := c.(scorer)
		if !ok {
			continue
		}
		sel.Each(func(row int) { m.part[row] = 0 })
		s.score(zone, sel, &m.part)
		sel.Each(func(row int) {
			sum[row] += m.part[row]
			m.max[row] = max(m.max[row], m.part[row])
		})
	}
	sel.Each(func(row int) { out[row] += m.max[row] + m.tie*(sum[row]-m.max[row]) })
}
