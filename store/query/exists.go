package query

// existsQuery is exists.
type existsQuery struct {
	base
	field string
}

func parseExists(d *decoder, name string, n *Node) (Query, error) {
	q := &existsQuery{}
	err := q.members(name, n, func(key string, v *Node) (bool, error) {
		if key != "field" {
			return false, nil
		}
		return scalar(name, key, v, &q.field)
	})
	if err == nil && q.field == "" {
		err = n.Errorf("[exists] must be provided with a [field]")
	}
	return q, err
}

func (q *existsQuery) plan(p *planner) (node, error) {
	n, err := p.exists(q.field)
	if err != nil {
		return nil, err
	}
	return p.leaf(n, q.boost), nil
}

// Exists is the query for documents with a value in a field.
func Exists(field string) Query { return &existsQuery{base{boost: 1}, field} }
