package ingest

import (
	"errors"
	"slices"
	"strings"

	"github.com/weirlog/weir/store/painless"
)

// Compile reads a pipeline's JSON.
func (s *Service) Compile(id string, body []byte) (*Pipeline, error) {
	v, err := painless.ParseJSON(body)
	m, ok := v.(*painless.Map)
	if err != nil || !ok {
		return nil, &Error{Type: "parse_exception", Reason: "Failed to parse content to map"}
	}
	c := &compiler{s: s}
	p := &Pipeline{ID: id}
	var bad error
	sawSteps := false
	m.Each(func(k string, v any) {
		if bad != nil {
			return
		}
		switch k {
		case "processors":
			sawSteps = true
			p.Steps, bad = c.list(v, "processors")
		case "on_failure":
			if p.OnFailure, bad = c.list(v, "on_failure"); bad == nil && len(p.OnFailure) == 0 {
				bad = &Error{Type: "parse_exception", Reason: "pipeline [" + id + "] cannot have an empty on_failure option defined"}
			}
		case "description", "version", "_meta", "deprecated", "created_date_millis", "modified_date_millis", "field_access_pattern":
		default:
			bad = &Error{Type: "parse_exception", Reason: "pipeline [" + id + "] doesn't support one or more provided configuration parameters [" + k + "]"}
		}
	})
	if bad == nil && !sawSteps {
		bad = &Error{Type: "parse_exception", Reason: "[processors] required property is missing", Property: "processors"}
	}
	return p, bad
}

// compiler makes steps; it counts them.
type compiler struct {
	s *Service
	n int
}

