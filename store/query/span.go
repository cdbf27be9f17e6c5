package query

import (
	"slices"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

// The span queries match by the places of words in one text field: span_term, span_multi, span_near, span_or, span_not, span_first,
// span_containing, span_within, field_masking_span. A place is a half-open range of positions.

// spanQuery is a tree of spans over one field.
type spanQuery struct {
	base
	root spanner
}

// spanner finds places in the words of one text.
type spanner interface {
	field() string
	// words is a node that every matching row matches.
	words(p *planner, f *mapping.Field) (node, error)
	places(t []spanWord) []place
}

type spanWord struct {
	term string
	pos  int
}

type place struct{ from, to int }

// spanTypes are the parsers by name.
func spanTypes() map[string]func(d *decoder, name string, n *Node) (spanner, error) {
	return map[string]func(d *decoder, name string, n *Node) (spanner, error){
		"span_term": parseSpanTerm, "span_multi": parseSpanMulti, "span_near": parseSpanNear, "span_or": parseSpanOr, "span_not": parseSpanNot,
		"span_first": parseSpanFirst, "span_containing": parseSpanPair, "span_within": parseSpanPair, "field_masking_span": parseSpanMask,
	}
}

func parseSpan(d *decoder, name string, n *Node) (Query, error) {
	root, err := spanTypes()[name](d, name, n)
	q := &spanQuery{root: root, base: base{boost: 1}}
	if b := n.Get("boost"); err == nil && b != nil {
		_, err = real(name, "boost", b, &q.boost)
	}
	return q, err
}

// span reads a clause: an object with one span query.
func (d *decoder) span(n *Node) (spanner, error) {
	if n.Kind != Object || len(n.Keys) != 1 {
		return nil, n.Errorf("span query malformed, must be an object with one query")
	}
	parse, ok := spanTypes()[n.Keys[0].Name]
	if !ok {
		return nil, n.KeyErrorf(0, "[%s] is no span query", n.Keys[0].Name)
	}
	if d.depth++; d.depth > maxDepth {
		return nil, badf("The nested depth of the query exceeds the maximum nested depth for queries set in [indices.query.bool.max_nested_depth]")
	}
	defer func() { d.depth-- }()
	if d.clauses++; d.clauses > maxClauses {
		return nil, tooManyClauses()
	}
	return parse(d, n.Keys[0].Name, n.Vals[0])
}

// spanMembers walks parameters; boost and _name are taken everywhere.
func spanMembers(name string, n *Node, opt option) error {
	var b base
	return b.members(name, n, opt)
}

func (q *spanQuery) plan(p *planner) (node, error) {
	f := p.field(q.root.field())
	if f == nil {
		return noneNode{}, nil
	}
	if f.Type.Kind() != mapping.Words {
		return nil, shardf("failed to create query: can only use span queries on text fields - not on [%s] which is of type [%s]", f.Path, f.TypeName)
	}
	words, err := q.root.words(p, f)
	if err != nil || isNone(words) {
		return words, err
	}
	a, err := p.analyzer(f.Analyzer)
	if err != nil {
		return nil, err
	}
	return p.leaf(&spanNode{words: words, path: f.Path, analyzer: a, root: q.root}, q.boost), nil
}

type spanNode struct {
	words    node
	path     string
	analyzer *analysis.Analyzer
	root     spanner
}

func (n *spanNode) marked() node { return n.words }

func (n *spanNode) open(s *Scan) matcher {
	words := n.words.open(s)
	col, ok := s.src.Field(n.path).(Text)
	if !ok || isNoneMatcher(words) {
		return &noneMatcher{}
	}
	return &spanMatcher{matcher: words, rows: rowMatcher{rows: s.rows, test: func(zone, row int) bool {
		var t []spanWord
		base := 0
		col.Each(zone*ZoneRows+row, func(text []byte) {
			last := base
			n.analyzer.Tokens(text, func(tok analysis.Token) {
				last = base + tok.Pos
				t = append(t, spanWord{string(tok.Term), last})
			})
			base = last + positionGap
		})
		return len(n.root.places(t)) > 0
	}}}
}

// spanMatcher verifies the places in rows that have the words.
type spanMatcher struct {
	matcher
	rows rowMatcher
}

func (m *spanMatcher) and(zone int, sel *Selection) bool {
	return m.matcher.and(zone, sel) && m.rows.and(zone, sel)
}

// spanTerm is one word, or (span_multi) any of many.
type spanTerm struct {
	name  string
	value string
	multi Query
	match func(term []byte) bool
}

func parseSpanTerm(d *decoder, name string, n *Node) (spanner, error) {
	s := &spanTerm{}
	var b base
	var err error
	s.name, err = b.field(name, n, "value", func(key string, v *Node) (bool, error) {
		if key != "value" && key != "term" {
			return false, nil
		}
		return scalar(name, key, v, &s.value)
	})
	return s, err
}

func parseSpanMulti(d *decoder, name string, n *Node) (spanner, error) {
	s := &spanTerm{}
	err := spanMembers(name, n, func(key string, v *Node) (ok bool, err error) {
		if key != "match" {
			return false, nil
		}
		if s.multi, err = d.query(v); err != nil {
			return true, err
		}
		switch q := s.multi.(type) {
		case *prefixQuery:
			s.name = q.field
		case *wildcardQuery:
			s.name = q.field
		case *regexpQuery:
			s.name = q.field
		case *fuzzyQuery:
			s.name = q.field
		default:
			err = v.Errorf("[span_multi] [match] must be of type MultiTermQueryBuilder")
		}
		return true, err
	})
	if err == nil && s.multi == nil {
		err = n.Errorf("[span_multi] must have [match] multi term query clause")
	}
	return s, err
}

func (s *spanTerm) field() string { return s.name }

func (s *spanTerm) words(p *planner, f *mapping.Field) (node, error) {
	if s.multi == nil {
		return &tokenNode{f.Path, []byte(s.value)}, nil
	}
	scoring := p.scoring
	p.scoring = false
	n, err := p.plan(s.multi)
	p.scoring = scoring
	if t, ok := n.(*tokensNode); ok {
		s.match = func(term []byte) bool {
			return len(term) >= len(t.prefix) && string(term[:len(t.prefix)]) == string(t.prefix) && (t.match == nil || t.match(term))
		}
	} else if t, ok := n.(*tokenNode); ok {
		s.match = func(term []byte) bool { return string(term) == string(t.token) }
	} else if err == nil && !isNone(n) {
		err = shardf("failed to create query: [span_multi] does not support this query on field [%s]", s.name)
	}
	return n, err
}

func (s *spanTerm) places(t []spanWord) (out []place) {
	for _, w := range t {
		if s.match != nil && s.match([]byte(w.term)) || s.match == nil && s.multi == nil && w.term == s.value {
			out = append(out, place{w.pos, w.pos + 1})
		}
	}
	return out
}

// spanNear is clauses near each other.
type spanNear struct {
	clauses []spanner
	slop    int
	ordered bool
}

func parseSpanNear(d *decoder, name string, n *Node) (spanner, error) {
	s := &spanNear{ordered: true}
	err := spanMembers(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "clauses":
			s.clauses, err = d.spans(v)
		case "slop":
			if s.slop, ok = v.Int(); !ok {
				err = v.Errorf("[span_near] failed to parse field [slop]")
			}
		case "in_order":
			return flag(name, key, v, &s.ordered)
		default:
			return false, nil
		}
		return true, err
	})
	return s, spanFault(err, name, n, s.clauses)
}

