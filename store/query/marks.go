package query

import (
	"slices"

	"github.com/weirlog/weir/store/analysis"
)

// Marks are the places of a field's values that a query matched: what is highlighted.
type Marks struct {
	tokens   map[string]bool
	patterns []*tokensNode
	phrases  []*phraseNode
	values   []*valueTest
}

// Span is a half-open range of bytes of a value.
type Span struct{ Start, End int }

// Marks gathers, by column, what the plan looks for in values. Clauses of must_not are left out.
func (p *Plan) Marks() map[string]*Marks {
	out := map[string]*Marks{}
	gatherMarks(p.root, out)
	return out
}

func gatherMarks(n node, out map[string]*Marks) {
	of := func(path string) *Marks {
		if out[path] == nil {
			out[path] = &Marks{tokens: map[string]bool{}}
		}
		return out[path]
	}
	switch n := n.(type) {
	case scoredNode:
		gatherMarks(n.node, out)
	case boostedNode:
		gatherMarks(n.node, out)
	case *boostingNode:
		gatherMarks(n.node, out)
	case *disMaxNode:
		gatherMarks(n.boolNode, out)
	case interface{ marked() node }:
		gatherMarks(n.marked(), out)
	case *boolNode:
		for _, list := range [][]node{n.and, n.should} {
			for _, c := range list {
				gatherMarks(c, out)
			}
		}
	case *tokenNode:
		of(n.path).tokens[string(n.token)] = true
	case *tokensNode:
		of(n.path).patterns = append(of(n.path).patterns, n)
	case *phraseNode:
		of(n.path).phrases = append(of(n.path).phrases, n)
	case *valuesNode:
		of(n.path).values = append(of(n.path).values, n.test)
	}
}

// Merge adds what o looks for: for fields that are marked whatever field a clause was for.
func (m *Marks) Merge(o *Marks) {
	for t := range o.tokens {
		m.tokens[t] = true
	}
	m.patterns = append(m.patterns, o.patterns...)
	m.phrases = append(m.phrases, o.phrases...)
	m.values = append(m.values, o.values...)
}

// NewMarks marks nothing.
func NewMarks() *Marks { return &Marks{tokens: map[string]bool{}} }

// Whole tells whether a keyword value, encoded as its column holds it, matched.
func (m *Marks) Whole(value []byte) bool {
	return slices.ContainsFunc(m.values, func(t *valueTest) bool { return t.match(value) })
}

// Find lists the matched words of an analysed text, ascending and disjoint.
func (m *Marks) Find(text []byte, a *analysis.Analyzer) []Span {
	var out []Span
	type place struct {
		span Span
		pos  int
	}
	at := make([][][]place, len(m.phrases)) // by phrase and term
	for i, ph := range m.phrases {
		at[i] = make([][]place, len(ph.terms))
	}
	a.Tokens(text, func(tok analysis.Token) {
		span := Span{tok.Start, tok.End}
		if m.hasToken(tok.Term) {
			out = append(out, span)
		}
		for i, ph := range m.phrases {
			for j := range ph.terms {
				if t := &ph.terms[j]; t.fits(tok.Term) {
					at[i][j] = append(at[i][j], place{span, tok.Pos})
				}
			}
		}
	})
	for i, ph := range m.phrases {
		positions := make([][]int, len(ph.terms))
		for j, list := range at[i] {
			for _, p := range list {
				positions[j] = append(positions[j], p.pos)
			}
		}
		for _, first := range at[i][0] {
			start := first.pos - ph.terms[0].pos
			exact := fitsAt(ph.terms, positions, start)
			if !exact && (ph.slop == 0 || !phraseFits(ph.terms, positions, ph.slop)) {
				continue
			}
			for j, list := range at[i] {
				for _, p := range list {
					if !exact || p.pos-ph.terms[j].pos == start {
						out = append(out, p.span)
					}
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Span) int { return a.Start - b.Start })
	return slices.Compact(out)
}

func (m *Marks) hasToken(term []byte) bool {
	if m.tokens[string(term)] {
		return true
	}
	return slices.ContainsFunc(m.patterns, func(n *tokensNode) bool {
		return len(term) >= len(n.prefix) && string(term[:len(n.prefix)]) == string(n.prefix) && (n.match == nil || n.match(term))
	})
}
