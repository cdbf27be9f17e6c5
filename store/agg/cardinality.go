package agg

import (
	"encoding/binary"

	"github.com/axiomhq/hyperloglog"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/zeebo/xxh3"
)

// defaultPrecision is up to how many distinct values a cardinality is exact; maxPrecision bounds what may be asked for.
const (
	defaultPrecision = 3000
	maxPrecision     = 40000
)

// cardinality counts distinct values: exactly up to the precision threshold, then by HyperLogLog.
type cardinality struct {
	source
	precision int
}

func (*cardinality) isMetric() {}

func parseCardinality(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &cardinality{precision: defaultPrecision}
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		switch key {
		case "precision_threshold":
			p, ok := v.Int()
			if !ok {
				return true, wrong(v, a, key)
			}
			if p < 0 {
				return true, query.Badf("[precisionThreshold] must be greater than or equal to 0. Found [%d] in [%s]", p, a.name)
			}
			s.precision = min(p, maxPrecision)
			return true, nil
		case "execution_hint", "rehash":
			return true, nil
		}
		return s.source.set(a, key, v)
	})
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *cardinality) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	return &cardinalityBinder{b, s.precision}, err
}

type cardinalityBinder struct {
	*bound
	precision int
}

func (b *cardinalityBinder) open(o *opener) collector {
	return &cardinalityCollector{reader: b.bound.open(o.src), precision: b.precision, mem: o.mem}
}

// distinct is a set of hashes, or a sketch of one that grew too large.
type distinct struct {
	exact  map[uint64]struct{}
	sketch *hyperloglog.Sketch
}

func (s *distinct) add(h uint64, limit int) {
	if s.sketch != nil {
		s.sketch.InsertHash(h)
		return
	}
	if s.exact == nil {
		s.exact = map[uint64]struct{}{}
	}
	s.exact[h] = struct{}{}
	if len(s.exact) > limit {
		s.sketch = hyperloglog.NewNoSparse()
		for h := range s.exact {
			s.sketch.InsertHash(h)
		}
		s.exact = nil
	}
}

func (s *distinct) count() int64 {
	if s.sketch != nil {
		return int64(s.sketch.Estimate())
	}
	return int64(len(s.exact))
}

// cardinalityCollector marks ordinals in a bitmap per bucket and hashes the dictionary's entries once, at the end.
type cardinalityCollector struct {
	*reader
	precision int
	mem       *query.Reservation
	sets      []distinct
	ordSets   []*query.OrdSet
	opened    int // sets among ordSets
}

// maxOrdSets bounds the bytes of one source's sets of ordinals; further buckets hash their values.
const maxOrdSets = 64 << 20

func (c *cardinalityCollector) collect(b *batch) error {
	c.load(b.zone)
	if c.ords != nil && !c.hasMiss {
		c.collectOrds(b)
		return nil
	}
	var one [1]int64
	var buf [8]byte
	for i, row := range b.rows {
		n := int(b.bucket(i))
		for n >= len(c.sets) {
			c.sets = append(c.sets, distinct{})
		}
		if c.constant != nil {
			c.sets[n].add(xxh3.HashString(*c.constant), c.precision)
			continue
		}
		for _, v := range c.ints(row, &one) {
			binary.LittleEndian.PutUint64(buf[:], uint64(v))
			c.sets[n].add(xxh3.Hash(buf[:]), c.precision)
		}
		if c.f != nil && c.f.Type.Kind() != mapping.Numbers {
			c.bytes(row, func(v []byte) { c.sets[n].add(xxh3.Hash(v), c.precision) })
		}
	}
	return nil
}

func (c *cardinalityCollector) collectOrds(b *batch) {
	for i, row := range b.rows {
		if !c.ovec.Has.Get(int(row)) {
			continue
		}
		n := int(b.bucket(i))
		for n >= len(c.ordSets) {
			c.ordSets = append(c.ordSets, nil)
		}
		set := c.ordSets[n]
		if set == nil && (c.opened+1)*c.ords.Len()/8 > maxOrdSets {
			c.hashOrds(n, row)
			continue
		}
		if set == nil {
			set = query.NewOrdSet(c.ords.Len())
			c.ordSets[n] = set
			c.opened++
			c.mem.Take(int64(c.ords.Len() / 8))
		}
		if c.ovec.Start == nil {
			set.Add(c.ovec.V[row])
			continue
		}
		for _, ord := range c.ovec.V[c.ovec.Start[row]:c.ovec.Start[row+1]] {
			set.Add(ord)
		}
	}
}

// hashOrds hashes a row's values for a bucket that has no set of ordinals.
func (c *cardinalityCollector) hashOrds(n int, row uint16) {
	for n >= len(c.sets) {
		c.sets = append(c.sets, distinct{})
	}
	c.bytes(row, func(v []byte) { c.sets[n].add(xxh3.Hash(v), c.precision) })
}

func (c *cardinalityCollector) finish(bucket int) partial {
	out := &distinct{}
	if bucket < len(c.sets) {
		out = &c.sets[bucket]
	}
	if bucket < len(c.ordSets) && c.ordSets[bucket] != nil {
		eachValue(c.ords, c.ordSets[bucket].Has, func(_ uint32, v []byte) { out.add(xxh3.Hash(v), c.precision) })
	}
	return out
}

func (s *cardinality) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	all := &distinct{}
	for _, p := range parts {
		if err := all.merge(p.(*distinct), s.precision); err != nil {
			return nil, err
		}
	}
	return &distinctResult{countResult{a.typ, all.count()}, all, s.precision}, nil
}

// distinctResult keeps the set for cumulative_cardinality.
type distinctResult struct {
	countResult
	set       *distinct
	precision int
}

// merge adds the values of o, which stays as it is.
func (s *distinct) merge(o *distinct, limit int) error {
	for h := range o.exact {
		s.add(h, limit)
	}
	if o.sketch == nil {
		return nil
	}
	if s.sketch == nil {
		s.sketch = hyperloglog.NewNoSparse()
		for h := range s.exact {
			s.sketch.InsertHash(h)
		}
		s.exact = nil
	}
	return s.sketch.Merge(o.sketch)
}
