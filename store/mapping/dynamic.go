package mapping

import (
	"regexp"
	"strings"

	"github.com/valyala/fastjson"
)

// defaultDynamicDates are the dynamic_date_formats of a mapping that names none.
var defaultDynamicDates = []*DateFormat{mustFormat("strict_date_optional_time"), mustFormat("yyyy/MM/dd HH:mm:ss Z||yyyy/MM/dd Z")}

// dynTemplate is one of dynamic_templates: the first whose conditions hold makes the field.
type dynTemplate struct {
	name        string
	raw         string
	matchType   []string // match_mapping_type
	unmatchType []string
	match       []string
	unmatch     []string
	pathMatch   []string
	pathUnmatch []string
	regex       bool
	mapping     string // JSON of the field, with {name} and {dynamic_type}
	compiled    []*regexp.Regexp
	compiledNot []*regexp.Regexp
}

func parseDynTemplates(v *fastjson.Value) ([]dynTemplate, error) {
	list, err := v.Array()
	if err != nil {
		return nil, badf("Failed to parse mapping: Dynamic template syntax error. An array of named objects is expected.")
	}
	var out []dynTemplate
	for _, e := range list {
		o, err := e.Object()
		if err != nil || o.Len() != 1 {
			return nil, badf("Failed to parse mapping: A dynamic template must be defined with a name")
		}
		o.Visit(func(key []byte, t *fastjson.Value) {
			if err == nil {
				var d dynTemplate
				if d, err = parseDynTemplate(string(key), t); err == nil {
					out = append(out, d)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseDynTemplate(name string, v *fastjson.Value) (dynTemplate, error) {
	d := dynTemplate{name: name, raw: string(v.MarshalTo(nil)), matchType: texts(v.Get("match_mapping_type")), unmatchType: texts(v.Get("unmatch_mapping_type")),
		match: texts(v.Get("match")), unmatch: texts(v.Get("unmatch")), pathMatch: texts(v.Get("path_match")), pathUnmatch: texts(v.Get("path_unmatch")),
		regex: plain(v.Get("match_pattern")) == "regex"}
	mp := v.Get("mapping")
	if mp == nil {
		mp = v.Get("runtime")
	}
	if mp == nil || mp.Type() != fastjson.TypeObject {
		return d, badf("Failed to parse mapping: dynamic template [%s] has no [mapping]", name)
	}
	d.mapping = string(mp.MarshalTo(nil))
	if !d.regex {
		return d, nil
	}
	var err error
	if d.compiled, err = compileAll(d.match); err == nil {
		d.compiledNot, err = compileAll(d.unmatch)
	}
	return d, err
}

func compileAll(list []string) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for _, s := range list {
		re, err := regexp.Compile("^(?:" + s + ")$")
		if err != nil {
			return nil, badf("Failed to parse mapping: Pattern [%s] of type [regex] is invalid. Cannot create dynamic template", s)
		}
		out = append(out, re)
	}
	return out, nil
}

func mergeTemplates(have, in []dynTemplate) []dynTemplate {
	out := append([]dynTemplate(nil), have...)
next:
	for _, t := range in {
		for i := range out {
			if out[i].name == t.name {
				out[i] = t
				continue next
			}
		}
		out = append(out, t)
	}
	return out
}

func dynTemplatesJSON(ts []dynTemplate) string {
	b := []byte{'['}
	for i, t := range ts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendString(append(b, '{'), t.name), ':')
		b = append(append(b, t.raw...), '}')
	}
	return string(append(b, ']'))
}

// matches reports whether the template makes the field of a path with a JSON type.
func (d *dynTemplate) matches(path, jsonType string) bool {
	if len(d.matchType) > 0 && !oneOf(d.matchType, jsonType) || len(d.unmatchType) > 0 && oneOf(d.unmatchType, jsonType) {
		return false
	}
	name := lastPart(path)
	if d.regex {
		if len(d.compiled) > 0 && !anyRegexp(d.compiled, name) || anyRegexp(d.compiledNot, name) {
			return false
		}
	} else if len(d.match) > 0 && !anyGlob(d.match, name) || anyGlob(d.unmatch, name) {
		return false
	}
	return (len(d.pathMatch) == 0 || anyGlob(d.pathMatch, path)) && !anyGlob(d.pathUnmatch, path)
}

func oneOf(list []string, s string) bool {
	for _, e := range list {
		if e == s || e == "*" {
			return true
		}
	}
	return false
}

func anyRegexp(list []*regexp.Regexp, s string) bool {
	for _, re := range list {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}

func anyGlob(list []string, s string) bool {
	for _, g := range list {
		if Glob(g, s) {
			return true
		}
	}
	return false
}

// Glob matches a pattern in which * stands for any characters.
func Glob(pattern, s string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// Missing is a key a document has and the mapping has not.
type Missing struct {
	Path   string // full path
	Parent string // path of the object that is in force above it
	Type   string // JSON type: string, long, double, boolean, object, date (chosen by detection); constant: Value is the field's
	Value  string // constant_keyword: the first value
}

// Extend is m with fields for the missing keys: by dynamic templates, else by type. Keys over the limits are left out and named in
// beyond; without lim.IgnoreBeyond they are an error.
func (m *Mapping) Extend(missing []Missing, lim Limits) (ext *Mapping, beyond []string, err error) {
	c := m.clone()
	count := c.count()
	for _, x := range missing {
		if f := c.byPath[x.Path]; f != nil {
			if x.Type == "constant" && f.Constant == nil {
				k := *f
				k.Constant = []byte(x.Value)
				k.params = setParam(append([]param(nil), k.params...), param{"value", string(AppendString(nil, x.Value))})
				c.replace(&k)
			}
			continue
		}
		if lim.DynamicNameBytes > 0 && len(x.Path) > lim.DynamicNameBytes || strings.Count(x.Path, ".") >= lim.Depth {
			if !lim.IgnoreBeyond {
				return nil, nil, illegalf("Limit of mapping depth [%d] has been exceeded due to object field [%s]", lim.Depth, x.Path)
			}
			beyond = append(beyond, x.Path)
			continue
		}
		if count >= lim.TotalFields {
			if !lim.IgnoreBeyond {
				return nil, nil, illegalf("Limit of total fields [%d] has been exceeded while adding new fields [%d]", lim.TotalFields, len(missing))
			}
			beyond = append(beyond, x.Path)
			continue
		}
		if err := c.extendOne(x, lim); err != nil {
			return nil, nil, err
		}
		count = c.count()
	}
	if err := c.finish(); err != nil {
		return nil, nil, err
	}
	return c, beyond, nil
}

// count is the number that total_fields.limit bounds: fields and objects.
func (m *Mapping) count() int {
	n := len(m.byPath)
	m.root.each(func(*Node) { n++ })
	return n
}

func (m *Mapping) extendOne(x Missing, lim Limits) error {
	js := ""
	for i := range m.opts.templates {
		if t := &m.opts.templates[i]; t.matches(x.Path, x.Type) {
			js = strings.ReplaceAll(strings.ReplaceAll(t.mapping, "{name}", lastPart(x.Path)), "{dynamic_type}", dynamicType(x.Type))
			break
		}
	}
	if js == "" {
		js = plainMapping(x.Type)
	}
	var p fastjson.Parser
	v, err := p.Parse(js)
	if err != nil {
		return badf("Failed to parse mapping: %v", err)
	}
	o := v.GetObject()
	if o.Get("type") == nil && o.Get("properties") == nil && x.Type != "object" {
		var a fastjson.Arena
		o.Set("type", a.NewString(dynamicType(x.Type)))
	}
	parent := m.Object(x.Parent)
	if parent == nil {
		return badf("object [%s] is gone", x.Parent)
	}
	key := strings.TrimPrefix(x.Path, x.Parent)
	key = strings.TrimPrefix(key, ".")
	return m.property(parent, key, v)
}

func dynamicType(jsonType string) string {
	switch jsonType {
	case "string":
		return "text"
	case "double":
		return "float"
	}
	return jsonType
}

func plainMapping(jsonType string) string {
	switch jsonType {
	case "string":
		return `{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}`
	case "object":
		return `{"type":"object"}`
	}
	return `{"type":"` + dynamicType(jsonType) + `"}`
}
