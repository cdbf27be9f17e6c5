package filter

import (
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/pipeline/ruby"
)

var aggregateOptions = []plugin.Option{
	{Name: "task_id", Required: true, Doc: "What ties events together, with a %{field}. Filters with the same text share their maps."},
	{Name: "code", Required: true, Doc: "Ruby over event and map, the object kept for the task."},
	{Name: "map_action", Enum: []string{"create", "update", "create_or_update"}, Default: "create_or_update", Doc: "Whether the filter begins a task, goes on with one, or both."},
	{Name: "end_of_task", Kind: plugin.Boolean, Default: "false", Doc: "Whether the map goes after this filter."},
	{Name: "timeout", Kind: plugin.Number, Default: "1800", Doc: "Seconds a map lives for."},
	{Name: "inactivity_timeout", Kind: plugin.Number, Doc: "Seconds without an event a map lives for."},
	{Name: "timeout_code", Doc: "Ruby over event, the one a timeout makes."},
	{Name: "push_map_as_event_on_timeout", Kind: plugin.Boolean, Default: "false", Doc: "Whether a map whose time is over becomes an event."},
	{Name: "push_previous_map_as_event", Kind: plugin.Boolean, Default: "false", Doc: "Whether a new task makes an event of the map before it."},
	{Name: "timeout_timestamp_field", Kind: plugin.Field, Doc: "Time of an event that timeouts are measured by, instead of the clock."},
	{Name: "timeout_task_id_field", Kind: plugin.Field, Doc: "Field for the task's id in such an event."},
	{Name: "timeout_tags", Kind: plugin.Array, Doc: "Tags of such an event."},
	{Name: "aggregate_maps_path", Refused: "maps live in memory only and end with the process"},
}

// maxMaps bounds the tasks of one task_id; past it the oldest ends as by timeout.
const maxMaps = 100_000

// tasks is the maps of all filters with one task_id.
type tasks struct {
	maps  map[string]*task
	order []*task // by creation; ended ones are skipped
	owner *aggregate
}

type task struct {
	id          string
	m           ruby.Value
	began, seen time.Time
	over        bool
}

// aggregate runs code over an event and an object that lives as long as a task.
type aggregate struct {
	id             *plugin.Template
	prog           *ruby.Program
	code, late     *ruby.Code
	create, update bool
	end            bool
	timeout, idle  time.Duration
	push, previous bool
	time, idField  *event.Path
	tags           []*plugin.Template
	env            *plugin.Env
	tasks          *tasks
	place          string
	exceptions     int64
}

func newAggregate(a *plugin.Args, env *plugin.Env) Filter {
	action := a.String("map_action")
	f := &aggregate{create: action != "update", update: action != "create", end: a.Bool("end_of_task"), timeout: a.Seconds("timeout"), idle: a.Seconds("inactivity_timeout"),
		push: a.Bool("push_map_as_event_on_timeout"), previous: a.Bool("push_previous_map_as_event"), time: a.Field("timeout_timestamp_field"),
		idField: a.Field("timeout_task_id_field"), tags: a.Templates("timeout_tags"), env: env, place: a.ID}
	text := a.String("task_id")
	f.id = a.Template(plugin.Text{Pos: a.At("task_id"), Text: text})
	if f.id.Const() && text != "" {
		a.Fail("task_id", `write "%{field}"`, "task_id %q is the same for every event", text)
	}
	if f.push && f.previous {
		a.Fail("push_previous_map_as_event", "", "push_previous_map_as_event and push_map_as_event_on_timeout exclude each other")
	}
	if f.idle > 0 && f.idle >= f.timeout && f.timeout > 0 {
		a.Fail("inactivity_timeout", "", "inactivity_timeout must be lower than timeout")
	}
	f.prog = ruby.New(a.ID, rubyEnv(env))
	code, ok := compileRuby(a, f.prog, []string{"code", "timeout_code"}, []ruby.Source{{Text: a.String("code"), Params: []string{"event", "map", "map_meta"}, Keeps: true},
		{Text: a.String("timeout_code"), Params: []string{"event"}}})
	if !ok {
		return nil
	}
	f.code = code[0]
	if a.Has("timeout_code") {
		f.late = code[1]
	}
	f.tasks = env.Share("aggregate "+text, func() any { return &tasks{maps: map[string]*task{}} }).(*tasks)
	if f.tasks.owner == nil || f.timed(a) {
		f.tasks.owner = f
	}
	return f
}

