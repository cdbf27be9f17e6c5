package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/valyala/fastjson"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/mapping"
)

// Kinds of templates.
const (
	IndexTemplate     = "index"     // PUT _index_template
	ComponentTemplate = "component" // PUT _component_template
	LegacyTemplate    = "legacy"    // PUT _template
)

// builtinPriority is the priority of the templates every store has; a user's template of the same priority wins.
const builtinPriority = 100

// builtin are the templates every store has. They are not listed and cannot be changed, only overruled.
var builtin = [...]struct {
	name     string
	patterns []string
	stream   bool
}{
	{"logs", []string{"logs-*-*"}, true},
	{"weir-logs", []string{"logstash-*", "ecs-logstash-*", "weir-*"}, false},
}

// composed is what templates say about a new index.
type composed struct {
	name     string // of the composable template, "" when none matched
	stream   bool
	settings *Settings
	mapping  *mapping.Mapping
	aliases  map[string]AliasMeta
}

// Template is a stored template.
type Template struct {
	Name string
	Body json.RawMessage
}

// PutTemplate stores a template of one kind. create refuses to replace one.
func (s *Store) PutTemplate(kind, name string, body []byte, create bool) error {
	if name == "" || strings.ContainsAny(name, " ,#*?") && kind != LegacyTemplate || name != strings.ToLower(name) && kind == IndexTemplate {
		return errorf(400, "invalid_index_template_exception", "index_template [%s] invalid, cause [name must not contain a space, ',', '#', '*' and must be lower cased]", name)
	}
	var p fastjson.Parser
	v, err := p.ParseBytes(body)
	if err != nil || v.Type() != fastjson.TypeObject {
		return errorf(400, "parse_exception", "request body is not a JSON object: %v", err)
	}
	if err := checkTemplate(kind, name, v); err != nil {
		return err
	}
	s.commit.Lock()
	mark, err := s.putTemplateLocked(kind, name, body, v, create)
	s.commit.Unlock()
	if err != nil {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) putTemplateLocked(kind, name string, body []byte, v *fastjson.Value, create bool) (mark journal.Mark, err error) {
	m := s.meta.Load()
	if create && m.templates[templateKey{kind, name}] != nil {
		return mark, errorf(400, "illegal_argument_exception", "%s [%s] already exists", kindWord(kind), name)
	}
	if kind == IndexTemplate {
		if err := m.checkOverlap(name, v); err != nil {
			return mark, err
		}
		for _, c := range v.GetArray("composed_of") {
			cn := string(c.GetStringBytes())
			if m.templates[templateKey{ComponentTemplate, cn}] == nil && !listed(v.GetArray("ignore_missing_component_templates"), cn) {
				return mark, errorf(400, "invalid_index_template_exception", "index_template [%s] invalid, cause [index template [%s] specifies component templates [%s] that do not exist]", name, name, cn)
			}
		}
	}
	return s.changeLocked(command{PutTemplate: &templateCmd{kind, name, compactJSON(body)}})
}

func compactJSON(b []byte) json.RawMessage { return mapping.AppendCompact(nil, b) }

func kindWord(kind string) string {
	switch kind {
	case IndexTemplate:
		return "index template"
	case ComponentTemplate:
		return "component template"
	}
	return "index_template"
}

func listed(list []*fastjson.Value, s string) bool {
	return slices.ContainsFunc(list, func(v *fastjson.Value) bool { return string(v.GetStringBytes()) == s })
}

// checkTemplate refuses what cannot work: no patterns, a mapping that does not parse.
func checkTemplate(kind, name string, v *fastjson.Value) error {
	body := v
	if kind != LegacyTemplate {
		body = v.Get("template")
	}
	if kind != ComponentTemplate && len(patternsOf(v)) == 0 {
		return errorf(400, "action_request_validation_exception", "Validation Failed: 1: index patterns are missing;")
	}
	if kind == ComponentTemplate && body == nil {
		return errorf(400, "x_content_parse_exception", "[1:1] [component_template] failed to parse: Required [template]")
	}
	if body == nil {
		return nil
	}
	if mp := body.Get("mappings"); mp != nil {
		if _, err := mapping.Parse(mp.MarshalTo(nil)); err != nil {
			return mappingError(err)
		}
	}
	if set := body.Get("settings"); set != nil {
		if _, err := ParseSettings(set.MarshalTo(nil)); err != nil {
			return err
		}
	}
	return nil
}

// patternsOf are a template's index patterns, a list or a comma list, or the old "template" text.
func patternsOf(v *fastjson.Value) []string {
	p := v.Get("index_patterns")
	if p == nil && v.Get("template") != nil && v.Get("template").Type() == fastjson.TypeString {
		p = v.Get("template")
	}
	if p == nil {
		return nil
	}
	if p.Type() == fastjson.TypeString {
		return strings.Split(string(p.GetStringBytes()), ",")
	}
	var out []string
	for _, e := range p.GetArray() {
		out = append(out, string(e.GetStringBytes()))
	}
	return out
}

// checkOverlap refuses two templates of equal priority for the same names.
func (m *metadata) checkOverlap(name string, v *fastjson.Value) error {
	prio := v.GetInt64("priority")
	mine := patternsOf(v)
	var p fastjson.Parser
	for _, k := range m.templateNames(IndexTemplate) {
		if k == name {
			continue
		}
		o, err := p.ParseBytes(m.templates[templateKey{IndexTemplate, k}].Body)
		if err != nil || o.GetInt64("priority") != prio {
			continue
		}
		for _, a := range patternsOf(o) {
			for _, b := range mine {
				if overlap(a, b) {
					return errorf(400, "illegal_argument_exception", "index template [%s] has index patterns [%s] matching patterns from existing templates [%s] with patterns (%s => [%s]) "+
						"that have the same priority [%d], multiple index templates may not match during index creation, please use a different priority", name,
						strings.Join(mine, ", "), k, k, strings.Join(patternsOf(o), ", "), prio)
				}
			}
		}
	}
	return nil
}

// overlap tells whether some name fits both patterns, by matching each as a name of the other; it may miss exotic pairs.
func overlap(a, b string) bool {
	return mapping.Glob(a, strings.ReplaceAll(b, "*", "x")) || mapping.Glob(b, strings.ReplaceAll(a, "*", "x")) || a == b
}

func (m *metadata) templateNames(kind string) []string {
	var out []string
	for k := range m.templates {
		if k.Kind == kind {
			out = append(out, k.Name)
		}
	}
	slices.Sort(out)
	return out
}

// Templates lists the templates of a kind whose names match a pattern ("" for all), by name. A plain name that is not there is an error.
func (s *Store) Templates(kind, pattern string) ([]Template, error) {
	m := s.meta.Load()
	if pattern == "" {
		pattern = "*"
	}
	var out []Template
	for _, one := range strings.Split(pattern, ",") {
		n := len(out)
		for _, name := range m.templateNames(kind) {
			if mapping.Glob(one, name) {
				out = append(out, Template{name, m.templates[templateKey{kind, name}].Body})
			}
		}
		if len(out) == n && !strings.Contains(one, "*") {
			return nil, errorf(404, "resource_not_found_exception", "%s matching [%s] not found", kindWord(kind), one)
		}
	}
	return out, nil
}

// DeleteTemplate removes the templates of a kind whose names match.
func (s *Store) DeleteTemplate(kind, pattern string) error {
	list, err := s.Templates(kind, pattern)
	if err != nil {
		return err
	}
	var cs []command
	for _, t := range list {
		cs = append(cs, command{DeleteTemplate: &templateCmd{Kind: kind, Name: t.Name}})
	}
	return s.change(cs...)
}

// compose finds what templates say about a name: the composable template of the highest priority; without one all legacy templates
// that match, by order.
func (m *metadata) compose(name string) (*composed, error) {
	best, bestPrio := "", int64(-1)
	for _, k := range m.templateNames(IndexTemplate) {
		var p fastjson.Parser
		v, err := p.ParseBytes(m.templates[templateKey{IndexTemplate, k}].Body)
		if err != nil || !matchesAny(patternsOf(v), name) {
			continue
		}
		if prio := v.GetInt64("priority"); prio > bestPrio {
			best, bestPrio = k, prio
		}
	}
	if bestPrio < builtinPriority {
		for _, b := range builtin {
			if matchesAny(b.patterns, name) && (best == "" || b.stream) {
				return composeBuiltin(b.name, b.stream)
			}
		}
	}
	if best != "" {
		return m.composeIndex(best)
	}
	return m.composeLegacy(name)
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return mapping.Glob(p, name) })
}

