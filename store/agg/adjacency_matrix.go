package agg

import (
	"slices"
	"strings"

	"github.com/weirlog/weir/store/query"
)

// adjacencyMatrix is adjacency_matrix: a bucket per filter and per pair of filters that have documents in common.
type adjacencyMatrix struct {
	names     []string // ascending
	queries   []query.Query
	separator string
}

// maxMatrix bounds the filters of an adjacency_matrix.
const maxMatrix = 100

func parseAdjacencyMatrix(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &adjacencyMatrix{separator: "&"}
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		switch key {
		case "separator":
			s.separator = v.Str
			return true, nil
		case "filters":
			f := &filters{}
			if v.Kind != query.Object {
				return true, wrong(v, a, key)
			}
			err := f.read(v)
			s.names, s.queries = f.names, f.queries
			return true, err
		}
		return false, nil
	})
	if err == nil && (len(s.queries) == 0 || len(s.queries) > maxMatrix) {
		err = query.Badf("Number of filters must be from 1 to %d, but is %d. This limit can be set by changing the [indices.query.bool.max_clause_count] setting",
			maxMatrix, len(s.queries))
	}
	return s, err
}

func (s *adjacencyMatrix) bind(c *planner) (binder, error) {
	b, err := bindFilters(c, s.queries...)
	if err != nil {
		return nil, err
	}
	return &matrixBinder{b.(*filterBinder)}, nil
}

type matrixBinder struct{ *filterBinder }

func (b *matrixBinder) open(o *opener) collector {
	return &matrixCollector{b.filterBinder.open(o).(*filterCollector)}
}

// matrixCollector numbers the pair i <= j of n filters i*n+j; i = j is the filter itself.
type matrixCollector struct{ *filterCollector }

func (c *matrixCollector) collect(b *batch) error {
	c.match(b)
	c.begin(b.zone)
	n := len(c.hits)
	for i := range n {
		if !c.hits[i].Any() {
			continue
		}
		for j := i; j < n; j++ {
			both := c.hits[i]
			if !both.And(&c.hits[j]) {
				continue
			}
			for k, row := range b.rows {
				if both.Get(int(row)) {
					c.add(row, c.bucketOf(b.bucket(k), i*n+j))
				}
			}
		}
	}
	return c.end()
}

func (s *adjacencyMatrix) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	var lists [][]bucketPart
	for _, p := range parts {
		lists = append(lists, p.([]bucketPart))
	}
	out := &buckets{typ: "adjacency_matrix"}
	n := int64(len(s.names))
	for _, m := range mergeBuckets(lists...) {
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		i, j := m.key.n/n, m.key.n%n
		if b.name = s.names[i]; i != j {
			b.name += s.separator + s.names[j]
		}
		b.json = query.AppendString([]byte(`"key":`), b.name)
		out.list = append(out.list, b)
	}
	slices.SortFunc(out.list, func(x, y *bucket) int { return strings.Compare(x.name, y.name) })
	return out, nil
}
