package agg

import "math"

// hdr is a histogram whose buckets are as wide as a number of significant digits allows: powers of two, each in equal parts.
type hdr struct {
	half   float64 // sub-buckets in a power of two
	counts map[hdrBucket]float64
	total  float64
	zeros  float64
	max    float64
	low    int // the smallest exponent
}

// hdrBucket is part sub of the values from 2^exp to 2^(exp+1).
type hdrBucket struct{ exp, sub int }

func newHDR(digits int) *hdr {
	parts := math.Pow(2, math.Ceil(math.Log2(2*math.Pow10(digits))))
	return &hdr{half: parts / 2, counts: map[hdrBucket]float64{}, low: math.MaxInt}
}

func (h *hdr) count() float64 { return h.total }

func (h *hdr) add(v float64) {
	h.total++
	if v == 0 {
		h.zeros++
		return
	}
	b := h.bucket(v)
	h.counts[b]++
	h.low = min(h.low, b.exp)
	h.max = math.Max(h.max, v)
}

func (h *hdr) bucket(v float64) hdrBucket {
	frac, exp := math.Frexp(v) // v = frac * 2^exp, frac in [0.5, 1)
	return hdrBucket{exp - 1, int((2*frac - 1) * h.half)}
}

// top is the end of the bucket; the largest value in it lies one unit below, the width of the smallest value's bucket.
func (h *hdr) top(b hdrBucket) float64 {
	width := math.Ldexp(1, b.exp) / h.half
	return math.Ldexp(1, b.exp) + float64(b.sub+1)*width
}

func (h *hdr) merge(o *hdr) {
	for b, n := range o.counts {
		h.counts[b] += n
		h.low = min(h.low, b.exp)
	}
	h.total += o.total
	h.zeros += o.zeros
	h.max = math.Max(h.max, o.max)
}

// each calls f for the buckets in ascending order until it returns false.
func (h *hdr) each(f func(b hdrBucket, n float64) bool) {
	if len(h.counts) == 0 {
		return
	}
	for exp, last := h.low, h.bucket(h.max).exp; exp <= last; exp++ {
		for sub := range int(h.half) {
			if n := h.counts[hdrBucket{exp, sub}]; n > 0 && !f(hdrBucket{exp, sub}, n) {
				return
			}
		}
	}
}

// quantile is the top of the bucket that holds the value of rank ⌈q·n⌉.
func (h *hdr) quantile(q float64) float64 {
	want := math.Max(1, math.Ceil(q*h.total-1e-9))
	seen, out := h.zeros, 0.0
	if seen >= want {
		return 0
	}
	h.each(func(b hdrBucket, n float64) bool {
		seen += n
		out = h.top(b)
		return seen < want
	})
	return out - math.Ldexp(1, h.low)/h.half
}

// rank is the share of values that are at most v, bucket by bucket.
func (h *hdr) rank(v float64) float64 {
	if v < 0 {
		return 0
	}
	seen := h.zeros
	if v > 0 {
		at := h.bucket(v)
		h.each(func(b hdrBucket, n float64) bool {
			if b.exp > at.exp || b.exp == at.exp && b.sub > at.sub {
				return false
			}
			seen += n
			return true
		})
	}
	return seen / h.total
}
