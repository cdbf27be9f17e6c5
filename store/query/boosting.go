package query

// boosting is boosting: what negative matches scores less.
type boosting struct {
	base
	positive, negative Query
	negativeBoost      float32
}

func parseBoosting(d *decoder, name string, n *Node) (Query, error) {
	q := &boosting{negativeBoost: -1}
	err := q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "positive":
			q.positive, err = d.query(v)
		case "negative":
			q.negative, err = d.query(v)
		case "negative_boost":
			return real(name, key, v, &q.negativeBoost)
		default:
			return false, nil
		}
		return true, err
	})
	switch {
	case err != nil:
	case q.positive == nil:
		err = n.Errorf("[boosting] query requires 'positive' query to be set'")
	case q.negative == nil:
		err = n.Errorf("[boosting] query requires 'negative' query to be set'")
	case q.negativeBoost < 0:
		err = n.Errorf("[boosting] query requires 'negative_boost' to be set to be a positive value'")
	}
	return q, err
}

func (q *boosting) plan(p *planner) (node, error) {
	pos, err := p.plan(q.positive)
	if err != nil {
		return nil, err
	}
	scoring := p.scoring
	p.scoring = false
	neg, err := p.plan(q.negative)
	p.scoring = scoring
	if err != nil {
		return nil, err
	}
	if isNone(neg) || !scores(pos) {
		return boost(pos, q.boost), nil
	}
	return boost(&boostingNode{pos, neg, q.negativeBoost}, q.boost), nil
}

type boostingNode struct {
	node
	neg node
	by  float32
}

func (n *boostingNode) open(s *Scan) matcher {
	m := n.node.open(s)
	if _, ok := m.(scorer); !ok {
		return m
	}
	return &boostingMatcher{matcher: m, neg: n.neg.open(s), by: n.by}
}

type boostingMatcher struct {
	matcher
	neg matcher
	by  float32
	own [ZoneRows]float32
}

func (m *boostingMatcher) score(zone int, sel *Selection, out *[ZoneRows]float32) {
	sel.Each(func(row int) { m.own[row] = 0 })
	m.matcher.(scorer).score(zone, sel, &m.own)
	tmp := *sel
	m.neg.and(zone, &tmp)
	sel.Each(func(row int) {
		if tmp.Get(row) {
			m.own[row] *= m.by
		}
		out[row] += m.own[row]
	})
}
