package agg

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// ipPrefix is ip_prefix: a bucket per network.
type ipPrefix struct {
	source
	length   int
	v6       bool
	append   bool // append_prefix_length
	keyed    bool
	minCount int64
}

func parseIPPrefix(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &ipPrefix{length: -1, minCount: 1}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "prefix_length":
			if s.length, ok = v.Int(); !ok {
				return true, wrong(v, a, key)
			}
		case "is_ipv6":
			s.v6, _ = v.Bool()
		case "append_prefix_length":
			s.append, _ = v.Bool()
		case "keyed":
			s.keyed, _ = v.Bool()
		case "min_doc_count":
			c, ok := v.Int()
			if !ok || c < 1 {
				return true, query.Badf("[min_doc_count] must be greater than 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.minCount = int64(c)
		default:
			return s.source.set(a, key, v)
		}
		return true, nil
	})
	most := 32
	if s.v6 {
		most = 128
	}
	if err == nil && (s.length < 0 || s.length > most) {
		err = query.Badf("[prefix_length] must be in range [0, %d] while value is [%d]", most, s.length)
	}
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *ipPrefix) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	if err == nil && b.f != nil && b.f.Type != mapping.IP {
		err = query.Badf("Field [%s] of type [%s] is not supported for aggregation [%s]", s.field, b.f.TypeName, c.agg.typ)
	}
	return &ipPrefixBinder{b, s}, err
}

type ipPrefixBinder struct {
	*bound
	spec *ipPrefix
}

func (b *ipPrefixBinder) open(o *opener) collector {
	return &ipPrefixCollector{reader: b.bound.open(o.src), tree: newTree(o), spec: b.spec, index: map[string]int64{}}
}

type ipPrefixCollector struct {
	*reader
	*tree
	spec  *ipPrefix
	index map[string]int64
	nets  []string // by key, 16 bytes each
}

var v4Mapped = []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}

func (c *ipPrefixCollector) collect(b *batch) error {
	if c.f == nil {
		return nil
	}
	c.load(b.zone)
	c.begin(b.zone)
	var seen []int64
	for i, row := range b.rows {
		seen = seen[:0]
		c.bytes(row, func(v []byte) {
			if len(v) != 16 || bytes.HasPrefix(v, v4Mapped) == c.spec.v6 {
				return
			}
			if key := c.net(v); !slices.Contains(seen, key) {
				seen = append(seen, key)
				c.add(row, c.bucket(b.bucket(i), key))
			}
		})
	}
	return c.end()
}

// net numbers the network of an address.
func (c *ipPrefixCollector) net(v []byte) int64 {
	var a [16]byte
	copy(a[:], v)
	keep := c.spec.length
	if !c.spec.v6 {
		keep += 96
	}
	for i := range a {
		switch bits := keep - 8*i; {
		case bits <= 0:
			a[i] = 0
		case bits < 8:
			a[i] &= byte(0xFF << (8 - bits))
		}
	}
	if k, ok := c.index[string(a[:])]; ok {
		return k
	}
	k := int64(len(c.nets))
	c.nets = append(c.nets, string(a[:]))
	c.index[string(a[:])] = k
	return k
}

func (c *ipPrefixCollector) finish(bucket int) partial {
	return c.tree.finish(bucket, func(k int64) bucketKey { return bucketKey{s: c.nets[k]} })
}

func (s *ipPrefix) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	var lists [][]bucketPart
	for _, p := range parts {
		lists = append(lists, p.([]bucketPart))
	}
	all := mergeBuckets(lists...)
	slices.SortFunc(all, func(x, y *merged) int { return bytes.Compare([]byte(x.key.s), []byte(y.key.s)) })
	out := &buckets{typ: "ip_prefix", keyed: s.keyed}
	for _, m := range all {
		if m.count < s.minCount {
			continue
		}
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		b.name = mapping.IPText([]byte(m.key.s))
		if s.append {
			b.name += fmt.Sprintf("/%d", s.length)
		}
		if !s.keyed {
			b.json = append(query.AppendString([]byte(`"key":`), b.name), ',')
		}
		b.json = fmt.Appendf(b.json, `"is_ipv6":%t,`, s.v6)
		b.json = s.appendMask(b.json)
		out.list = append(out.list, b)
	}
	return out, nil
}

// appendMask prints prefix_length and, for IPv4, the netmask.
func (s *ipPrefix) appendMask(dst []byte) []byte {
	if s.v6 {
		return fmt.Appendf(dst, `"prefix_length":%d`, s.length)
	}
	mask := ^uint32(0) << (32 - s.length)
	return fmt.Appendf(dst, `"prefix_length":%d,"netmask":"%d.%d.%d.%d"`, s.length, mask>>24, mask>>16&255, mask>>8&255, mask&255)
}
