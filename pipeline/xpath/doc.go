// Package xpath reads XML into trees and answers XPath 1.0 expressions over them.
//
// Parse knows elements, attributes, texts, CDATA, the five named entities and character references. Entities of a document type are
// not expanded: a reference to one is an error. Compile reads an expression once; Eval runs it over a tree:
//
//	root, err := xpath.Parse(text)
//	x, err := xpath.Compile("/order/item[@id='3']/name/text()")
//	v, err := x.Eval(root, nil)
//
// Trees are at most 256 deep and 100,000 nodes wide, and an evaluation takes at most a million steps. The axes child, descendant,
// descendant-or-self, parent, ancestor, self, attribute, following-sibling and preceding-sibling are there, and all functions of XPath 1.0
// but id, lang and those on namespaces' addresses.
package xpath
