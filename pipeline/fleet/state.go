package fleet

import (
	"github.com/weirlog/weir/pipeline"
)

// State is what users are told of a pipeline.
type State struct {
	ID       string               `json:"id"`
	State    string               `json:"state"` // starting, running, stopped or failed
	Error    string               `json:"error,omitempty"`
	Hash     string               `json:"hash"`
	Version  int                  `json:"version"`
	Writable bool                 `json:"writable"`
	Source   string               `json:"source"` // files, inline, shipped or applied
	Settings Settings             `json:"settings"`
	Topics   []string             `json:"topics"`
	Inputs   []string             `json:"inputs"`
	Outputs  []string             `json:"outputs"`
	Filters  int                  `json:"filters"`
	Events   pipeline.EventStats  `json:"events"`
	Reloads  pipeline.ReloadStats `json:"reloads"`
}

// Settings is the part of a configuration that is no text.
type Settings struct {
	Workers   int    `json:"workers"`
	BatchSize int    `json:"batch_size"`
	Delay     int64  `json:"batch_delay_ms"`
	ECS       string `json:"ecs_compatibility"`
	QueueType string `json:"queue_type"`
}

// State is the state of a pipeline.
func (f *Fleet) State(id string) (State, error) {
	u := f.unit(id)
	if u == nil {
		return State{}, ErrUnknown
	}
	u.mu.Lock()
	p, cfg, past := u.p, u.cfg, u.past
	s := State{ID: id, State: u.state, Hash: u.hash, Writable: u.spec.Write != nil || u.spec.Dir != "", Source: u.spec.Origin, Reloads: u.reloads}
	if u.err != nil {
		s.Error = firstLine(u.err)
	}
	u.mu.Unlock()
	if own, err := u.spec.Texts(); err == nil && hashOf(own) != s.Hash && u.spec.Write == nil {
		s.Source = "applied"
	}
	if n := u.numbers(); len(n) > 0 {
		s.Version = n[len(n)-1]
	}
	st := p.Stats().Plus(past)
	s.Settings = Settings{Workers: st.Batch.Workers, BatchSize: st.Batch.Size, Delay: cfg.BatchDelay.Milliseconds(), ECS: cfg.ECS, QueueType: st.Queue.Type}
	s.Topics, s.Filters, s.Events = p.Topics(), len(st.Plugins.Filters), st.Events
	for _, x := range st.Plugins.Inputs {
		s.Inputs = append(s.Inputs, x.Name)
	}
	for _, x := range st.Plugins.Outputs {
		s.Outputs = append(s.Outputs, x.Name)
	}
	return s, nil
}

// Stats is the figures of a pipeline, with those of its changes.
func (f *Fleet) Stats(id string) (pipeline.Stats, error) {
	u := f.unit(id)
	if u == nil {
		return pipeline.Stats{}, ErrUnknown
	}
	u.mu.Lock()
	p, reloads, past := u.p, u.reloads, u.past
	u.mu.Unlock()
	s := p.Stats().Plus(past)
	s.Reloads = reloads
	return s, nil
}
