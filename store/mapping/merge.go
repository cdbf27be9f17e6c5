package mapping

import (
	"bytes"
	"fmt"
)

// Merge is m with everything of other put on top, as a PUT of its mapping does. A field's type and most of its settings cannot change.
func (m *Mapping) Merge(other *Mapping) (*Mapping, error) {
	c := m.clone()
	for _, p := range other.opts.params {
		c.opts.params = setParam(c.opts.params, p)
		c.takeRoot(p.name, other)
	}
	if err := c.mergeNode(c.root, other.root); err != nil {
		return nil, err
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	return c, nil
}

// takeRoot copies what a root setting means.
func (m *Mapping) takeRoot(name string, o *Mapping) {
	switch name {
	case "dynamic":
		m.root.Dynamic = o.root.Dynamic
	case "enabled":
		m.root.Enabled = o.root.Enabled
	case "subobjects":
		m.root.Subobjects = o.root.Subobjects
	case "date_detection":
		m.opts.dateDetection = o.opts.dateDetection
	case "numeric_detection":
		m.opts.numericDetection = o.opts.numericDetection
	case "dynamic_date_formats":
		m.opts.dateFormats = o.opts.dateFormats
	case "dynamic_templates":
		m.opts.templates = mergeTemplates(m.opts.templates, o.opts.templates)
		m.opts.params = setParam(m.opts.params, param{name, dynTemplatesJSON(m.opts.templates)})
	case "_routing":
		m.opts.routingRequired = o.opts.routingRequired
	case "_source":
		m.opts.sourceDisabled = o.opts.sourceDisabled
	}
}

// mergeNode puts the children and settings of src under dst.
func (m *Mapping) mergeNode(dst, src *Node) error {
	for _, p := range src.params {
		switch p.name {
		case "dynamic":
			dst.Dynamic = src.Dynamic
		case "enabled":
			if dst.Enabled != src.Enabled {
				return badf("the [enabled] parameter can't be updated for the object mapping [%s]", dst.Path)
			}
		case "subobjects":
			dst.Subobjects = src.Subobjects
		}
		dst.params = setParam(dst.params, p)
	}
	for _, k := range src.names() {
		in := src.children[k]
		have, ok := dst.children[k]
		var err error
		switch {
		case !ok:
			err = m.graft(dst, k, in)
		case have.node != nil && in.node != nil:
			if have.node.Nested != in.node.Nested {
				return illegalf("can't merge a nested mapping [%s] with a non-nested mapping", have.node.Path)
			}
			err = m.mergeNode(have.node, in.node)
		case have.field != nil && in.field != nil:
			err = m.mergeField(dst, k, have.field, in.field)
		case have.node != nil:
			err = illegalf("can't merge a non object mapping [%s] with an object mapping", have.node.Path)
		default:
			err = illegalf("can't merge a non object mapping [%s] with an object mapping", have.field.Path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// graft puts a subtree that is new under dst.
func (m *Mapping) graft(dst *Node, key string, in child) error {
	if in.field != nil {
		dst.children[key] = child{field: m.add(in.field.copyNew())}
		return nil
	}
	n := *in.node
	n.children = map[string]child{}
	dst.children[key] = child{node: &n}
	for _, k := range in.node.names() {
		if err := m.graft(&n, k, in.node.children[k]); err != nil {
			return err
		}
	}
	return nil
}

// copyNew is a copy of f and its multi-fields that a mapping may number.
func (f *Field) copyNew() *Field {
	c := *f
	c.Multi = nil
	for _, s := range f.Multi {
		c.Multi = append(c.Multi, s.copyNew())
	}
	return &c
}

// changeable are the settings a PUT may change on a field that exists.
var changeable = [...]string{"ignore_above", "ignore_malformed", "coerce", "meta", "copy_to", "boost", "search_analyzer", "search_quote_analyzer",
	"fielddata", "fielddata_frequency_filter", "eager_global_ordinals", "null_value", "split_queries_on_whitespace", "depth_limit", "path", "script",
	"value", "ignore_z_value", "time_series_metric", "synthetic_source_keep", "on_script_error"}

// mergeField puts the settings of in on top of have.
func (m *Mapping) mergeField(dst *Node, key string, have, in *Field) error {
	if have.TypeName != in.TypeName {
		return illegalf("mapper [%s] cannot be changed from type [%s] to [%s]", have.Path, have.TypeName, in.TypeName)
	}
	if err := have.conflicts(in); err != nil {
		return err
	}
	f := in.copyNew()
	f.Multi = nil
	for _, s := range have.Multi {
		f.Multi = append(f.Multi, s)
	}
	for _, s := range in.Multi {
		if err := f.mergeMulti(s); err != nil {
			return err
		}
	}
	if have.Type == ConstantKeyword && in.Constant == nil {
		f.Constant = have.Constant
	}
	dst.children[key] = child{field: m.add(f)}
	return nil
}

func (f *Field) mergeMulti(s *Field) error {
	for i, h := range f.Multi {
		if h.Path != s.Path {
			continue
		}
		if h.TypeName != s.TypeName {
			return illegalf("mapper [%s] cannot be changed from type [%s] to [%s]", h.Path, h.TypeName, s.TypeName)
		}
		if err := h.conflicts(s); err != nil {
			return err
		}
		f.Multi[i] = s.copyNew()
		return nil
	}
	f.Multi = append(f.Multi, s.copyNew())
	return nil
}

// conflicts names the first setting that cannot be changed.
func (f *Field) conflicts(in *Field) error {
	names := map[string]bool{}
	for _, p := range f.params {
		names[p.name] = true
	}
	for _, p := range in.params {
		names[p.name] = true
	}
	for _, c := range changeable {
		delete(names, c)
	}
	for n := range names {
		a, b := f.Param(n), in.Param(n)
		if n == "value" && a == nil || bytes.Equal(a, b) || f.meaning(n) == in.meaning(n) {
			continue
		}
		return illegalf("Mapper for [%s] conflicts with existing mapper:\n\tCannot update parameter [%s] from [%s] to [%s]", f.Path, n, f.meaning(n), in.meaning(n))
	}
	return nil
}

// meaning is the value a setting has, given or not, as text.
func (f *Field) meaning(name string) string {
	switch name {
	case "index":
		return fmt.Sprint(f.Index)
	case "doc_values":
		return fmt.Sprint(f.DocValues)
	case "analyzer":
		return orDefault(f.Analyzer)
	case "normalizer":
		return orDefault(f.Normalizer)
	case "format":
		if f.Format != nil {
			return f.Format.Spec
		}
	case "scaling_factor":
		return fmt.Sprint(f.ScalingFactor)
	}
	b := f.Param(name)
	if b == nil {
		return "default"
	}
	return string(bytes.Trim(b, `"`))
}

func orDefault(s string) string {
	if s == "" {
		return "default"
	}
	return s
}
