package query

import "encoding/base64"

// constantScore is constant_score.
type constantScore struct {
	base
	filter Query
}

func parseConstantScore(d *decoder, name string, n *Node) (Query, error) {
	q := &constantScore{}
	err := q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		if key != "filter" {
			return false, nil
		}
		q.filter, err = d.query(v)
		return true, err
	})
	if err == nil && q.filter == nil {
		err = n.Errorf("[constant_score] requires a 'filter' element")
	}
	return q, err
}

func (q *constantScore) plan(p *planner) (node, error) {
	scoring := p.scoring
	p.scoring = false
	n, err := p.plan(q.filter)
	p.scoring = scoring
	if err != nil {
		return nil, err
	}
	return p.constant(n, q.boost), nil
}

// parseWrapper reads a query that is wrapped as base64 of its JSON.
func parseWrapper(d *decoder, name string, n *Node) (Query, error) {
	v := n.Get("query")
	if v == nil || v.Kind != String {
		return nil, n.Errorf("[wrapper] query malformed, expected `query` but was something else")
	}
	text, err := base64.StdEncoding.DecodeString(v.Str)
	if err != nil {
		return nil, v.Errorf("[wrapper] query is not base64")
	}
	inner, err := ParseJSON(string(text))
	if err != nil {
		return nil, err
	}
	return d.query(inner)
}
