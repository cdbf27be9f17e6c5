package xpath

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a document.
const (
	maxDepth = 256
	maxNodes = 100_000
)

// Kind is what a Node is.
type Kind uint8

const (
	Root Kind = iota
	Element
	Attribute
	Text
)

// Node is a part of a document.
type Node struct {
	Kind     Kind
	Prefix   string // of the name, as written
	Name     string // without prefix
	Space    string // address of the name's namespace
	Value    string // of an attribute or a text
	Attrs    []*Node
	Children []*Node
	Parent   *Node

	spaces map[string]string // prefixes declared here
	order  int
}

// Parse reads a document.
func Parse(text string) (*Node, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // the text is UTF-8 already
	root := &Node{Kind: Root}
	at, depth, nodes := root, 0, 0
	for {
		tok, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("XML: %w", err)
		}
		if nodes++; nodes > maxNodes {
			return nil, errors.New("XML: more than 100,000 nodes")
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return nil, errors.New("XML: deeper than 256 levels")
			}
			at = at.open(tok, &nodes)
		case xml.EndElement:
			if at == root || at.Name != tok.Name.Local || at.Prefix != tok.Name.Space {
				return nil, fmt.Errorf("XML: </%s> closes nothing", tok.Name.Local)
			}
			depth--
			at = at.Parent
		case xml.CharData:
			if at != root {
				at.text(string(tok), nodes)
			}
		}
	}
	if at != root {
		return nil, fmt.Errorf("XML: <%s> is not closed", at.Name)
	}
	if root.Top() == nil {
		return nil, errors.New("XML: no element")
	}
	return root, nil
}

// Top is the outermost element.
func (n *Node) Top() *Node {
	for _, c := range n.Children {
		if c.Kind == Element {
			return c
		}
	}
	return nil
}

func (n *Node) open(t xml.StartElement, nodes *int) *Node {
	e := &Node{Kind: Element, Prefix: t.Name.Space, Name: t.Name.Local, Parent: n, order: *nodes}
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "xmlns":
			e.declare(a.Name.Local, a.Value)
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			e.declare("", a.Value)
		default:
			*nodes++
			e.Attrs = append(e.Attrs, &Node{Kind: Attribute, Prefix: a.Name.Space, Name: a.Name.Local, Value: a.Value, Parent: e, order: *nodes})
		}
	}
	e.Space = e.space(e.Prefix)
	for _, a := range e.Attrs {
		if a.Prefix != "" {
			a.Space = e.space(a.Prefix)
		}
	}
	n.Children = append(n.Children, e)
	return e
}

func (n *Node) declare(prefix, url string) {
	if n.spaces == nil {
		n.spaces = map[string]string{}
	}
	n.spaces[prefix] = url
}

// space is the address a prefix stands for at n.
func (n *Node) space(prefix string) string {
	for ; n != nil; n = n.Parent {
		if s, ok := n.spaces[prefix]; ok {
			return s
		}
	}
	return ""
}

// text appends to the text before it when there is one.
func (n *Node) text(s string, order int) {
	if k := len(n.Children); k > 0 && n.Children[k-1].Kind == Text {
		n.Children[k-1].Value += s
		return
	}
	n.Children = append(n.Children, &Node{Kind: Text, Value: s, Parent: n, order: order})
}

// Text is the text in and below n.
func (n *Node) Text() string {
	if n.Kind == Text || n.Kind == Attribute {
		return n.Value
	}
	if len(n.Children) == 1 && n.Children[0].Kind == Text {
		return n.Children[0].Value
	}
	var b strings.Builder
	n.collect(&b)
	return b.String()
}

func (n *Node) collect(b *strings.Builder) {
	for _, c := range n.Children {
		if c.Kind == Text {
			b.WriteString(c.Value)
		} else {
			c.collect(b)
		}
	}
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// String is n as XML; of an attribute, its value.
func (n *Node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *Node) write(b *strings.Builder) {
	switch n.Kind {
	case Attribute:
		b.WriteString(n.Value)
		return
	case Text:
		escape.WriteString(b, n.Value)
		return
	}
	if n.Kind == Element {
		b.WriteString("<" + n.QName())
		for _, a := range n.Attrs {
			b.WriteString(" " + a.QName() + `="` + strings.ReplaceAll(escape.Replace(a.Value), `"`, "&quot;") + `"`)
		}
		if len(n.Children) == 0 {
			b.WriteString("/>")
			return
		}
		b.WriteByte('>')
	}
	for _, c := range n.Children {
		c.write(b)
	}
	if n.Kind == Element {
		b.WriteString("</" + n.QName() + ">")
	}
}

// QName is the name with its prefix.
func (n *Node) QName() string {
	if n.Prefix == "" {
		return n.Name
	}
	return n.Prefix + ":" + n.Name
}

// Strip removes prefixes and namespaces of all names.
func (n *Node) Strip() {
	n.Prefix, n.Space, n.spaces = "", "", nil
	for _, a := range n.Attrs {
		a.Prefix, a.Space = "", ""
	}
	for _, c := range n.Children {
		c.Strip()
	}
}
