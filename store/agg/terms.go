package agg

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// maxDense is the largest dictionary whose ordinals are counted in an array.
const maxDense = 1 << 20

// terms is a bucket per value.
type terms struct {
	source
	size      int
	minCount  int64
	order     []orderKey
	include   valueFilter
	showError bool
}

func parseTerms(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &terms{size: 10, minCount: 1}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "size":
			if s.size, ok = v.Int(); !ok {
				return true, wrong(v, a, key)
			}
			if s.size <= 0 {
				return true, query.Badf("[size] must be greater than 0. Found [%d] in [%s]", s.size, a.name)
			}
		case "min_doc_count":
			c, ok := v.Int()
			if !ok || c < 0 {
				return true, query.Badf("[minDocCount] must be greater than or equal to 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.minCount = int64(c)
		case "order":
			s.order, err = parseOrder(a, v)
		case "include":
			s.include.in, err = parseValueSet(a, key, v)
		case "exclude":
			s.include.out, err = parseValueSet(a, key, v)
		case "show_term_doc_count_error":
			s.showError, _ = v.Bool()
		case "shard_size", "shard_min_doc_count", "execution_hint", "collect_mode":
		default:
			return s.source.set(a, key, v)
		}
		return true, err
	})
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *terms) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	if err != nil {
		return nil, err
	}
	if s.include.regexps() && kindOf(b) != keyString && kindOf(b) != keyNone {
		return nil, query.Badf("Aggregation [%s] cannot support regular expression style include/exclude settings as they can only be applied "+
			"to string fields. Use an array of values for include/exclude clauses", c.agg.name)
	}
	return &termsBinder{b, s}, nil
}

type termsBinder struct {
	*bound
	spec *terms
}

func (b *termsBinder) open(o *opener) collector {
	c := &termsCollector{reader: b.bound.open(o.src), tree: newTree(o), spec: b.spec, kind: kindOf(b.bound)}
	c.format = formatterOf(b.bound, c.kind)
	if c.ords != nil {
		c.narrow(c.ords.Len())
	}
	return c
}

// termsPart is the buckets of one source.
type termsPart struct {
	kind   keyKind
	format formatter
	list   []bucketPart
	flat   *flatCounts           // in place of list: strings with nothing below them
	text   func(v []byte) string // of a value of flat
	raw    bool                  // text is the value itself
	zero   bool                  // flat has values of no row, too
}

// unfold turns flat into list.
func (p *termsPart) unfold() {
	if p.flat == nil {
		return
	}
	p.list = make([]bucketPart, 0, p.flat.size)
	p.flat.each(func(v []byte, n int64) {
		p.list = append(p.list, bucketPart{key: bucketKey{s: p.text(v)}, count: n})
	})
	p.flat = nil
}

// termsCollector numbers buckets by ordinal, by number, or by a dictionary of its own for columns without ordinals.
type termsCollector struct {
	*reader
	*tree
	spec   *terms
	kind   keyKind
	format formatter
	own    map[string]int64
	names  []string
	dense  []int64      // counts by ordinal, while the only bucket above is 0 and nothing stands below
	plain  *valueCounts // the same for columns without ordinals
	first  []byte       // the first value of the row being read
	seen   []int64      // keys of the row being read
}

func (c *termsCollector) collect(b *batch) error {
	if c.f == nil && c.constant == nil {
		return nil
	}
	c.load(b.zone)
	if c.ords != nil && !c.hasMiss && b.top() && len(c.subs) == 0 && c.ords.Len() <= maxDense && c.f.Key == "" {
		c.countOrds(b)
		return nil
	}
	if c.strs != nil && !c.hasMiss && b.top() && len(c.subs) == 0 && c.f.Key == "" {
		c.countStrings(b)
		return nil
	}
	if c.ords != nil && !c.hasMiss && b.buckets == nil && len(c.subs) == 0 && c.ovec.Start == nil {
		c.countBelow(b)
		return nil
	}
	c.begin(b.zone)
	var one [1]int64
	for i, row := range b.rows {
		parent := b.bucket(i)
		switch {
		case c.ords != nil && c.ovec.Start == nil && c.ovec.Has.Get(int(row)):
			c.add(row, c.ordinal(parent, c.ovec.V[row]))
		case c.nums != nil && c.vec.Start == nil && c.vec.Has.Get(int(row)) && c.f.Type != mapping.DateNanos:
			c.add(row, c.bucket(parent, c.vec.V[row]))
		default:
			c.collectRow(row, parent, &one)
		}
	}
	return c.end()
}

