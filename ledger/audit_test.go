package ledger

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

func TestManifestRoundTrip(t *testing.T) {
	t.Parallel()
	m := Manifest{
		Version: ManifestVersion, Agent: "id", Host: "a", Source: NewSource(time.Now()), Chain: NewSource(time.Now()), Path: "/var/log/app.log",
		To: 100, Time: 1, At: []Place{{"logs", 2, 7}}, Fates: []RangeFate{{10, 20, Dropped, "empty"}, {20, 30, Merged, "partial"}}, End: "removed",
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseManifest(b)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Fatalf("%s: %+v, %v", b, got, err)
	}
}

func TestParseManifestRefuses(t *testing.T) {
	t.Parallel()
	src := NewSource(time.Now()).String()
	for _, text := range []string{
		``, `{}`, `{"v":2,"source":"` + src + `"}`, `{"v":1,"source":"` + src + `","from":5,"to":4}`, `{"v":1,"source":"x"}`,
		`{"v":1,"source":"` + src + `","to":9,"fates":[[0,1,"eaten",""]]}`, `{"v":1,"source":"` + src + `","to":9,"fates":[[2,1,"lost",""]]}`,
	} {
		if m, err := ParseManifest([]byte(text)); err == nil {
			t.Errorf("%s: %+v, want an error", text, m)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"v":1,"source":"019a0b0c0d0e0f000102030405060708","from":0,"to":9,"fates":[[0,1,"lost","x"]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := ParseManifest(b); err == nil {
			a := NewAudit(func(Place) bool { return true })
			a.Add(m)
			for _, l := range a.Report(func(Source) *Kept { return nil }) {
				if l.Missing < 0 || l.Flight < 0 {
					t.Fatalf("%+v", l)
				}
			}
		}
	})
}

// TestAuditAgainstBytes gives every byte a fate at random and compares the report with counting.
func TestAuditAgainstBytes(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	for round := range 300 {
		n := int64(1 + rng.IntN(200))
		src := NewSource(time.Now())
		a := NewAudit(func(p Place) bool { return p.Offset <= 5 })
		var in Set
		kept := Kept{Source: src, In: &in}
		var want Line
		due := rng.Int64N(n + 1)
		a.Add(Manifest{Version: 1, Source: src, To: due, At: []Place{{"logs", 0, 5}}})
		last := Manifest{Version: 1, Source: src, To: n, At: []Place{{"logs", 0, 6}}}
		for b := int64(0); b < n; b++ {
			switch rng.IntN(5) {
			case 0:
				last.Fates = append(last.Fates, RangeFate{b, b + 1, Dropped, "rule"})
				want.Dropped++
			case 1:
				if b < due {
					want.Missing++
				} else {
					want.Flight++
				}
			default:
				in.Add(b, b+1)
				kept.Bytes[Indexed]++
				want.Indexed++
			}
		}
		a.Add(last)
		got := a.Report(func(Source) *Kept { return &kept })[0]
		if got.Read != n || got.Dropped != want.Dropped || got.Missing != want.Missing || got.Flight != want.Flight || got.Indexed != want.Indexed {
			t.Fatalf("seed %d round %d: %+v, want %+v of %d", seed, round, got, want, n)
		}
		if sum := got.Indexed + got.Dropped + got.Merged + got.Dead + got.Lost + got.Flight + got.Missing; sum != got.Read {
			t.Fatalf("seed %d round %d: read %d, sum %d", seed, round, got.Read, sum)
		}
	}
}
