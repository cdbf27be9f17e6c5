package agg

import (
	"math"
	"slices"
)

// tdigest keeps a distribution as centroids that are fine at the ends (T. Dunning, "Computing extremely accurate quantiles using
// t-digests"). Values are buffered and merged in order; a centroid's size is bounded by the scale function asin.
type tdigest struct {
	compression float64
	cents       []centroid // ascending
	buffer      []float64
	min, max    float64
	total       float64
}

type centroid struct{ mean, weight float64 }

// tdigestBuffer is how many values wait for a merge.
const tdigestBuffer = 2048

func newTDigest(compression float64) *tdigest {
	return &tdigest{compression: max(compression, 10), min: math.Inf(1), max: math.Inf(-1)}
}

func (t *tdigest) count() float64 { return t.total }

func (t *tdigest) add(v float64) {
	t.buffer = append(t.buffer, v)
	t.total++
	t.min, t.max = math.Min(t.min, v), math.Max(t.max, v)
	if len(t.buffer) >= tdigestBuffer {
		t.flush()
	}
}

func (t *tdigest) flush() {
	if len(t.buffer) == 0 {
		return
	}
	slices.Sort(t.buffer)
	in := make([]centroid, 0, len(t.buffer)+len(t.cents))
	i := 0
	for _, v := range t.buffer {
		for i < len(t.cents) && t.cents[i].mean <= v {
			in = append(in, t.cents[i])
			i++
		}
		in = append(in, centroid{v, 1})
	}
	t.compress(append(in, t.cents[i:]...))
	t.buffer = t.buffer[:0]
}

func (t *tdigest) merge(o *tdigest) {
	t.flush()
	o.flush()
	in := append(slices.Clone(t.cents), o.cents...)
	slices.SortStableFunc(in, func(a, b centroid) int {
		switch {
		case a.mean < b.mean:
			return -1
		case a.mean > b.mean:
			return 1
		}
		return 0
	})
	t.total += o.total
	t.min, t.max = math.Min(t.min, o.min), math.Max(t.max, o.max)
	t.compress(in)
}

// compress joins neighbours as long as their place on the scale differs by at most one.
func (t *tdigest) compress(in []centroid) {
	if len(in) == 0 {
		return
	}
	total := 0.0
	for _, c := range in {
		total += c.weight
	}
	out := make([]centroid, 0, int(2*t.compression))
	cur, before, end := in[0], 0.0, t.reach(0)*total
	for _, c := range in[1:] {
		w := cur.weight + c.weight
		if before+w <= end {
			cur.mean += (c.mean - cur.mean) * c.weight / w
			cur.weight = w
			continue
		}
		before += cur.weight
		end = t.reach(before/total) * total
		out = append(out, cur)
		cur = c
	}
	t.cents = append(out, cur)
}

// reach is the share at which a centroid that begins at the share q ends: one step further on the scale compression/π·asin(2q-1).
func (t *tdigest) reach(q float64) float64 {
	at := math.Asin(2*math.Min(1, math.Max(0, q))-1) + math.Pi/t.compression
	if at >= math.Pi/2 {
		return 1
	}
	return (math.Sin(at) + 1) / 2
}

// quantile interpolates between the centres of centroids: each stands at the weight before it plus half its own.
func (t *tdigest) quantile(q float64) float64 {
	t.flush()
	if len(t.cents) == 0 {
		return math.NaN()
	}
	want, before := q*t.total, 0.0
	prev, prevAt := t.min, 0.0
	for i, c := range t.cents {
		at := before + c.weight/2
		if want < at {
			if i == 0 {
				if c.weight == 1 {
					return t.min
				}
				return t.min + (c.mean-t.min)*want/at
			}
			return prev + (c.mean-prev)*(want-prevAt)/(at-prevAt)
		}
		prev, prevAt = c.mean, at
		before += c.weight
	}
	last := t.cents[len(t.cents)-1]
	if last.weight == 1 || t.total == prevAt {
		return t.max
	}
	return prev + (t.max-prev)*(want-prevAt)/(t.total-prevAt)
}

// rank is the share of values that are at most v.
func (t *tdigest) rank(v float64) float64 {
	t.flush()
	switch {
	case len(t.cents) == 0:
		return math.NaN()
	case v < t.min:
		return 0
	case v >= t.max:
		return 1
	}
	before, prev, prevAt := 0.0, t.min, 0.0
	for _, c := range t.cents {
		at := before + c.weight/2
		if v < c.mean {
			if c.mean == prev {
				return at / t.total
			}
			return (prevAt + (at-prevAt)*(v-prev)/(c.mean-prev)) / t.total
		}
		prev, prevAt = c.mean, at
		before += c.weight
	}
	if t.max == prev {
		return 1
	}
	return (prevAt + (t.total-prevAt)*(v-prev)/(t.max-prev)) / t.total
}