func newComposed(name string, stream bool) *composed {
	return &composed{name: name, stream: stream, settings: &Settings{values: map[string]string{}}, mapping: mapping.New(), aliases: map[string]AliasMeta{}}
}

func composeBuiltin(name string, stream bool) (*composed, error) {
	c := newComposed(name, stream)
	return c, c.add([]byte(mapping.LogsSettings), []byte(mapping.Logs), nil)
}

// add puts a layer on top.
func (c *composed) add(settings, mappings, aliases []byte) (err error) {
	if c.settings, c.mapping, err = overlay(c.settings, c.mapping, settings, mappings); err == nil {
		c.aliases, err = mergeAliases(c.aliases, aliases)
	}
	return err
}

// addBody puts the {settings, mappings, aliases} of a template on top.
func (c *composed) addBody(v *fastjson.Value) error {
	if v == nil {
		return nil
	}
	part := func(key string) []byte {
		if e := v.Get(key); e != nil {
			return e.MarshalTo(nil)
		}
		return nil
	}
	return c.add(part("settings"), part("mappings"), part("aliases"))
}

func (m *metadata) composeIndex(name string) (*composed, error) {
	var p fastjson.Parser
	v, err := p.ParseBytes(m.templates[templateKey{IndexTemplate, name}].Body)
	if err != nil {
		return nil, err
	}
	c := newComposed(name, v.Get("data_stream") != nil)
	if c.stream {
		if err := c.add(nil, []byte(`{"properties":{"@timestamp":{"type":"date"}}}`), nil); err != nil {
			return nil, err
		}
	}
	for _, e := range v.GetArray("composed_of") {
		t := m.templates[templateKey{ComponentTemplate, string(e.GetStringBytes())}]
		if t == nil {
			continue
		}
		var cp fastjson.Parser
		cv, err := cp.ParseBytes(t.Body)
		if err == nil {
			err = c.addBody(cv.Get("template"))
		}
		if err != nil {
			return nil, err
		}
	}
	return c, c.addBody(v.Get("template"))
}

