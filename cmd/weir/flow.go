package main

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/pipeline"
)

// picture is the answer of GET /weir/flow: what each part of this process does now, in the shape the Flow page draws.
type picture struct {
	Since    time.Time      `json:"since"`
	Version  string         `json:"version"`
	Insecure bool           `json:"insecure"`
	Stages   map[string]any `json:"stages"`
	Ledger   *account       `json:"ledger,omitempty"`
}

// account is the ledger in records since the start of the process: read = indexed + dropped + dead + in flight + unexplained.
type account struct {
	ReadEvents  int64 `json:"read_events"`
	ReadBytes   int64 `json:"read_bytes"`
	Indexed     int64 `json:"indexed"`
	Dropped     int64 `json:"dropped"`
	Dead        int64 `json:"dead"`
	InFlight    int64 `json:"in_flight"`
	Unexplained int64 `json:"unexplained"`
}

// rates turns counters into figures per second; readings closer than half a second apart get the last figure again.
type rates struct {
	mu   sync.Mutex
	last map[string]reading
}

type reading struct {
	at    time.Time
	value int64
	rate  float64
}

// of is the rate of a counter since it was read before.
func (r *rates) of(name string, value int64, now time.Time) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last = map[string]reading{}
	}
	old, ok := r.last[name]
	if ok && now.Sub(old.at) < 500*time.Millisecond {
		return old.rate
	}
	rate := 0.0
	if ok && value >= old.value {
		rate = float64(value-old.value) / now.Sub(old.at).Seconds()
	}
	if len(r.last) < maxRates || ok {
		r.last[name] = reading{now, value, rate}
	}
	return rate
}

// maxRates bounds the counters whose rates are kept.
const maxRates = 4096

func (n *node) picture() picture {
	now := time.Now()
	p := picture{Since: n.since, Version: buildVersion(), Insecure: len(n.ports.open) > 0, Stages: map[string]any{}}
	if n.agent != nil {
		p.Stages["agents"] = []any{n.agentStage(n.agent.Status(), now)}
	}
	if n.broker != nil {
		p.Stages["broker"] = map[string]any{"topics": n.topicStages(now)}
	}
	var pipelines []any
	for id, s := range n.pipelineStats() {
		pipelines = append(pipelines, n.pipelineStage(id, s, now))
	}
	p.Stages["pipelines"] = pipelines
	if n.store != nil {
		p.Stages["store"] = n.storeStage(now)
	}
	p.Ledger = n.account()
	return p
}

func (n *node) agentStage(s agent.Status, now time.Time) map[string]any {
	var files []any
	for _, f := range s.Sources {
		if f.Path == "" {
			continue
		}
		files = append(files, map[string]any{"path": f.Path, "source": f.Source, "size": f.Size, "acked": f.Acked, "behind": f.Unread,
			"lines_s": n.rates.of("lines "+f.Source, f.Lines, now), "bytes_s": n.rates.of("bytes "+f.Source, f.Read, now), "oldest_ms": f.OldestMs})
	}
	host, _ := os.Hostname()
	return map[string]any{"id": s.ID, "host": host, "version": s.Version, "online": !s.Retrying, "published_s": n.rates.of("agent lines", s.Stats.Lines, now),
		"acked_s": n.rates.of("agent acked", s.Stats.Events, now), "retries": s.Stats.Retries, "files": files}
}

func (n *node) topicStages(now time.Time) []any {
	var out []any
	for _, t := range n.broker.Topics() {
		out = append(out, struct {
			broker.TopicInfo
			InRate   float64 `json:"in_s"`
			ByteRate float64 `json:"bytes_s"`
		}{t, n.rates.of("in "+t.Name, t.In, now), n.rates.of("in bytes "+t.Name, t.InBytes, now)})
	}
	return out
}

func (n *node) pipelineStage(id string, s pipeline.Stats, now time.Time) map[string]any {
	var plugins []any
	failures := int64(0)
	for _, f := range s.Plugins.Filters {
		failed := int64(0)
		if f.Failures != nil {
			failed = *f.Failures
		}
		failures += failed
		plugins = append(plugins, map[string]any{"id": f.ID, "name": f.Name, "ms_per_event": f.Flow.MillisPerEvent.Lifetime,
			"in": f.Events.In, "out": f.Events.Out, "failures": failed, "line": f.Place})
	}
	return map[string]any{"name": id, "group": n.groups.of(id), "in_s": n.rates.of("in "+id, s.Events.In, now), "out_s": n.rates.of("out "+id, s.Events.Out, now),
		"workers": s.Batch.Workers, "utilization": s.Flow.Usage.Lifetime / 100, "dropped": s.Events.Dropped, "dead": s.Dead.Records, "failures": failures, "plugins": plugins}
}

func (n *node) storeStage(now time.Time) map[string]any {
	var docs, bytes int64
	var indices []any
	for _, name := range n.store.Names() {
		i, ok := n.store.Info(name)
		if !ok {
			continue
		}
		docs, bytes = docs+i.Docs, bytes+i.Bytes
		indices = append(indices, map[string]any{"name": i.Name, "docs": i.Docs, "bytes": i.Bytes})
	}
	s := n.store.Stats()
	return map[string]any{"docs": docs, "bytes": bytes, "docs_s": n.rates.of("docs", s.Documents, now), "rejected": s.Rejected, "repeats": s.Repeats, "indices": indices}
}

// partitionKey names a partition as a group reads it.
type partitionKey struct {
	group, topic string
	partition    int32
}

// noteStart remembers up to where each group had settled when the process began: what the store knows, else what was committed.
func (n *node) noteStart(ctx context.Context) error {
	n.began = map[partitionKey]int64{}
	for _, t := range n.broker.Topics() {
		for _, p := range t.Partitions {
			for _, g := range p.Groups {
				n.began[partitionKey{g.Name, t.Name, p.ID}] = max(g.Committed, p.Low)
			}
		}
	}
	for _, group := range n.groups.list() {
		positions, err := n.store.For(group).Positions(ctx)
		if err != nil {
			return err
		}
		for _, p := range positions {
			k := partitionKey{group, p.Topic, p.Partition}
			n.began[k] = max(n.began[k], p.Offset)
		}
	}
	return nil
}

// account compares at positions, not at clock times: of the records between where a group began and its committed offset each must
// have a fate that a pipeline counted; what lies behind is in flight. nil where a part runs elsewhere.
func (n *node) account() *account {
	if n.agent == nil || n.broker == nil || n.store == nil || len(n.groups.list()) == 0 {
		return nil
	}
	var a account
	committed := int64(0)
	for _, t := range n.broker.Topics() { // positions first: fates counted later can only be more
		for _, p := range t.Partitions {
			for _, g := range p.Groups {
				if !n.groups.own(g.Name) {
					continue
				}
				from := n.began[partitionKey{g.Name, t.Name, p.ID}]
				at := max(g.Committed, from)
				committed += at - from
				a.InFlight += p.High - at
			}
		}
	}
	read := committed + a.InFlight
	a.ReadBytes = n.agent.Status().Stats.Read
	for _, s := range n.pipelineStats() {
		a.Indexed += s.Write.Documents
		a.Dropped += s.Events.Dropped
		a.Dead += s.Dead.Records
	}
	settled := a.Indexed + a.Dropped + a.Dead
	a.Unexplained = max(0, committed-settled)
	a.ReadEvents = max(read, settled)
	a.InFlight = a.ReadEvents - settled - a.Unexplained
	return &a
}
