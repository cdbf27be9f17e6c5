// Package alert watches searches: a rule counts what a query finds in a window of time and tells people when a condition begins to hold
// and when it ends.
//
// A rule is a document a person edits; its State is one the evaluator writes, with the version it read: of several servers that share one
// index only one evaluates a rule at a time, the others' writes are refused. Both are objects of index weir-ui. Rules are looked at in
// the order they are due, a few at a time; a rule that fails says so in its state and is tried again when it is next due.
package alert

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"text/template"
	"time"
)

// Bounds of rules.
const (
	MaxRules   = 200
	maxGroups  = 100
	maxActions = 10
	minEvery   = 10 * time.Second
	maxWindow  = 7 * 24 * time.Hour
	maxText    = 16 << 10 // bytes of a template, and of what it gives
)

// Kinds of rules.
const (
	Count      = "count"       // events in the window against a threshold
	Ratio      = "ratio"       // the share of them that also matches Part
	Absence    = "absence"     // none in the window, or, by group, none of a group seen in the day before
	NewPattern = "new_pattern" // a message of a shape not seen before
)

// Rule is what a person asks to be told of.
type Rule struct {
	Name      string          `json:"name"`
	Enabled   bool            `json:"enabled"`
	Kind      string          `json:"kind"`
	Index     string          `json:"index"`
	Query     string          `json:"query"`
	Lang      string          `json:"lang"` // kql or lucene
	Filters   json.RawMessage `json:"filters,omitempty"`
	Part      string          `json:"part,omitempty"` // of a ratio: the query of the part, in KQL
	GroupBy   string          `json:"group_by,omitempty"`
	Window    string          `json:"window"`        // "5m"
	Every     string          `json:"every"`         // "1m"
	For       string          `json:"for,omitempty"` // how long the condition must hold first
	Op        string          `json:"op,omitempty"`  // > >= < <=
	Threshold float64         `json:"threshold"`
	Repeat    string          `json:"repeat,omitempty"` // told again while it holds; "" is once
	Actions   []Action        `json:"actions"`
	Silenced  *time.Time      `json:"silenced_until,omitempty"`
}

// Action is one way of telling.
type Action struct {
	Type     string `json:"type"` // webhook, slack, discord, email
	URL      string `json:"url,omitempty"`
	To       string `json:"to,omitempty"`       // addresses with commas between
	Template string `json:"template,omitempty"` // text/template over Message; a plain sentence when empty
}

var kinds = map[string]bool{Count: true, Ratio: true, Absence: true, NewPattern: true}

var compares = map[string]func(a, b float64) bool{
	">": func(a, b float64) bool { return a > b }, ">=": func(a, b float64) bool { return a >= b },
	"<": func(a, b float64) bool { return a < b }, "<=": func(a, b float64) bool { return a <= b },
}

// duration reads "90s", "5m", "2h" or "1d".
func duration(text string, d time.Duration) (time.Duration, error) {
	if text == "" {
		return d, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days, "%d", &n); err == nil && n >= 0 && n < 1000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%q is no duration such as 90s, 5m or 1d", text)
	}
	return v, nil
}

func (r *Rule) window() time.Duration { d, _ := duration(r.Window, 5*time.Minute); return d }

func (r *Rule) every() time.Duration { d, _ := duration(r.Every, time.Minute); return d }

func (r *Rule) hold() time.Duration { d, _ := duration(r.For, 0); return d }

func (r *Rule) repeat() time.Duration { d, _ := duration(r.Repeat, 0); return d }

// Validate gives everything that is wrong with a rule.
func (r *Rule) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if strings.TrimSpace(r.Name) == "" {
		bad("a name is needed")
	}
	if !kinds[r.Kind] {
		bad("kind %q is not one of count, ratio, absence, new_pattern", r.Kind)
	}
	for name, text := range map[string]string{"window": r.Window, "every": r.Every, "for": r.For, "repeat": r.Repeat} {
		if _, err := duration(text, 0); err != nil {
			bad("%s: %w", name, err)
		}
	}
	if w := r.window(); w <= 0 || w > maxWindow {
		bad("window: want more than nothing and at most %s", maxWindow)
	}
	if r.every() < minEvery {
		bad("every: at least %s", minEvery)
	}
	if (r.Kind == Count || r.Kind == Ratio) && compares[r.Op] == nil {
		bad("op %q is not one of >, >=, <, <=", r.Op)
	}
	if r.Kind == Ratio && strings.TrimSpace(r.Part) == "" {
		bad("a ratio needs the query of its part")
	}
	if len(r.Actions) > maxActions {
		bad("%d actions, at most %d", len(r.Actions), maxActions)
	}
	for i, a := range r.Actions {
		if err := a.validate(); err != nil {
			bad("action %d: %w", i+1, err)
		}
	}
	return errs
}

func (a Action) validate() error {
	if len(a.Template) > maxText {
		return fmt.Errorf("the text has %d bytes, at most %d", len(a.Template), maxText)
	}
	if _, err := template.New("").Parse(a.Template); err != nil {
		return fmt.Errorf("the text: %w", err)
	}
	switch a.Type {
	case "webhook", "slack", "discord":
		u, err := url.Parse(a.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%q is no http or https address", a.URL)
		}
	case "email":
		if _, err := mail.ParseAddressList(a.To); err != nil {
			return fmt.Errorf("%q is no list of mail addresses: %w", a.To, err)
		}
	default:
		return fmt.Errorf("type %q is not one of webhook, slack, discord, email", a.Type)
	}
	return nil
}

// exceeds is whether a value of the window fulfils the condition.
func (r *Rule) exceeds(v float64) bool {
	switch r.Kind {
	case Absence:
		return v == 0
	case NewPattern:
		return v > 0
	}
	f := compares[r.Op]
	return f != nil && f(v, r.Threshold)
}
