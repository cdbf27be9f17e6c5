package agg

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/store/query"
)

// multiTerms is multi_terms: a bucket per combination of values, ordered as terms.
type multiTerms struct {
	composite
	order    []orderKey
	minCount int64
}

func parseMultiTerms(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &multiTerms{minCount: 1}
	s.size = 10
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "size":
			if s.size, ok = v.Int(); !ok || s.size <= 0 {
				return true, query.Badf("[size] must be greater than 0. Found [%s] in [%s]", v.Str, a.name)
			}
		case "min_doc_count":
			c, ok := v.Int()
			if !ok || c < 0 {
				return true, query.Badf("[minDocCount] must be greater than or equal to 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.minCount = max(1, int64(c)) // combinations of no document are not known
		case "order":
			s.order, err = parseOrder(a, v)
		case "terms":
			for i, e := range v.Vals {
				src := compositeSource{name: strconv.Itoa(i), typ: "terms", order: "default"}
				if err := src.source.read(a, e); err != nil {
					return true, err
				}
				if err := src.check(a); err != nil {
					return true, err
				}
				s.sources = append(s.sources, src)
			}
		case "shard_size", "shard_min_doc_count", "collect_mode", "show_term_doc_count_error":
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && len(s.sources) < 2 {
		err = query.Badf("The [terms] parameter in the aggregation [%s] must be present and have at least 2 fields or scripts.", a.name)
	}
	return s, err
}

func (s *multiTerms) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	lists, keys, shape := s.gather(parts)
	out := &buckets{typ: "multi_terms"}
	if shape == nil {
		out.head = []byte(`"doc_count_error_upper_bound":0,"sum_other_doc_count":0,`)
		return out, nil
	}
	all := slices.DeleteFunc(mergeBuckets(lists...), func(m *merged) bool { return m.count < s.minCount })
	byKey := func(x, y bucketKey) int { return s.compare(keys[x.s], keys[y.s], shape.kinds) }
	deep := slices.ContainsFunc(s.order, func(o orderKey) bool { return o.steps != nil })
	total := int64(0)
	for _, m := range all {
		total += m.count
	}
	if !deep {
		all = firstOf(all, s.size, func(x, y *merged) int {
			for _, o := range s.order {
				if c := o.compare(x, y, byKey); c != 0 {
					return c
				}
			}
			if len(s.order) == 0 && x.count != y.count {
				return cmp.Compare(y.count, x.count)
			}
			return byKey(x.key, y.key)
		})
	}
	for _, m := range all {
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		s.describe(b, keys[m.key.s], shape)
		out.list = append(out.list, b)
	}
	if deep {
		if err := checkOrders(s.order, out.list); err != nil {
			return nil, err
		}
		slices.SortStableFunc(out.list, func(x, y *bucket) int { return compareBuckets(s.order, x, y, byKey) })
		out.list = out.list[:min(s.size, len(out.list))]
	}
	for _, b := range out.list {
		total -= b.count
	}
	out.head = strconv.AppendInt([]byte(`"doc_count_error_upper_bound":0,"sum_other_doc_count":`), total, 10)
	out.head = append(out.head, ',')
	return out, nil
}

// describe gives a bucket its list of keys and the same as one text.
func (s *multiTerms) describe(b *bucket, key []compositeValue, shape *compositePart) {
	var list []byte
	var texts []string
	for i := range key {
		part := s.partJSON(nil, i, &key[i], shape)
		list = append(append(list, ','), part...)
		text := string(part)
		if shape.kinds[i] == keyString {
			text = key[i].s
		}
		texts = append(texts, text)
	}
	b.name = strings.Join(texts, "|")
	b.json = append(append([]byte(`"key":[`), list[1:]...), `],"key_as_string":`...)
	b.json = query.AppendString(b.json, b.name)
}