// timed reports whether this filter says what happens at a timeout, for all that share its maps.
func (f *aggregate) timed(a *plugin.Args) bool {
	return slices.ContainsFunc([]string{"timeout", "inactivity_timeout", "timeout_code", "push_map_as_event_on_timeout", "push_previous_map_as_event",
		"timeout_timestamp_field", "timeout_task_id_field", "timeout_tags"}, a.Has)
}

func (f *aggregate) Filter(e *event.Event) Result {
	id := f.id.Render(e)
	if id == "" || id == f.id.String() {
		return None
	}
	now := f.when(e)
	t := f.tasks.maps[id]
	if t != nil && f.tasks.owner.time != nil && f.tasks.owner.outlived(t, now) {
		f.tasks.owner.finish(t, now, e.Batch(), e.Ref)
		t = nil
	}
	switch {
	case t == nil && !f.create, t != nil && !f.update:
		return None
	case t == nil:
		t = f.begin(e, id, now)
	}
	t.seen = now
	_, exc := f.code.Call(ruby.Run{Batch: e.Batch(), Ref: e.Ref}, e, t.m, ruby.Meta(t.id, t.began, t.seen))
	if f.end {
		f.tasks.drop(t)
	}
	if exc != nil {
		f.raised(e, exc)
		return Failed
	}
	return Matched
}

// when is the time an event counts at.
func (f *aggregate) when(e *event.Event) time.Time {
	if p := f.tasks.owner.time; p != nil {
		if v, ok := e.Get(p); ok && v.Kind() == event.TimeKind {
			return time.Unix(0, v.Int64())
		}
	}
	return f.env.Now()
}

func (f *aggregate) begin(e *event.Event, id string, now time.Time) *task {
	own := f.tasks.owner
	if own.previous || len(f.tasks.maps) >= maxMaps {
		if t := f.tasks.oldest(); t != nil {
			own.finish(t, now, e.Batch(), e.Ref)
		}
	}
	t := &task{id: strings.Clone(id), m: ruby.Object(nil, nil), began: now}
	f.tasks.maps[t.id] = t
	f.tasks.order = append(f.tasks.order, t)
	return t
}

func (t *tasks) drop(x *task) {
	x.over = true
	delete(t.maps, x.id)
	for len(t.order) > 0 && t.order[0].over {
		t.order = t.order[1:]
	}
}

func (t *tasks) oldest() *task {
	for _, x := range t.order {
		if !x.over {
			return x
		}
	}
	return nil
}

func (f *aggregate) outlived(t *task, now time.Time) bool {
	return f.timeout > 0 && now.Sub(t.began) > f.timeout || f.idle > 0 && now.Sub(t.seen) > f.idle
}

// finish ends a task; when the configuration wants one, an event tells of it.
func (f *aggregate) finish(t *task, now time.Time, b *event.Batch, ref uint32) {
	f.tasks.drop(t)
	if !f.push && !f.previous && f.late == nil {
		return
	}
	e := b.New(ref)
	e.SetTimestamp(now.UnixMilli() * 1e6)
	e.AddField("@version", event.String("1"))
	if f.push || f.previous {
		if err := f.prog.Fill(e, t.m); err != nil {
			f.raised(e, err)
		}
	}
	if f.idField != nil {
		e.Set(f.idField, event.String(t.id))
	}
	for _, tag := range f.tags {
		e.Tag(tag.Render(e))
	}
	if f.late != nil {
		if _, exc := f.late.Call(ruby.Run{Batch: b, Ref: ref}, e); exc != nil {
			f.raised(e, exc)
		}
	}
}

func (f *aggregate) raised(e *event.Event, exc *ruby.Exception) {
	if f.exceptions++; f.exceptions&(f.exceptions-1) == 0 {
		f.env.Log.Warn("aggregate code raised", "filter", f.place, "class", exc.Class, "message", exc.Message, "line", exc.Line, "count", f.exceptions)
	}
	e.Tag("_aggregateexception")
}

// Flush ends the tasks whose time is over. At the end, the last map that waits for a next one is handed on.
func (f *aggregate) Flush(now time.Time, final bool, b *event.Batch) {
	if f.tasks.owner != f {
		return
	}
	for _, t := range slices.Clone(f.tasks.order) {
		if !t.over && (f.time == nil && f.outlived(t, now) || final && f.previous) {
			f.finish(t, now, b, event.NoRecord)
		}
	}
}
