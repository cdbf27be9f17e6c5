package pipeline

import (
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/pipeline/plugin"
)

// pluginStats are the figures of one plugin, of all workers.
type pluginStats struct {
	id, name, kind, place string
	in, out               atomic.Int64
	matches, failures     atomic.Int64
	nanos                 atomic.Int64
	figurers              []filter.PatternFigurer // one a worker; filled while programs are compiled
}

// totals are the figures of a pipeline. Each event of a record counts.
type totals struct {
	in, filtered, out     atomic.Int64
	dropped, dead, lost   atomic.Int64
	conditions, nanos     atomic.Int64
	writes, writeErrors   atomic.Int64
	rejected, pushed      atomic.Int64
	deadBytes, writeNanos atomic.Int64
	made                  atomic.Int64 // events filters made by the clock
	waited                atomic.Int64 // ns that inputs waited for room
}

func (c *compiler) statsOf(p *conf.Plugin, a *plugin.Args, kind string) *pluginStats {
	if s, ok := c.stats[p]; ok {
		return s
	}
	s := &pluginStats{id: a.ID, name: p.Name, kind: kind, place: place(p.Pos)}
	c.stats[p] = s
	return s
}

// Stats is the state of a pipeline in the shape of Logstash's /_node/stats/pipelines.
type Stats struct {
	Events  EventStats  `json:"events"`
	Plugins PluginGroup `json:"plugins"`
	Reloads ReloadStats `json:"reloads"`
	Queue   QueueStats  `json:"queue"`
	Dead    DeadStats   `json:"dead_letter_queue"`
	Write   WriteStats  `json:"write"`
	Batch   BatchStats  `json:"batch"`
	Flow    FlowStats   `json:"flow"`
	Hash    string      `json:"hash"`
}

// EventStats counts events and the time spent on them.
type EventStats struct {
	In       int64 `json:"in"`
	Filtered int64 `json:"filtered"`
	Out      int64 `json:"out"`
	Millis   int64 `json:"duration_in_millis"`
	Push     int64 `json:"queue_push_duration_in_millis"`
	Dropped  int64 `json:"dropped"` // records no document was made of, by rule
	Failed   int64 `json:"failed_conditions"`
}

// PluginGroup is the figures of each plugin, in the order of the configuration.
type PluginGroup struct {
	Inputs  []PluginFigures `json:"inputs"`
	Codecs  []PluginFigures `json:"codecs"` // not counted apart from their inputs and outputs
	Filters []PluginFigures `json:"filters"`
	Outputs []PluginFigures `json:"outputs"`
}

// PluginFigures is the figures of one plugin.
type PluginFigures struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Place    string       `json:"place"`
	Events   PluginEvents `json:"events"`
	Matches  *int64       `json:"matches,omitempty"`
	Failures *int64       `json:"failures,omitempty"`
	Flow     PluginFlow   `json:"flow"`
	// Patterns of grok, summed over the workers.
	Patterns []filter.PatternFigure `json:"patterns,omitempty"`
	// Of elasticsearch outputs.
	Documents *DocumentFigures `json:"documents,omitempty"`
	Requests  *RequestFigures  `json:"bulk_requests,omitempty"`
}

// DocumentFigures counts documents of a writer, which outputs may share.
type DocumentFigures struct {
	Successes int64 `json:"successes"`
	Refused   int64 `json:"non_retryable_failures"`
}

// RequestFigures counts Writes of a writer.
type RequestFigures struct {
	Successes int64 `json:"successes"`
	Failures  int64 `json:"failures"`
}

// PluginEvents counts what went through a plugin.
type PluginEvents struct {
	In     int64 `json:"in"`
	Out    int64 `json:"out"`
	Millis int64 `json:"duration_in_millis"`
}

// PluginFlow is the cost of an event.
type PluginFlow struct {
	MillisPerEvent Lifetime `json:"worker_millis_per_event"`
	Usage          Lifetime `json:"worker_utilization"` // percent of the workers' time
}

// FlowStats is the rates of the whole pipeline.
type FlowStats struct {
	Input       Flow `json:"input_throughput"`
	Filter      Flow `json:"filter_throughput"`
	Output      Flow `json:"output_throughput"`
	Usage       Flow `json:"worker_utilization"` // percent of the workers' time
	Concurrency Flow `json:"worker_concurrency"` // workers busy
	Pressure    Flow `json:"queue_backpressure"` // inputs that wait
}

// Lifetime is a rate since the pipeline began.
type Lifetime struct {
	Lifetime float64 `json:"lifetime"`
}

// ReloadStats counts changes of the configuration.
type ReloadStats struct {
	Successes   int64        `json:"successes"`
	Failures    int64        `json:"failures"`
	LastError   *ReloadError `json:"last_error"`
	LastSuccess *time.Time   `json:"last_success_timestamp"`
	LastFailure *time.Time   `json:"last_failure_timestamp"`
}

// ReloadError is why the last change was not taken.
type ReloadError struct {
	Message string `json:"message"`
}

// QueueStats is what is in flight.
type QueueStats struct {
	Type     string `json:"type"`
	Events   int64  `json:"events_count"`
	Bytes    int64  `json:"queue_size_in_bytes"`
	MaxBytes int64  `json:"max_queue_size_in_bytes"`
}

// DeadStats counts dead letters.
type DeadStats struct {
	Records int64 `json:"records"`
	Bytes   int64 `json:"queue_size_in_bytes"`
	Lost    int64 `json:"dropped_events"` // there was no topic to put them
}

