// Package lifecycle carries out index lifecycle policies and the rollovers of data streams.
//
// A policy is JSON, as PUT _ilm/policy takes it; every one is kept, and of its actions these are done: rollover (hot), readonly,
// forcemerge, set_priority, delete; the others are passed over, and explain says so. An index is in the phase its age says: counted from
// its rollover where the hot phase rolls over, else from its making (or index.lifecycle.origination_date). What has been done to an index
// is kept in a private setting of it, so that a restart goes on where it was.
//
// Manager.Run looks at all indices every Tick. A clock that jumps by more than clockJump deletes nothing until it was seen for jumpWait.
package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
)

// Pace.
const (
	Tick      = 10 * time.Second
	clockJump = time.Hour
	jumpWait  = 10 * time.Minute
)

// phases in their order.
var phases = []string{"hot", "warm", "cold", "frozen", "delete"}

// Manager runs policies over a store. It is safe for concurrent use.
type Manager struct {
	s   *store.Store
	log *slog.Logger
	now func() time.Time

	mu        sync.Mutex // one pass at a time
	last      time.Time
	suspended time.Time
}

// New makes a manager. log nil discards, now nil is time.Now.
func New(s *store.Store, log *slog.Logger, now func() time.Time) *Manager {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if now == nil {
		now = time.Now
	}
	return &Manager{s: s, log: log, now: now}
}

// Run carries policies out until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			m.Pass(ctx)
		}
	}
}

// State is what a manager remembers of an index.
type State struct {
	Phase     string   `json:"phase"`
	PhaseTime int64    `json:"phase_time"`
	Action    string   `json:"action"`
	Step      string   `json:"step"`
	StepTime  int64    `json:"step_time"`
	Done      []string `json:"done,omitempty"` // "warm/forcemerge"
	Failed    string   `json:"failed,omitempty"`
	Error     string   `json:"error,omitempty"`
	Retries   int      `json:"retries,omitempty"`
}

func (st *State) did(what string) bool { return slices.Contains(st.Done, what) }

// StateOf reads what is remembered of an index.
func StateOf(set *store.Settings) State {
	var st State
	if text, ok := set.Get(store.ILMState); ok {
		if json.Unmarshal([]byte(text), &st) != nil {
			return State{}
		}
	}
	return st
}

// Policy is a stored policy.
type Policy struct {
	Name     string
	Version  int64
	Modified int64 // unix ms
	Body     *fastjson.Value
	JSON     json.RawMessage // {"version":..,"modified_date":..,"policy":..}
}

// Policy finds a policy.
func (m *Manager) Policy(name string) (*Policy, bool) {
	body, ok := m.s.Definition(store.LifecyclePolicy, name)
	if !ok {
		return nil, false
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return nil, false
	}
	return &Policy{Name: name, Version: v.GetInt64("version"), Modified: v.GetInt64("modified_date"), Body: v.Get("policy"), JSON: body}, true
}

// PutPolicy keeps a policy; its version rises.
func (m *Manager) PutPolicy(name string, policy *fastjson.Value) error {
	if err := check(policy); err != nil {
		return err
	}
	version := int64(1)
	if old, ok := m.Policy(name); ok {
		version = old.Version + 1
	}
	body := fmt.Appendf(nil, `{"version":%d,"modified_date":%d,"policy":%s}`, version, m.now().UnixMilli(), policy.MarshalTo(nil))
	return m.s.PutDefinition(store.LifecyclePolicy, name, body)
}

// actions that a phase may have.
var actions = map[string][]string{
	"hot":    {"set_priority", "rollover", "readonly", "forcemerge", "shrink", "unfollow", "downsample", "searchable_snapshot"},
	"warm":   {"set_priority", "unfollow", "readonly", "allocate", "migrate", "shrink", "forcemerge", "downsample"},
	"cold":   {"set_priority", "unfollow", "readonly", "searchable_snapshot", "allocate", "migrate", "freeze", "downsample"},
	"frozen": {"unfollow", "searchable_snapshot"},
	"delete": {"wait_for_snapshot", "delete"},
}

// done are the actions that are carried out.
var done = []string{"rollover", "readonly", "forcemerge", "set_priority", "delete"}