// countOrds counts a top-level terms without anything below it.
func (c *termsCollector) countOrds(b *batch) {
	if c.dense == nil {
		c.dense = make([]int64, c.ords.Len())
	}
	if c.ovec.Start == nil {
		for w, word := range b.sel {
			for word &= c.ovec.Has[w]; word != 0; word &= word - 1 {
				c.dense[c.ovec.V[w*64+bits.TrailingZeros64(word)]]++
			}
		}
		return
	}
	for _, row := range b.rows {
		vs := c.ovec.V[c.ovec.Start[row]:c.ovec.Start[row+1]]
		for i, ord := range vs {
			if !slices.Contains(vs[:i], ord) {
				c.dense[ord]++
			}
		}
	}
}

// countBelow counts rows that are all in one bucket of the aggregation above.
func (c *termsCollector) countBelow(b *batch) {
	direct := c.row(b.only)
	for w, word := range b.sel {
		for word &= c.ovec.Has[w]; word != 0; word &= word - 1 {
			ord := c.ovec.V[w*64+bits.TrailingZeros64(word)]
			if int(ord) < len(direct) && direct[ord] != 0 {
				c.counts[direct[ord]-1]++
				continue
			}
			c.counts[c.ordinal(b.only, ord)]++
			direct = c.row(b.only)
		}
	}
}

// countStrings is countOrds for values in row order.
func (c *termsCollector) countStrings(b *batch) {
	if c.plain == nil {
		c.plain = newValueCounts(c.mem)
	}
	last, more := -1, [][]byte(nil) // of the row under way: its values, when it has several
	eachString(c.strs, b, func(row int, v []byte) {
		switch {
		case row != last:
			last, more = row, append(more[:0], append(c.first[:0], v...))
			c.first = more[0]
		case slices.ContainsFunc(more, func(m []byte) bool { return bytes.Equal(m, v) }):
			return
		default:
			more = append(more, bytes.Clone(v))
		}
		c.plain.add(v, 1)
	})
}

// collectRow takes a row with several values, none, or values without ordinals. A value counts once.
func (c *termsCollector) collectRow(row uint16, parent uint32, one *[1]int64) {
	c.seen = c.seen[:0]
	take := func(k int64) {
		if !slices.Contains(c.seen, k) {
			c.seen = append(c.seen, k)
			c.add(row, c.bucket(parent, k))
		}
	}
	switch {
	case c.constant != nil:
		take(c.named([]byte(*c.constant)))
	case c.kind != keyString:
		for _, v := range c.ints(row, one) {
			take(floorDiv(v, unitOf(c.bound)))
		}
	case c.ords != nil && c.ovec.Has.Get(int(row)):
		for _, ord := range c.ovec.V[c.ovec.Start[row]:c.ovec.Start[row+1]] {
			take(int64(ord))
		}
	default:
		c.bytes(row, func(v []byte) { take(c.named(v)) })
	}
}

// named numbers a value that has no ordinal: from -1 down, beside the ordinals.
func (c *termsCollector) named(v []byte) int64 {
	if n, ok := c.own[string(v)]; ok {
		return n
	}
	if c.own == nil {
		c.own = map[string]int64{}
	}
	n := -1 - int64(len(c.names))
	c.own[string(v)] = n
	c.names = append(c.names, string(v))
	return n
}

// key is the value behind a bucket's number.
func (c *termsCollector) key(k int64) bucketKey {
	if c.kind != keyString {
		return bucketKey{n: k}
	}
	if k < 0 {
		if c.constant != nil || c.f == nil {
			return bucketKey{s: c.names[-1-k]}
		}
		return bucketKey{s: c.f.TermText([]byte(c.names[-1-k]))}
	}
	return bucketKey{s: c.f.TermText(c.ords.Value(uint32(k)))}
}

