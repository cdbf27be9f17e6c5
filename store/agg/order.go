package agg

import (
	"cmp"
	"math"
	"strings"

	"github.com/weirlog/weir/store/query"
)

// orderKey is one key that buckets are ordered by: _count, _key, or (steps) a number below.
type orderKey struct {
	path  string
	steps []step
	desc  bool
}

// parseOrder reads {"_count": "desc"} or a list of these.
func parseOrder(a *Agg, n *query.Node) ([]orderKey, error) {
	list := []*query.Node{n}
	if n.Kind == query.Array {
		list = n.Vals
	}
	var out []orderKey
	for _, e := range list {
		if e.Kind != query.Object || len(e.Keys) != 1 {
			return nil, e.Errorf("Must specify at least one field for [order]")
		}
		o := orderKey{path: e.Keys[0].Name}
		switch strings.ToLower(e.Vals[0].Str) {
		case "asc":
		case "desc":
			o.desc = true
		default:
			return nil, e.Vals[0].Errorf("Unknown order direction [%s]", e.Vals[0].Str)
		}
		switch o.path {
		case "_term", "_time":
			o.path = "_key"
		case "_count", "_key":
		default:
			var err error
			if o.steps, err = parsePath(o.path); err != nil {
				return nil, err
			}
		}
		out = append(out, o)
	}
	return out, nil
}

func (o *orderKey) compare(x, y *merged, keys func(a, b bucketKey) int) int {
	c := 0
	if o.path == "_count" {
		c = cmp.Compare(x.count, y.count)
	} else {
		c = keys(x.key, y.key)
	}
	if o.desc {
		return -c
	}
	return c
}

// checkOrders refuses paths that lead nowhere.
func checkOrders(order []orderKey, list []*bucket) error {
	for _, o := range order {
		if o.steps == nil || len(list) == 0 {
			continue
		}
		if _, ok := list[0].resolve(o.steps); !ok {
			return &query.Error{Status: 400, Type: "aggregation_execution_exception",
				Reason: "Invalid aggregation order path [" + o.path + "]. The provided aggregation [" + o.steps[0].name +
					"] either does not exist, or is a pipeline aggregation and cannot be used to sort the buckets."}
		}
	}
	return nil
}

func compareBuckets(order []orderKey, x, y *bucket, keys func(a, b bucketKey) int) int {
	for _, o := range order {
		c := 0
		switch {
		case o.steps != nil:
			c = compareValues(x, y, &o)
		case o.path == "_count":
			c = cmp.Compare(x.count, y.count)
		default:
			c = keys(x.key, y.key)
		}
		if o.desc && o.steps == nil {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return keys(x.key, y.key)
}

// compareValues orders by a number below; buckets without one go last either way.
func compareValues(x, y *bucket, o *orderKey) int {
	a, ok1 := x.resolve(o.steps)
	b, ok2 := y.resolve(o.steps)
	noA, noB := !ok1 || math.IsNaN(a), !ok2 || math.IsNaN(b)
	switch {
	case noA && noB:
		return 0
	case noA:
		return 1
	case noB:
		return -1
	case o.desc:
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}
