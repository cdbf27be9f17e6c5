package query

import (
	"testing"
	"time"

	"github.com/weirlog/weir/store/mapping"
)

func TestPredicate(t *testing.T) {
	t.Parallel()
	const doc = `{"@timestamp":"2026-11-22T14:00:00Z","message":"Connection refused by peer","log":{"level":"ERROR"},"status":503,"tags":["a","b"],"client":{"ip":"10.1.2.3"}}`
	for text, want := range map[string]bool{
		"": true, "log.level:ERROR": true, "log.level:error": false, "refused": true, `"refused by"`: true, `"by refused"`: false, "status>=500": true,
		"status:404": false, "tags:b and not tags:c": true, "log.*:ERROR": true, "client.ip:10.1.0.0/16": true, "client.ip:*": true, "nope:*": false,
		"@timestamp >= 2026-11-22": true, "@timestamp < 2026-11-22": false, "message:conn*": true, "ERROR": true, "log.level:E*": true,
	} {
		q, err := KQLQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPredicate(q, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time with the columns of the grown mapping
			if got := p.Match([]byte(doc)); got != want {
				t.Errorf("%q: %v, want %v", text, got, want)
			}
		}
		if p.Match([]byte(`{"broken`)) || p.Broken() != 1 {
			t.Errorf("%q: a broken document matches", text)
		}
	}
}

// TestPredicateClock checks that date math moves on.
func TestPredicateClock(t *testing.T) {
	t.Parallel()
	q, err := ParseText(`{"range":{"@timestamp":{"gte":"now-10s"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Parse([]byte(`{"properties":{"@timestamp":{"type":"date"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPredicate(q, m)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC)
	p.Now = func() time.Time { return at }
	p.made = time.Time{}
	doc := []byte(`{"@timestamp":"2026-01-01T00:00:00Z"}`)
	if !p.Match(doc) {
		t.Error("five seconds old does not match")
	}
	at = at.Add(6 * time.Second)
	if p.Match(doc) {
		t.Error("eleven seconds old matches")
	}
}
