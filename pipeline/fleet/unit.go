package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/conf"
)

// unit is one pipeline and what is known of its texts.
type unit struct {
	f    *Fleet
	id   string
	spec Pipeline

	cancel context.CancelFunc // of its run; set by Fleet.Run
	over   chan struct{}
	result error // readable when over is closed

	changing sync.Mutex
	refused  string // hash of a text that did not work
	prints   string // of the files the text names

	mu      sync.Mutex
	p       *pipeline.Pipeline
	cfg     pipeline.Config // with the text that runs
	hash    string
	state   string // starting, running, failed, stopped
	err     error
	stop    context.CancelFunc // ends the Run at hand
	next    *restart
	reloads pipeline.ReloadStats
	past    pipeline.Stats // totals of pipelines that ended for a change
	guard   guard
}

// restart is a change that needs the pipeline to end.
type restart struct {
	cfg  pipeline.Config
	done chan error // gets the outcome; room for two, the first counts
}

// open compiles a pipeline for the first time.
func (f *Fleet) open(spec Pipeline) (*unit, error) {
	u := &unit{f: f, id: spec.Config.ID, spec: spec, state: "starting"}
	u.spec.Config.Bus = f.bus
	texts, err := u.texts()
	if err != nil {
		return nil, err
	}
	u.cfg = u.with(texts)
	if u.p, err = pipeline.Open(u.cfg); err != nil {
		return nil, err
	}
	u.hash, u.prints = hashOf(texts), fingerprint(u.p.Files())
	u.note(texts, "read at the start", false)
	return u, nil
}

func (u *unit) with(texts []pipeline.Source) pipeline.Config {
	cfg := u.spec.Config
	cfg.Files, cfg.Text = nil, texts
	return cfg
}

// hashOf tells texts apart.
func hashOf(texts []pipeline.Source) string {
	h := xxh3.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%s\x00%d\x00%s\x00", t.Name, len(t.Text), t.Text)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

func (u *unit) running() *pipeline.Pipeline {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.p
}

// run runs the pipeline, and the ones that changes make of it, until ctx ends, its inputs are at their end, or it fails.
func (u *unit) run(ctx context.Context) error {
	var began *restart // that the Run at hand is the outcome of
	var before pipeline.Config
	for {
		rctx, stop := context.WithCancel(ctx)
		u.mu.Lock()
		p := u.p
		u.stop, u.state, u.err = stop, "running", nil
		if u.next != nil { // asked for before there was something to stop
			stop()
		}
		u.mu.Unlock()
		started := time.Now()
		err := p.Run(rctx)
		stop()
		next := u.take()
		switch {
		case ctx.Err() != nil || next == nil && err == nil:
			u.end("stopped", err)
			answer(next, ctx.Err())
			return err
		case next != nil:
			if err != nil {
				u.f.cfg.Log.Warn("pipeline did not end well before its change", "pipeline", u.id, "err", err)
			}
			before = u.cfg
			began = next
			if err := u.begin(next.cfg, before); err != nil {
				answer(next, err)
				return err
			}
			if u.configured(next.cfg) {
				time.AfterFunc(settleTime, func() { answer(next, nil) })
			} else {
				answer(next, u.lastError())
				began = nil
			}
		case began != nil && time.Since(started) < settleTime:
			u.f.cfg.Log.Error("pipeline cannot start after its change; the one before goes on", "pipeline", u.id, "err", err)
			if err2 := u.begin(before, before); err2 != nil {
				answer(began, err)
				u.end("failed", err2)
				return errors.Join(err, err2)
			}
			answer(began, err)
			began = nil
		default:
			u.end("failed", err)
			return err
		}
	}
}

func (u *unit) take() *restart {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := u.next
	u.next, u.stop = nil, nil
	return n
}

func (u *unit) end(state string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.state, u.err = state, err
}

func (u *unit) configured(cfg pipeline.Config) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.hash == hashOf(cfg.Text)
}

func (u *unit) lastError() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// begin opens cfg, or when that fails the one before. An error means that neither can be opened.
func (u *unit) begin(cfg, before pipeline.Config) error {
	p, err := pipeline.Open(cfg)
	used := cfg
	if err != nil {
		u.f.cfg.Log.Error("pipeline cannot be opened after its change; the one before goes on", "pipeline", u.id, "err", err)
		var err2 error
		if p, err2 = pipeline.Open(before); err2 != nil {
			u.end("failed", err2)
			return errors.Join(err, err2)
		}
		used = before
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.past = u.p.Stats().Plus(u.past)
	u.p, u.cfg, u.hash, u.err = p, used, hashOf(used.Text), err
	return nil
}

// answer tells the outcome of a restart; only the first counts.
func answer(r *restart, err error) {
	if r == nil {
		return
	}
	select {
	case r.done <- err:
	default:
	}
}

// swap makes texts what runs. The text before stays when it fails; how is filters, restart or same.
func (u *unit) swap(texts []pipeline.Source) (how string, err error) {
	u.mu.Lock()
	p, before, hash := u.p, u.cfg, u.hash
	u.mu.Unlock()
	if hash == hashOf(texts) && u.prints == fingerprint(p.Files()) {
		return "same", nil
	}
	cfg := u.with(texts)
	if c := bus.Cycle(u.f.links(u.id, pipeline.LinksOf(cfg))); c != nil {
		return "", fmt.Errorf("pipelines would send to each other in a circle: %s", bus.Describe(c))
	}
	how = "filters"
	events, failed := p.Health()
	if err = p.Reload(cfg); errors.Is(err, pipeline.ErrRestart) {
		how = "restart"
		if faults := pipeline.Check(cfg).Faults(); len(faults) > 0 {
			return "", faults
		}
		err = u.restart(cfg)
	}
	if err != nil {
		return "", err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if how == "filters" {
		u.cfg, u.hash = cfg, hashOf(texts)
		u.guard = newGuard(u.f.cfg.Now(), before.Text, events, failed)
	}
	u.prints = fingerprint(u.p.Files())
	return how, nil
}

// restart ends the pipeline and begins it with cfg. It returns when the new one runs or the old one does again.
func (u *unit) restart(cfg pipeline.Config) error {
	r := &restart{cfg: cfg, done: make(chan error, 2)}
	u.mu.Lock()
	if u.state != "running" && u.state != "starting" {
		u.mu.Unlock()
		return errors.New("the pipeline has ended")
	}
	u.next = r
	if u.stop != nil {
		u.stop()
	}
	over := u.over
	u.mu.Unlock()
	select {
	case err := <-r.done:
		return err
	case <-over:
		return errors.New("the pipeline has ended")
	}
}

// count notes the outcome of a change.
func (u *unit) count(err error) {
	now := u.f.cfg.Now().UTC()
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil {
		u.reloads.Successes++
		u.reloads.LastSuccess = &now
		return
	}
	u.reloads.Failures++
	u.reloads.LastFailure = &now
	u.reloads.LastError = &pipeline.ReloadError{Message: firstLine(err)}
}

func firstLine(err error) string {
	var faults conf.Errors
	if errors.As(err, &faults) && len(faults) > 0 {
		return faults[0].Error()
	}
	return err.Error()
}