func (m *metadata) composeLegacy(name string) (*composed, error) {
	c := newComposed("", false)
	type layer struct {
		order int
		v     *fastjson.Value
	}
	var layers []layer
	for _, k := range m.templateNames(LegacyTemplate) {
		var p fastjson.Parser
		v, err := p.ParseBytes(m.templates[templateKey{LegacyTemplate, k}].Body)
		if err == nil && matchesAny(patternsOf(v), name) {
			layers = append(layers, layer{v.GetInt("order"), v})
		}
	}
	slices.SortStableFunc(layers, func(a, b layer) int { return a.order - b.order })
	for _, l := range layers {
		if err := c.addBody(l.v); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// mergeAliases reads the value of "aliases" on top of have.
func mergeAliases(have map[string]AliasMeta, raw []byte) (map[string]AliasMeta, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return have, nil
	}
	var in map[string]AliasRequest
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, errorf(400, "parsing_exception", "Failed to parse aliases: %v", err)
	}
	out := maps.Clone(have)
	for name, a := range in {
		if err := checkAlias(name); err != nil {
			return nil, err
		}
		out[name] = a.meta()
	}
	return out, nil
}

// Simulated is what templates would give a new index.
type Simulated struct {
	Template    string // the composable template that wins, "" for none
	Settings    *Settings
	Mapping     *mapping.Mapping
	Aliases     map[string]AliasMeta
	Lifecycle   json.RawMessage
	Overlapping []Template // composable templates that match too, as {"index_patterns": ...}
}

