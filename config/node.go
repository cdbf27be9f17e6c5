package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxDepth bounds the nesting of a file, maxFile its size, maxNodes what aliases may blow it up to.
const (
	maxDepth = 100
	maxFile  = 16 << 20
	maxNodes = 1 << 20
)

// Kind is what a Node is.
type Kind uint8

const (
	Null Kind = iota
	Scalar
	List
	Map
)

// Node is a value of a YAML file and its place.
type Node struct {
	Kind   Kind
	Pos    Pos
	Text   string // of a Scalar, variables replaced
	Quoted bool   // a Scalar that stood in quotes or as a block: always a string
	List   []*Node
	Keys   []Key // of a Map, in order

	size int // nodes in it, aliases counted each time
}

// Key is one entry of a Map.
type Key struct {
	Name string
	Pos  Pos
	Val  *Node
}

// get is the value of a key, nil without it.
func (n *Node) get(name string) *Node {
	for i := range n.Keys {
		if n.Keys[i].Name == name {
			return n.Keys[i].Val
		}
	}
	return nil
}

// file is one text being read: its lines serve the excerpts of errors.
type file struct {
	name  string
	lines []string
	env   func(string) (string, bool)
	errs  Errors
	keys  map[string]bool // every setting that was asked for; list places as []

	lenient *[]Warning // where unknown settings are told; nil: they are errors
	report  *[]Mention // what became of each setting; nil: nobody asks
}

func newFile(name string, text []byte, env func(string) (string, bool)) *file {
	return &file{name: name, lines: strings.Split(string(text), "\n"), env: env, keys: map[string]bool{}}
}

// fail records a mistake at pos; length is the number of characters to underline.
func (f *file) fail(pos Pos, length int, hint, format string, args ...any) {
	e := &Error{Pos: pos, Msg: fmt.Sprintf(format, args...), Hint: hint, Len: length}
	if pos.Line > 0 && pos.Line <= len(f.lines) {
		e.Text = strings.TrimRight(f.lines[pos.Line-1], "\r")
	}
	f.errs = append(f.errs, e)
}

// parse reads the text into a tree; nil when it is not YAML or empty.
func (f *file) parse(text []byte) *Node {
	if len(text) > maxFile {
		f.fail(Pos{File: f.name}, 1, "", "file has %d bytes, at most %d are read", len(text), maxFile)
		return nil
	}
	doc, err := parser.ParseBytes(text, 0)
	if err != nil {
		f.syntax(err)
		return nil
	}
	if len(doc.Docs) == 0 || doc.Docs[0].Body == nil {
		return &Node{Kind: Map, Pos: Pos{f.name, 1, 1}}
	}
	c := converter{f: f, anchors: map[string]*Node{}}
	n := c.node(doc.Docs[0].Body, 0)
	if n.Kind == Null {
		n.Kind = Map
	}
	return n
}

// syntax turns the parser's complaint into an Error with its place.
func (f *file) syntax(err error) {
	pos := Pos{File: f.name, Line: 1, Col: 1}
	msg := err.Error()
	if te, ok := err.(interface{ GetToken() *token.Token }); ok && te.GetToken() != nil {
		pos = place(f.name, te.GetToken())
	}
	if me, ok := err.(interface{ GetMessage() string }); ok {
		msg = me.GetMessage()
	} else if i := strings.IndexByte(msg, '\n'); i > 0 {
		msg = msg[:i]
	}
	f.fail(pos, 1, "", "not valid YAML: %s", msg)
}

func place(name string, t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{File: name}
	}
	return Pos{name, t.Position.Line, t.Position.Column}
}

// converter turns the parser's nodes into ours.
type converter struct {
	f       *file
	anchors map[string]*Node
	tooMany bool
}

func (c *converter) node(n ast.Node, depth int) *Node {
	out := c.convert(n, depth)
	out.size = 1
	for _, e := range out.List {
		out.size += e.size
	}
	for _, k := range out.Keys {
		out.size += k.Val.size
	}
	if out.size > maxNodes && !c.tooMany {
		c.tooMany = true
		c.f.fail(out.Pos, 1, "", "aliases make more than %d values of this", maxNodes)
	}
	if c.tooMany {
		return &Node{Pos: out.Pos, size: 1}
	}
	return out
}

