// Package fleet runs the pipelines of a process and changes them while they run.
//
//	f, err := fleet.Open(cfg)              // compiles and connects all; the mistakes of all at once
//	go f.Run(ctx)                          // until ctx ends, or every input is at its end
//	f.Reload()                             // looks at the texts again, as config.reload.automatic does every few seconds
//	how, err := f.Apply(id, texts, base, note)
//	how, err = f.Rollback(id, version)
//
// A change is compiled beside what runs. A fault leaves the old text running. A change of filters alone takes effect between two
// batches; any other ends the pipeline, lets what is in flight finish, and begins the new one where the old one stopped: nothing is
// lost and nothing read twice. A text that cannot start, or makes far more failures than the one before, is taken back.
//
// Locks: unit.changing is held through a change of one pipeline, unit.mu guards what others look at; changing is taken first.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/conf"
)

// Pipeline is one to run.
type Pipeline struct {
	Config pipeline.Config // without Files and Text
	// Texts is the configuration as it is now; asked again for every reload.
	Texts func() ([]pipeline.Source, error)
	// Write puts a text that was applied where Texts finds it. nil: it is kept in Dir, and holds until Texts changes.
	Write func(texts []pipeline.Source) error
	// Dir keeps applied texts and the history; "" keeps neither.
	Dir string
	// Origin is told to users: files, inline or shipped.
	Origin string
}

// Config of a fleet.
type Config struct {
	Pipelines []Pipeline
	Automatic bool          // config.reload.automatic
	Interval  time.Duration // config.reload.interval; default 3 s
	NoGuard   bool          // changes that make many failures stay
	Log       *slog.Logger
	Now       func() time.Time
}

const (
	defaultInterval = 3 * time.Second
	settleTime      = time.Second // in which a pipeline that cannot start says so
	stopTime        = 10 * time.Second
)

// ErrUnknown says that no pipeline has the name, or no version the number.
var ErrUnknown = errors.New("there is no such pipeline or version")

// Fleet is the pipelines of a process. It is safe for concurrent use.
type Fleet struct {
	cfg   Config
	bus   *bus.Bus
	units []*unit
}

// Open compiles and connects every pipeline. The error is a conf.Errors when texts have faults.
func Open(cfg Config) (*Fleet, error) {
	if cfg.Interval <= 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	f := &Fleet{cfg: cfg, bus: bus.New()}
	var all conf.Errors
	for _, p := range cfg.Pipelines {
		if f.unit(p.Config.ID) != nil {
			return nil, errors.Join(fmt.Errorf("two pipelines are called %s", p.Config.ID), f.Close())
		}
		u, err := f.open(p)
		var faults conf.Errors
		if errors.As(err, &faults) {
			all = append(all, faults...)
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("pipeline %s: %w", p.Config.ID, err), f.Close())
		}
		f.units = append(f.units, u)
	}
	if len(all) > 0 {
		f.Close()
		return nil, all
	}
	if c := bus.Cycle(f.links("", bus.Links{})); c != nil {
		return nil, errors.Join(fmt.Errorf("pipelines send to each other in a circle: %s", bus.Describe(c)), f.Close())
	}
	return f, nil
}

// links is what all pipelines have to do with each other; the one called id is taken to be as l says.
func (f *Fleet) links(id string, l bus.Links) []bus.Links {
	var all []bus.Links
	for _, u := range f.units {
		if u.id == id {
			all = append(all, l)
		} else {
			all = append(all, u.running().Links())
		}
	}
	return all
}

func (f *Fleet) unit(id string) *unit {
	if i := slices.IndexFunc(f.units, func(u *unit) bool { return u.id == id }); i >= 0 {
		return f.units[i]
	}
	return nil
}

// Close gives back what Open took, of a fleet that is not run.
func (f *Fleet) Close() error {
	var errs []error
	for _, u := range f.units {
		errs = append(errs, u.running().Close())
	}
	return errors.Join(errs...)
}