// check refuses what is no policy.
func check(policy *fastjson.Value) error {
	bad := func(format string, args ...any) error {
		return &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: fmt.Sprintf(format, args...)}
	}
	list := policy.GetObject("phases")
	if list == nil {
		return &store.Error{Status: 400, Type: "x_content_parse_exception", Reason: "[1:1] [put_lifecycle_request] failed to parse field [policy]: Required [phases]"}
	}
	var err error
	list.Visit(func(k []byte, p *fastjson.Value) {
		phase := string(k)
		allowed, ok := actions[phase]
		if !ok {
			err = bad("Timeseries lifecycle does not support phase [%s]", phase)
			return
		}
		if a := p.GetStringBytes("min_age"); len(a) > 0 {
			if _, e := store.ParseAge(string(a)); e != nil {
				err = bad("failed to parse setting [min_age] with value [%s] as a time value: unit is missing or unrecognized", a)
			}
		}
		acts := p.GetObject("actions")
		if acts == nil {
			return
		}
		acts.Visit(func(name []byte, body *fastjson.Value) {
			if !slices.Contains(allowed, string(name)) {
				err = bad("invalid action [%s] defined in phase [%s]", name, phase)
			}
			if string(name) == "rollover" && err == nil {
				_, err = conditionsOf(body)
			}
		})
	})
	return err
}

// Running tells whether policies are carried out.
func (m *Manager) Running() bool {
	body, ok := m.s.Definition(store.NodeSettings, "ilm")
	return !ok || string(body) != `{"operation_mode":"STOPPED"}`
}

// SetRunning starts or stops carrying policies out.
func (m *Manager) SetRunning(on bool) error {
	mode := "STOPPED"
	if on {
		mode = "RUNNING"
	}
	return m.s.PutDefinition(store.NodeSettings, "ilm", []byte(`{"operation_mode":"`+mode+`"}`))
}

// Pass looks at every index once.
func (m *Manager) Pass(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if d := now.Sub(m.last); !m.last.IsZero() && (d > clockJump || d < -clockJump) {
		m.suspended = now.Add(jumpWait)
		m.log.Warn("the clock jumped: lifecycle deletes nothing for a while", "by", d)
	}
	m.last = now
	running := m.Running()
	for _, name := range m.s.Names() {
		if ctx.Err() != nil {
			return
		}
		i, ok := m.s.Info(name)
		if !ok || i.Closed {
			continue
		}
		if policy, ok := i.Settings.Get("lifecycle.name"); ok && policy != "" && running {
			m.index(ctx, i, policy)
		}
	}
	m.streams(ctx, now)
}

// index brings one index further, and notes a step that failed.
func (m *Manager) index(ctx context.Context, i store.IndexInfo, policy string) {
	st := StateOf(i.Settings)
	before, _ := json.Marshal(st)
	gone, err := m.advance(ctx, i, policy, &st)
	if gone {
		return
	}
	if err != nil {
		if st.Failed != st.Step {
			m.log.Warn("a lifecycle step failed; it is tried again", "index", i.Name, "policy", policy, "phase", st.Phase, "step", st.Step, "error", err)
		}
		st.Failed, st.Error = st.Step, err.Error()
		st.Retries++
	} else {
		st.Failed, st.Error, st.Retries = "", "", 0
	}
	after, _ := json.Marshal(st)
	if string(before) != string(after) {
		if err := m.s.SetPrivate(i.Name, store.ILMState, string(after)); err != nil {
			m.log.Warn("the lifecycle state of an index is not kept", "index", i.Name, "error", err)
		}
	}
}

// advance does what is due for an index.
func (m *Manager) advance(ctx context.Context, i store.IndexInfo, policy string, st *State) (gone bool, err error) {
	p, ok := m.Policy(policy)
	if !ok {
		st.step(m.now(), "", "missing", "ERROR")
		return false, fmt.Errorf("policy [%s] does not exist", policy)
	}
	phase := m.phase(i, p, st)
	if phase == "" {
		return false, nil
	}
	if st.Phase != phase {
		st.Phase, st.PhaseTime = phase, m.now().UnixMilli()
	}
	acts := p.Body.GetObject("phases", phase, "actions")
	for _, a := range done {
		body := (*fastjson.Value)(nil)
		if acts != nil {
			body = acts.Get(a)
		}
		key := phase + "/" + a
		if body == nil || st.did(key) {
			continue
		}
		st.step(m.now(), phase, a, a)
		finished, gone, err := m.act(ctx, i, a, body)
		if err != nil || gone || !finished {
			return gone, err
		}
		st.Done = append(st.Done, key)
	}
	st.step(m.now(), phase, "complete", "complete")
	return false, nil
}

func (st *State) step(now time.Time, phase, action, step string) {
	if phase != "" {
		st.Phase = phase
	}
	if st.Action != action || st.Step != step {
		st.Action, st.Step, st.StepTime = action, step, now.UnixMilli()
	}
}

