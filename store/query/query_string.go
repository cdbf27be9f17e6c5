package query

import (
	"strconv"
	"strings"
)

// queryString is query_string: Lucene's classic syntax.
type queryString struct {
	base
	root         *luceneNode
	and          bool // default_operator
	fields       []fieldBoost
	typ          string
	tie          float32
	analyzer     string
	lenient      *bool
	phraseSlop   int
	fuzziness    string
	fuzzyPrefix  int
	fuzzyMax     int
	min          string
	noLeadingAny bool
	zone         string
}

func parseQueryString(d *decoder, name string, n *Node) (Query, error) {
	q := &queryString{typ: "best_fields", fuzziness: "AUTO", fuzzyMax: maxExpansions}
	var text, defaultField string
	and, found := false, false
	err := q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "query":
			found = true
			return scalar(name, key, v, &text)
		case "default_field":
			return scalar(name, key, v, &defaultField)
		case "fields":
			q.fields, err = fieldBoosts(v)
			return true, err
		case "default_operator":
			var op string
			ok, err := oneOf(name, key, v, &op, "and", "or")
			and = op == "and"
			return ok, err
		case "lenient":
			q.lenient = new(bool)
			return flag(name, key, v, q.lenient)
		case "allow_leading_wildcard":
			ok, err := flag(name, key, v, &q.noLeadingAny)
			q.noLeadingAny = !q.noLeadingAny
			return ok, err
		}
		return q.option(name, key, v)
	})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, n.Errorf("[query_string] must be provided with a [query]")
	case defaultField != "" && len(q.fields) > 0:
		return nil, badf("addValidationError: [query_string] cannot use [fields] parameter in conjunction with [default_field]")
	case defaultField != "":
		f, err := fieldBoostOf(defaultField)
		if err != nil {
			return nil, n.Errorf("[query_string] bad [default_field]")
		}
		q.fields = []fieldBoost{f}
	}
	q.and = and
	q.root, err = parseLucene(text, and)
	return q, err
}

// option reads the parameters that change how words are read.
func (q *queryString) option(name, key string, v *Node) (bool, error) {
	switch key {
	case "analyzer":
		return scalar(name, key, v, &q.analyzer)
	case "type":
		return oneOf(name, key, v, &q.typ, "best_fields", "most_fields", "cross_fields", "phrase", "phrase_prefix", "bool_prefix")
	case "tie_breaker":
		return real(name, key, v, &q.tie)
	case "phrase_slop":
		return number(name, key, v, &q.phraseSlop)
	case "fuzziness":
		return scalar(name, key, v, &q.fuzziness)
	case "fuzzy_prefix_length":
		return number(name, key, v, &q.fuzzyPrefix)
	case "fuzzy_max_expansions":
		return number(name, key, v, &q.fuzzyMax)
	case "minimum_should_match":
		return scalar(name, key, v, &q.min)
	case "time_zone":
		return scalar(name, key, v, &q.zone)
	case "analyze_wildcard", "fuzzy_transpositions", "auto_generate_synonyms_phrase_query", "enable_position_increments",
		"max_determinized_states", "rewrite", "fuzzy_rewrite":
		var s string
		return scalar(name, key, v, &s)
	}
	return false, nil
}

func (q *queryString) plan(p *planner) (node, error) {
	if len(q.root.kids) == 0 {
		return noneNode{}, nil
	}
	n, err := q.group(p, q.root)
	if err != nil {
		return nil, err
	}
	return boost(n, q.boost), nil
}

func (q *queryString) group(p *planner, g *luceneNode) (node, error) {
	var must, should, not []node
	for _, k := range g.kids {
		scoring := p.scoring
		p.scoring = scoring && k.occur != '-'
		n, err := q.clause(p, k)
		p.scoring = scoring
		if err != nil {
			return nil, err
		}
		switch k.occur {
		case '+':
			must = append(must, n)
		case '-':
			not = append(not, n)
		default:
			should = append(should, n)
		}
	}
	need := 0
	if len(must) == 0 && len(should) > 0 {
		need = 1
	}
	if q.min != "" && len(should) > 0 {
		var err error
		if need, err = minimumShouldMatch(q.min, len(should)); err != nil {
			return nil, err
		}
	}
	return boost(combine(must, should, not, need), g.boost), nil
}

func (q *queryString) clause(p *planner, k *luceneNode) (node, error) {
	switch k.op {
	case luceneGroup:
		return q.group(p, k)
	case luceneAll:
		return p.leaf(allNode{}, k.boost), nil
	}
	fields, lenient, err := q.targets(p, k)
	if err != nil {
		return nil, err
	}
	if k.op == luceneExists {
		return p.anyExists(fields, k.boost)
	}
	if k.op == luceneWord || k.op == lucenePhrase {
		return q.words(p, k, fields, lenient)
	}
	var parts []node
	for _, f := range fields {
		n, err := q.pattern(p, k, f.name)
		if err != nil {
			if lenient && lenientError(err) {
				continue
			}
			return nil, err
		}
		parts = append(parts, p.leaf(n, f.boost*k.boost))
	}
	return best(parts, q.tie), nil
}

