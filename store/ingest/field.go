package ingest

import (
	"strconv"
	"strings"

	"github.com/weirlog/weir/store/painless"
)

// Get reads a field by its path: a.b.0.c, _index, _ingest.timestamp, _source.a.
func (d *Document) Get(path string) (any, bool) {
	if strings.HasPrefix(path, "_") {
		if v, ok := d.meta(path); ok {
			return v, v != nil
		}
		if p, ok := strings.CutPrefix(path, "_ingest."); ok {
			return walk(d.Meta, p)
		}
		path = strings.TrimPrefix(path, "_source.")
	}
	return walk(d.Source, path)
}

func walk(v any, path string) (any, bool) {
	for path != "" {
		key, rest, _ := strings.Cut(path, ".")
		switch x := v.(type) {
		case *painless.Map:
			var ok bool
			if v, ok = x.Get(key); !ok {
				return nil, false
			}
		case *painless.List:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(x.Items) {
				return nil, false
			}
			v = x.Items[i]
		default:
			return nil, false
		}
		path = rest
	}
	return v, true
}

// Must reads a field that has to be there.
func (d *Document) Must(path string) (any, error) {
	v, ok := d.Get(path)
	if !ok {
		last := path[strings.LastIndexByte(path, '.')+1:]
		return nil, failf("field [%s] not present as part of path [%s]", last, path)
	}
	return v, nil
}

// Set gives a field a value, making the objects above it.
func (d *Document) Set(path string, v any) error {
	if path == "" || len(path) > maxPath {
		return failf("path cannot be null nor empty")
	}
	at := d.Source
	if strings.HasPrefix(path, "_") {
		if ok, err := d.setMeta(path, v); ok || err != nil {
			return err
		}
		if p, ok := strings.CutPrefix(path, "_ingest."); ok {
			at, path = d.Meta, p
		}
		path = strings.TrimPrefix(path, "_source.")
	}
	return plant(at, path, v)
}

func plant(at any, path string, v any) error {
	whole := path
	for {
		key, rest, more := strings.Cut(path, ".")
		switch x := at.(type) {
		case *painless.Map:
			if !more {
				x.Set(key, v)
				return nil
			}
			next, ok := x.Get(key)
			if !ok || next == nil {
				next = painless.NewMap()
				x.Set(key, next)
			}
			at = next
		case *painless.List:
			i, err := strconv.Atoi(key)
			if err != nil {
				return failf("[%s] is not an integer, cannot be used as an index as part of path [%s]", key, whole)
			}
			if i < 0 || i >= len(x.Items) {
				return failf("[%d] is out of bounds for array with length [%d] as part of path [%s]", i, len(x.Items), whole)
			}
			if !more {
				x.Items[i] = v
				return nil
			}
			at = x.Items[i]
		default:
			return failf("cannot set [%s] with parent object of type [%s] as part of path [%s]", key, typeName(at), whole)
		}
		path = rest
	}
}

// Remove takes a field away.
func (d *Document) Remove(path string) error {
	if ok, err := d.setMeta(path, nil); ok && err == nil {
		return nil
	}
	var at any = d.Source
	if p, ok := strings.CutPrefix(path, "_ingest."); ok {
		at, path = d.Meta, p
	}
	path = strings.TrimPrefix(path, "_source.")
	parent, key := "", path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		parent, key = path[:i], path[i+1:]
	}
	if parent != "" {
		var ok bool
		if at, ok = walk(at, parent); !ok {
			return failf("field [%s] not present as part of path [%s]", key, path)
		}
	}
	switch x := at.(type) {
	case *painless.Map:
		if _, ok := x.Delete(key); ok {
			return nil
		}
	case *painless.List:
		i, err := strconv.Atoi(key)
		if err != nil {
			return failf("[%s] is not an integer, cannot be used as an index as part of path [%s]", key, path)
		}
		if i >= 0 && i < len(x.Items) {
			x.Items = append(x.Items[:i:i], x.Items[i+1:]...)
			return nil
		}
	}
	return failf("field [%s] not present as part of path [%s]", key, path)
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "java.lang.String"
	case int64:
		return "java.lang.Integer"
	case float64:
		return "java.lang.Double"
	case bool:
		return "java.lang.Boolean"
	case *painless.List:
		return "java.util.ArrayList"
	}
	return "java.util.HashMap"
}

// template is a text with {{field}} in it.
type template struct {
	parts []string // texts and paths in turn, a text first
}

func parseTemplate(s string) (template, error) {
	var t template
	for {
		at := strings.Index(s, "{{")
		if at < 0 {
			t.parts = append(t.parts, s)
			return t, nil
		}
		open, shut := "{{", "}}"
		if strings.HasPrefix(s[at:], "{{{") {
			open, shut = "{{{", "}}}"
		}
		end := strings.Index(s[at:], shut)
		if end < 0 {
			return t, failf("template [%s] has {{ without }}", s)
		}
		name := strings.TrimSpace(s[at+len(open) : at+end])
		if name != "" && strings.ContainsAny(name[:1], "#^/>!&") {
			if name[0] != '&' {
				return t, failf("sections of templates are not supported: [%s]", s)
			}
			name = strings.TrimSpace(name[1:])
		}
		t.parts = append(t.parts, s[:at], name)
		s = s[at+end+len(shut):]
	}
}

// plain tells whether the template is just a text.
func (t template) plain() bool { return len(t.parts) == 1 }

func (t template) render(d *Document) string {
	if t.plain() {
		return t.parts[0]
	}
	var b strings.Builder
	for i, p := range t.parts {
		if i%2 == 0 {
			b.WriteString(p)
		} else if v, ok := d.Get(p); ok && v != nil {
			b.WriteString(painless.Text(v))
		}
	}
	return b.String()
}

// value is a configured value whose texts are templates.
type value struct {
	tmpl *template
	list []value
	keys []string // of a map, parallel to list
	raw  any
	kind byte // 't' template, 'l' list, 'm' map, 'r' raw
}

func newValue(v any) (value, error) {
	switch x := v.(type) {
	case string:
		t, err := parseTemplate(x)
		return value{kind: 't', tmpl: &t}, err
	case *painless.List:
		out := value{kind: 'l'}
		for _, e := range x.Items {
			c, err := newValue(e)
			if err != nil {
				return out, err
			}
			out.list = append(out.list, c)
		}
		return out, nil
	case *painless.Map:
		out := value{kind: 'm'}
		var bad error
		x.Each(func(k string, e any) {
			c, err := newValue(e)
			if err != nil {
				bad = err
			}
			out.keys, out.list = append(out.keys, k), append(out.list, c)
		})
		return out, bad
	}
	return value{kind: 'r', raw: v}, nil
}

// of is the value for a document, freshly made.
func (v value) of(d *Document) any {
	switch v.kind {
	case 't':
		return v.tmpl.render(d)
	case 'l':
		out := &painless.List{}
		for _, e := range v.list {
			out.Items = append(out.Items, e.of(d))
		}
		return out
	case 'm':
		out := painless.NewMap()
		for i, k := range v.keys {
			out.Set(k, v.list[i].of(d))
		}
		return out
	}
	return v.raw
}