func (c *termsCollector) finish(bucket int) partial {
	p := &termsPart{kind: c.kind, format: c.format, text: func(v []byte) string { return c.f.TermText(v) }}
	p.raw = c.f != nil && (c.f.Type == mapping.Keyword || c.f.Type == mapping.Wildcard)
	switch {
	case c.dense != nil && bucket == 0:
		p.zero = c.spec.minCount == 0
		p.flat = &flatCounts{mem: c.mem, each: func(f func(v []byte, n int64)) {
			eachValue(c.ords, func(ord uint32) bool { return c.dense[ord] > 0 || p.zero }, func(ord uint32, v []byte) { f(v, c.dense[ord]) })
		}}
		for _, n := range c.dense {
			if n > 0 || p.zero {
				p.flat.size++
			}
		}
		return p
	case c.plain != nil && bucket == 0:
		p.flat = &flatCounts{size: c.plain.len(), mem: c.mem, each: c.plain.each, table: c.plain}
		return p
	}
	p.list = c.tree.finish(bucket, c.key)
	if c.spec.minCount == 0 && c.ords != nil {
		p.list = c.zeros(p.list)
	}
	if c.f != nil && c.f.Key != "" {
		p.list = c.keyed(p.list, bucket)
	}
	return p
}

// zeros adds the values of the dictionary that no row has.
func (c *termsCollector) zeros(list []bucketPart) []bucketPart {
	have := make(map[bucketKey]bool, len(list))
	for _, p := range list {
		have[p.key] = true
	}
	for ord := range c.ords.Len() {
		if k := c.key(int64(ord)); !have[k] {
			list = append(list, bucketPart{key: k})
		}
	}
	return list
}

// keyed keeps the buckets of the key of a flattened field that was asked for.
func (c *termsCollector) keyed(list []bucketPart, parent int) []bucketPart {
	prefix := []byte(c.f.Key + "\x00")
	kids := c.kids[uint32(parent)]
	out := list[:0]
	for i, n := range kids {
		k := c.slots[n].key
		if k >= 0 && bytes.HasPrefix(c.ords.Value(uint32(k)), prefix) || k < 0 && strings.HasPrefix(c.names[-1-k], string(prefix)) {
			out = append(out, list[i])
		}
	}
	return out
}

func (s *terms) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	if list, others, ok, err := s.reduceFlat(r, a, parts); ok || err != nil {
		return termsResult(keyString, list, others), err
	}
	kind, format, lists := s.gather(parts)
	all := mergeBuckets(lists...)
	all = slices.DeleteFunc(all, func(m *merged) bool {
		return m.count < s.minCount || !s.include.keeps(s.keyText(m.key, kind, format))
	})
	list, others, err := s.choose(r, a, all, kind, format)
	if err != nil {
		return nil, err
	}
	return termsResult(kind, list, others), nil
}

// gather lists the buckets of all sources with keys of one kind.
func (s *terms) gather(parts []partial) (kind keyKind, format formatter, lists [][]bucketPart) {
	kind, lists = keyNone, make([][]bucketPart, 0, len(parts))
	mixed := false
	for _, p := range parts {
		t := p.(*termsPart)
		if t.kind == keyNone {
			continue
		}
		t.unfold()
		if kind != keyNone && kind != t.kind && len(t.list) > 0 {
			mixed = true
		}
		if kind == keyNone || len(t.list) > 0 {
			kind, format = t.kind, t.format
		}
		lists = append(lists, t.list)
	}
	if mixed {
		kind, format = s.unify(parts, lists)
	}
	return kind, format, lists
}

func termsResult(kind keyKind, list []*bucket, others int64) *buckets {
	b := &buckets{typ: termsType(kind), list: list}
	b.head = append(b.head, `"doc_count_error_upper_bound":0,"sum_other_doc_count":`...)
	b.head = append(strconv.AppendInt(b.head, others, 10), ',')
	return b
}

