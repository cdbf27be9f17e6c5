package agg

import (
	"strconv"

	"github.com/weirlog/weir/store/query"
)

// randomSampler is random_sampler. What it may estimate from a sample is answered from all documents: counting them is cheap here, and
// an exact answer is within any bound of error.
type randomSampler struct {
	global
	probability float64
	seed        int
}

func parseRandomSampler(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &randomSampler{}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "probability":
			if s.probability, ok = v.Float(); !ok || s.probability <= 0 || s.probability > 0.5 && s.probability != 1 {
				return true, query.Badf("[probability] must be between 0 and 0.5 or exactly 1, was [%s]", v.Str)
			}
		case "seed", "shard_seed":
			if s.seed, ok = v.Int(); !ok {
				return true, wrong(v, a, key)
			}
		default:
			return false, nil
		}
		return true, nil
	})
	if err == nil && s.probability == 0 {
		err = n.Errorf("Required [probability]")
	}
	return s, err
}

func (s *randomSampler) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	res, err := s.global.reduce(r, a, parts)
	if err != nil {
		return nil, err
	}
	one := res.(*single)
	one.typ = "random_sampler"
	one.head = strconv.AppendInt([]byte(`"seed":`), int64(s.seed), 10)
	one.head = append(one.head, `,"probability":1.0,`...)
	return one, nil
}
