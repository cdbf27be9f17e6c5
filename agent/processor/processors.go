package processor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirlog/weir/agent/tree"
)

// Config is a step over events by its name in filebeat.yml, with its settings as they stand there.
type Config struct {
	Name string
	Args map[string]any
	// When is a condition in filebeat.yml's form ({"equals": {"log.level": "debug"}}); nil is always.
	When map[string]any
	// Place is where it stands ("filebeat.yml:41"); it names the rule when a processor drops an event.
	Place string
}

// Step is one compiled step over events.
type Step struct {
	rule string // what a drop is counted under: place and name
	when condition
	run  func(ev *tree.Event) (keep bool)
	// constant says that what the step does depends on nothing but what is constant for a file, so that it is done once per file.
	constant bool
}

// Constant reports whether the step does the same for all lines of a file.
func (s *Step) Constant() bool { return s.constant }

// Run runs steps over an event; the result is "" or the rule that dropped the event.
func Run(steps []Step, ev *tree.Event) (rule string) {
	for i := range steps {
		p := &steps[i]
		if p.when != nil && !p.when(ev) {
			continue
		}
		if !p.run(ev) {
			return p.rule
		}
	}
	return ""
}

// processors are the steps that are known, by name.
var processors = [...]struct {
	name     string
	compile  func(args arguments) (func(ev *tree.Event) bool, error)
	constant bool // adds what is the same for all lines of a file
}{
	{"add_docker_metadata", compileDockerMetadata, true},
	{"add_fields", compileAddFields, true},
	{"add_host_metadata", compileHostMetadata, true},
	{"add_kubernetes_metadata", compileKubernetesMetadata, true},
	{"add_labels", compileAddLabels, true},
	{"add_tags", compileAddTags, true},
	{"convert", compileConvert, false},
	{"copy_fields", compileCopyFields, false},
	{"decode_json_fields", compileDecodeJSON, false},
	{"drop_event", compileDropEvent, false},
	{"drop_fields", compileDropFields, false},
	{"include_fields", compileIncludeFields, false},
	{"rename", compileRename, false},
	{"replace", compileReplace, false},
	{"timestamp", compileTimestamp, false},
	{"truncate_fields", compileTruncate, false},
}

// Compile makes a step of its settings.
func Compile(p *Config) (Step, error) {
	out := Step{rule: strings.TrimSpace(p.Place + " " + p.Name)}
	fail := func(err error) (Step, error) {
		if p.Place != "" {
			err = fmt.Errorf("%s: %w", p.Place, err)
		}
		return out, err
	}
	var err error
	if p.When != nil {
		if out.when, err = compileCondition(p.When); err != nil {
			return fail(fmt.Errorf("%s.when: %w", p.Name, err))
		}
	}
	for i := range processors {
		if processors[i].name != p.Name {
			continue
		}
		args := arguments{m: p.Args, used: map[string]bool{}}
		if out.run, err = processors[i].compile(args); err == nil {
			err = args.leftover()
		}
		out.constant = processors[i].constant && constantCondition(p.When)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", p.Name, err))
		}
		return out, nil
	}
	return fail(fmt.Errorf("processor %s is not supported; these are: %s", p.Name, strings.Join(Names(), ", ")))
}

// arguments are the settings of a step; each is asked for once, and what nobody asked for is an error.
type arguments struct {
	m    map[string]any
	used map[string]bool
}

func (a arguments) get(key string) (any, bool) {
	a.used[key] = true
	v, ok := a.m[key]
	return v, ok && v != nil
}

func (a arguments) leftover() error {
	for k := range a.m {
		if !a.used[k] {
			return fmt.Errorf("%s: unknown setting", k)
		}
	}
	return nil
}

func (a arguments) text(key, fallback string) (string, error) {
	v, ok := a.get(key)
	if !ok {
		return fallback, nil
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%s: %v is no text", key, v)
	}
	return s, nil
}

func (a arguments) flag(key string, fallback bool) (bool, error) {
	v, ok := a.get(key)
	if !ok {
		return fallback, nil
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("%s: %v is not true or false", key, v)
	}
	return b, nil
}

func (a arguments) object(key string) (map[string]any, error) {
	v, ok := a.get(key)
	if !ok {
		return nil, fmt.Errorf("%s: missing", key)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: %v is no map", key, v)
	}
	return m, nil
}

func (a arguments) list(key string) ([]string, error) {
	v, ok := a.get(key)
	if !ok {
		return nil, fmt.Errorf("%s: missing", key)
	}
	return textList(key, v)
}

