package query

// termQuery is term.
type termQuery struct {
	base
	field string
	value string
	fold  bool
}

func parseTerm(d *decoder, name string, n *Node) (Query, error) {
	q := &termQuery{}
	var err error
	found := false
	q.field, err = q.base.field(name, n, "value", func(key string, v *Node) (bool, error) {
		switch key {
		case "value", "term":
			found = true
			if v.Kind == Null {
				return true, badf("value cannot be null")
			}
			return scalar(name, key, v, &q.value)
		case "case_insensitive":
			return flag(name, key, v, &q.fold)
		}
		return false, nil
	})
	if err == nil && !found {
		err = badf("value cannot be null")
	}
	return q, err
}

func (q *termQuery) plan(p *planner) (node, error) {
	n, err := p.equals(q.field, []string{q.value}, q.fold)
	if err != nil {
		return nil, err
	}
	return p.leaf(n, q.boost), nil
}
