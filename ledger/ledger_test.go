package ledger

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestHeaderRoundTrip(t *testing.T) {
	t.Parallel()
	r := Range{Source: NewSource(time.UnixMilli(1_700_000_000_000)), From: 300, To: 401}
	got, err := ParseHeader(AppendHeader(nil, r))
	if err != nil || got != r {
		t.Fatalf("got %v, %v; want %v", got, err, r)
	}
	src, err := ParseSource(r.Source.String())
	if err != nil || src != r.Source {
		t.Fatalf("ParseSource(String()) = %v, %v", src, err)
	}
}

func TestSourceSortsByTime(t *testing.T) {
	t.Parallel()
	a, b := NewSource(time.UnixMilli(1_700_000_000_000)), NewSource(time.UnixMilli(1_700_000_000_001))
	if a.String()[:12] >= b.String()[:12] {
		t.Fatalf("%s is not below %s", a, b)
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(AppendHeader(nil, Range{From: 1, To: 2}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseHeader(b)
		if err == nil && (r.To < r.From || r.From < 0) {
			t.Fatalf("range runs backwards: %+v", r)
		}
	})
}

// TestSetAgainstBitmap compares Set with one bool per byte.
func TestSetAgainstBitmap(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var s Set
		var has [200]bool
		for range 60 {
			from := rng.IntN(190)
			to := from + 1 + rng.IntN(10)
			in := 0
			for i := from; i < to; i++ {
				if has[i] {
					in++
				}
			}
			want := Overlap
			if in == 0 {
				want = New
			} else if in == to-from {
				want = Repeat
			}
			if got := s.Test(int64(from), int64(to)); got != want {
				t.Fatalf("seed %d: Test(%d,%d) = %v, want %v in %v", seed, from, to, got, want, s.spans)
			}
			s.Add(int64(from), int64(to))
			for i := from; i < to; i++ {
				has[i] = true
			}
		}
		n := 0
		for _, h := range has {
			if h {
				n++
			}
		}
		if s.Bytes() != int64(n) {
			t.Fatalf("seed %d: %d bytes, want %d", seed, s.Bytes(), n)
		}
		for i := 1; i < len(s.spans); i++ {
			if s.spans[i].from <= s.spans[i-1].to {
				t.Fatalf("seed %d: spans touch: %v", seed, s.spans)
			}
		}
	}
}
