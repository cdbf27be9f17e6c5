package query

import (
	"strings"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

// textQuery is what the match family shares: text that is analysed for a field.
type textQuery struct {
	kind      textKind
	text      string
	and       bool
	min       string // minimum_should_match
	analyzer  string
	fuzziness string // "" for none
	prefix    int
	expand    int
	noSwap    bool
	slop      int
	zeroAll   bool // zero_terms_query: all
	lenient   bool
}

// textKind is how the words of a text must stand.
type textKind uint8

const (
	kindWords textKind = iota
	kindPhrase
	kindPhrasePrefix
	kindBoolPrefix
)

// parameter reads one parameter of the match family.
func (t *textQuery) parameter(query, key string, v *Node) (bool, error) {
	switch key {
	case "query":
		if v.Kind == Null {
			return true, badf("[%s] requires query value", query)
		}
		return scalar(query, key, v, &t.text)
	case "operator":
		var op string
		ok, err := oneOf(query, key, v, &op, "and", "or")
		t.and = op == "and"
		return ok, err
	case "minimum_should_match":
		return scalar(query, key, v, &t.min)
	case "analyzer":
		return scalar(query, key, v, &t.analyzer)
	case "fuzziness":
		return scalar(query, key, v, &t.fuzziness)
	case "prefix_length":
		return number(query, key, v, &t.prefix)
	case "max_expansions":
		return number(query, key, v, &t.expand)
	case "fuzzy_transpositions":
		ok, err := flag(query, key, v, &t.noSwap)
		t.noSwap = !t.noSwap
		return ok, err
	case "fuzzy_rewrite":
		var s string
		return scalar(query, key, v, &s)
	case "slop":
		return number(query, key, v, &t.slop)
	case "zero_terms_query":
		var s string
		ok, err := oneOf(query, key, v, &s, "none", "all")
		t.zeroAll = s == "all"
		return ok, err
	case "lenient":
		return flag(query, key, v, &t.lenient)
	case "auto_generate_synonyms_phrase_query":
		var b bool
		return flag(query, key, v, &b)
	}
	return false, nil
}

// allowed are the parameters of each query of the family.
var allowed = map[string]string{
	"match": " query operator minimum_should_match analyzer fuzziness prefix_length max_expansions fuzzy_transpositions fuzzy_rewrite" +
		" zero_terms_query lenient auto_generate_synonyms_phrase_query ",
	"match_phrase":        " query analyzer slop zero_terms_query ",
	"match_phrase_prefix": " query analyzer slop zero_terms_query max_expansions ",
	"match_bool_prefix": " query analyzer operator minimum_should_match fuzziness prefix_length max_expansions fuzzy_transpositions" +
		" fuzzy_rewrite ",
}

// matchQuery is match, match_phrase, match_phrase_prefix or match_bool_prefix.
type matchQuery struct {
	base
	textQuery
	field string
}

func parseMatch(d *decoder, name string, n *Node) (Query, error) {
	return parseText(name, n, kindWords)
}
func parseMatchPhrase(d *decoder, name string, n *Node) (Query, error) {
	return parseText(name, n, kindPhrase)
}
func parseMatchPhrasePrefix(d *decoder, name string, n *Node) (Query, error) {
	return parseText(name, n, kindPhrasePrefix)
}
func parseMatchBoolPrefix(d *decoder, name string, n *Node) (Query, error) {
	return parseText(name, n, kindBoolPrefix)
}

func parseText(name string, n *Node, kind textKind) (Query, error) {
	q := &matchQuery{textQuery: textQuery{kind: kind, expand: maxExpansions}}
	found := false
	var err error
	q.field, err = q.base.field(name, n, "query", func(key string, v *Node) (bool, error) {
		if !strings.Contains(allowed[name], " "+key+" ") {
			return false, nil
		}
		found = found || key == "query"
		return q.parameter(name, key, v)
	})
	if err == nil && !found {
		err = badf("[%s] requires query value", name)
	}
	return q, err
}

func (q *matchQuery) plan(p *planner) (node, error) {
	return q.textQuery.bind(p, q.field, q.boost)
}

// bind plans the text for one field.
func (t *textQuery) bind(p *planner, field string, boost float32) (node, error) {
	f := p.field(field)
	var n node
	var err error
	switch {
	case f == nil || !f.Type.IsText():
		n, err = t.whole(p, field, f)
		n = leafOrNil(p, n, boost)
	default:
		n, err = t.words(p, f, boost)
	}
	if err != nil && t.lenient && lenientError(err) {
		return noneNode{}, nil
	}
	return n, err
}

func leafOrNil(p *planner, n node, boost float32) node {
	if n == nil {
		return nil
	}
	return p.leaf(n, boost)
}

// whole plans the text as one value of a field that is not analysed.
func (t *textQuery) whole(p *planner, field string, f *mapping.Field) (node, error) {
	keyword := f != nil && f.Type.Kind() == mapping.Values && f.Type != mapping.IP
	switch {
	case keyword && (t.kind == kindPhrasePrefix || t.kind == kindBoolPrefix):
		return p.fitting(field, pattern{query: "prefix", prefix: p.normalized(field, t.text)})
	case keyword && t.fuzziness != "":
		return p.fuzzy(field, p.normalized(field, t.text), t.fuzziness, t.prefix, t.expand, !t.noSwap)
	}
	return p.equals(field, []string{t.text}, false)
}

// words plans the tokens of the text for a text field.
func (t *textQuery) words(p *planner, f *mapping.Field, boostBy float32) (node, error) {
	a, err := p.searchAnalyzer(f, t.analyzer)
	if err != nil {
		return nil, err
	}
	var terms []phraseTerm
	a.Tokens([]byte(t.text), func(tok analysis.Token) {
		terms = append(terms, phraseTerm{token: append([]byte(nil), tok.Term...), pos: tok.Pos})
	})
	if len(terms) > maxClauses {
		return nil, tooManyClauses()
	}
	if len(terms) == 0 {
		if t.zeroAll {
			return p.leaf(allNode{}, boostBy), nil
		}
		return noneNode{}, nil
	}
	if t.kind == kindPhrase || t.kind == kindPhrasePrefix {
		return t.phrase(p, f, terms, boostBy)
	}
	parts, err := t.parts(p, f, terms, boostBy)
	if err != nil {
		return nil, err
	}
	return t.join(parts)
}

// parts plans each token by itself.
func (t *textQuery) parts(p *planner, f *mapping.Field, terms []phraseTerm, boost float32) ([]node, error) {
	parts := make([]node, 0, len(terms))
	for i, term := range terms {
		var n node = &tokenNode{f.Path, term.token}
		switch {
		case t.kind == kindBoolPrefix && i == len(terms)-1:
			n = &tokensNode{path: f.Path, prefix: term.token}
		case t.fuzziness != "":
			var err error
			if n, err = p.fuzzy(f.Path, string(term.token), t.fuzziness, t.prefix, t.expand, !t.noSwap); err != nil {
				return nil, err
			}
		}
		parts = append(parts, p.leaf(n, boost))
	}
	return parts, nil
}

// join makes the operator and minimum_should_match.
func (t *textQuery) join(parts []node) (node, error) {
	if t.and {
		return combine(parts, nil, nil, 0), nil
	}
	need := 1
	if t.min != "" {
		var err error
		if need, err = minimumShouldMatch(t.min, len(parts)); err != nil {
			return nil, err
		}
		need = max(need, 1)
	}
	return combine(nil, parts, nil, need), nil
}

func (t *textQuery) phrase(p *planner, f *mapping.Field, terms []phraseTerm, boost float32) (node, error) {
	if t.kind == kindPhrasePrefix {
		terms[len(terms)-1].prefix = true
	}
	if len(terms) == 1 {
		if terms[0].prefix {
			return p.leaf(&tokensNode{path: f.Path, prefix: terms[0].token, max: t.expand}, boost), nil
		}
		return p.leaf(&tokenNode{f.Path, terms[0].token}, boost), nil
	}
	a, err := p.analyzer(f.Analyzer)
	if err != nil {
		return nil, err
	}
	first := terms[0].pos
	for i := range terms {
		terms[i].pos -= first
	}
	return p.leaf(&phraseNode{path: f.Path, analyzer: a, terms: terms, slop: t.slop}, boost), nil
}
