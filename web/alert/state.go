package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Status of a rule or of one of its groups.
const (
	OK      = "ok"
	Pending = "pending" // the condition holds, not yet for as long as the rule asks
	Firing  = "firing"
	Failing = "error" // the rule could not be evaluated
)

// Bounds of a state.
const (
	maxHistory  = 200
	maxKnown    = 2000 // shapes of messages a rule remembers
	maxExamples = 5
)

// Event is one change of status, newest last in a history.
type Event struct {
	Time   time.Time `json:"time"`
	Group  string    `json:"group,omitempty"`
	Status string    `json:"status"`
	Value  float64   `json:"value"`
	Text   string    `json:"text,omitempty"` // an example, or what failed
	Sent   []string  `json:"sent,omitempty"` // what was told to whom, or why not
}

// Group is the status of one value of the field a rule groups by; "" without.
type Group struct {
	Status string    `json:"status"`
	Since  time.Time `json:"since"`
	Value  float64   `json:"value"`
	Told   time.Time `json:"told,omitzero"`
}

// State is what the evaluator knows of a rule.
type State struct {
	Status  string           `json:"status"`
	Since   time.Time        `json:"since"`
	Last    time.Time        `json:"last_run"`
	Next    time.Time        `json:"next_run"`
	Took    int64            `json:"took_ms"`
	Error   string           `json:"error,omitempty"`
	Groups  map[string]Group `json:"groups"`
	History []Event          `json:"history"`
	Known   []string         `json:"known,omitempty"` // shapes of messages seen
	Learned bool             `json:"learned,omitempty"`
}

// sample is what an evaluation found for one group.
type sample struct {
	value float64
	text  string
}

// step moves a state on by one evaluation and gives the changes to be told.
func (s *State) step(r *Rule, now time.Time, found map[string]sample) []Event {
	if s.Groups == nil {
		s.Groups = map[string]Group{}
	}
	var tell []Event
	for name := range s.Groups {
		if _, ok := found[name]; !ok {
			found[name] = sample{} // a group nothing came of any more
			if r.Kind == Absence {
				delete(found, name)
				delete(s.Groups, name)
			}
		}
	}
	for name, f := range found {
		g, ev := s.Groups[name].next(r, now, f)
		g.Value = f.value
		if ev != nil {
			ev.Group = name
			tell = append(tell, *ev)
		}
		if g.Status == OK && name != "" {
			delete(s.Groups, name)
			continue
		}
		s.Groups[name] = g
	}
	s.settle(now)
	return tell
}

// next is a group after a value; the event is nil when there is nothing to tell.
func (g Group) next(r *Rule, now time.Time, f sample) (Group, *Event) {
	holds := r.exceeds(f.value)
	was := g.Status
	if was == "" {
		was = OK
	}
	switch {
	case !holds && was == Firing:
		return Group{Status: OK, Since: now}, &Event{Time: now, Status: OK, Value: f.value}
	case !holds:
		if was != OK || g.Since.IsZero() {
			g = Group{Status: OK, Since: now}
		}
		return g, nil
	case was == OK && r.hold() > 0:
		return Group{Status: Pending, Since: now}, nil
	case was == OK || was == Pending && now.Sub(g.Since) >= r.hold():
		return Group{Status: Firing, Since: now, Told: now}, &Event{Time: now, Status: Firing, Value: f.value, Text: f.text}
	case was == Firing && r.repeat() > 0 && now.Sub(g.Told) >= r.repeat():
		g.Told = now
		return g, &Event{Time: now, Status: Firing, Value: f.value, Text: f.text}
	}
	return g, nil
}

// settle makes the rule's status the worst of its groups'.
func (s *State) settle(now time.Time) {
	worst := OK
	for _, g := range s.Groups {
		if g.Status == Firing || g.Status == Pending && worst == OK {
			worst = g.Status
		}
	}
	if s.Status != worst {
		s.Status, s.Since = worst, now
	}
	s.Error = ""
}

// fail keeps the groups as they are: not knowing is no reason to tell that all is well.
func (s *State) fail(now time.Time, err error) {
	if s.Status != Failing {
		s.Since = now
		s.note(Event{Time: now, Status: Failing, Text: err.Error()})
	}
	s.Status, s.Error = Failing, err.Error()
}

func (s *State) note(e Event) {
	s.History = append(s.History, e)
	if n := len(s.History) - maxHistory; n > 0 {
		s.History = append([]Event(nil), s.History[n:]...)
	}
}

// mark is equal for two states that tell a person the same, values and times of looking aside.
func (s *State) mark() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %d %d %t", s.Status, s.Error, len(s.History), len(s.Known), s.Learned)
	if n := len(s.History); n > 0 {
		fmt.Fprint(&b, s.History[n-1].Time)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Groups)) {
		g := s.Groups[name]
		fmt.Fprintf(&b, " %q %s %s", name, g.Status, g.Told)
	}
	return b.String()
}