// WriteStats is what the writers of documents did.
type WriteStats struct {
	Documents int64 `json:"documents"`
	Rejected  int64 `json:"non_retryable_failures"`
	Requests  int64 `json:"bulk_requests"`
	Errors    int64 `json:"failures"`
	Millis    int64 `json:"duration_in_millis"`
}

// BatchStats is the settings of batches.
type BatchStats struct {
	Size    int `json:"size"`
	Workers int `json:"workers"`
}

// Stats is safe to call at any time.
func (p *Pipeline) Stats() Stats {
	t, gen := &p.stats, p.current()
	now := p.totalsNow()
	up := max(now.at.Sub(p.began), time.Millisecond).Seconds()
	rate := func(scale float64, of func(r reading) int64) Flow { return p.meter.flow(now, p.began, scale, of) }
	busy := func(r reading) int64 { return r.nanos }
	s := Stats{
		Events: EventStats{In: t.in.Load(), Filtered: t.filtered.Load(), Out: t.out.Load(), Millis: t.nanos.Load() / 1e6, Push: t.waited.Load() / 1e6,
			Dropped: t.dropped.Load(), Failed: t.conditions.Load()},
		Queue: p.queueStats(),
		Dead:  DeadStats{Records: t.dead.Load(), Bytes: t.deadBytes.Load(), Lost: t.lost.Load()},
		Write: WriteStats{Documents: t.pushed.Load(), Rejected: t.rejected.Load(), Requests: t.writes.Load(), Errors: t.writeErrors.Load(),
			Millis: t.writeNanos.Load() / 1e6},
		Batch: BatchStats{Size: p.cfg.BatchSize, Workers: p.workers},
		Flow: FlowStats{Input: rate(1, func(r reading) int64 { return r.in }), Filter: rate(1, func(r reading) int64 { return r.filtered }),
			Output: rate(1, func(r reading) int64 { return r.out }), Usage: rate(100/1e9/float64(p.workers), busy), Concurrency: rate(1e-9, busy),
			Pressure: rate(1e-9, func(r reading) int64 { return r.waited })},
		Hash: gen.hash,
	}
	s.Plugins.Codecs = []PluginFigures{}
	for _, ps := range gen.plugins {
		f := ps.figures()
		f.Flow.Usage.Lifetime = 100 * float64(ps.nanos.Load()) / 1e9 / up / float64(p.workers)
		if spec := output.Find(ps.name); ps.kind == "output" && spec != nil && spec.Sink == nil {
			f.Documents = &DocumentFigures{s.Write.Documents, s.Write.Rejected}
			f.Requests = &RequestFigures{s.Write.Requests - s.Write.Errors, s.Write.Errors}
		}
		switch ps.kind {
		case "input":
			s.Plugins.Inputs = append(s.Plugins.Inputs, f)
		case "filter":
			s.Plugins.Filters = append(s.Plugins.Filters, f)
		default:
			s.Plugins.Outputs = append(s.Plugins.Outputs, f)
		}
	}
	return s
}

// queueStats is what waits: in the spools when there are some, else in flight.
func (p *Pipeline) queueStats() QueueStats {
	q := QueueStats{Type: "memory", Events: int64(len(p.order)), Bytes: p.memory.inUse(), MaxBytes: p.cfg.Memory}
	first := true
	for _, s := range p.sources {
		if s.spool == nil {
			continue
		}
		if first {
			q, first = QueueStats{Type: "persisted"}, false
		}
		records, bytes := s.spool.Waiting()
		q.Events, q.Bytes, q.MaxBytes = q.Events+records, q.Bytes+bytes, q.MaxBytes+s.spool.MaxBytes()
	}
	return q
}

func (ps *pluginStats) figures() PluginFigures {
	in, nanos := ps.in.Load(), ps.nanos.Load()
	f := PluginFigures{ID: ps.id, Name: ps.name, Place: ps.place, Events: PluginEvents{in, ps.out.Load(), nanos / 1e6}}
	if in > 0 {
		f.Flow.MillisPerEvent.Lifetime = float64(nanos) / 1e6 / float64(in)
	}
	if ps.kind == "filter" {
		m, n := ps.matches.Load(), ps.failures.Load()
		f.Matches, f.Failures = &m, &n
	}
	for i, pf := range ps.figurers {
		for k, x := range pf.PatternFigures() {
			if i == 0 {
				f.Patterns = append(f.Patterns, x)
				continue
			}
			sum := &f.Patterns[k]
			sum.Hits, sum.Misses, sum.Nanos, sum.Guarded = sum.Hits+x.Hits, sum.Misses+x.Misses, sum.Nanos+x.Nanos, sum.Guarded+x.Guarded
		}
	}
	return f
}

// Plus adds the totals of a pipeline that ran before under the same name.
func (s Stats) Plus(past Stats) Stats {
	e, o := &s.Events, past.Events
	e.In, e.Filtered, e.Out, e.Millis, e.Push, e.Dropped, e.Failed = e.In+o.In, e.Filtered+o.Filtered, e.Out+o.Out, e.Millis+o.Millis, e.Push+o.Push, e.Dropped+o.Dropped, e.Failed+o.Failed
	w, v := &s.Write, past.Write
	w.Documents, w.Rejected, w.Requests, w.Errors, w.Millis = w.Documents+v.Documents, w.Rejected+v.Rejected, w.Requests+v.Requests, w.Errors+v.Errors, w.Millis+v.Millis
	d, x := &s.Dead, past.Dead
	d.Records, d.Bytes, d.Lost = d.Records+x.Records, d.Bytes+x.Bytes, d.Lost+x.Lost
	return s
}
