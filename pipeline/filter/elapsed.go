package filter

import (
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var elapsedOptions = []plugin.Option{
	{Name: "start_tag", Required: true, Doc: "Tag of the events that begin something."},
	{Name: "end_tag", Required: true, Doc: "Tag of the events that end it."},
	{Name: "unique_id_field", Kind: plugin.Field, Required: true, Doc: "Field that ties both together."},
	{Name: "timeout", Kind: plugin.Number, Default: "1800", Doc: "Seconds a beginning is kept for; then an event tells that no end came."},
	{Name: "new_event_on_match", Kind: plugin.Boolean, Default: "false", Doc: "Whether the time goes into an event of its own."},
	{Name: "keep_start_event", Enum: []string{"first", "last"}, Default: "first", Doc: "Which beginning counts when there are two."},
}

// maxStarts bounds the beginnings kept; past it the oldest is given up.
const maxStarts = 1_000_000

// elapsed measures from a beginning to its end, by the times of the events.
type elapsed struct {
	start, end string
	id         *event.Path
	timeout    time.Duration
	fresh      bool // an event of its own
	last       bool
	common     *plugin.Common
	names      elapsedNames
	now        func() time.Time
	starts     map[string]begun
	made       []expired
}

type elapsedNames struct{ time, start *event.Path }

type begun struct {
	at   int64 // @timestamp
	seen time.Time
}

// expired is a beginning whose end did not come in time.
type expired struct {
	id string
	at int64
}

func newElapsed(a *plugin.Args, env *plugin.Env) Filter {
	f := &elapsed{start: a.String("start_tag"), end: a.String("end_tag"), id: a.Field("unique_id_field"), timeout: a.Seconds("timeout"), fresh: a.Bool("new_event_on_match"),
		last: a.String("keep_start_event") == "last", common: plugin.NewCommon(a), now: env.Now, starts: map[string]begun{}}
	f.names = elapsedNames{event.MustPath("elapsed_time"), event.MustPath("elapsed_timestamp_start")}
	if a.ECS(env) {
		f.names = elapsedNames{event.MustPath("[event][duration]"), event.MustPath("[event][start]")}
	}
	return f
}

func (f *elapsed) Filter(e *event.Event) Result {
	v, ok := e.Get(f.id)
	at, timed := e.Timestamp()
	if !ok || v.IsNil() || !timed {
		return None
	}
	id := e.Batch().Text(v)
	switch {
	case e.HasTag(f.start):
		return f.begin(e, id, at)
	case e.HasTag(f.end):
		return f.finish(e, v, id, at)
	}
	return None
}

func (f *elapsed) begin(e *event.Event, id string, at int64) Result {
	if _, there := f.starts[id]; there && !f.last {
		return None
	}
	if len(f.starts) >= maxStarts {
		f.giveUp()
	}
	f.starts[strings.Clone(id)] = begun{at, f.now()}
	f.common.Apply(e)
	return Matched
}

// giveUp drops the oldest tenth of the beginnings.
func (f *elapsed) giveUp() {
	var times []int64
	for _, s := range f.starts {
		times = append(times, s.seen.UnixNano())
	}
	slices.Sort(times)
	f.expire(time.Unix(0, times[len(times)/10]))
}

func (f *elapsed) finish(e *event.Event, v event.Value, id string, at int64) Result {
	s, ok := f.starts[id]
	if !ok {
		e.Tag("elapsed_end_without_start")
		return None
	}
	delete(f.starts, id)
	target := e
	if f.fresh {
		target = e.Batch().New(e.Ref)
		target.SetTimestamp(at)
		target.AddField("@version", event.String("1"))
		target.Set(f.id, e.Batch().Copy(v))
	}
	f.tell(target, at-s.at, s.at)
	target.Tag("elapsed")
	target.Tag("elapsed_match")
	f.common.Apply(target)
	return Matched
}

// tell sets the fields: seconds, or with ECS nanoseconds.
func (f *elapsed) tell(e *event.Event, took, start int64) {
	if f.names.time.Top() == "event" {
		e.Set(f.names.time, event.Int(took))
	} else {
		e.Set(f.names.time, event.Float(float64(took)/1e9))
	}
	e.Set(f.names.start, event.Time(start))
}

func (f *elapsed) expire(before time.Time) {
	for id, s := range f.starts {
		if s.seen.Before(before) {
			delete(f.starts, id)
			f.made = append(f.made, expired{id, s.at})
		}
	}
}

// Flush makes an event of each beginning that is too old.
func (f *elapsed) Flush(now time.Time, _ bool, b *event.Batch) {
	f.expire(now.Add(-f.timeout))
	slices.SortFunc(f.made, func(x, y expired) int { return strings.Compare(x.id, y.id) })
	for _, x := range f.made {
		e := b.New(event.NoRecord)
		e.SetTimestamp(now.UnixNano())
		e.AddField("@version", event.String("1"))
		e.Set(f.id, event.String(x.id))
		f.tell(e, int64(f.timeout), x.at)
		e.Tag("elapsed")
		e.Tag("elapsed_expired_error")
	}
	f.made = nil
}