func textList(key string, v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		return []string{v}, nil
	case []string:
		return v, nil
	case []any:
		out := make([]string, len(v))
		for i := range v {
			s, ok := v[i].(string)
			if !ok {
				return nil, fmt.Errorf("%s: %v is no text", key, v[i])
			}
			out[i] = s
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s: %v is no list of texts", key, v)
}

func compileAddFields(args arguments) (func(*tree.Event) bool, error) {
	fields, err := args.object("fields")
	if err != nil {
		return nil, err
	}
	target, err := args.text("target", "fields")
	if err != nil {
		return nil, err
	}
	return addUnder(target, fields), nil
}

func addUnder(target string, fields map[string]any) func(*tree.Event) bool {
	if target == "@metadata" {
		return func(ev *tree.Event) bool { tree.Merge(ev.Metadata, fields, true); return true }
	}
	if target != "" {
		nested := map[string]any{}
		tree.Set(nested, target, fields)
		fields = nested
	}
	return func(ev *tree.Event) bool { tree.Merge(ev.Fields, fields, true); return true }
}

func compileAddLabels(args arguments) (func(*tree.Event) bool, error) {
	labels, err := args.object("labels")
	if err != nil {
		return nil, err
	}
	flat := map[string]any{}
	tree.Flatten(flat, "", labels)
	return addUnder("labels", flat), nil
}

func compileAddTags(args arguments) (func(*tree.Event) bool, error) {
	tags, err := args.list("tags")
	if err != nil {
		return nil, err
	}
	target, err := args.text("target", "tags")
	if err != nil {
		return nil, err
	}
	return func(ev *tree.Event) bool {
		var have []any
		switch v, _ := tree.Get(ev.Fields, target); v := v.(type) {
		case []any:
			have = v
		case string:
			have = []any{v}
		}
		for _, t := range tags {
			have = append(have, t)
		}
		tree.Set(ev.Fields, target, have)
		return true
	}, nil
}

func compileDropEvent(arguments) (func(*tree.Event) bool, error) {
	return func(*tree.Event) bool { return false }, nil
}

func compileDropFields(args arguments) (func(*tree.Event) bool, error) {
	fields, err := args.list("fields")
	if err != nil {
		return nil, err
	}
	if _, err := args.flag("ignore_missing", false); err != nil {
		return nil, err
	}
	return func(ev *tree.Event) bool {
		for _, f := range fields {
			if f != "@timestamp" && f != "type" {
				tree.Drop(ev.Fields, f)
			}
		}
		return true
	}, nil
}

func compileIncludeFields(args arguments) (func(*tree.Event) bool, error) {
	fields, err := args.list("fields")
	if err != nil {
		return nil, err
	}
	return func(ev *tree.Event) bool {
		kept := map[string]any{}
		for _, f := range fields {
			if v, ok := tree.Get(ev.Fields, f); ok {
				tree.Set(kept, f, v)
			}
		}
		ev.Fields = kept
		return true
	}, nil
}

// fieldPair is one entry of rename and copy_fields.
type fieldPair struct{ from, to string }

func (a arguments) pairs() ([]fieldPair, error) {
	v, ok := a.get("fields")
	list, isList := v.([]any)
	if !ok || !isList {
		return nil, fmt.Errorf("fields: want a list of from and to")
	}
	var out []fieldPair
	for _, item := range list {
		m, _ := item.(map[string]any)
		from, _ := m["from"].(string)
		to, _ := m["to"].(string)
		if from == "" || to == "" {
			return nil, fmt.Errorf("fields: want a list of from and to")
		}
		out = append(out, fieldPair{from, to})
	}
	return out, nil
}

// compilePairs is rename and copy_fields: all pairs or, with fail_on_error, none.
func compilePairs(args arguments, apply func(t map[string]any, p fieldPair, v any)) (func(*tree.Event) bool, error) {
	pairs, err := args.pairs()
	if err != nil {
		return nil, err
	}
	missingOK, err := args.flag("ignore_missing", false)
	if err != nil {
		return nil, err
	}
	strict, err := args.flag("fail_on_error", true)
	if err != nil {
		return nil, err
	}
	return func(ev *tree.Event) bool {
		before := ev.Fields
		if strict {
			ev.Fields = tree.Clone(before)
		}
		for _, p := range pairs {
			v, ok := tree.Get(ev.Fields, p.from)
			_, taken := tree.Get(ev.Fields, p.to)
			if ok && !taken {
				apply(ev.Fields, p, v)
			} else if strict && (taken && ok || !ok && !missingOK) {
				ev.Fields = before
				note(ev, "error.message", fmt.Sprintf("field %s was not copied to %s", p.from, p.to))
				return true
			}
		}
		return true
	}, nil
}

func note(ev *tree.Event, path, text string) { tree.Set(ev.Fields, path, text) }

func compileRename(args arguments) (func(*tree.Event) bool, error) {
	return compilePairs(args, func(t map[string]any, p fieldPair, v any) {
		tree.Drop(t, p.from)
		tree.Set(t, p.to, v)
	})
}

func compileCopyFields(args arguments) (func(*tree.Event) bool, error) {
	return compilePairs(args, func(t map[string]any, p fieldPair, v any) { tree.Set(t, p.to, tree.CloneValue(v)) })
}

// Names lists the processors that are known, sorted.
func Names() []string {
	var out []string
	for i := range processors {
		out = append(out, processors[i].name)
	}
	slices.Sort(out)
	return out
}
