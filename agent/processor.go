package agent

import (
	"fmt"
	"slices"
	"strings"
)

// processor is one compiled step over events.
type processor struct {
	rule string // what a drop is counted under: place and name
	when condition
	run  func(ev *event) (keep bool)
	// constant says that what the step does depends on nothing but what is constant for a file, so that it is done once per file.
	constant bool
}

// process runs the steps; the result is "" or the rule that dropped the event.
func (in *input) process(ev *event) (rule string) {
	for i := range in.chain {
		p := &in.chain[i]
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
	compile  func(args arguments) (func(ev *event) bool, error)
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

// compileProcessor makes a step of its settings.
func compileProcessor(p *Processor) (processor, error) {
	out := processor{rule: strings.TrimSpace(p.Place + " " + p.Name)}
	fail := func(err error) (processor, error) {
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
	return fail(fmt.Errorf("processor %s is not supported; these are: %s", p.Name, strings.Join(ProcessorNames(), ", ")))
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

func compileAddFields(args arguments) (func(*event) bool, error) {
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

func addUnder(target string, fields map[string]any) func(*event) bool {
	if target == "@metadata" {
		return func(ev *event) bool { mergeTree(ev.metadata, fields, true); return true }
	}
	if target != "" {
		nested := map[string]any{}
		setField(nested, target, fields)
		fields = nested
	}
	return func(ev *event) bool { mergeTree(ev.fields, fields, true); return true }
}

func compileAddLabels(args arguments) (func(*event) bool, error) {
	labels, err := args.object("labels")
	if err != nil {
		return nil, err
	}
	flat := map[string]any{}
	flatten(flat, "", labels)
	return addUnder("labels", flat), nil
}

// flatten turns nested objects into keys with dots.
func flatten(out map[string]any, prefix string, t map[string]any) {
	for k, v := range t {
		if sub, ok := v.(map[string]any); ok {
			flatten(out, prefix+k+".", sub)
			continue
		}
		out[prefix+k] = v
	}
}

func compileAddTags(args arguments) (func(*event) bool, error) {
	tags, err := args.list("tags")
	if err != nil {
		return nil, err
	}
	target, err := args.text("target", "tags")
	if err != nil {
		return nil, err
	}
	return func(ev *event) bool {
		var have []any
		switch v, _ := getField(ev.fields, target); v := v.(type) {
		case []any:
			have = v
		case string:
			have = []any{v}
		}
		for _, t := range tags {
			have = append(have, t)
		}
		setField(ev.fields, target, have)
		return true
	}, nil
}

func compileDropEvent(arguments) (func(*event) bool, error) {
	return func(*event) bool { return false }, nil
}

func compileDropFields(args arguments) (func(*event) bool, error) {
	fields, err := args.list("fields")
	if err != nil {
		return nil, err
	}
	if _, err := args.flag("ignore_missing", false); err != nil {
		return nil, err
	}
	return func(ev *event) bool {
		for _, f := range fields {
			if f != "@timestamp" && f != "type" {
				dropField(ev.fields, f)
			}
		}
		return true
	}, nil
}

func compileIncludeFields(args arguments) (func(*event) bool, error) {
	fields, err := args.list("fields")
	if err != nil {
		return nil, err
	}
	return func(ev *event) bool {
		kept := map[string]any{}
		for _, f := range fields {
			if v, ok := getField(ev.fields, f); ok {
				setField(kept, f, v)
			}
		}
		ev.fields = kept
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
func compilePairs(args arguments, apply func(t map[string]any, p fieldPair, v any)) (func(*event) bool, error) {
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
	return func(ev *event) bool {
		before := ev.fields
		if strict {
			ev.fields = cloneTree(before)
		}
		for _, p := range pairs {
			v, ok := getField(ev.fields, p.from)
			_, taken := getField(ev.fields, p.to)
			if ok && !taken {
				apply(ev.fields, p, v)
			} else if strict && (taken && ok || !ok && !missingOK) {
				ev.fields = before
				ev.note("error.message", fmt.Sprintf("field %s was not copied to %s", p.from, p.to))
				return true
			}
		}
		return true
	}, nil
}

func (ev *event) note(path, text string) { setField(ev.fields, path, text) }

func compileRename(args arguments) (func(*event) bool, error) {
	return compilePairs(args, func(t map[string]any, p fieldPair, v any) {
		dropField(t, p.from)
		setField(t, p.to, v)
	})
}

func compileCopyFields(args arguments) (func(*event) bool, error) {
	return compilePairs(args, func(t map[string]any, p fieldPair, v any) { setField(t, p.to, cloneValue(v)) })
}

// ProcessorNames lists the processors that are known, sorted.
func ProcessorNames() []string {
	var out []string
	for i := range processors {
		out = append(out, processors[i].name)
	}
	slices.Sort(out)
	return out
}