func (c *compiler) list(v any, property string) ([]*step, error) {
	l, ok := v.(*painless.List)
	if !ok {
		return nil, &Error{Type: "parse_exception", Reason: "[" + property + "] property isn't a list, but of type [" + typeName(v) + "]", Property: property}
	}
	var out []*step
	for _, e := range l.Items {
		m, ok := e.(*painless.Map)
		if !ok || m.Len() != 1 {
			return nil, &Error{Type: "parse_exception", Reason: "a processor must be an object with one key, its type"}
		}
		name := m.Keys()[0]
		conf, _ := m.Get(name)
		st, err := c.step(name, conf)
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

func (c *compiler) step(name string, conf any) (*step, error) {
	if c.n++; c.n > maxProcessors {
		return nil, failf("a pipeline may have %d processors", maxProcessors)
	}
	build := find(name)
	if build == nil {
		return nil, &Error{Type: "parse_exception", Reason: "No processor type exists with name [" + name + "]", Processor: name}
	}
	m, ok := conf.(*painless.Map)
	if !ok {
		return nil, &Error{Type: "parse_exception", Reason: "property isn't a map, but of type [" + typeName(conf) + "]", Processor: name}
	}
	o := &options{c: c, typ: name, m: painless.Clone(m).(*painless.Map)}
	st := &step{Type: name, Tag: o.text("tag", ""), Description: o.text("description", "")}
	o.tag = st.Tag
	st.ignore = o.boolean("ignore_failure", false)
	if v, ok := o.take("if"); ok {
		st.condText = conditionText(v)
		if st.cond, o.err = painless.Compile(st.condText); o.err != nil {
			var pe *painless.Error
			errors.As(o.err, &pe)
			return nil, &Error{Type: "script_exception", Reason: "compile error: " + pe.Reason, Processor: name, Tag: st.Tag, Property: "if"}
		}
	}
	if v, ok := o.take("on_failure"); ok {
		var err error
		if st.onFailure, err = c.list(v, "on_failure"); err != nil {
			return nil, err
		}
		if len(st.onFailure) == 0 {
			return nil, o.parseError("on_failure", "[on_failure] processors list cannot be empty")
		}
	}
	st.p = build(o)
	return st, o.finish()
}

func conditionText(v any) string {
	if m, ok := v.(*painless.Map); ok {
		s, _ := m.Get("source")
		return painless.Text(s)
	}
	return painless.Text(v)
}

// options reads a processor's configuration; the first fault sticks.
type options struct {
	c   *compiler
	typ string
	tag string
	m   *painless.Map
	err error
}

func (o *options) parseError(property, reason string) error {
	return &Error{Type: "parse_exception", Reason: reason, Processor: o.typ, Tag: o.tag, Property: property}
}

func (o *options) fail(property, reason string) {
	if o.err == nil {
		o.err = o.parseError(property, reason)
	}
}

// take removes an option and gives its value.
func (o *options) take(name string) (any, bool) { return o.m.Delete(name) }

// finish refuses options that nobody took.
func (o *options) finish() error {
	if o.err != nil {
		return o.err
	}
	if o.m.Len() > 0 {
		return &Error{Type: "parse_exception", Reason: "processor [" + o.typ + "] doesn't support one or more provided configuration parameters [" + strings.Join(o.m.Keys(), ", ") + "]", Processor: o.typ, Tag: o.tag}
	}
	return nil
}

func (o *options) must(name string) any {
	v, ok := o.take(name)
	if !ok || v == nil {
		o.fail(name, "["+name+"] required property is missing")
	}
	return v
}

func (o *options) mustText(name string) string {
	v := o.must(name)
	s, ok := v.(string)
	if !ok && v != nil {
		o.fail(name, "["+name+"] property isn't a string, but of type ["+typeName(v)+"]")
	}
	return s
}

func (o *options) text(name, def string) string {
	v, ok := o.take(name)
	if !ok || v == nil {
		return def
	}
	s, isText := v.(string)
	if !isText {
		o.fail(name, "["+name+"] property isn't a string, but of type ["+typeName(v)+"]")
	}
	return s
}

func (o *options) boolean(name string, def bool) bool {
	v, ok := o.take(name)
	if !ok || v == nil {
		return def
	}
	switch x := v.(type) {
	case bool:
		return x
	case string:
		if x == "true" || x == "false" {
			return x == "true"
		}
	}
	o.fail(name, "["+name+"] property isn't a boolean, but of type ["+typeName(v)+"]")
	return def
}

func (o *options) integer(name string, def int) int {
	v, ok := o.take(name)
	if !ok || v == nil {
		return def
	}
	switch x := v.(type) {
	case int64:
		return int(x)
	case string:
		if n, err := parseInt(x); err == nil {
			return int(n)
		}
	}
	o.fail(name, "["+name+"] property cannot be converted to an int ["+painless.Text(v)+"]")
	return def
}

// texts is a list of texts; one text is a list of one.
func (o *options) texts(name string, required bool) []string {
	v, ok := o.take(name)
	if !ok || v == nil {
		if required {
			o.fail(name, "["+name+"] required property is missing")
		}
		return nil
	}
	if s, one := v.(string); one {
		return []string{s}
	}
	l, isList := v.(*painless.List)
	if !isList {
		o.fail(name, "["+name+"] property isn't a list, but of type ["+typeName(v)+"]")
		return nil
	}
	var out []string
	for _, e := range l.Items {
		out = append(out, painless.Text(e))
	}
	return out
}

func (o *options) textMap(name string) map[string]string {
	v, ok := o.take(name)
	if !ok || v == nil {
		return nil
	}
	m, isMap := v.(*painless.Map)
	if !isMap {
		o.fail(name, "["+name+"] property isn't a map, but of type ["+typeName(v)+"]")
		return nil
	}
	out := map[string]string{}
	m.Each(func(k string, v any) { out[k] = painless.Text(v) })
	return out
}

func (o *options) template(name, def string, required bool) template {
	s := ""
	if required {
		s = o.mustText(name)
	} else {
		s = o.text(name, def)
	}
	t, err := parseTemplate(s)
	if err != nil {
		o.fail(name, err.Error())
	}
	return t
}

func (o *options) oneOf(name, def string, all ...string) string {
	s := o.text(name, def)
	if !slices.Contains(all, s) {
		o.fail(name, "["+name+"] value ["+s+"] is none of ["+strings.Join(all, ", ")+"]")
	}
	return s
}

// regexp compiles an expression with the pipeline's machine, or Go's.
func (o *options) regexp(name, expr string) Regexp {
	re, err := o.c.s.regexp(expr)
	if err != nil {
		o.fail(name, "Invalid regex pattern. "+err.Error())
		return nil
	}
	return re
}