// SimulateIndex composes an index of that name without making it. body, when given, is a composable template that is put on the shelf
// for the time of the question.
func (s *Store) SimulateIndex(name string, body []byte) (*Simulated, error) {
	m, err := s.meta.Load().with("simulate_index_template_", body)
	if err != nil {
		return nil, err
	}
	t, err := m.compose(name)
	if err != nil {
		return nil, err
	}
	out := &Simulated{Template: t.name, Settings: t.settings, Mapping: t.mapping, Aliases: t.aliases, Lifecycle: m.lifecycleOf(t.name)}
	for _, n := range m.templateNames(IndexTemplate) {
		v, err := fastjson.ParseBytes(m.templates[templateKey{IndexTemplate, n}].Body)
		if err == nil && n != t.name && matchesAny(patternsOf(v), name) {
			out.Overlapping = append(out.Overlapping, Template{n, v.Get("index_patterns").MarshalTo(nil)})
		}
	}
	return out, nil
}

// SimulateTemplate composes a stored template, or the one body holds.
func (s *Store) SimulateTemplate(name string, body []byte) (*Simulated, error) {
	if name == "" || len(body) > 0 {
		name = "simulate_template_"
	}
	m, err := s.meta.Load().with(name, body)
	if err != nil {
		return nil, err
	}
	t := m.templates[templateKey{IndexTemplate, name}]
	if t == nil {
		return nil, errorf(400, "illegal_argument_exception", "unable to simulate template [%s] that does not exist", name)
	}
	c, err := m.composeIndex(name)
	if err != nil {
		return nil, err
	}
	out := &Simulated{Template: name, Settings: c.settings, Mapping: c.mapping, Aliases: c.aliases, Lifecycle: m.lifecycleOf(name)}
	mine, err := fastjson.ParseBytes(t.Body)
	if err != nil {
		return nil, err
	}
	for _, n := range m.templateNames(IndexTemplate) {
		v, err := fastjson.ParseBytes(m.templates[templateKey{IndexTemplate, n}].Body)
		if err != nil || n == name {
			continue
		}
		for _, a := range patternsOf(mine) {
			if slices.ContainsFunc(patternsOf(v), func(b string) bool { return overlap(a, b) }) {
				out.Overlapping = append(out.Overlapping, Template{n, v.Get("index_patterns").MarshalTo(nil)})
				break
			}
		}
	}
	return out, nil
}

// with is the metadata with one more composable template; an empty body adds none.
func (m *metadata) with(name string, body []byte) (*metadata, error) {
	if len(strings.TrimSpace(string(body))) == 0 {
		return m, nil
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil, errorf(400, "parse_exception", "request body is not a JSON object: %v", err)
	}
	if err := checkTemplate(IndexTemplate, name, v); err != nil {
		return nil, err
	}
	next := m.clone()
	k := templateKey{IndexTemplate, name}
	next.templates[k] = &templateMeta{k, compactJSON(body)}
	return next, nil
}

// lifecycleOf is the data stream lifecycle a composable template gives, nil for none.
func (m *metadata) lifecycleOf(name string) json.RawMessage {
	t := m.templates[templateKey{IndexTemplate, name}]
	if t == nil {
		return nil
	}
	v, err := fastjson.ParseBytes(t.Body)
	if err != nil || v.Get("template", "lifecycle") == nil {
		return nil
	}
	return v.Get("template", "lifecycle").MarshalTo(nil)
}
