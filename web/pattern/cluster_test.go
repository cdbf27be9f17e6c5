package pattern

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestClusters(t *testing.T) {
	t.Parallel()
	from := time.UnixMilli(0)
	cfg := DefaultConfig()
	cfg.Slots = 10
	c := New(cfg, from, from.Add(100*time.Second))
	for i := range 100 {
		at := from.Add(time.Duration(i) * time.Second)
		c.Add(fmt.Sprintf("feed page %d for user u%d has %d stories", i, i*7, i%30), "INFO", at)
		c.Add("link is "+[]string{"up", "down"}[i%2], "WARN", at)
		c.Add("login of "+strings.Repeat("x", 1+i%50)+" from 10.0.0.1", "INFO", at)
		if i == 50 {
			c.Add("결제 실패: 주문 77\n\tat a.b.C", "ERROR", at)
			c.Add("", "", at)
		}
	}
	var got []string
	for _, g := range c.Clusters() {
		got = append(got, fmt.Sprintf("%d %s", g.Count, g.Template()))
	}
	want := "100 feed page <*> for user <*> has <*> stories|100 login of <*> from <*>|50 link is up|50 link is down|1 결제 실패: 주문 <*>|1 "
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
	for _, g := range c.Clusters() {
		if strings.HasPrefix(g.Template(), "feed") {
			if g.Slots[0] != 10 || g.Slots[9] != 10 || !g.First.Equal(from) || g.Last.Sub(from) != 99*time.Second || g.Levels["INFO"] != 100 {
				t.Errorf("%+v", g.Slots)
			}
			if l := strings.Join(g.Literals(), "|"); l != "feed page|for user|has|stories" {
				t.Errorf("literals %s", l)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Clusters, cfg.Messages = 3, 8
	c := New(cfg, time.Time{}, time.Time{})
	for i := range 10 {
		c.Add(strings.Repeat(string(rune('a'+i))+" ", i+1), "", time.Time{})
	}
	if len(c.Clusters()) != 3 || c.Rest() != 7 {
		t.Errorf("%d groups, %d in none", len(c.Clusters()), c.Rest())
	}
}

// FuzzAdd wants every message in a group whose fixed words it has.
func FuzzAdd(f *testing.F) {
	f.Add("a b c", "a b d")
	f.Add("x=1, (y)", "")
	f.Add("\xff\x00 <*> 한글", strings.Repeat("w ", 200))
	f.Fuzz(func(t *testing.T, a, b string) {
		c := New(DefaultConfig(), time.Time{}, time.Time{})
		for range 3 {
			c.Add(a, "", time.Time{})
			c.Add(b, "", time.Time{})
		}
		n := 0
		for _, g := range c.Clusters() {
			n += g.Count
			for _, l := range g.Literals() {
				if !strings.Contains(g.Example, l) {
					t.Errorf("%q is not in %q", l, g.Example)
				}
			}
		}
		if n != 6 {
			t.Errorf("%d messages in groups", n)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = fmt.Sprintf("%s request %d to /api/v%d took %d ms with status %s", []string{"slow", "fast", "odd"}[i%3], i, i%4, i*3, []string{"ok", "failed"}[i%2])
	}
	b.ReportAllocs()
	for b.Loop() {
		c := New(DefaultConfig(), time.Time{}, time.Time{})
		for range 10 {
			for _, l := range lines {
				c.Add(l, "INFO", time.Time{})
			}
		}
		c.Clusters()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/message")
}
