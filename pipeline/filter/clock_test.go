package filter

import (
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/event"
)

// flushed is what a filter makes by the clock, a line an event.
func flushed(f Filter, now time.Time, final bool) string {
	b := event.NewBatch(true)
	f.(Flusher).Flush(now, final, b)
	var lines []string
	for _, e := range b.Events {
		lines = append(lines, string(e.AppendJSON(nil)))
	}
	return strings.Join(lines, "\n")
}

func TestElapsedExpires(t *testing.T) {
	t.Parallel()
	f := build(t, `elapsed { start_tag => "b" end_tag => "e" unique_id_field => "id" timeout => 60 }`).(*elapsed)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.now = func() time.Time { return at }
	through(t, f, `{"@timestamp":"2025-01-01T00:00:00Z","id":"x","tags":["b"]}`)
	through(t, f, `{"@timestamp":"2025-01-01T00:00:00Z","id":"y","tags":["b"]}`)
	want(t, flushed(f, at.Add(59*time.Second), false), "")
	want(t, flushed(f, at.Add(61*time.Second), false), `{"@timestamp":"2026-01-01T00:01:01.000Z","@version":"1","id":"x","event":{"duration":60000000000,"start":"2025-01-01T00:00:00.000Z"},"tags":["elapsed","elapsed_expired_error"]}
{"@timestamp":"2026-01-01T00:01:01.000Z","@version":"1","id":"y","event":{"duration":60000000000,"start":"2025-01-01T00:00:00.000Z"},"tags":["elapsed","elapsed_expired_error"]}`)
	want(t, flushed(f, at.Add(5*time.Minute), true), "")
}

func TestAggregateTimeouts(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := build(t, `aggregate { task_id => "%{id}" code => "map['n'] = (map['n'] || 0) + 1; map['who'] = event.get('who')" push_map_as_event_on_timeout => true timeout => 60 inactivity_timeout => 20
		timeout_task_id_field => "task" timeout_tags => ["late", "x"] timeout_code => "event.set('m', event.get('n') * 10)" }`).(*aggregate)
	clock := at
	f.env.Now = func() time.Time { return clock }
	through(t, f, `{"id":"a","who":"first"}`)
	clock = at.Add(15 * time.Second)
	through(t, f, `{"id":"a","who":"second"}`)
	through(t, f, `{"id":"b","who":"third"}`)
	want(t, flushed(f, at.Add(30*time.Second), false), "")
	want(t, flushed(f, at.Add(36*time.Second), false), `{"@timestamp":"2026-01-01T00:00:36.000Z","@version":"1","n":2,"who":"second","task":"a","tags":["late","x"],"m":20}
{"@timestamp":"2026-01-01T00:00:36.000Z","@version":"1","n":1,"who":"third","task":"b","tags":["late","x"],"m":10}`)
	through(t, f, `{"id":"c"}`)
	want(t, flushed(f, at.Add(16*time.Second), true), "")

	f = build(t, `aggregate { task_id => "%{id}" code => "map['n'] = 1" push_previous_map_as_event => true }`).(*aggregate)
	f.env.Now = func() time.Time { return at }
	through(t, f, `{"id":"a"}`)
	want(t, flushed(f, at, true), `{"@timestamp":"2026-01-01T00:00:00.000Z","@version":"1","n":1}`)
}

// TestAggregateByEventTime: with timeout_timestamp_field the events' own time ends tasks.
func TestAggregateByEventTime(t *testing.T) {
	t.Parallel()
	f := build(t, `aggregate { task_id => "%{id}" code => "map['n'] = (map['n'] || 0) + 1" push_map_as_event_on_timeout => true timeout => 60 timeout_timestamp_field => "@timestamp" }`)
	b := event.NewBatch(true)
	for _, s := range []string{"2026-01-01T00:00:00Z", "2026-01-01T00:00:30Z", "2026-01-01T00:02:00Z"} {
		e := b.New(0)
		if err := b.DecodeObject(e, `{"@timestamp":"`+s+`","id":"a"}`); err != nil {
			t.Fatal(err)
		}
		f.Filter(e)
	}
	if n := len(b.Events); n != 4 {
		t.Fatalf("%d events, want three and one of the timeout", n)
	}
	if got := string(b.Events[3].AppendJSON(nil)); !strings.Contains(got, `"n":2`) {
		t.Error(got)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	f := build(t, `metrics { meter => ["http_%{status}"] timer => { "[took][all]" => "%{ms}" } rates => [1] percentiles => [50, 100] add_tag => ["metric"] flush_interval => 5 clear_interval => 10 }`).(*metrics)
	at := time.Now()
	f.now = func() time.Time { return at }
	f.host = "box"
	for range 10 {
		through(t, f, `{"status":200,"ms":5}`)
	}
	through(t, f, `{"status":500,"ms":"15"}`)
	want(t, flushed(f, at.Add(2*time.Second), false), "")
	got := flushed(f, at.Add(5100*time.Millisecond), false)
	_, got, _ = strings.Cut(got, `"host":`)
	want(t, got, `{"name":"box"},"http_200":{"count":10,"rate_1m":2.0},"took":{"all":{"count":11,"rate_1m":2.2,"min":5.0,"max":15.0,"stddev":2.8747978728803445,"mean":5.909090909090909,"p50":5.0,"p100":15.0}},"http_500":{"count":1,"rate_1m":0.2},"tags":["metric"]}`)
	flushed(f, at.Add(11*time.Second), false)
	want(t, flushed(f, at.Add(20*time.Second), true), "")
}

func TestSleep(t *testing.T) {
	t.Parallel()
	var waits []time.Duration
	f := build(t, `sleep { time => "%{s}" every => 2 }`).(*sleepFilter)
	f.wait = func(d time.Duration) { waits = append(waits, d) }
	for _, in := range []string{`{"s":1}`, `{"s":0.5}`, `{"s":3}`, `{"s":1e9}`} {
		through(t, f, in)
	}
	r := build(t, `sleep { time => "2" replay => true }`).(*sleepFilter)
	r.wait = f.wait
	for _, at := range []string{"00:00:00", "00:00:10", "00:00:05", "00:00:06"} {
		through(t, r, `{"@timestamp":"2026-01-01T`+at+`Z"}`)
	}
	want := []time.Duration{500 * time.Millisecond, longestSleep, 0, 5 * time.Second, 0, 500 * time.Millisecond}
	if len(waits) != len(want) {
		t.Fatal(waits)
	}
	for i := range want {
		if waits[i] != want[i] {
			t.Errorf("wait %d is %s, want %s", i, waits[i], want[i])
		}
	}
}
