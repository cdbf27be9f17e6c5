package query

// termsQuery is terms.
type termsQuery struct {
	base
	field  string
	values []string
}

func parseTerms(d *decoder, name string, n *Node) (Query, error) {
	q := &termsQuery{base: base{boost: 1}}
	for i, k := range n.Keys {
		v := n.Vals[i]
		switch {
		case v.Kind == Array:
			if q.field != "" {
				return nil, n.KeyErrorf(i, "[terms] query does not support multiple fields")
			}
			q.field = k.Name
			if len(v.Vals) > maxTerms {
				return nil, badf("The number of terms [%d] used in the Terms Query request has exceeded the allowed maximum of [%d]. "+
					"This maximum can be set by changing the [index.max_terms_count] index level setting.", len(v.Vals), maxTerms)
			}
			for _, e := range v.Vals {
				s, ok := e.Text()
				if !ok {
					return nil, e.Errorf("No value specified for terms query")
				}
				q.values = append(q.values, s)
			}
		case k.Name == "boost", k.Name == "_name":
			one := &Node{Kind: Object, Keys: n.Keys[i : i+1], Vals: n.Vals[i : i+1], text: n.text}
			if err := q.members(name, one, nil); err != nil {
				return nil, err
			}
		case v.Kind == Object:
			return nil, v.Errorf("[terms] lookup of values in another document is not supported")
		default:
			return nil, v.Errorf("[terms] query does not support [%s]", k.Name)
		}
	}
	if q.field == "" {
		return nil, n.Errorf("[terms] query requires a field name, followed by array of terms or a document lookup specification")
	}
	return q, nil
}

func (q *termsQuery) plan(p *planner) (node, error) {
	n, err := p.equals(q.field, q.values, false)
	if err != nil {
		return nil, err
	}
	return p.leaf(n, q.boost), nil
}

// idsQuery is ids.
type idsQuery struct {
	base
	ids []string
}

func parseIDs(d *decoder, name string, n *Node) (Query, error) {
	q := &idsQuery{}
	return q, q.members(name, n, func(key string, v *Node) (bool, error) {
		if key != "values" {
			return false, nil
		}
		list := []*Node{v}
		if v.Kind == Array {
			list = v.Vals
		}
		for _, e := range list {
			s, ok := e.Text()
			if !ok {
				return true, e.Errorf("[ids] values must be strings")
			}
			q.ids = append(q.ids, s)
		}
		return true, nil
	})
}

func (q *idsQuery) plan(p *planner) (node, error) { return p.leaf(newIDsNode(q.ids), q.boost), nil }

// IDs is the query for documents by _id.
func IDs(ids ...string) Query { return &idsQuery{base: base{boost: 1}, ids: ids} }
