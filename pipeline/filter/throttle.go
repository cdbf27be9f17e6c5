package filter

import (
	"strings"
	"sync"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var throttleOptions = []plugin.Option{
	{Name: "key", Required: true, Doc: "Text that events are counted by; may hold %{field}."},
	{Name: "before_count", Kind: plugin.Number, Default: "-1", Doc: "Events of a period below this number are matched."},
	{Name: "after_count", Kind: plugin.Number, Default: "-1", Doc: "Events of a period past this number are matched."},
	{Name: "period", Default: "60", Doc: "Seconds of the events' time a count holds for; may hold %{field}."},
	{Name: "max_age", Kind: plugin.Number, Default: "3600", Doc: "Seconds after which a count is forgotten."},
	{Name: "max_counters", Kind: plugin.Number, Default: "100000", Doc: "Most counts kept."},
}

// throttle succeeds on events that are too few or too many. One instance counts for all workers.
type throttle struct {
	key, period   *plugin.Template
	before, after int
	maxAge        int64 // ns
	max           int

	mu     sync.Mutex
	counts map[throttleKey]int
	newest int64 // ns, largest time seen
	swept  int64
}

type throttleKey struct {
	key   string
	start int64 // ns
}

func newThrottle(a *plugin.Args, _ *plugin.Env) Filter {
	f := &throttle{before: a.Int("before_count"), after: a.Int("after_count"), maxAge: int64(a.Int("max_age")) * 1e9, max: a.Int("max_counters"), counts: make(map[throttleKey]int)}
	f.key = a.Template(plugin.Text{Pos: a.At("key"), Text: a.String("key")})
	f.period = a.Template(plugin.Text{Pos: a.At("period"), Text: a.String("period")})
	if f.max <= 0 {
		a.Fail("max_counters", "", "max_counters must bound the memory")
	}
	return f
}

func (f *throttle) Filter(e *event.Event) Result {
	ns, ok := e.Timestamp()
	period := int64(leadingFloat(f.period.Render(e)) * 1e9)
	if !ok || period <= 0 {
		return None
	}
	key := f.key.Render(e)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.newest = max(f.newest, ns)
	start := ns - (ns%period+period)%period
	k := throttleKey{key, start}
	if _, ok := f.counts[k]; !ok {
		f.forget()
		k.key = strings.Clone(key)
	}
	f.counts[k]++
	if n := f.counts[k]; f.before != -1 && n < f.before || f.after != -1 && n > f.after {
		return Matched
	}
	return None
}

// forget drops counts that are too old; when there are too many, all of them go.
func (f *throttle) forget() {
	if f.newest-f.swept > f.maxAge/4 {
		f.swept = f.newest
		for k := range f.counts {
			if k.start < f.newest-f.maxAge {
				delete(f.counts, k)
			}
		}
	}
	if len(f.counts) >= f.max {
		clear(f.counts)
	}
}