// reduceFlat merges parts that are nothing but counts of strings; ok is false when some are more. Only the values that may be answered
// become buckets.
func (s *terms) reduceFlat(r *reducer, a *Agg, parts []partial) (list []*bucket, others int64, ok bool, err error) {
	if len(parts) == 0 || slices.ContainsFunc(s.order, func(o orderKey) bool { return o.steps != nil }) {
		return nil, 0, false, nil
	}
	var flat []*termsPart
	for _, p := range parts {
		t := p.(*termsPart)
		if t.kind == keyNone {
			continue
		}
		if t.flat == nil {
			return nil, 0, false, nil
		}
		flat = append(flat, t)
	}
	if len(flat) == 0 {
		return nil, 0, false, nil
	}
	all, text := flat[0].flat.each, flat[0].text
	if len(flat) > 1 {
		most := 0
		for _, t := range flat {
			most = max(most, t.flat.size)
		}
		table := newValueCounts(flat[0].flat.mem)
		table.reserve(most)
		for _, t := range flat {
			if t.flat.table != nil {
				table.addAll(t.flat.table)
			} else {
				t.flat.each(table.add)
			}
		}
		all = table.each
	}
	chosen, sum := s.candidates(all, flat[0])
	for _, m := range chosen {
		m.key.s = text([]byte(m.key.s))
	}
	kept := int64(0)
	for _, m := range chosen {
		kept += m.count
	}
	list, others, err = s.choose(r, a, chosen, keyString, nil)
	return list, others + sum - kept, err == nil, err
}

// candidates are the values that may be answered, and the documents of all that pass.
func (s *terms) candidates(all func(f func(v []byte, n int64)), part *termsPart) (chosen []*merged, sum int64) {
	byCount := len(s.order) == 0
	floor := int64(0) // below that count no value is answered any more
	var worst []byte  // of the floor, only values before this one are; nil: any
	all(func(v []byte, n int64) {
		if n < s.minCount || !s.include.all() && !s.include.keeps(part.text(v)) {
			return
		}
		sum += n
		if byCount && (n < floor || n == floor && worst != nil && bytes.Compare(v, worst) >= 0) {
			return
		}
		chosen = append(chosen, &merged{key: bucketKey{s: string(v)}, count: n})
		if byCount && len(chosen) >= 4*s.size+256 {
			slices.SortFunc(chosen, mostFirst)
			chosen = chosen[:s.size]
			floor = chosen[s.size-1].count
			if part.raw {
				worst = []byte(chosen[s.size-1].key.s)
			}
		}
	})
	return chosen, sum
}

// mostFirst orders by count, then by key.
func mostFirst(x, y *merged) int {
	if x.count != y.count {
		return cmp.Compare(y.count, x.count)
	}
	return cmp.Compare(x.key.s, y.key.s)
}

func termsType(k keyKind) string {
	switch k {
	case keyString:
		return "sterms"
	case keyDouble:
		return "dterms"
	case keyUnsigned:
		return "umterms"
	case keyNone:
		return "umterms"
	}
	return "lterms"
}

// unify gives the keys of indices that map the field differently one form: doubles, or texts when some are no numbers.
func (s *terms) unify(parts []partial, lists [][]bucketPart) (keyKind, formatter) {
	text := false
	for _, p := range parts {
		if k := p.(*termsPart).kind; k == keyString || k == keyBool || k == keyDate {
			text = true
		}
	}
	i := 0
	for _, p := range parts {
		t := p.(*termsPart)
		if t.kind == keyNone {
			continue
		}
		list := slices.Clone(t.list)
		for j := range list {
			switch k := &list[j].key; {
			case text && t.kind != keyString:
				*k = bucketKey{s: s.keyText(*k, t.kind, t.format)}
			case !text && t.kind == keyLong:
				k.n = query.SortableFloat(float64(k.n))
			case !text && t.kind == keyUnsigned:
				k.n = query.SortableFloat(float64(uint64(k.n) ^ 1<<63))
			}
		}
		lists[i] = list
		i++
	}
	if text {
		return keyString, nil
	}
	return keyDouble, nil
}

// keyNumber is the number of a key, for orders and paths.
func keyNumber(k bucketKey, kind keyKind) float64 {
	switch kind {
	case keyDouble:
		return query.FloatOf(k.n)
	case keyUnsigned:
		return float64(uint64(k.n) ^ 1<<63)
	case keyString:
		return math.NaN()
	}
	return float64(k.n)
}

