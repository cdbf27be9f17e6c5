package agg

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// composite is a bucket per combination of values, in pages.
type composite struct {
	sources []compositeSource
	size    int
	after   *query.Node // nil: the first page
}

// compositeSource is one part of the combination.
type compositeSource struct {
	source
	name    string
	typ     string // terms, histogram, date_histogram
	desc    bool
	missing bool   // missing_bucket
	order   string // missing_order: first, last or default
	numbers *histogram
	dates   *dateHistogram
}

func parseComposite(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &composite{size: 10}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "size":
			if s.size, ok = v.Int(); !ok || s.size < 1 || s.size > MaxBuckets {
				return true, query.Badf("[size] must be greater than 0. Found [%s] in [%s]", v.Str, a.name)
			}
		case "after":
			s.after = v
		case "sources":
			for _, e := range v.Vals {
				src, err := parseCompositeSource(d, a, e)
				if err != nil {
					return true, err
				}
				s.sources = append(s.sources, src)
			}
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && len(s.sources) == 0 {
		err = query.Badf("Composite [sources] cannot be null or empty")
	}
	if err == nil && s.after != nil && len(s.after.Keys) != len(s.sources) {
		err = query.Badf("[after] has %d value(s) but [sources] has %d", len(s.after.Keys), len(s.sources))
	}
	return s, err
}

func parseCompositeSource(d *decoder, a *Agg, n *query.Node) (s compositeSource, err error) {
	if n.Kind != query.Object || len(n.Keys) != 1 || n.Vals[0].Kind != query.Object || len(n.Vals[0].Keys) != 1 {
		return s, n.Errorf("a source of [composite] is {name: {type: {...}}}")
	}
	s.name, s.typ, s.order = n.Keys[0].Name, n.Vals[0].Keys[0].Name, "default"
	body := n.Vals[0].Vals[0]
	rest := &query.Node{Kind: query.Object, Off: body.Off}
	for i, k := range body.Keys {
		v := body.Vals[i]
		switch k.Name {
		case "order":
			s.desc = v.Str == "desc" || v.Str == "DESC"
		case "missing_bucket":
			s.missing, _ = v.Bool()
		case "missing_order":
			s.order = v.Str
		default:
			rest.Keys, rest.Vals = append(rest.Keys, k), append(rest.Vals, v)
		}
	}
	inner := &Agg{name: s.name, typ: s.typ}
	switch s.typ {
	case "terms":
		if err = members(inner, rest, func(key string, v *query.Node) (bool, error) { return s.source.set(inner, key, v) }); err == nil {
			err = s.check(inner)
		}
	case "histogram":
		var sp spec
		if sp, err = parseHistogram(d, inner, rest); err == nil {
			s.numbers = sp.(*histogram)
			s.source = s.numbers.source
		}
	case "date_histogram":
		var sp spec
		if sp, err = parseDateHistogram(d, inner, rest); err == nil {
			s.dates = sp.(*dateHistogram)
			s.source = s.dates.source
		}
	default:
		err = n.Errorf("[composite] source of type [%s] is not supported", s.typ)
	}
	return s, err
}

func (s *composite) bind(c *planner) (binder, error) {
	b := &compositeBinder{spec: s}
	for i := range s.sources {
		f, err := c.bindSource(&s.sources[i].source)
		if err != nil {
			return nil, err
		}
		if s.sources[i].typ != "terms" {
			if err := f.needNumbers(c); err != nil {
				return nil, err
			}
		}
		b.fields = append(b.fields, f)
	}
	return b, nil
}

type compositeBinder struct {
	spec   *composite
	fields []*bound
}

func (b *compositeBinder) open(o *opener) collector {
	c := &compositeCollector{tree: newTree(o), binder: b, index: map[string]int64{}}
	for i, f := range b.fields {
		c.readers = append(c.readers, f.open(o.src))
		c.kinds = append(c.kinds, b.spec.sources[i].kind(f))
		var r *rounder
		if d := b.spec.sources[i].dates; d != nil {
			r = d.rounder()
		}
		c.round = append(c.round, r)
	}
	return c
}

// kind is what the keys of a source are.
func (s *compositeSource) kind(f *bound) keyKind {
	switch s.typ {
	case "histogram":
		return keyDouble
	case "date_histogram":
		return keyDate
	}
	return kindOf(f)
}

// compositeValue is one part of a key.
type compositeValue struct {
	missing bool
	n       int64
	s       string
}

