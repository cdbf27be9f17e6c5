package mapping

import (
	"sort"
	"strings"
)

// Limits of an index's mapping, from its settings.
type Limits struct {
	TotalFields      int  // index.mapping.total_fields.limit, 1,000
	Depth            int  // index.mapping.depth.limit, 20
	IgnoreBeyond     bool // index.mapping.total_fields.ignore_dynamic_beyond_limit
	IgnoreMalformed  bool // index.mapping.ignore_malformed: default of every field but @timestamp
	DynamicNameBytes int  // longest path dynamic mapping makes a field of, 512
}

// DefaultLimits are Elasticsearch's.
func DefaultLimits() Limits { return Limits{TotalFields: 1000, Depth: 20, DynamicNameBytes: 512} }

// Dynamic says what becomes of a key that has no field.
type Dynamic uint8

const (
	Inherit       Dynamic = iota // as the object above
	DynamicTrue                  // a field is made
	DynamicFalse                 // it stays in the document only
	DynamicStrict                // the document is refused
)

// Mapping is the fields of an index. It is immutable and safe for concurrent use.
type Mapping struct {
	root   *Node
	fields []*Field // by Num; concrete fields and multi-fields, without aliases
	byPath map[string]*Field
	opts   options
}

// options are the settings at the root of a mapping.
type options struct {
	dateDetection    bool
	numericDetection bool
	dateFormats      []*DateFormat // dynamic_date_formats
	templates        []dynTemplate
	routingRequired  bool
	sourceDisabled   bool
	params           []param // as given, in order, but for properties
}

// Node is an object of a mapping: the root, or what holds fields.
type Node struct {
	Path       string // "" for the root
	Dynamic    Dynamic
	Enabled    bool
	Subobjects bool
	Nested     bool // kept in the document, not searched
	children   map[string]child
	params     []param
}

// child is one of both.
type child struct {
	node  *Node
	field *Field
}

// New is the empty mapping.
func New() *Mapping {
	return &Mapping{
		root:   &Node{Enabled: true, Subobjects: true, Dynamic: DynamicTrue, children: map[string]child{}},
		byPath: map[string]*Field{},
		opts:   options{dateDetection: true, dateFormats: defaultDynamicDates},
	}
}

// Field is the concrete field of a full path, multi-fields included, with aliases resolved; a path below a flattened field is that
// field with Key set. nil: the path is unmapped (or an object).
func (m *Mapping) Field(path string) *Field {
	if f := m.byPath[path]; f != nil {
		if f.Type == Alias {
			return m.Field(f.Target)
		}
		return f
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != '.' {
			continue
		}
		if f := m.byPath[path[:i]]; f != nil && f.Type == Flattened {
			k := *f
			k.Key = path[i+1:]
			return &k
		}
	}
	return nil
}

// Declared is the field of a path as it stands in the mapping: an alias is not followed.
func (m *Mapping) Declared(path string) *Field { return m.byPath[path] }

// ByNum is the field with a number, nil beyond Len.
func (m *Mapping) ByNum(n int) *Field {
	if n < 0 || n >= len(m.fields) {
		return nil
	}
	return m.fields[n]
}

// Len is one more than the highest field number.
func (m *Mapping) Len() int { return len(m.fields) }

