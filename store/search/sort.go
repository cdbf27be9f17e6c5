package search

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// keyKind is what a sort key's values are.
type keyKind uint8

const (
	kindNumber keyKind = iota // int64 as the column holds it; scores as query.SortableFloat
	kindBytes
)

// key is one value a hit is sorted by. In num smaller is always better: descending numbers are stored inverted.
type key struct {
	num     int64
	bytes   []byte
	missing bool
}

// sortPlan is a sort key fitted to one index.
type sortPlan struct {
	query.SortKey
	field  *mapping.Field // nil: by score, by place, or unmapped here
	kind   keyKind
	format *mapping.DateFormat
	first  bool   // missing values come first
	other  []byte // the value that stands for missing ones, encoded; nil: none
	otherN int64
	hasN   bool
}

// planSorts fits the sort keys to an index. An empty list sorts by score.
func planSorts(keys []query.SortKey, ix *Index) ([]sortPlan, error) {
	out := make([]sortPlan, 0, len(keys))
	for _, k := range keys {
		p, err := planSort(k, ix)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func planSort(k query.SortKey, ix *Index) (sortPlan, error) {
	p := sortPlan{SortKey: k, first: k.Missing == "_first"}
	switch k.Field {
	case "_score", "_doc", "_shard_doc":
		return p, nil
	case "_id", "_index":
		p.kind = kindBytes
		return p, nil
	case "_seq_no", "_version":
		return p, nil
	}
	f := ix.Mapping.Field(k.Field)
	if f == nil {
		return p, p.unmapped(ix)
	}
	switch {
	case f.Type.IsText():
		return p, query.FielddataError(ix.Name, f.Path)
	case f.Type.Kind() == mapping.Values:
		p.kind = kindBytes
	case f.Type.Kind() != mapping.Numbers:
		return p, query.Badf("can't sort on %s field [%s] without specifying a different sort", f.TypeName, f.Path)
	}
	p.field = f
	if k.Format != "" && f.Type.IsDate() {
		var err error
		if p.format, err = mapping.ParseDateFormat(k.Format); err != nil {
			return p, query.Badf("%s", err)
		}
	}
	return p, p.substitute(f)
}

func (p *sortPlan) unmapped(ix *Index) error {
	if p.Unmapped == "" {
		return &query.Error{Status: 400, Type: "query_shard_exception", Index: ix.Name, Reason: "No mapping found for [" + p.Field + "] in order to sort on"}
	}
	if p.Unmapped == "keyword" || p.Unmapped == "ip" || p.Unmapped == "version" || p.Unmapped == "text" {
		p.kind = kindBytes
	}
	return nil
}

// substitute encodes the value that "missing" gives to documents without one.
func (p *sortPlan) substitute(f *mapping.Field) error {
	if p.Missing == "" || p.Missing == "_last" || p.Missing == "_first" {
		return nil
	}
	var err error
	if p.kind == kindBytes {
		p.other, err = f.Term(p.Missing)
	} else {
		p.otherN, err = f.Number(p.Missing)
		p.hasN = err == nil
	}
	if err != nil {
		return query.Badf("%s", err)
	}
	return nil
}

// missingKey is the key of a document without a value.
func (p *sortPlan) missingKey() key {
	k := key{missing: true, num: math.MaxInt64}
	if p.first {
		k.num = math.MinInt64
	}
	return k
}

// keyer reads the keys of one source.
type keyer struct {
	plan  *sortPlan
	index string
	src   query.Source
	nums  query.Numbers
	ords  query.Ordinals
	strs  query.Strings
	base  int64 // of _doc
	zone  int
	vec   query.NumberVec
	ovec  query.OrdVec
}

func newKeyer(p *sortPlan, ix *Index, src query.Source, ord int) *keyer {
	k := &keyer{plan: p, index: ix.Name, src: src, base: int64(ord) << 32, zone: -1}
	path := p.Field
	if p.field != nil {
		path = p.field.Column()
	} else if path != "_seq_no" && path != "_version" {
		return k
	}
	switch col := src.Field(path).(type) {
	case query.Numbers:
		k.nums = col
	case query.Ordinals:
		k.ords = col
	case query.Strings:
		k.strs = col
	}
	return k
}

// load readies the keyer for the rows of a zone.
func (k *keyer) load(zone int) {
	if k.zone == zone {
		return
	}
	k.zone = zone
	switch {
	case k.nums != nil:
		k.nums.Load(zone, &k.vec)
	case k.ords != nil:
		k.ords.Load(zone, &k.ovec)
	}
}

// best is the best key any row of the zone can have; ok is false when that is not known.
func (k *keyer) best(zone int) (num int64, ok bool) {
	switch {
	case k.plan.Field == "_doc" || k.plan.Field == "_shard_doc":
		if k.plan.Desc {
			return ^(k.base + int64((zone+1)*query.ZoneRows-1)), true
		}
		return k.base + int64(zone*query.ZoneRows), true
	case k.nums == nil || k.plan.first || k.plan.hasN || k.plan.Mode == "sum" || k.plan.Mode == "avg" || k.plan.Mode == "median":
		return 0, false
	}
	lo, hi, any := k.nums.Bounds(zone)
	switch {
	case !any:
		return math.MaxInt64, true
	case k.plan.Desc:
		return ^hi, true
	}
	return lo, true
}

// at is the key of a row of the loaded zone.
func (k *keyer) at(row int, score float32) key {
	p := k.plan
	var n int64
	switch {
	case p.Field == "_score":
		n = query.SortableFloat(float64(score))
	case p.Field == "_doc" || p.Field == "_shard_doc":
		n = k.base + int64(k.zone*query.ZoneRows+row)
	case p.Field == "_id":
		return key{bytes: []byte(k.src.ID(k.zone*query.ZoneRows + row))}
	case p.Field == "_index":
		return key{bytes: []byte(k.index)}
	case k.nums != nil && k.vec.Has.Get(row):
		n = k.number(row)
	case k.ords != nil && k.ovec.Has.Get(row), k.strs != nil:
		if b, ok := k.value(row); ok {
			return key{bytes: b}
		}
		return k.absent()
	default:
		return k.absent()
	}
	if p.Desc {
		n = ^n
	}
	return key{num: n}
}

// absent is the key of a row without a value.
func (k *keyer) absent() key {
	p := k.plan
	switch {
	case p.hasN && p.Desc:
		return key{num: ^p.otherN}
	case p.hasN:
		return key{num: p.otherN}
	case p.other != nil:
		return key{bytes: p.other}
	}
	return p.missingKey()
}

func (k *keyer) number(row int) int64 {
	if k.vec.Start == nil {
		return k.vec.V[row]
	}
	vs := k.vec.V[k.vec.Start[row]:k.vec.Start[row+1]]
	switch k.plan.Mode {
	case "sum", "avg", "median":
		return k.combined(vs)
	case "min":
		return slices.Min(vs)
	case "max":
		return slices.Max(vs)
	}
	if k.plan.Desc {
		return slices.Max(vs)
	}
	return slices.Min(vs)
}

func (k *keyer) combined(vs []int64) int64 {
	isFloat := k.plan.field != nil && k.plan.field.Type.IsFloat()
	xs := make([]float64, len(vs))
	sum := 0.0
	for i, v := range vs {
		xs[i] = float64(v)
		if isFloat {
			xs[i] = query.FloatOf(v)
		}
		sum += xs[i]
	}
	switch k.plan.Mode {
	case "avg":
		sum /= float64(len(xs))
	case "median":
		slices.Sort(xs)
		sum = (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
	}
	if isFloat {
		return query.SortableFloat(sum)
	}
	return int64(math.Round(sum))
}

// value is the smallest value of a row, or the largest for a descending key.
func (k *keyer) value(row int) (b []byte, ok bool) {
	max := k.plan.Desc && k.plan.Mode != "min" || k.plan.Mode == "max"
	take := func(v []byte) {
		c := bytes.Compare(v, b)
		if !ok || max && c > 0 || !max && c < 0 {
			b, ok = append(b[:0:0], v...), true
		}
	}
	if k.strs != nil {
		k.strs.Each(k.zone*query.ZoneRows+row, take)
		return b, ok
	}
	if k.ovec.Start == nil {
		take(k.ords.Value(k.ovec.V[row]))
		return b, ok
	}
	for _, ord := range k.ovec.V[k.ovec.Start[row]:k.ovec.Start[row+1]] {
		take(k.ords.Value(ord))
	}
	return b, ok
}

// compare orders keys of one sort: negative means a comes first.
func (p *sortPlan) compare(a, b *key) int {
	if p.kind == kindNumber {
		return cmp.Compare(a.num, b.num)
	}
	if a.missing || b.missing {
		switch {
		case a.missing && b.missing:
			return 0
		case a.missing == p.first:
			return -1
		}
		return 1
	}
	c := bytes.Compare(a.bytes, b.bytes)
	if p.Desc {
		return -c
	}
	return c
}

// appendKey prints a sort value.
func (p *sortPlan) appendKey(dst []byte, k *key) []byte {
	if p.kind == kindBytes {
		switch {
		case k.missing:
			return append(dst, "null"...)
		case p.field == nil:
			return query.AppendString(dst, string(k.bytes))
		}
		return query.AppendString(dst, p.field.TermText(k.bytes))
	}
	n := k.num
	if p.Desc && !k.missing {
		n = ^n
	}
	if k.missing {
		return p.appendMissing(dst)
	}
	switch f := p.field; {
	case p.Field == "_score":
		return appendScore(dst, float32(query.FloatOf(n)))
	case f == nil:
		return strconv.AppendInt(dst, n, 10)
	case f.Type.IsDate() && p.format != nil:
		return query.AppendString(dst, p.format.Format(f.Nanos(n), time.UTC))
	case f.Type.IsFloat(), f.Type == mapping.UnsignedLong:
		return f.AppendNumber(dst, n)
	}
	return strconv.AppendInt(dst, n, 10)
}

func (p *sortPlan) appendMissing(dst []byte) []byte {
	low := p.first != p.Desc
	switch {
	case p.field != nil && p.field.Type.IsDate() && p.format != nil:
		return append(dst, "null"...)
	case p.field != nil && p.field.Type.IsFloat() && low:
		return append(dst, `"-Infinity"`...)
	case p.field != nil && p.field.Type.IsFloat():
		return append(dst, `"Infinity"`...)
	case low:
		return append(dst, "-9223372036854775808"...)
	}
	return append(dst, "9223372036854775807"...)
}

// parseKey reads a search_after value.
func (p *sortPlan) parseKey(n *query.Node) (key, error) {
	if n.Kind == query.Null {
		return p.missingKey(), nil
	}
	text, _ := n.Text()
	if p.kind == kindBytes {
		if p.field == nil {
			return key{bytes: []byte(text)}, nil
		}
		b, err := p.field.Term(text)
		if err != nil {
			return key{}, query.Badf("%s", err)
		}
		return key{bytes: b}, nil
	}
	num, err := p.parseNumber(text)
	if err != nil {
		return key{}, &query.Error{Status: 400, Type: "illegal_argument_exception",
			Reason: "Failed to parse search_after value for field [" + p.Field + "]."}
	}
	if num == math.MaxInt64 && !p.Desc && !p.first || num == math.MinInt64 && p.Desc && !p.first {
		return p.missingKey(), nil
	}
	if p.Desc {
		num = ^num
	}
	return key{num: num}, nil
}

func (p *sortPlan) parseNumber(text string) (int64, error) {
	f := p.field
	switch {
	case p.Field == "_score":
		x, err := strconv.ParseFloat(text, 64)
		return query.SortableFloat(float64(float32(x))), err
	case f != nil && f.Type.IsFloat():
		x, err := strconv.ParseFloat(text, 64)
		if math.IsInf(x, 0) {
			return clampFloat(x), nil
		}
		return query.SortableFloat(x), err
	case f != nil && f.Type == mapping.UnsignedLong:
		return f.Number(text)
	}
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		return v, nil
	}
	if f != nil && f.Type.IsDate() {
		format := f.Format
		if p.format != nil {
			format = p.format
		}
		ns, err := mapping.ParseDateMath(text, time.Now(), format, nil, false)
		return f.Time(ns), err
	}
	x, err := strconv.ParseFloat(text, 64)
	return int64(x), err
}

func clampFloat(x float64) int64 {
	if x > 0 {
		return math.MaxInt64
	}
	return math.MinInt64
}
