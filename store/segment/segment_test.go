package segment

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirlog/weir/store/query"
)

func TestIntsRoundTrip(t *testing.T) {
	t.Parallel()
	for w := range 65 {
		rng := rand.New(rand.NewPCG(uint64(w), 1))
		for _, n := range []int{1, 127, 128, 129, 1000} {
			v := make([]int64, n)
			for i := range v {
				v[i] = int64(rng.Uint64() >> (64 - w) & (1<<w - 1))
				if w == 0 {
					v[i] = -7
				}
				if w%3 == 1 {
					v[i] = v[i]*1000 - 5
				}
			}
			if w%2 == 1 {
				slices.Sort(v)
			}
			b := appendInts(nil, v)
			x, rest, ok := openInts(b, n)
			if !ok || len(rest) != 0 {
				t.Fatalf("width %d: does not open", w)
			}
			got, ok := x.load(nil, 0, n)
			if !ok || !slices.Equal(got, v) {
				t.Fatalf("width %d, %d values: got %v, want %v", w, n, got, v)
			}
			if one, ok := x.at(n / 2); !ok || one != v[n/2] {
				t.Fatalf("at(%d) = %d", n/2, one)
			}
			if slices.IsSorted(v) {
				if i, ok := x.search(v[n/2]); !ok || v[i] != v[n/2] || i > 0 && v[i-1] >= v[n/2] {
					t.Fatalf("search(%d) = %d", v[n/2], i)
				}
			}
		}
	}
}

func randomRows(rng *rand.Rand, total int, share float64) []uint32 {
	var rows []uint32
	for i := range total {
		if rng.Float64() < share || share > 0.4 && i/100%2 == 0 {
			rows = append(rows, uint32(i))
		}
	}
	return rows
}

func TestPostingsRoundTrip(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		rows := randomRows(rng, 1+rng.IntN(20_000), []float64{0.001, 0.02, 0.3, 0.5, 0.95}[seed%5])
		if len(rows) < 2 {
			continue
		}
		got, ok := readPostings(nil, append(appendPostings(nil, rows), 0xFF, 0xFF, 0xFF), len(rows), int(rows[len(rows)-1])+1)
		if !ok || !slices.Equal(got, rows) {
			t.Fatalf("seed %d: %d rows differ (%v)", seed, len(rows), ok)
		}
		var alt []uint32
		if alt, ok = readPacked(nil, appendPacked(nil, rows), len(rows)); !ok || !slices.Equal(alt, rows) {
			t.Fatalf("seed %d: packed differs", seed)
		}
	}
}

func TestPresentRoundTrip(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		total := 1 + rng.IntN(15_000)
		rows := randomRows(rng, total, []float64{0, 0.001, 0.05, 0.5, 1}[seed%5])
		p := present{b: appendPresent(nil, rows, total), rows: total}
		var got []uint32
		for z := range zonesOf(total) {
			var sel query.Selection
			rank, ok := p.zone(z, &sel)
			if !ok || rank != len(got) {
				t.Fatalf("seed %d zone %d: rank %d, want %d", seed, z, rank, len(got))
			}
			for i := range query.ZoneRows {
				if sel[i/64]>>(i%64)&1 == 1 {
					got = append(got, uint32(z*query.ZoneRows+i))
				}
			}
		}
		if !slices.Equal(got, rows) {
			t.Fatalf("seed %d: rows differ", seed)
		}
		for i, r := range rows {
			if rank, has, ok := p.rank(int(r)); !ok || !has || rank != i {
				t.Fatalf("seed %d: rank(%d) = %d, want %d", seed, r, rank, i)
			}
		}
	}
}

func FuzzPostings(f *testing.F) {
	f.Add(appendPostings(nil, []uint32{1, 5, 9}), 3)
	f.Add(appendPacked([]byte{postPacked}, make([]uint32, 300)), 300)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 0 || n > 1<<16 {
			return
		}
		rows, ok := readPostings(nil, b, n, 1<<20)
		if ok && len(rows) != n {
			t.Fatalf("%d rows for %d", len(rows), n)
		}
	})
}

func FuzzInts(f *testing.F) {
	f.Add(appendInts(nil, []int64{1, 2, 3}), 3)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		x, _, ok := openInts(b, n)
		if !ok || n > 1<<16 {
			return
		}
		x.load(nil, 0, n)
		x.search(5)
	})
}

// TestIntExample is the worked example of the package comment.
func TestIntExample(t *testing.T) {
	t.Parallel()
	want := []byte{0, 0, 0, 0, 4, 0, 0, 0, encDelta, 0, 0x0A, 0x04}
	if got := appendInts(nil, []int64{5, 7, 9}); !slices.Equal(got, want) {
		t.Fatalf("got % X, want % X", got, want)
	}
}