type compositeCollector struct {
	*tree
	binder  *compositeBinder
	readers []*reader
	kinds   []keyKind
	round   []*rounder
	index   map[string]int64 // encoded key -> number
	keys    [][]compositeValue
	buf     []byte
}

func (c *compositeCollector) collect(b *batch) error {
	for _, r := range c.readers {
		r.load(b.zone)
	}
	c.begin(b.zone)
	key := make([]compositeValue, len(c.readers))
	for i, row := range b.rows {
		c.combine(0, key, row, b.bucket(i))
	}
	return c.end()
}

// combine adds the row to the bucket of each combination of its values.
func (c *compositeCollector) combine(at int, key []compositeValue, row uint16, parent uint32) {
	if at == len(key) {
		c.add(row, c.bucket(parent, c.number(key)))
		return
	}
	values := c.values(at, row)
	if len(values) == 0 && c.binder.spec.sources[at].missing {
		values = []compositeValue{{missing: true}}
	}
	for _, v := range values {
		key[at] = v
		c.combine(at+1, key, row, parent)
	}
}

func (c *compositeCollector) values(at int, row uint16) []compositeValue {
	r, src := c.readers[at], &c.binder.spec.sources[at]
	var out []compositeValue
	put := func(v compositeValue) {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if c.kinds[at] == keyString {
		if r.constant != nil {
			return []compositeValue{{s: *r.constant}}
		}
		r.bytes(row, func(v []byte) { put(compositeValue{s: r.f.TermText(v)}) })
		return out
	}
	var one [1]int64
	for _, v := range r.ints(row, &one) {
		switch {
		case src.numbers != nil:
			h := src.numbers
			v = query.SortableFloat(math.Floor((r.toF(v)-h.offset)/h.interval)*h.interval + h.offset)
		case src.dates != nil:
			v = c.round[at].floor(floorDiv(v, unitOf(r.bound)))
		case c.kinds[at] == keyDate:
			v = floorDiv(v, unitOf(r.bound))
		}
		put(compositeValue{n: v})
	}
	return out
}

// number is the number of a combination in this source.
func (c *compositeCollector) number(key []compositeValue) int64 {
	c.buf = encodeKey(c.buf[:0], key)
	if n, ok := c.index[string(c.buf)]; ok {
		return n
	}
	n := int64(len(c.keys))
	c.index[string(c.buf)] = n
	c.keys = append(c.keys, slices.Clone(key))
	return n
}

func encodeKey(dst []byte, key []compositeValue) []byte {
	for _, v := range key {
		if v.missing {
			dst = append(dst, 0)
			continue
		}
		dst = binary.LittleEndian.AppendUint64(append(dst, 1), uint64(v.n))
		dst = binary.AppendUvarint(dst, uint64(len(v.s)))
		dst = append(dst, v.s...)
	}
	return dst
}

// compositePart is the buckets of one source; keys are encoded combinations.
type compositePart struct {
	list   []bucketPart
	keys   map[string][]compositeValue
	kinds  []keyKind
	fields []*bound
}

func (c *compositeCollector) finish(bucket int) partial {
	p := &compositePart{keys: map[string][]compositeValue{}, kinds: c.kinds, fields: c.binder.fields}
	p.list = c.tree.finish(bucket, func(k int64) bucketKey {
		enc := string(encodeKey(nil, c.keys[k]))
		p.keys[enc] = c.keys[k]
		return bucketKey{s: enc}
	})
	return p
}

// gather collects the buckets of all sources with the combinations behind their keys; shape is a source that knows the fields, nil when
// there is no source.
func (s *composite) gather(parts []partial) (lists [][]bucketPart, keys map[string][]compositeValue, shape *compositePart) {
	keys = map[string][]compositeValue{}
	for _, p := range parts {
		c := p.(*compositePart)
		lists = append(lists, c.list)
		for k, v := range c.keys {
			keys[k] = v
		}
		if shape == nil || len(shape.list) == 0 && len(c.list) > 0 {
			shape = c
		}
	}
	return lists, keys, shape
}

func (s *composite) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	out := &buckets{typ: "composite"}
	lists, keys, shape := s.gather(parts)
	if shape == nil {
		return out, nil
	}
	all := mergeBuckets(lists...)
	slices.SortFunc(all, func(x, y *merged) int { return s.compare(keys[x.key.s], keys[y.key.s], shape.kinds) })
	if s.after != nil {
		after, err := s.parseAfter(shape)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(m *merged) bool { return s.compare(keys[m.key.s], after, shape.kinds) <= 0 })
	}
	for _, m := range all[:min(s.size, len(all))] {
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		key := s.keyJSON(keys[m.key.s], shape)
		b.json = append([]byte(`"key":`), key...)
		b.name = string(key)
		out.list = append(out.list, b)
	}
	if n := len(out.list); n > 0 {
		out.head = append([]byte(`"after_key":`), out.list[n-1].name...)
		out.head = append(out.head, ',')
	}
	return out, nil
}