// targets are the fields a clause looks at.
func (q *queryString) targets(p *planner, k *luceneNode) (fields []fieldBoost, lenient bool, err error) {
	if k.field != "" {
		fields, lenient, err = p.expand([]fieldBoost{{k.field, 1}})
	} else {
		fields, lenient, err = p.expand(q.fields)
	}
	if q.lenient != nil {
		lenient = *q.lenient
	}
	return fields, lenient, err
}

func (p *planner) anyExists(fields []fieldBoost, boost float32) (node, error) {
	var any []node
	for _, f := range fields {
		n, err := p.exists(f.name)
		if err != nil {
			return nil, err
		}
		any = append(any, n)
	}
	return p.leaf(combine(nil, any, nil, 1), boost), nil
}

// words plans a word or a phrase.
func (q *queryString) words(p *planner, k *luceneNode, fields []fieldBoost, lenient bool) (node, error) {
	t := &textQuery{text: k.text, analyzer: q.analyzer, lenient: lenient, expand: maxExpansions}
	typ := q.typ
	switch {
	case k.op == lucenePhrase:
		t.kind, t.slop = kindPhrase, q.phraseSlop
		if s, err := strconv.ParseFloat(k.slop, 64); err == nil && s < 1000 {
			t.slop = int(s)
		}
	case typ == "phrase":
		t.kind = kindPhrase
	case typ == "phrase_prefix":
		t.kind = kindPhrasePrefix
	case typ == "bool_prefix":
		t.kind = kindBoolPrefix
	default:
		t.and = q.and
	}
	n, err := t.bindFields(p, fields, typ, q.tie)
	if err != nil {
		return nil, err
	}
	return boost(n, k.boost), nil
}

// pattern plans a prefix, wildcard, regular expression, fuzzy word or range for one field.
func (q *queryString) pattern(p *planner, k *luceneNode, field string) (node, error) {
	text := q.normalize(p, field, k.text)
	switch k.op {
	case lucenePrefix:
		return p.fitting(field, pattern{query: "prefix", prefix: text})
	case luceneWildcard:
		if q.noLeadingAny && strings.IndexAny(text, "*?") == 0 {
			return nil, shardf("'*' or '?' not allowed as first character in WildcardQuery")
		}
		return p.wildcard(field, text, false)
	case luceneRegexp:
		return p.regexp(field, k.text, "ALL", false)
	case luceneFuzzy:
		fuzz := k.slop
		if fuzz == "AUTO" {
			fuzz = q.fuzziness
		}
		if f, err := strconv.ParseFloat(fuzz, 64); err == nil && f > 0 && f < 1 {
			fuzz = "AUTO"
		}
		return p.fuzzy(field, text, fuzz, q.fuzzyPrefix, q.fuzzyMax, true)
	}
	r := &rangeQuery{field: field, openLo: k.exLo, openHi: k.exHi, zone: q.zone}
	if k.lo != "*" {
		r.lo = &k.lo
	}
	if k.hi != "*" {
		r.hi = &k.hi
	}
	if r.lo == nil && r.hi == nil {
		return p.exists(field)
	}
	return r.bind(p)
}

// normalize gives a pattern the case that the field's tokens have.
func (q *queryString) normalize(p *planner, field, text string) string {
	if f := p.field(field); f != nil && f.Type.IsText() {
		if f.Analyzer == "keyword" || f.Analyzer == "whitespace" {
			return text
		}
		return strings.ToLower(text)
	}
	return p.normalized(field, text)
}

// URLQuery is the parameters that go with ?q=.
type URLQuery struct {
	DefaultField, Operator, Analyzer string
	Lenient                          bool
	AnalyzeWildcard                  bool // has no effect: patterns are always normalized
}

// ParseURLQuery reads the query of a URL, in Lucene's syntax.
func ParseURLQuery(text string, u URLQuery) (Query, error) {
	q := &queryString{base: base{boost: 1}, typ: "best_fields", fuzziness: "AUTO", fuzzyMax: maxExpansions, analyzer: u.Analyzer}
	if u.Lenient {
		q.lenient = &u.Lenient
	}
	if u.DefaultField != "" {
		q.fields = []fieldBoost{{u.DefaultField, 1}}
	}
	var err error
	q.and = strings.EqualFold(u.Operator, "and")
	q.root, err = parseLucene(text, q.and)
	return q, err
}