// keyText is a key as text.
func (s *terms) keyText(k bucketKey, kind keyKind, format formatter) string {
	switch {
	case kind == keyString:
		return k.s
	case kind == keyBool, kind == keyDate:
		return format(float64(k.n))
	case kind == keyDouble:
		return javaDouble(query.FloatOf(k.n))
	case kind == keyUnsigned:
		return strconv.FormatUint(uint64(k.n)^1<<63, 10)
	}
	return strconv.FormatInt(k.n, 10)
}

// keyJSON prints "key" and "key_as_string".
func keyJSON(k bucketKey, kind keyKind, format formatter) []byte {
	dst := []byte(`"key":`)
	switch kind {
	case keyString:
		return query.AppendString(dst, k.s)
	case keyDouble:
		dst = appendFloat(dst, query.FloatOf(k.n))
	case keyUnsigned:
		dst = strconv.AppendUint(dst, uint64(k.n)^1<<63, 10)
	default:
		dst = strconv.AppendInt(dst, k.n, 10)
	}
	if format != nil {
		dst = query.AppendString(append(dst, `,"key_as_string":`...), format(keyNumber(k, kind)))
	}
	return dst
}

// choose orders the buckets and keeps the first size of them; others is the number of documents in the rest.
func (s *terms) choose(r *reducer, a *Agg, all []*merged, kind keyKind, format formatter) (list []*bucket, others int64, err error) {
	keyOrder := func(x, y bucketKey) int {
		switch kind {
		case keyString:
			return cmp.Compare(x.s, y.s)
		}
		return cmp.Compare(x.n, y.n)
	}
	needsSubs := slices.ContainsFunc(s.order, func(o orderKey) bool { return o.steps != nil })
	if !needsSubs {
		var sum int64
		for _, m := range all {
			sum += m.count
		}
		all = firstOf(all, s.size, func(x, y *merged) int {
			for _, o := range s.order {
				if c := o.compare(x, y, keyOrder); c != 0 {
					return c
				}
			}
			if len(s.order) == 0 && x.count != y.count {
				return cmp.Compare(y.count, x.count)
			}
			return keyOrder(x.key, y.key)
		})
		for _, m := range all {
			sum -= m.count
		}
		others = sum
	}
	for _, m := range all {
		if needsSubs {
			r.buckets-- // only those kept count towards the bound
		}
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, 0, err
		}
		b.json, b.num, b.name = keyJSON(m.key, kind, format), keyNumber(m.key, kind), s.keyText(m.key, kind, format)
		list = append(list, b)
	}
	if needsSubs {
		if err := checkOrders(s.order, list); err != nil {
			return nil, 0, err
		}
		slices.SortStableFunc(list, func(x, y *bucket) int { return compareBuckets(s.order, x, y, keyOrder) })
		for _, b := range list[min(s.size, len(list)):] {
			others += b.count
		}
		list = list[:min(s.size, len(list))]
		if r.buckets += len(list); r.buckets > MaxBuckets {
			return nil, 0, tooManyBuckets()
		}
	}
	if s.showError {
		for _, b := range list {
			b.level.results = append([]named{{name: "doc_count_error_upper_bound", res: bareNumber(0)}}, b.level.results...)
		}
	}
	return list, others, nil
}

// bareNumber and bareFloat are members that are plain numbers; see writer.level.
type (
	bareNumber int64
	bareFloat  float64
)

func (n bareNumber) kind() string                 { return "" }
func (n bareNumber) value(string) (float64, bool) { return float64(n), true }
func (n bareNumber) json(w *writer)               { w.int(int64(n)) }

func (n bareFloat) kind() string                 { return "" }
func (n bareFloat) value(string) (float64, bool) { return float64(n), true }
func (n bareFloat) json(w *writer)               { w.float(float64(n)) }

// firstOf is the first n of a list in order, without sorting all of it.
func firstOf(all []*merged, n int, order func(x, y *merged) int) []*merged {
	if len(all) <= 4*n {
		slices.SortFunc(all, order)
		return all[:min(n, len(all))]
	}
	best := make([]*merged, 0, 2*n)
	var worst *merged
	for _, m := range all {
		if worst != nil && order(m, worst) > 0 {
			continue
		}
		if best = append(best, m); len(best) == cap(best) {
			slices.SortFunc(best, order)
			best = best[:n]
			worst = best[n-1]
		}
	}
	slices.SortFunc(best, order)
	return best[:min(n, len(best))]
}
