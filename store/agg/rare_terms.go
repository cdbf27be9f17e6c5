package agg

import (
	"cmp"
	"slices"

	"github.com/weirlog/weir/store/query"
)

// rareTerms is rare_terms: the values of at most max_doc_count documents, exactly.
type rareTerms struct {
	terms
	most int64
}

// maxRare bounds max_doc_count.
const maxRare = 100

func parseRareTerms(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &rareTerms{most: 1}
	s.size, s.minCount = MaxBuckets, 1
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "max_doc_count":
			c, ok := v.Int()
			if !ok || c < 1 || c > maxRare {
				return true, query.Badf("[max_doc_count] must be in [1,%d]. Found [%s] in [%s]", maxRare, v.Str, a.name)
			}
			s.most = int64(c)
		case "precision":
		case "include":
			s.include.in, err = parseValueSet(a, key, v)
		case "exclude":
			s.include.out, err = parseValueSet(a, key, v)
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

func (s *rareTerms) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	kind, format, lists := s.gather(parts)
	all := slices.DeleteFunc(mergeBuckets(lists...), func(m *merged) bool {
		return m.count > s.most || m.count == 0 || !s.include.keeps(s.keyText(m.key, kind, format))
	})
	slices.SortFunc(all, func(x, y *merged) int {
		if x.count != y.count {
			return cmp.Compare(x.count, y.count)
		}
		if c := cmp.Compare(x.key.s, y.key.s); c != 0 {
			return c
		}
		return cmp.Compare(x.key.n, y.key.n)
	})
	typ := map[keyKind]string{keyString: "srareterms", keyNone: "umrareterms"}[kind]
	if typ == "" {
		typ = "lrareterms"
	}
	out := &buckets{typ: typ}
	for _, m := range all {
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		b.json, b.num, b.name = keyJSON(m.key, kind, format), keyNumber(m.key, kind), s.keyText(m.key, kind, format)
		out.list = append(out.list, b)
	}
	return out, nil
}