func (d *decoder) spans(n *Node) ([]spanner, error) {
	var out []spanner
	for _, v := range n.Vals {
		s, err := d.span(v)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// spanFault refuses missing clauses and clauses of different fields.
func spanFault(err error, name string, n *Node, clauses []spanner) error {
	if err != nil {
		return err
	}
	if len(clauses) == 0 {
		return n.Errorf("[%s] must include [clauses]", name)
	}
	for _, c := range clauses {
		if c == nil {
			return n.Errorf("[%s] misses a clause", name)
		}
		if c.field() != clauses[0].field() {
			return badf("[%s] clauses must have same field", name)
		}
	}
	return nil
}

func (s *spanNear) field() string { return s.clauses[0].field() }

func (s *spanNear) words(p *planner, f *mapping.Field) (node, error) {
	return spanWords(p, f, s.clauses, true)
}

// spanWords is the conjunction or disjunction of the clauses' words.
func spanWords(p *planner, f *mapping.Field, clauses []spanner, all bool) (node, error) {
	var nodes []node
	for _, c := range clauses {
		n, err := c.words(p, f)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	if all {
		return combine(nodes, nil, nil, 0), nil
	}
	return combine(nil, nodes, nil, 1), nil
}

// maxSpans bounds the combinations looked at in one text.
const maxSpans = 10_000

func (s *spanNear) places(t []spanWord) (out []place) {
	lists := make([][]place, len(s.clauses))
	for i, c := range s.clauses {
		if lists[i] = c.places(t); len(lists[i]) == 0 {
			return nil
		}
	}
	tries := 0
	var walk func(i int, used []place, from, to, width int)
	walk = func(i int, used []place, from, to, width int) {
		if tries++; tries > maxSpans {
			return
		}
		if i == len(lists) {
			if to-from-width <= s.slop {
				out = append(out, place{from, to})
			}
			return
		}
		for _, p := range lists[i] {
			if i > 0 && s.ordered && p.from < used[i-1].to || slices.ContainsFunc(used, func(u place) bool { return p.from < u.to && u.from < p.to }) {
				continue
			}
			f, e := min(from, p.from), max(to, p.to)
			if i == 0 {
				f, e = p.from, p.to
			}
			if w := width + p.to - p.from; e-f-w <= s.slop || !s.ordered {
				walk(i+1, append(used[:len(used):len(used)], p), f, e, w)
			}
		}
	}
	walk(0, nil, 0, 0, 0)
	slices.SortFunc(out, func(a, b place) int { return a.from - b.from })
	return slices.Compact(out)
}

// spanOr is any of its clauses.
type spanOr struct{ clauses []spanner }

func parseSpanOr(d *decoder, name string, n *Node) (spanner, error) {
	s := &spanOr{}
	err := spanMembers(name, n, func(key string, v *Node) (ok bool, err error) {
		if key != "clauses" {
			return false, nil
		}
		s.clauses, err = d.spans(v)
		return true, err
	})
	return s, spanFault(err, name, n, s.clauses)
}

func (s *spanOr) field() string { return s.clauses[0].field() }
func (s *spanOr) words(p *planner, f *mapping.Field) (node, error) {
	return spanWords(p, f, s.clauses, false)
}

func (s *spanOr) places(t []spanWord) (out []place) {
	for _, c := range s.clauses {
		out = append(out, c.places(t)...)
	}
	slices.SortFunc(out, func(a, b place) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return a.to - b.to
	})
	return slices.Compact(out)
}

// spanNot is the places of one clause that have none of another near.
type spanNot struct {
	include, exclude spanner
	pre, post        int
}

func parseSpanNot(d *decoder, name string, n *Node) (spanner, error) {
	s := &spanNot{}
	err := spanMembers(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "include":
			s.include, err = d.span(v)
		case "exclude":
			s.exclude, err = d.span(v)
		case "pre":
			return number(name, key, v, &s.pre)
		case "post":
			return number(name, key, v, &s.post)
		case "dist":
			if _, err := number(name, key, v, &s.pre); err != nil {
				return true, err
			}
			s.post = s.pre
		default:
			return false, nil
		}
		return true, err
	})
	return s, spanFault(err, name, n, []spanner{s.include, s.exclude})
}

