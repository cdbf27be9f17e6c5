package mapping

import (
	"strings"

	"github.com/valyala/fastjson"
)

// Parse reads the value of "mappings". Empty input is the empty mapping.
func Parse(json []byte) (*Mapping, error) {
	m := New()
	if len(strings.TrimSpace(string(json))) == 0 {
		return m, nil
	}
	var p fastjson.Parser
	v, err := p.ParseBytes(json)
	if err != nil {
		return nil, badf("Failed to parse mapping: %v", err)
	}
	o, err := v.Object()
	if err != nil {
		return nil, badf("Failed to parse mapping: expected an object")
	}
	if inner := o.Get("_doc"); inner != nil && o.Len() == 1 {
		if o, err = inner.Object(); err != nil {
			return nil, badf("Failed to parse mapping: expected an object")
		}
	}
	o.Visit(func(key []byte, val *fastjson.Value) {
		if err == nil {
			err = m.setRoot(string(key), val)
		}
	})
	if err == nil {
		err = m.finish()
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// setRoot takes one key of the root.
func (m *Mapping) setRoot(key string, v *fastjson.Value) error {
	var err error
	switch key {
	case "properties":
		return m.properties(m.root, v)
	case "dynamic":
		m.root.Dynamic, err = dynamicOf(plain(v))
	case "enabled":
		m.root.Enabled = truth(v)
	case "subobjects":
		m.root.Subobjects = truth(v)
	case "date_detection":
		m.opts.dateDetection = truth(v)
	case "numeric_detection":
		m.opts.numericDetection = truth(v)
	case "dynamic_date_formats":
		m.opts.dateFormats = nil
		for _, t := range texts(v) {
			var f *DateFormat
			if f, err = ParseDateFormat(t); err != nil {
				return err
			}
			m.opts.dateFormats = append(m.opts.dateFormats, f)
		}
	case "dynamic_templates":
		m.opts.templates, err = parseDynTemplates(v)
	case "_routing":
		m.opts.routingRequired = truth(v.Get("required"))
	case "_source":
		if e := v.Get("enabled"); e != nil {
			m.opts.sourceDisabled = !truth(e)
		}
	case "_meta", "_data_stream_timestamp", "_size", "_field_names", "_all", "_id", "_index", "_tier", "_doc_count", "runtime":
	default:
		return badf("Root mapping definition has unsupported parameters:  [%s : %s]", key, v.MarshalTo(nil))
	}
	if err != nil {
		return err
	}
	m.opts.params = setParam(m.opts.params, param{key, string(v.MarshalTo(nil))})
	return nil
}

func setParam(ps []param, p param) []param {
	for i := range ps {
		if ps[i].name == p.name {
			ps[i] = p
			return ps
		}
	}
	return append(ps, p)
}

func dynamicOf(s string) (Dynamic, error) {
	switch s {
	case "true", "runtime", "strict_allow_templates":
		return DynamicTrue, nil
	case "false":
		return DynamicFalse, nil
	case "strict":
		return DynamicStrict, nil
	}
	return Inherit, badf("Failed to parse mapping: Malformed mapping: unknown value [%s] of [dynamic]", s)
}

// properties reads the children of an object.
func (m *Mapping) properties(n *Node, v *fastjson.Value) error {
	o, err := v.Object()
	if err != nil {
		return badf("Failed to parse mapping: Expected map for property [properties] on field [%s]", n.Path)
	}
	o.Visit(func(key []byte, val *fastjson.Value) {
		if err == nil {
			err = m.property(n, string(key), val)
		}
	})
	return err
}

// property reads one child: a field, or an object when it has no type but properties.
func (m *Mapping) property(n *Node, key string, v *fastjson.Value) error {
	o, err := v.Object()
	if err != nil {
		return badf("Failed to parse mapping: Expected map for property [fields] on field [%s] but got a %s", key, v.Type())
	}
	if key == "" || strings.HasPrefix(key, ".") || strings.HasSuffix(key, ".") || strings.Contains(key, "..") {
		return badf("Failed to parse mapping: field name cannot be an empty string or have empty parts: [%s]", key)
	}
	typ := plain(o.Get("type"))
	if typ == "" && (o.Len() == 0 || o.Get("properties") != nil || o.Get("dynamic") != nil || o.Get("enabled") != nil || o.Get("subobjects") != nil) {
		typ = "object"
	}
	if typ == "" {
		return badf("No type specified for field [%s]", key)
	}
	parent := n
	if n.Subobjects {
		if i := strings.LastIndexByte(key, '.'); i >= 0 {
			if parent, err = m.object(join(n.Path, key[:i])); err != nil {
				return err
			}
			key = key[i+1:]
		}
	}
	if typ == "object" || typ == "nested" || typ == "passthrough" {
		return m.objectFrom(parent, key, o, typ)
	}
	if c, ok := parent.children[key]; ok && c.node != nil {
		return badf("can't merge a non object mapping [%s] with an object mapping", c.node.Path)
	}
	f, err := fieldFrom(join(parent.Path, key), o, typ, false)
	if err != nil {
		return err
	}
	parent.children[key] = child{field: m.add(f)}
	return nil
}

// objectFrom reads an object or nested object.
func (m *Mapping) objectFrom(parent *Node, key string, o *fastjson.Object, typ string) error {
	c, ok := parent.children[key]
	if ok && c.node == nil {
		return badf("can't merge a non object mapping [%s] with an object mapping", c.field.Path)
	}
	if !ok {
		c.node = &Node{Path: join(parent.Path, key), Enabled: true, Subobjects: parent.Subobjects, children: map[string]child{}}
		parent.children[key] = c
	}
	n := c.node
	n.Nested = n.Nested || typ == "nested"
	var err error
	o.Visit(func(k []byte, v *fastjson.Value) {
		if err != nil {
			return
		}
		name := string(k)
		switch name {
		case "type":
			return
		case "properties":
			err = m.properties(n, v)
			return
		case "dynamic":
			n.Dynamic, err = dynamicOf(plain(v))
		case "enabled":
			n.Enabled = truth(v)
		case "subobjects":
			n.Subobjects = truth(v)
		case "include_in_parent", "include_in_root", "time_series_dimension", "priority", "synthetic_source_keep":
		default:
			err = badf("Failed to parse mapping: unknown parameter [%s] on mapper [%s] of type [object]", name, n.Path)
			return
		}
		n.params = setParam(n.params, param{name, string(v.MarshalTo(nil))})
	})
	return err
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}
