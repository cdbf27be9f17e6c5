package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/object"
)

// Types of the objects.
const (
	ruleType  = "rule"
	stateType = "rule-state"
)

// Timing of the evaluator.
const (
	tick     = 5 * time.Second // how often due rules are looked for
	parallel = 2               // rules evaluated at once
)

// Config is what the alerts are made of.
type Config struct {
	// Store answers the Elasticsearch REST API for the evaluator, which asks as nobody.
	Store http.Handler
	Parse Parse
	// Link is the address of the UI, for what is told; "" leaves links out.
	Link string
	Log  *slog.Logger
}

// Alerts keeps rules and evaluates them. It is safe for concurrent use.
type Alerts struct {
	cfg     Config
	objects *object.Store
}

// New starts nothing.
func New(cfg Config, objects *object.Store) *Alerts { return &Alerts{cfg, objects} }

// View is a rule with its state, as a page shows it.
type View struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Rule    Rule   `json:"rule"`
	State   *State `json:"state"`
}

// List gives all rules, by name.
func (a *Alerts) List(ctx context.Context, as es.Caller) ([]View, error) {
	list, err := a.objects.List(ctx, as, true, ruleType, stateType)
	if err != nil {
		return nil, err
	}
	states := map[string]*State{}
	for _, o := range list {
		if o.Type == stateType {
			var st State
			if json.Unmarshal(o.Body, &st) == nil {
				st.Known = nil
				states[o.ID] = &st
			}
		}
	}
	views := []View{}
	for _, o := range list {
		if o.Type != ruleType {
			continue
		}
		v := View{ID: o.ID, Version: o.Version, State: states[o.ID]}
		if err := json.Unmarshal(o.Body, &v.Rule); err != nil {
			return nil, fmt.Errorf("read rule %s: %w", o.ID, err)
		}
		views = append(views, v)
	}
	return views, nil
}

// Put keeps a rule; version as object.Store has it. A rule that changed is evaluated anew.
func (a *Alerts) Put(ctx context.Context, as es.Caller, id string, r Rule, version string) (View, error) {
	if errs := r.Validate(); len(errs) > 0 {
		return View{}, es.Refuse(http.StatusBadRequest, "bad_rule", errors.Join(errs...).Error())
	}
	if version == object.Create {
		all, err := a.objects.List(ctx, as, false, ruleType)
		if err != nil {
			return View{}, err
		}
		if len(all) >= MaxRules {
			return View{}, es.Refuse(http.StatusInsufficientStorage, "too_many_rules", fmt.Sprintf("%d rules, at most %d", len(all), MaxRules))
		}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return View{}, fmt.Errorf("encode rule: %w", err)
	}
	o, err := a.objects.Put(ctx, as, object.Object{Type: ruleType, ID: id, Title: r.Name, Body: body}, version)
	return View{ID: o.ID, Version: o.Version, Rule: r}, err
}

// Delete removes a rule and what is known of it.
func (a *Alerts) Delete(ctx context.Context, as es.Caller, id string) error {
	if err := a.objects.Delete(ctx, as, ruleType, id, ""); err != nil {
		return err
	}
	var e *es.Error
	if err := a.objects.Delete(ctx, as, stateType, id, ""); err != nil && !(errors.As(err, &e) && e.Status == http.StatusNotFound) {
		return err
	}
	return nil
}

// Silence keeps a rule from telling anybody until a time; the zero time ends it.
func (a *Alerts) Silence(ctx context.Context, as es.Caller, id string, until time.Time) (View, error) {
	o, err := a.objects.Get(ctx, as, ruleType, id)
	if err != nil {
		return View{}, err
	}
	var r Rule
	if err := json.Unmarshal(o.Body, &r); err != nil {
		return View{}, fmt.Errorf("read rule %s: %w", id, err)
	}
	r.Silenced = nil
	if !until.IsZero() {
		r.Silenced = &until
	}
	return a.Put(ctx, as, id, r, o.Version)
}

// Preview tells what a rule would have done over the last day, asked as the person who edits it.
func (a *Alerts) Preview(ctx context.Context, store http.Handler, as es.Caller, r Rule) (Preview, error) {
	if errs := r.Validate(); len(errs) > 0 {
		return Preview{}, es.Refuse(http.StatusBadRequest, "bad_rule", errors.Join(errs...).Error())
	}
	return engine{store, as, a.cfg.Parse}.preview(ctx, &r, time.Now())
}

// Test sends a message of a rule by one action.
func (a *Alerts) Test(ctx context.Context, as es.Caller, r Rule, act Action) error {
	if err := act.validate(); err != nil {
		return es.Refuse(http.StatusBadRequest, "bad_action", err.Error())
	}
	m := a.message(&r, "", Event{Time: time.Now(), Status: Firing, Value: r.Threshold, Text: "This is a test."})
	m.Test = true
	if err := send(ctx, act, m, a.mail(ctx, as)); err != nil {
		return es.Refuse(http.StatusBadGateway, "not_sent", err.Error())
	}
	return nil
}

