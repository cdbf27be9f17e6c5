package agg

import (
	"strconv"

	"github.com/weirlog/weir/store/query"
)

// valueFilter is include and exclude of terms.
type valueFilter struct{ in, out *valueSet }

// valueSet is a regular expression, a list of values, or (include only) a partition of all values.
type valueSet struct {
	match      func(v []byte) bool
	list       map[string]bool
	part, of   int
	partitions bool
}

func parseValueSet(a *Agg, key string, n *query.Node) (*valueSet, error) {
	switch n.Kind {
	case query.String:
		m, err := query.CompileRegexp(n.Str, "ALL", false)
		return &valueSet{match: m}, err
	case query.Array:
		s := &valueSet{list: map[string]bool{}}
		for _, e := range n.Vals {
			text, ok := e.Text()
			if !ok {
				return nil, wrong(e, a, key)
			}
			if f, isNum := e.Float(); isNum && e.Kind == query.Number {
				s.list[javaDouble(f)] = true
			}
			s.list[text] = true
		}
		return s, nil
	case query.Object:
		if key == "include" {
			return parsePartition(a, n)
		}
	}
	return nil, wrong(n, a, key)
}

func parsePartition(a *Agg, n *query.Node) (*valueSet, error) {
	part, ok1 := 0, false
	of, ok2 := 0, false
	if p := n.Get("partition"); p != nil {
		part, ok1 = p.Int()
	}
	if p := n.Get("num_partitions"); p != nil {
		of, ok2 = p.Int()
	}
	if !ok1 || !ok2 || of < 1 || part < 0 || part >= of {
		return nil, query.Badf("[include] of [%s] needs partition and num_partitions", a.name)
	}
	return &valueSet{part: part, of: of, partitions: true}, nil
}

// regexps tells whether a regular expression is used.
func (f *valueFilter) regexps() bool {
	return f.in != nil && f.in.match != nil || f.out != nil && f.out.match != nil
}

// all tells that nothing is left out.
func (f *valueFilter) all() bool { return f.in == nil && f.out == nil }

func (f *valueFilter) keeps(text string) bool {
	return (f.in == nil || f.in.has(text)) && (f.out == nil || !f.out.has(text))
}

func (s *valueSet) has(text string) bool {
	switch {
	case s.match != nil:
		return s.match([]byte(text))
	case s.partitions:
		return floorMod(partitionHash(text), int64(s.of)) == int64(s.part)
	}
	return s.list[text]
}

func floorMod(a, b int64) int64 {
	if a %= b; a < 0 {
		a += b
	}
	return a
}

// partitionHash is murmur3 (x86, 32 bits, seed 31) of a text, and Stafford's mix of a number.
func partitionHash(text string) int64 {
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		return mix64(uint64(v))
	}
	return int64(int32(murmur3([]byte(text), 31)))
}

// mix64 is the finalizer of splitmix64 (Stafford's variant 9 of 64-bit mixers).
func mix64(z uint64) int64 {
	z = (z ^ (z >> 32)) * 0x4cd6944c5cc20b6d
	z = (z ^ (z >> 29)) * 0xfc12c5b19d3259e9
	return int64(z ^ (z >> 32))
}

func murmur3(data []byte, h uint32) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	n := len(data)
	mixed := func(k uint32) uint32 {
		k *= c1
		return (k<<15 | k>>17) * c2
	}
	for ; len(data) >= 4; data = data[4:] {
		h ^= mixed(uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24)
		h = (h<<13|h>>19)*5 + 0xe6546b64
	}
	var k uint32
	for i := len(data) - 1; i >= 0; i-- {
		k = k<<8 | uint32(data[i])
	}
	if len(data) > 0 {
		h ^= mixed(k)
	}
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