// Run runs all pipelines until ctx ends or each is at its end. A pipeline that fails ends the others. Senders stop before the
// pipelines they send to.
func (f *Fleet) Run(ctx context.Context) error {
	all, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	ended := make(chan *unit, len(f.units))
	for _, u := range f.units {
		uctx, stop := context.WithCancel(all)
		u.cancel, u.over = stop, make(chan struct{})
		go func() {
			defer close(u.over)
			u.result = u.run(uctx)
			ended <- u
		}()
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		f.watch(all)
	}()
	err := f.wait(ctx, ended)
	f.stop()
	cancel()
	<-watched
	for _, u := range f.units {
		if u.result != nil && u.result != err {
			err = errors.Join(err, u.result)
		}
	}
	return err
}

// wait returns when ctx ends, when a pipeline failed, or when all are at their end. A pipeline that only hears others ends with the
// last of those.
func (f *Fleet) wait(ctx context.Context, ended <-chan *unit) error {
	done := make(map[string]bool)
	for len(done) < len(f.units) {
		select {
		case <-ctx.Done():
			return nil
		case u := <-ended:
			done[u.id] = true
			if u.result != nil {
				return u.result
			}
			f.endReceivers(done)
		}
	}
	return nil
}

func (f *Fleet) endReceivers(done map[string]bool) {
	all := f.links("", bus.Links{})
	for _, l := range all {
		heard := slices.ContainsFunc(all, func(s bus.Links) bool {
			return !done[s.ID] && slices.ContainsFunc(s.Sends, func(a string) bool { return slices.Contains(l.Listens, a) })
		})
		if l.Only && !heard && !done[l.ID] {
			f.unit(l.ID).cancel()
		}
	}
}

// stop ends every pipeline: those that nobody sends to at once, receivers after their senders.
func (f *Fleet) stop() {
	all := f.links("", bus.Links{})
	for _, id := range bus.Order(all) {
		i := slices.IndexFunc(all, func(l bus.Links) bool { return l.ID == id })
		for _, s := range all {
			if slices.ContainsFunc(s.Sends, func(a string) bool { return slices.Contains(all[i].Listens, a) }) {
				select {
				case <-f.unit(s.ID).over:
				case <-time.After(stopTime):
				}
			}
		}
		f.unit(id).cancel()
	}
	for _, u := range f.units {
		<-u.over
	}
}

// watch looks for changed texts and at changes that do harm.
func (f *Fleet) watch(ctx context.Context) {
	guard, look := time.NewTicker(guardEvery), time.NewTicker(f.cfg.Interval)
	defer guard.Stop()
	defer look.Stop()
	for {
		select {
		case <-guard.C:
			for _, u := range f.units {
				u.checkGuard()
			}
		case <-look.C:
			if f.cfg.Automatic {
				f.Reload()
			}
		case <-ctx.Done():
			return
		}
	}
}

// Reload takes over texts that changed. Mistakes are logged and counted; what runs goes on.
func (f *Fleet) Reload() {
	var wg sync.WaitGroup
	for _, u := range f.units {
		wg.Go(u.reload)
	}
	wg.Wait()
}

// Pipelines is the names, in the order of the configuration.
func (f *Fleet) Pipelines() []string {
	ids := make([]string, len(f.units))
	for i, u := range f.units {
		ids[i] = u.id
	}
	return ids
}

// Running is the pipeline as it runs now, nil when there is none of that name.
func (f *Fleet) Running(id string) *pipeline.Pipeline {
	if u := f.unit(id); u != nil {
		return u.running()
	}
	return nil
}

// fingerprint tells whether files that a text names changed.
func fingerprint(names []string) string {
	s := ""
	for _, n := range names {
		if st, err := os.Stat(n); err == nil {
			s += fmt.Sprintf("%s %d %d\n", n, st.Size(), st.ModTime().UnixNano())
		}
	}
	return s
}
