package filter

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var metricsOptions = []plugin.Option{
	{Name: "meter", Kind: plugin.Array, Doc: "Names of counts with their rates; may hold %{field}."},
	{Name: "timer", Kind: plugin.Hash, Doc: "Name => value: counts, rates, and how the values are distributed. Both may hold %{field}."},
	{Name: "ignore_older_than", Kind: plugin.Number, Default: "0", Doc: "Seconds past which an event does not count; 0 for never."},
	{Name: "flush_interval", Kind: plugin.Number, Default: "5", Doc: "Seconds between events with the figures, in steps of 5."},
	{Name: "clear_interval", Kind: plugin.Number, Default: "-1", Doc: "Seconds after which the figures begin anew, in steps of 5; -1 for never."},
	{Name: "rates", Kind: plugin.Array, Doc: "Minutes of the rates: 1, 5 and 15."},
	{Name: "percentiles", Kind: plugin.Array, Doc: "Percentiles of timers; default 1, 5, 10, 90, 95, 99 and 100."},
}

const (
	maxMeters  = 10_000 // names; events of further ones do not count
	sampleSize = 1028   // values of a timer kept
	tick       = 5 * time.Second
)

// metrics counts events and makes an event with the figures by the clock. One instance counts for all workers.
type metrics struct {
	meters      []*plugin.Template
	timers      []timerOption
	oldest      time.Duration
	flush, wipe time.Duration
	rates       []int
	percentiles []float64
	common      *plugin.Common
	now         func() time.Time
	host        string
	legacy      bool

	mu               sync.Mutex
	counts           map[string]*meter
	order            []string
	flushed, cleared time.Time
}

type timerOption struct{ name, value *plugin.Template }

// meter is the figures of one name.
type meter struct {
	timer   bool
	count   int64
	recent  int64 // since the last tick
	ticked  time.Time
	began   time.Time
	rates   []float64 // events a second, smoothed over the minutes of each rate
	ready   bool
	min     float64
	max     float64
	sum     float64
	squares float64
	sample  []float64 // of all values alike
}

func newMetrics(a *plugin.Args, env *plugin.Env) Filter {
	f := &metrics{meters: a.Templates("meter"), oldest: a.Seconds("ignore_older_than"), flush: a.Seconds("flush_interval"), wipe: a.Seconds("clear_interval"),
		common: plugin.NewCommon(a), now: env.Now, counts: map[string]*meter{}, legacy: !a.ECS(env)}
	for _, p := range a.Pairs("timer") {
		if len(p.Values) == 1 {
			f.timers = append(f.timers, timerOption{a.Template(p.Key), a.Template(p.Values[0])})
		}
	}
	if len(f.meters)+len(f.timers) == 0 {
		a.Fail("meter", "", "metrics needs a meter or a timer")
	}
	f.host, _ = os.Hostname()
	f.rates, f.percentiles = []int{1, 5, 15}, []float64{1, 5, 10, 90, 95, 99, 100}
	if a.Has("rates") {
		f.rates = nil
		for _, t := range a.Texts("rates") {
			n, err := strconv.Atoi(t.Text)
			if err != nil || !slices.Contains([]int{1, 5, 15}, n) {
				a.FailAt(t.Pos, "one of 1, 5, 15", "%q is no rate", t.Text)
			}
			f.rates = append(f.rates, n)
		}
	}
	if a.Has("percentiles") {
		f.percentiles = nil
		for _, t := range a.Texts("percentiles") {
			p, err := strconv.ParseFloat(t.Text, 64)
			if err != nil || p < 0 || p > 100 {
				a.FailAt(t.Pos, "from 0 to 100", "%q is no percentile", t.Text)
			}
			f.percentiles = append(f.percentiles, p)
		}
	}
	f.flushed, f.cleared = env.Now(), env.Now()
	return f
}

