package query

import (
	"github.com/weirlog/weir/store/script"
)

// termsSet is terms_set: how many of the terms must match stands in a field of the document, or a script says it.
type termsSet struct {
	base
	field     string
	terms     []string
	minimum   int // 0: by field or script
	minField  string
	minScript *script.Script
	params    map[string]script.Value
}

func parseTermsSet(d *decoder, name string, n *Node) (Query, error) {
	q := &termsSet{}
	var err error
	q.field, err = q.base.field(name, n, "", func(key string, v *Node) (bool, error) {
		switch key {
		case "terms":
			for _, e := range v.Vals {
				text, ok := e.Text()
				if !ok {
					return true, e.Errorf("[terms_set] failed to parse field [terms]")
				}
				q.terms = append(q.terms, text)
			}
			return true, nil
		case "minimum_should_match":
			return number(name, key, v, &q.minimum)
		case "minimum_should_match_field":
			return scalar(name, key, v, &q.minField)
		case "minimum_should_match_script":
			var err error
			q.minScript, q.params, err = scriptOf(v)
			return true, err
		}
		return false, nil
	})
	switch {
	case err != nil:
	case len(q.terms) > maxTerms:
		err = tooManyClauses()
	case q.minimum == 0 && q.minField == "" && q.minScript == nil:
		err = n.Errorf("No minimum should match has been specified")
	}
	return q, err
}

func (q *termsSet) plan(p *planner) (node, error) {
	scoring := p.scoring
	p.scoring = false
	defer func() { p.scoring = scoring }()
	n := &termsSetNode{query: q, p: p}
	for _, t := range q.terms {
		c, err := p.equals(q.field, []string{t}, false)
		if err != nil {
			return nil, err
		}
		n.terms = append(n.terms, c)
	}
	any := combine(nil, append([]node(nil), n.terms...), nil, 1)
	if isNone(any) || p.Mapping == nil {
		return noneNode{}, nil
	}
	n.any = any
	p.scoring = scoring
	return p.leaf(n, q.boost), nil
}

type termsSetNode struct {
	query *termsSet
	p     *planner
	any   node
	terms []node
}

func (n *termsSetNode) open(s *Scan) matcher {
	any := n.any.open(s)
	if isNoneMatcher(any) {
		return any
	}
	m := &termsSetMatcher{matcher: any, query: n.query, values: newDocValues(s.src, n.p.Mapping)}
	for _, t := range n.terms {
		m.terms = append(m.terms, t.open(s))
	}
	if n.query.minScript != nil {
		m.run = newScriptRun(n.query.minScript, n.query.params, s.src, n.p.Mapping)
		m.run.env["num_terms"] = float64(len(n.query.terms))
		s.watch(m.run)
	}
	return m
}

type termsSetMatcher struct {
	matcher // rows with any of the terms
	query   *termsSet
	terms   []matcher
	values  *docValues
	run     *scriptRun
	counts  [ZoneRows]uint16
}

func (m *termsSetMatcher) and(zone int, sel *Selection) bool {
	if !m.matcher.and(zone, sel) {
		return false
	}
	sel.Each(func(row int) { m.counts[row] = 0 })
	for _, t := range m.terms {
		tmp := *sel
		if t.next(zone) == zone && t.and(zone, &tmp) {
			tmp.Each(func(row int) { m.counts[row]++ })
		}
	}
	m.values.zone = zone
	sel.Each(func(row int) {
		if need, ok := m.need(zone, row); !ok || float64(m.counts[row]) < max(need, 1) {
			sel.Clear(row)
		}
	})
	return sel.Any()
}

// need is how many terms a row must have; ok is false when it does not say.
func (m *termsSetMatcher) need(zone, row int) (float64, bool) {
	switch {
	case m.run != nil:
		f, err := script.Number(m.run.run(zone, row, 0))
		return f, err == nil && m.run.err == nil
	case m.query.minField != "":
		vs := m.values.numbers(m.query.minField, row)
		if len(vs) == 0 {
			return 0, false
		}
		return vs[0], true
	}
	return float64(m.query.minimum), true
}