func (c *converter) convert(n ast.Node, depth int) *Node {
	out := &Node{Pos: place(c.f.name, n.GetToken())}
	if depth > maxDepth {
		c.f.fail(out.Pos, 1, "", "nested more than %d deep", maxDepth)
		return out
	}
	switch v := n.(type) {
	case *ast.MappingNode:
		out.Kind = Map
		for _, e := range v.Values {
			c.entry(out, e, depth)
		}
		if len(out.Keys) > 0 {
			out.Pos = out.Keys[0].Pos
		}
	case *ast.MappingValueNode:
		out.Kind = Map
		c.entry(out, v, depth)
	case *ast.SequenceNode:
		out.Kind = List
		for _, e := range v.Values {
			out.List = append(out.List, c.node(e, depth+1))
		}
	case *ast.AnchorNode:
		out = c.node(v.Value, depth+1)
		c.anchors[v.Name.GetToken().Value] = out
	case *ast.AliasNode:
		if a := c.anchors[v.Value.GetToken().Value]; a != nil {
			return a
		}
		c.f.fail(out.Pos, 1, "", "alias *%s has no anchor", v.Value.GetToken().Value)
	case *ast.TagNode:
		return c.node(v.Value, depth+1)
	case *ast.NullNode:
	case *ast.LiteralNode:
		out.Kind, out.Quoted, out.Text = Scalar, true, v.Value.Value
		c.expand(out)
	case *ast.StringNode:
		out.Kind, out.Text = Scalar, v.Value
		out.Quoted = v.Token.Type == token.SingleQuoteType || v.Token.Type == token.DoubleQuoteType
		c.expand(out)
	default: // numbers, booleans, .inf and .nan: their text is enough
		out.Kind, out.Text = Scalar, n.GetToken().Value
	}
	return out
}

// entry adds one "key: value" to m; a dotted key becomes nested maps, "<<" merges.
func (c *converter) entry(m *Node, e *ast.MappingValueNode, depth int) {
	pos := place(c.f.name, e.Key.GetToken())
	val := c.node(e.Value, depth+1)
	if _, ok := e.Key.(*ast.MergeKeyNode); ok {
		for _, k := range val.Keys {
			if m.get(k.Name) == nil {
				m.Keys = append(m.Keys, k)
			}
		}
		return
	}
	name := e.Key.GetToken().Value
	if s, ok := e.Key.(*ast.StringNode); ok {
		name = s.Value
	}
	c.insert(m, strings.Split(name, "."), name, pos, val)
}

func (c *converter) insert(m *Node, path []string, whole string, pos Pos, val *Node) {
	old := m.get(path[0])
	if len(path) > 1 {
		if old == nil || old.Kind != Map {
			old = &Node{Kind: Map, Pos: pos}
			m.Keys = append(m.Keys, Key{path[0], pos, old})
		}
		c.insert(old, path[1:], whole, pos, val)
		return
	}
	switch {
	case old == nil:
		m.Keys = append(m.Keys, Key{path[0], pos, val})
	case old.Kind == Map && val.Kind == Map: // "a.b: 1" beside "a: {c: 2}"
		for _, k := range val.Keys {
			c.insert(old, []string{k.Name}, whole+"."+k.Name, k.Pos, k.Val)
		}
	default:
		c.f.fail(pos, len(whole), "", "%s is set twice", whole)
	}
}

// Plain is the node as Go values: map[string]any, []any, string, bool, int64, float64 or nil.
func (n *Node) Plain() any {
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Keys))
		for _, k := range n.Keys {
			m[k.Name] = k.Val.Plain()
		}
		return m
	case List:
		l := make([]any, len(n.List))
		for i, e := range n.List {
			l[i] = e.Plain()
		}
		return l
	case Scalar:
		return n.value()
	}
	return nil
}