// compare orders combinations. A missing part comes first ascending and last descending, unless missing_order says otherwise.
func (s *composite) compare(a, b []compositeValue, kinds []keyKind) int {
	for i := range s.sources {
		x, y, src := &a[i], &b[i], &s.sources[i]
		c := 0
		if x.missing || y.missing {
			c = bit(y.missing) - bit(x.missing) // missing first
			if src.order == "last" || src.order == "default" && src.desc {
				c = -c
			}
		} else {
			if kinds[i] == keyString {
				c = bytes.Compare([]byte(x.s), []byte(y.s))
			} else {
				c = cmp.Compare(x.n, y.n)
			}
			if src.desc {
				c = -c
			}
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func (s *composite) keyJSON(key []compositeValue, shape *compositePart) []byte {
	dst := []byte{'{'}
	for i := range key {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(query.AppendString(dst, s.sources[i].name), ':')
		dst = s.partJSON(dst, i, &key[i], shape)
	}
	return append(dst, '}')
}

// partJSON prints part i of a combination.
func (s *composite) partJSON(dst []byte, i int, v *compositeValue, shape *compositePart) []byte {
	switch {
	case v.missing:
		return append(dst, "null"...)
	case shape.kinds[i] == keyString:
		return query.AppendString(dst, v.s)
	case shape.kinds[i] == keyDouble:
		return appendFloat(dst, query.FloatOf(v.n))
	case shape.kinds[i] == keyUnsigned:
		return strconv.AppendUint(dst, uint64(v.n)^1<<63, 10)
	case shape.kinds[i] == keyBool:
		return strconv.AppendBool(dst, v.n != 0)
	case s.sources[i].format != "" && shape.kinds[i] == keyDate:
		return query.AppendString(dst, s.sources[i].dateText(v.n))
	}
	return strconv.AppendInt(dst, v.n, 10)
}

func (s *compositeSource) dateText(ms int64) string {
	df, err := mapping.ParseDateFormat(s.format)
	if err != nil {
		return strconv.FormatInt(ms, 10)
	}
	var zone *time.Location
	if s.dates != nil {
		zone = s.dates.zone
	}
	return df.Format(ms*1e6, zone)
}

// parseAfter reads the key that the page before ended with; it need not exist.
func (s *composite) parseAfter(shape *compositePart) ([]compositeValue, error) {
	out := make([]compositeValue, len(s.sources))
	for i := range s.sources {
		src := &s.sources[i]
		n := s.after.Get(src.name)
		if n == nil {
			return nil, query.Badf("Missing value for [after.%s]", src.name)
		}
		text, ok := n.Text()
		if !ok {
			out[i].missing = true
			continue
		}
		v, err := src.parseValue(text, shape.kinds[i])
		if err != nil {
			return nil, query.Badf("Invalid value for [after.%s], expected a value of [%s]: %s", src.name, src.typ, text)
		}
		out[i] = v
	}
	return out, nil
}

func (s *compositeSource) parseValue(text string, kind keyKind) (v compositeValue, err error) {
	switch kind {
	case keyString, keyNone:
		return compositeValue{s: text}, nil
	case keyDouble:
		f, err := strconv.ParseFloat(text, 64)
		return compositeValue{n: query.SortableFloat(f)}, err
	case keyUnsigned:
		u, err := strconv.ParseUint(text, 10, 64)
		return compositeValue{n: int64(u ^ 1<<63)}, err
	case keyBool:
		b, err := strconv.ParseBool(text)
		return compositeValue{n: int64(bit(b))}, err
	}
	if kind == keyDate && s.format != "" {
		df, err := mapping.ParseDateFormat(s.format)
		if err != nil {
			return v, err
		}
		var zone *time.Location
		if s.dates != nil {
			zone = s.dates.zone
		}
		ns, err := df.Parse(text, false, zone)
		return compositeValue{n: floorDiv(ns, 1e6)}, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return compositeValue{n: n}, err
}
