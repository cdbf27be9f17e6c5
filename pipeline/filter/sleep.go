package filter

import (
	"strconv"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var sleepOptions = []plugin.Option{
	{Name: "time", Doc: "Seconds to wait; may hold %{field}. With replay the speed: 2 is twice as fast as the events came."},
	{Name: "every", Doc: "Waits at each n-th event only.", Default: "1"},
	{Name: "replay", Kind: plugin.Boolean, Default: "false", Doc: "Whether to wait as long as lies between the times of events."},
}

// longestSleep bounds one wait, so that a pipeline always ends.
const longestSleep = 20 * time.Second

// sleepFilter holds its worker up.
type sleepFilter struct {
	time   *plugin.Template
	every  int
	replay bool
	n      int
	last   int64
	wait   func(time.Duration)
}

func newSleep(a *plugin.Args, _ *plugin.Env) Filter {
	f := &sleepFilter{replay: a.Bool("replay"), wait: time.Sleep}
	f.time = a.Template(plugin.Text{Pos: a.At("time"), Text: a.String("time")})
	n, err := strconv.Atoi(a.String("every"))
	if err != nil || n < 1 {
		a.Fail("every", "", "every takes a number of events, from 1 on")
	}
	f.every = n
	return f
}

func (f *sleepFilter) Filter(e *event.Event) Result {
	f.n++
	seconds := leadingFloat(f.time.Render(e))
	switch {
	case f.replay:
		f.wait(f.gap(e, seconds))
	case f.n%f.every == 0:
		f.wait(min(longestSleep, time.Duration(seconds*1e9)))
	}
	return Matched
}

// gap is how long after the event before this one came, divided by the speed.
func (f *sleepFilter) gap(e *event.Event, speed float64) time.Duration {
	ns, ok := e.Timestamp()
	last := f.last
	if !ok {
		return 0
	}
	f.last = ns
	if last == 0 || ns <= last {
		return 0
	}
	if speed <= 0 {
		speed = 1
	}
	return min(longestSleep, time.Duration(float64(ns-last)/speed))
}