func (s *spanNot) field() string { return s.include.field() }
func (s *spanNot) words(p *planner, f *mapping.Field) (node, error) {
	if _, err := s.exclude.words(p, f); err != nil { // span_multi learns its terms there
		return nil, err
	}
	return s.include.words(p, f)
}

func (s *spanNot) places(t []spanWord) []place {
	not := s.exclude.places(t)
	return slices.DeleteFunc(s.include.places(t), func(p place) bool {
		return slices.ContainsFunc(not, func(x place) bool { return x.from < p.to+s.post && p.from-s.pre < x.to })
	})
}

// spanFirst is places that end early in the text.
type spanFirst struct {
	match spanner
	end   int
}

func parseSpanFirst(d *decoder, name string, n *Node) (spanner, error) {
	s := &spanFirst{}
	err := spanMembers(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "match":
			s.match, err = d.span(v)
		case "end":
			return number(name, key, v, &s.end)
		default:
			return false, nil
		}
		return true, err
	})
	return s, spanFault(err, name, n, []spanner{s.match})
}

func (s *spanFirst) field() string                                    { return s.match.field() }
func (s *spanFirst) words(p *planner, f *mapping.Field) (node, error) { return s.match.words(p, f) }
func (s *spanFirst) places(t []spanWord) []place {
	return slices.DeleteFunc(s.match.places(t), func(p place) bool { return p.to > s.end })
}

// spanPair is span_containing and span_within: big places around little ones.
type spanPair struct {
	big, little spanner
	within      bool
}

func parseSpanPair(d *decoder, name string, n *Node) (spanner, error) {
	s := &spanPair{within: name == "span_within"}
	err := spanMembers(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "big":
			s.big, err = d.span(v)
		case "little":
			s.little, err = d.span(v)
		default:
			return false, nil
		}
		return true, err
	})
	return s, spanFault(err, name, n, []spanner{s.big, s.little})
}

func (s *spanPair) field() string { return s.big.field() }
func (s *spanPair) words(p *planner, f *mapping.Field) (node, error) {
	return spanWords(p, f, []spanner{s.big, s.little}, true)
}

func (s *spanPair) places(t []spanWord) []place {
	big, little := s.big.places(t), s.little.places(t)
	if s.within {
		return slices.DeleteFunc(little, func(l place) bool {
			return !slices.ContainsFunc(big, func(b place) bool { return b.from <= l.from && l.to <= b.to })
		})
	}
	return slices.DeleteFunc(big, func(b place) bool {
		return !slices.ContainsFunc(little, func(l place) bool { return b.from <= l.from && l.to <= b.to })
	})
}

// spanMask is field_masking_span, for one and the same field only: positions of two fields say nothing of each other here.
type spanMask struct {
	spanner
	name string
}

func parseSpanMask(d *decoder, name string, n *Node) (spanner, error) {
	s := &spanMask{}
	err := spanMembers(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "query":
			s.spanner, err = d.span(v)
		case "field":
			return scalar(name, key, v, &s.name)
		default:
			return false, nil
		}
		return true, err
	})
	if err = spanFault(err, name, n, []spanner{s.spanner}); err == nil && s.name != s.spanner.field() {
		err = n.Errorf("[field_masking_span] of another field than the query's is not supported")
	}
	return s, err
}