// mail reads how mail is sent; nothing when nobody said.
func (a *Alerts) mail(ctx context.Context, as es.Caller) Mail {
	var m Mail
	if o, err := a.objects.Get(ctx, as, "setting", "mail"); err == nil {
		json.Unmarshal(o.Body, &m)
	}
	return m
}

func (a *Alerts) message(r *Rule, group string, e Event) Message {
	m := Message{Rule: r.Name, Status: e.Status, Group: group, Value: e.Value, Op: r.Op, Threshold: r.Threshold, Window: r.Window, Query: r.Query,
		Index: r.index(), Example: e.Text, Time: e.Time}
	if a.cfg.Link != "" {
		q := url.Values{"q": {r.Query}, "index": {r.index()}, "from": {e.Time.Add(-r.window()).UTC().Format(time.RFC3339)}, "to": {e.Time.UTC().Format(time.RFC3339)}}
		m.Link = a.cfg.Link + "/explore?" + q.Encode()
	}
	return m
}

// Run evaluates rules when they are due, until ctx ends.
func (a *Alerts) Run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := a.round(ctx, time.Now()); err != nil && ctx.Err() == nil {
				a.cfg.Log.Debug("rules not read", "error", err)
			}
		}
	}
}

// round evaluates the rules that are due.
func (a *Alerts) round(ctx context.Context, now time.Time) error {
	list, err := a.objects.List(ctx, es.Caller{}, true, ruleType, stateType)
	if err != nil {
		return err
	}
	states := map[string]object.Object{}
	var rules []object.Object
	for _, o := range list {
		if o.Type == stateType {
			states[o.ID] = o
		} else {
			rules = append(rules, o)
		}
	}
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for _, o := range rules[:min(len(rules), MaxRules)] {
		var r Rule
		if json.Unmarshal(o.Body, &r) != nil || !r.Enabled {
			continue
		}
		st, version := stateOf(states[o.ID])
		if now.Before(st.Next) && !o.Updated.After(st.Last) {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			a.one(ctx, o.ID, r, st, version, now)
		})
	}
	wg.Wait()
	return nil
}

func stateOf(o object.Object) (State, string) {
	var st State
	if o.ID == "" || json.Unmarshal(o.Body, &st) != nil {
		return State{Groups: map[string]Group{}}, object.Create
	}
	return st, o.Version
}

// one evaluates a rule. The state is claimed first: of two servers only one gets to write over the version both read.
func (a *Alerts) one(ctx context.Context, id string, r Rule, st State, version string, now time.Time) {
	st.Last, st.Next = now, now.Add(r.every())
	version, ok := a.keep(ctx, id, r, st, version)
	if !ok {
		return
	}
	before := st.mark()
	start := time.Now()
	found, err := engine{a.cfg.Store, es.Caller{}, a.cfg.Parse}.evaluate(ctx, &r, &st, now)
	st.Took = time.Since(start).Milliseconds()
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		st.fail(now, err)
	} else {
		for _, e := range st.step(&r, now, found) {
			e.Sent = a.tell(ctx, &r, e)
			st.note(e)
		}
	}
	if st.mark() != before { // most looks change nothing: the claim is the only write then
		a.keep(ctx, id, r, st, version)
	}
}

func (a *Alerts) keep(ctx context.Context, id string, r Rule, st State, version string) (string, bool) {
	body, err := json.Marshal(st)
	if err != nil {
		return version, false
	}
	o, err := a.objects.Put(ctx, es.Caller{}, object.Object{Type: stateType, ID: id, Title: r.Name, Body: body}, version)
	var e *es.Error
	if err != nil && !(errors.As(err, &e) && e.Status == http.StatusConflict) && ctx.Err() == nil {
		a.cfg.Log.Warn("state of a rule not kept", "rule", r.Name, "error", err)
	}
	return o.Version, err == nil
}

// tell sends an event by every action and says what became of each.
func (a *Alerts) tell(ctx context.Context, r *Rule, e Event) []string {
	if r.Silenced != nil && e.Time.Before(*r.Silenced) {
		return []string{"silenced"}
	}
	m := a.message(r, e.Group, e)
	var settings Mail
	if slices.ContainsFunc(r.Actions, func(x Action) bool { return x.Type == "email" }) {
		settings = a.mail(ctx, es.Caller{})
	}
	var sent []string
	for _, act := range r.Actions {
		if err := send(ctx, act, m, settings); err != nil {
			sent = append(sent, act.Type+": "+err.Error())
			continue
		}
		sent = append(sent, act.Type)
	}
	return sent
}