// Since is the moment an index's age counts from; rolled is false while its hot phase still waits for a rollover.
func Since(i store.IndexInfo) (at time.Time, rolled bool) {
	at = time.UnixMilli(i.Created)
	if v, ok := i.Settings.Get("lifecycle.origination_date"); ok {
		if ms, err := parseMillis(v); err == nil {
			at = time.UnixMilli(ms)
		}
	}
	if v, ok := i.Settings.Get(store.RolledOver); ok {
		if ms, err := parseMillis(v); err == nil {
			return time.UnixMilli(ms), true
		}
	}
	if i.Settings.Bool("lifecycle.indexing_complete", false) {
		return at, true
	}
	return at, false
}

// phase is the last phase whose age the index has reached, never one before the phase it is in. While a hot phase waits for its
// rollover, none follows it.
func (m *Manager) phase(i store.IndexInfo, p *Policy, st *State) string {
	since, rolled := Since(i)
	age := m.now().Sub(since)
	waits := p.Body.Get("phases", "hot", "actions", "rollover") != nil && !rolled
	chosen, current := st.Phase, slices.Index(phases, st.Phase)
	for n, name := range phases {
		body := p.Body.Get("phases", name)
		if body == nil || n <= current {
			continue
		}
		minAge, err := store.ParseAge(string(body.GetStringBytes("min_age")))
		if err != nil {
			minAge = 0
		}
		if name != "hot" && (waits || age < minAge) {
			break
		}
		chosen = name
	}
	return chosen
}

// act carries one action out; finished is false when it has to wait, gone when the index is deleted.
func (m *Manager) act(ctx context.Context, i store.IndexInfo, action string, body *fastjson.Value) (finished, gone bool, err error) {
	switch action {
	case "rollover":
		finished, err = m.rollover(i, body)
	case "readonly":
		finished, err = true, m.s.PutSettings(i.Name, []byte(`{"blocks.write":true}`), hidden)
	case "set_priority":
		finished, err = true, m.s.PutSettings(i.Name, fmt.Appendf(nil, `{"priority":%s}`, orZero(body.Get("priority"))), hidden)
	case "forcemerge":
		finished, err = true, m.s.ForceMerge(ctx, []string{i.Name}, max(1, body.GetInt("max_num_segments")))
	case "delete":
		if m.now().Before(m.suspended) {
			return false, false, nil
		}
		gone, err = m.remove(i)
	}
	return finished, gone, err
}

var hidden = store.ResolveOptions{Hidden: true, Closed: true}

func orZero(v *fastjson.Value) string {
	if v == nil || v.Type() != fastjson.TypeNumber {
		return "0"
	}
	return v.String()
}

// remove deletes an index; the one a data stream writes to makes room first.
func (m *Manager) remove(i store.IndexInfo) (bool, error) {
	if i.Stream != "" {
		list, err := m.s.DataStreams(i.Stream)
		if err != nil {
			return false, err
		}
		if len(list) == 1 && list[0].Indices[len(list[0].Indices)-1].Name == i.Name {
			if _, err := m.s.Rollover(i.Stream, "", store.CreateRequest{}, false); err != nil {
				return false, err
			}
		}
	}
	if err := m.s.DeleteIndex(i.Name, hidden); err != nil {
		return false, err
	}
	m.log.Info("index deleted by its lifecycle", "index", i.Name)
	return true, nil
}

// rollover rolls the target of an index over when its conditions hold.
func (m *Manager) rollover(i store.IndexInfo, body *fastjson.Value) (bool, error) {
	if _, rolled := Since(i); rolled {
		return true, nil
	}
	target := i.Stream
	if target == "" {
		target, _ = i.Settings.Get("lifecycle.rollover_alias")
		if target == "" {
			return false, fmt.Errorf("setting [index.lifecycle.rollover_alias] for index [%s] is empty or not defined", i.Name)
		}
		if _, ok := i.Aliases[target]; !ok {
			return false, fmt.Errorf("index.lifecycle.rollover_alias [%s] does not point to index [%s]", target, i.Name)
		}
	}
	conds, err := conditionsOf(body)
	if err != nil {
		return false, err
	}
	if i.Docs == 0 && conds["min_docs"] == nil { // an empty index is not rolled over
		return false, nil
	}
	if _, roll, err := Met(i, conds, m.now()); err != nil || !roll {
		return false, err
	}
	res, err := m.s.Rollover(target, "", store.CreateRequest{}, false)
	if err != nil {
		var e *store.Error
		if errors.As(err, &e) && e.Type == "resource_already_exists_exception" {
			return true, nil
		}
		return false, err
	}
	if res.Old != i.Name {
		return false, fmt.Errorf("index [%s] is not the write index of [%s]", i.Name, target)
	}
	m.log.Info("index rolled over by its lifecycle", "old", res.Old, "new", res.New)
	return true, nil
}