func (f *metrics) Filter(e *event.Event) Result {
	if ns, ok := e.Timestamp(); ok && f.oldest > 0 && f.now().Sub(time.Unix(0, ns)) > f.oldest {
		return None
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.meters {
		if m := f.meter(t.Render(e), false); m != nil {
			m.mark(f.now())
		}
	}
	for _, t := range f.timers {
		if m := f.meter(t.name.Render(e), true); m != nil {
			m.mark(f.now())
			m.observe(leadingFloat(t.value.Render(e)))
		}
	}
	return None // the common options are for the events with the figures
}

func (f *metrics) meter(name string, timer bool) *meter {
	m := f.counts[name]
	if m == nil && len(f.counts) < maxMeters {
		name = strings.Clone(name)
		m = &meter{timer: timer, ticked: f.now(), began: f.now(), rates: make([]float64, len(f.rates)), min: math.Inf(1), max: math.Inf(-1)}
		f.counts[name] = m
		f.order = append(f.order, name)
	}
	return m
}

func (m *meter) mark(time.Time) {
	m.count++
	m.recent++
}

// observe keeps a value; which ones stay in a full sample is chance, with the same odds for each.
func (m *meter) observe(v float64) {
	m.min, m.max = min(m.min, v), max(m.max, v)
	m.sum += v
	m.squares += v * v
	if len(m.sample) < sampleSize {
		m.sample = append(m.sample, v)
	} else if i := rand.Int64N(m.count); i < sampleSize {
		m.sample[i] = v
	}
}

// tick folds what came since the last tick into the rates, every five seconds.
func (m *meter) tick(now time.Time, minutes []int) {
	for now.Sub(m.ticked) >= tick {
		rate := float64(m.recent) / tick.Seconds()
		m.recent = 0
		for i, n := range minutes {
			if !m.ready {
				m.rates[i] = rate
				continue
			}
			m.rates[i] += (1 - math.Exp(-tick.Minutes()/float64(n))) * (rate - m.rates[i])
		}
		m.ready = true
		if m.ticked = m.ticked.Add(tick); now.Sub(m.ticked) > time.Hour {
			m.ticked = now.Add(-tick)
		}
	}
}

// Flush makes an event of the figures when it is time.
func (f *metrics) Flush(now time.Time, final bool, b *event.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.counts {
		m.tick(now, f.rates)
	}
	if len(f.counts) > 0 && (final || now.Sub(f.flushed) >= f.flush) {
		f.flushed = now
		f.figures(now, b)
	}
	if f.wipe > 0 && now.Sub(f.cleared) >= f.wipe {
		f.cleared = now
		clear(f.counts)
		f.order = nil
	}
}

func (f *metrics) figures(now time.Time, b *event.Batch) {
	e := b.New(event.NoRecord)
	e.SetTimestamp(now.UnixNano())
	e.AddField("@version", event.String("1"))
	host := "[host][name]"
	if f.legacy {
		host = "message"
	}
	e.Set(event.MustPath(host), event.String(f.host))
	for _, name := range f.order {
		p, err := event.ParsePath(name)
		if err != nil {
			p = event.Field(name)
		}
		m := b.NewMap()
		f.counts[name].put(b, m, f.rates, f.percentiles)
		e.Set(p, m)
	}
	f.common.Apply(e)
}

func (m *meter) put(b *event.Batch, to event.Value, minutes []int, percentiles []float64) {
	b.Put(to, "count", event.Int(m.count))
	for i, n := range minutes {
		b.Put(to, "rate_"+strconv.Itoa(n)+"m", event.Float(m.rates[i]))
	}
	if !m.timer || m.count == 0 {
		return
	}
	n := float64(m.count)
	mean := m.sum / n
	b.Put(to, "min", event.Float(m.min))
	b.Put(to, "max", event.Float(m.max))
	b.Put(to, "stddev", event.Float(math.Sqrt(max(0, m.squares/n-mean*mean))))
	b.Put(to, "mean", event.Float(mean))
	sorted := slices.Sorted(slices.Values(m.sample))
	for _, p := range percentiles {
		b.Put(to, "p"+strconv.FormatFloat(p, 'f', -1, 64), event.Float(percentile(sorted, p)))
	}
}

// percentile is a value of a sorted sample, between two of them in proportion.
func percentile(sorted []float64, p float64) float64 {
	at := p / 100 * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
