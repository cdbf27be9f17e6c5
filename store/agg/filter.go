package agg

import (
	"slices"
	"strconv"

	"github.com/weirlog/weir/store/query"
)

// filter is one bucket of what a query matches; missing is the same with "has no value".
type filter struct{ query query.Query }

func parseFilter(d *decoder, a *Agg, n *query.Node) (spec, error) {
	q, err := query.Parse(n)
	return &filter{q}, err
}

func parseMissing(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &source{}
	if err := members(a, n, func(key string, v *query.Node) (bool, error) { return s.set(a, key, v) }); err != nil {
		return nil, err
	}
	if err := s.check(a); err != nil {
		return nil, err
	}
	if s.missing != nil { // every document has the substitute
		return &filter{query.Not(query.MatchAll())}, nil
	}
	return &filter{query.Not(query.Exists(s.field))}, nil
}

func (s *filter) bind(c *planner) (binder, error) { return bindFilters(c, s.query) }

func bindFilters(c *planner, qs ...query.Query) (binder, error) {
	b := &filterBinder{}
	ctx := c.Context
	ctx.Scores = false
	for _, q := range qs {
		p, err := query.NewPlan(q, ctx)
		if err != nil {
			return nil, err
		}
		b.plans = append(b.plans, p)
	}
	return b, nil
}

type filterBinder struct {
	plans []*query.Plan
	other bool // a last bucket for rows that none matches
}

func (b *filterBinder) open(o *opener) collector {
	c := &filterCollector{tree: newTree(o), other: b.other}
	for _, p := range b.plans {
		c.scans = append(c.scans, p.NewScan(o.src))
	}
	return c
}

// filterCollector has a bucket per filter below each bucket of its parent.
type filterCollector struct {
	*tree
	scans []*query.Scan
	other bool
	hits  []query.Selection
}

// match sets hits: the rows of the batch that each filter matches, and the rest.
func (c *filterCollector) match(b *batch) {
	var all query.Selection
	if b.sel != nil {
		all = *b.sel
	} else {
		for _, row := range b.rows {
			all.Set(int(row))
		}
	}
	rest := all
	c.hits = c.hits[:0]
	for _, s := range c.scans {
		hit := all
		if next, ok := s.Next(b.zone); !ok || next != b.zone || !s.Refine(b.zone, &hit) {
			hit = query.Selection{}
		}
		rest.AndNot(&hit)
		c.hits = append(c.hits, hit)
	}
	if c.other {
		c.hits = append(c.hits, rest)
	}
}

func (c *filterCollector) collect(b *batch) error {
	c.match(b)
	c.begin(b.zone)
	for key := range c.hits {
		hit := &c.hits[key]
		if !hit.Any() {
			continue
		}
		if b.top() && len(c.subs) == 0 {
			c.counts[c.bucketOf(0, key)] += int64(hit.Count())
			continue
		}
		for i, row := range b.rows {
			if hit.Get(int(row)) {
				c.add(row, c.bucketOf(b.bucket(i), key))
			}
		}
	}
	return c.end()
}

func (c *filterCollector) bucketOf(parent uint32, key int) uint32 {
	return c.bucket(parent, int64(key))
}

func (c *filterCollector) finish(bucket int) partial { return c.tree.finish(bucket, numberKey) }

// reduceFilters merges the buckets of n filters: all of them are there, empty or not.
func reduceFilters(parts []partial, n int) []*merged {
	var lists [][]bucketPart
	for _, p := range parts {
		lists = append(lists, p.([]bucketPart))
	}
	out := make([]*merged, n)
	for _, m := range mergeBuckets(lists...) {
		out[m.key.n] = m
	}
	for i := range out {
		if out[i] == nil {
			out[i] = &merged{key: bucketKey{n: int64(i)}}
		}
	}
	return out
}

func (s *filter) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	m := reduceFilters(parts, 1)[0]
	b, err := r.bucket(a, m)
	if err != nil {
		return nil, err
	}
	return &single{typ: a.typ, count: b.count, level: b.level}, nil
}

// filters is a bucket per named or numbered query.
type filters struct {
	names   []string // nil: anonymous
	queries []query.Query
	keyed   bool
	other   string // name of the bucket for the rest, "" for none
}

func parseFilters(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &filters{keyed: true}
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		switch key {
		case "filters":
			return true, s.read(v)
		case "other_bucket":
			if on, _ := v.Bool(); on && s.other == "" {
				s.other = "_other_"
			}
			return true, nil
		case "other_bucket_key":
			s.other = v.Str
			return true, nil
		case "keyed":
			s.keyed, _ = v.Bool()
			return true, nil
		}
		return false, nil
	})
	if err == nil && len(s.queries) == 0 {
		err = query.Badf("[filters] cannot be empty.")
	}
	return s, err
}

func (s *filters) read(v *query.Node) error {
	type entry struct {
		name string
		node *query.Node
	}
	var list []entry
	for i, e := range v.Vals {
		name := strconv.Itoa(i)
		if v.Kind == query.Object {
			name = v.Keys[i].Name
		}
		list = append(list, entry{name, e})
	}
	if v.Kind == query.Object { // Elasticsearch sorts named filters
		slices.SortFunc(list, func(a, b entry) int {
			switch {
			case a.name < b.name:
				return -1
			case a.name > b.name:
				return 1
			}
			return 0
		})
	}
	for _, e := range list {
		q, err := query.Parse(e.node)
		if err != nil {
			return err
		}
		s.queries = append(s.queries, q)
		if v.Kind == query.Object {
			s.names = append(s.names, e.name)
		}
	}
	return nil
}

func (s *filters) bind(c *planner) (binder, error) {
	b, err := bindFilters(c, s.queries...)
	if err == nil {
		b.(*filterBinder).other = s.other != ""
	}
	return b, err
}

func (s *filters) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	n := len(s.queries)
	names := s.names
	if s.other != "" {
		n++
		if names != nil {
			names = append(slices.Clone(names), s.other)
		}
	}
	out := &buckets{typ: "filters", keyed: names != nil && s.keyed}
	for i, m := range reduceFilters(parts, n) {
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		if names != nil {
			b.name = names[i]
			if !s.keyed {
				b.json = query.AppendString([]byte(`"key":`), b.name)
			}
		}
		out.list = append(out.list, b)
	}
	return out, nil
}

// global is one bucket of all documents, whatever the query.
type global struct{}

func parseGlobal(d *decoder, a *Agg, n *query.Node) (spec, error) {
	a.global = true
	return &global{}, members(a, n, func(string, *query.Node) (bool, error) { return false, nil })
}

func (*global) bind(c *planner) (binder, error) { return &globalBinder{}, nil }

type globalBinder struct{}

func (*globalBinder) open(o *opener) collector { return &globalCollector{newTree(o)} }

type globalCollector struct{ *tree }

func (c *globalCollector) collect(b *batch) error {
	c.begin(b.zone)
	for i, row := range b.rows {
		c.add(row, c.bucket(b.bucket(i), 0))
	}
	return c.end()
}

func (c *globalCollector) finish(bucket int) partial { return c.tree.finish(bucket, numberKey) }

func (s *global) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	m := reduceFilters(parts, 1)[0]
	b, err := r.bucket(a, m)
	if err != nil {
		return nil, err
	}
	return &single{typ: "global", count: b.count, level: b.level}, nil
}