// Each calls f for every field, multi-fields and aliases included, by path.
func (m *Mapping) Each(f func(*Field)) {
	paths := make([]string, 0, len(m.byPath))
	for p := range m.byPath {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for _, p := range paths {
		f(m.byPath[p])
	}
}

// Objects calls f for every object below the root, by path.
func (m *Mapping) Objects(f func(*Node)) { m.root.each(f) }

// Object is the object of a path, nil when there is none.
func (m *Mapping) Object(path string) *Node {
	n := m.root
	if path == "" {
		return n
	}
	for _, part := range strings.Split(path, ".") {
		c := n.children[part]
		if c.node == nil {
			return nil
		}
		n = c.node
	}
	return n
}

// RoutingRequired reports `_routing.required`.
func (m *Mapping) RoutingRequired() bool { return m.opts.routingRequired }

// SourceDisabled reports `_source.enabled: false`.
func (m *Mapping) SourceDisabled() bool { return m.opts.sourceDisabled }

func (n *Node) each(f func(*Node)) {
	for _, k := range n.names() {
		if c := n.children[k]; c.node != nil {
			f(c.node)
			c.node.each(f)
		}
	}
}

// names are the keys of the children in order.
func (n *Node) names() []string {
	names := make([]string, 0, len(n.children))
	for k := range n.children {
		names = append(names, k)
	}
	sort.Strings(names)
	return names
}

// clone is a copy whose tree may be changed; fields are shared.
func (m *Mapping) clone() *Mapping {
	c := &Mapping{root: m.root.clone(), fields: append([]*Field(nil), m.fields...), byPath: make(map[string]*Field, len(m.byPath)+8), opts: m.opts}
	for p, f := range m.byPath {
		c.byPath[p] = f
	}
	c.opts.templates = append([]dynTemplate(nil), m.opts.templates...)
	c.opts.params = append([]param(nil), m.opts.params...)
	return c
}

func (n *Node) clone() *Node {
	c := *n
	c.children = make(map[string]child, len(n.children)+1)
	for k, ch := range n.children {
		if ch.node != nil {
			ch.node = ch.node.clone()
		}
		c.children[k] = ch
	}
	return &c
}

// add registers a field of a mapping under construction and its multi-fields; one with the same path keeps its number.
func (m *Mapping) add(f *Field) *Field {
	if f.Type != Alias {
		if old := m.byPath[f.Path]; old != nil && old.Type != Alias {
			f.Num = old.Num
			m.fields[f.Num] = f
		} else {
			f.Num = len(m.fields)
			m.fields = append(m.fields, f)
		}
	}
	m.byPath[f.Path] = f
	for _, s := range f.Multi {
		m.add(s)
	}
	return f
}

// object finds or makes the object of a path.
func (m *Mapping) object(path string) (*Node, error) {
	n := m.root
	if path == "" {
		return n, nil
	}
	for i, part := range strings.Split(path, ".") {
		c, ok := n.children[part]
		if ok && c.node == nil {
			return nil, badf("can't merge a non object mapping [%s] with an object mapping", c.field.Path)
		}
		if !ok {
			p := part
			if i > 0 {
				p = n.Path + "." + part
			}
			c = child{node: &Node{Path: p, Enabled: true, Subobjects: true, children: map[string]child{}}}
			n.children[part] = c
		}
		n = c.node
	}
	return n, nil
}

// finish checks aliases and marks the targets of copy_to.
func (m *Mapping) finish() error {
	for _, f := range m.byPath {
		if f.Type == Alias {
			t := m.byPath[f.Target]
			if t == nil || t.Type == Alias {
				return badf("Invalid [path] value [%s] for field alias [%s]: an alias must refer to an existing field in the mappings.", f.Target, f.Path)
			}
		}
	}
	for _, f := range m.fields {
		for _, to := range f.CopyTo {
			if t := m.byPath[to]; t != nil && !t.Copied {
				c := *t
				c.Copied = true
				m.replace(&c)
			}
		}
	}
	return nil
}

// replace puts f in the place of the field with its path.
func (m *Mapping) replace(f *Field) {
	m.byPath[f.Path] = f
	if f.Type != Alias {
		m.fields[f.Num] = f
	}
	if f.Parent != "" {
		p := *m.byPath[f.Parent]
		p.Multi = append([]*Field(nil), p.Multi...)
		for i, s := range p.Multi {
			if s.Path == f.Path {
				p.Multi[i] = f
			}
		}
		m.replace(&p)
		return
	}
	n := m.root
	parts := strings.Split(f.Path, ".")
	for i := 0; i < len(parts); i++ {
		if c, ok := n.children[strings.Join(parts[i:], ".")]; ok && c.field != nil { // subobjects: false keeps dotted names
			n.children[strings.Join(parts[i:], ".")] = child{field: f}
			return
		}
		c := n.children[parts[i]]
		if c.node == nil {
			n.children[parts[i]] = child{field: f}
			return
		}
		n = c.node
	}
}

// Numbered is m with the field numbers it had when paths listed its fields by number. Fields that are not listed come behind.
func (m *Mapping) Numbered(paths []string) (*Mapping, error) {
	c := m.clone()
	old := c.fields
	c.fields = make([]*Field, 0, len(old))
	placed := make(map[string]bool, len(paths))
	renumber := func(f *Field) {
		n := *f
		n.Num = len(c.fields)
		c.fields = append(c.fields, &n)
		placed[f.Path] = true
	}
	for _, p := range paths {
		f := m.byPath[p]
		if f == nil || f.Type == Alias || placed[p] {
			return nil, illegalf("mapping lacks the field [%s]", p)
		}
		renumber(f)
	}
	for _, f := range old {
		if !placed[f.Path] {
			renumber(f)
		}
	}
	for _, multi := range []bool{false, true} { // a multi-field is put into its parent's list, so parents go first
		for _, f := range c.fields {
			if (f.Parent != "") == multi {
				c.replace(f)
			}
		}
	}
	return c, nil
}
