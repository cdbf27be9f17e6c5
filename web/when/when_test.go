package when

import (
	"testing"
	"time"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 14, 2, 11, 318e6, time.UTC) // a Sunday
	seoul := time.FixedZone("KST", 9*3600)
	for _, c := range []struct {
		expr string
		loc  *time.Location
		up   bool
		want string
	}{
		{"now", time.UTC, false, "2026-11-22T14:02:11.318Z"},
		{"now-15m", time.UTC, false, "2026-11-22T13:47:11.318Z"},
		{"now-1d/d", time.UTC, false, "2026-11-21T00:00:00Z"},
		{"now/d", time.UTC, true, "2026-11-22T23:59:59.999Z"},
		{"now/d", seoul, false, "2026-11-21T15:00:00Z"},
		{"now/w", time.UTC, false, "2026-11-16T00:00:00Z"},
		{"now-1M/M", time.UTC, true, "2026-10-31T23:59:59.999Z"},
		{"2026-11-22T14:00:00+09:00", time.UTC, false, "2026-11-22T05:00:00Z"},
		{"1700000000000", time.UTC, false, "2023-11-14T22:13:20Z"},
	} {
		got, err := Resolve(c.expr, now, c.loc, c.up)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != c.want {
			t.Errorf("Resolve(%q, up=%v) = %v, %v; want %s", c.expr, c.up, got.UTC().Format(time.RFC3339Nano), err, c.want)
		}
	}
	for _, bad := range []string{"", "yesterday", "now-", "now-5", "now*2d", "now-5q", "now/2d", "now-99999999999d"} {
		if got, err := Resolve(bad, now, time.UTC, false); err == nil {
			t.Errorf("Resolve(%q) = %v, want an error", bad, got)
		}
	}
}

func TestInterval(t *testing.T) {
	t.Parallel()
	for span, want := range map[time.Duration]int64{15 * time.Minute: 10_000, 24 * time.Hour: 900_000, time.Second: 10, 30 * 24 * time.Hour: 43_200_000, 20 * 365 * 24 * time.Hour: 61 * 86_400_000} {
		got := Interval(time.Unix(0, 0), time.Unix(0, 0).Add(span), MaxBars)
		if got != want || span.Milliseconds()/got > MaxBars {
			t.Errorf("Interval(%v) = %d, want %d", span, got, want)
		}
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("now-1d/d")
	f.Fuzz(func(t *testing.T, s string) { Resolve(s, time.Unix(0, 0), time.UTC, true) })
}
