package query

import (
	"strconv"
	"strings"

	"github.com/weirlog/weir/store/mapping"
)

// multiMatch is multi_match.
type multiMatch struct {
	base
	textQuery
	fields []fieldBoost
	typ    string
	tie    float32
}

// fieldBoost is a field name, or a pattern, with its weight: "title^3".
type fieldBoost struct {
	name  string
	boost float32
}

func parseMultiMatch(d *decoder, name string, n *Node) (Query, error) {
	q := &multiMatch{textQuery: textQuery{expand: maxExpansions}, typ: "best_fields", tie: -1}
	err := q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "fields":
			q.fields, err = fieldBoosts(v)
			return true, err
		case "type":
			return oneOf(name, key, v, &q.typ, "best_fields", "most_fields", "cross_fields", "phrase", "phrase_prefix", "bool_prefix")
		case "tie_breaker":
			return real(name, key, v, &q.tie)
		}
		return q.parameter(name, key, v)
	})
	if err == nil && n.Get("query") == nil {
		err = n.Errorf("No text specified for multi_match query")
	}
	switch q.typ {
	case "phrase":
		q.kind = kindPhrase
	case "phrase_prefix":
		q.kind = kindPhrasePrefix
	case "bool_prefix":
		q.kind = kindBoolPrefix
	}
	return q, err
}

// fieldBoosts reads "a^2" or ["a", "b*^3"].
func fieldBoosts(v *Node) ([]fieldBoost, error) {
	list := []*Node{v}
	if v.Kind == Array {
		list = v.Vals
	}
	out := []fieldBoost{}
	for _, e := range list {
		if e.Kind != String {
			return nil, e.Errorf("[fields] must be strings")
		}
		f, err := fieldBoostOf(e.Str)
		if err != nil {
			return nil, e.Errorf("[fields] bad boost in [%s]", e.Str)
		}
		out = append(out, f)
	}
	return out, nil
}

func fieldBoostOf(s string) (fieldBoost, error) {
	name, by, ok := strings.Cut(s, "^")
	if !ok {
		return fieldBoost{s, 1}, nil
	}
	b, err := strconv.ParseFloat(by, 32)
	return fieldBoost{name, float32(b)}, err
}

// expand resolves patterns, and the index's default when no field is named. lenient tells that fields were not chosen by name, so
// that values which do not fit one are no error.
func (p *planner) expand(fields []fieldBoost) (out []fieldBoost, lenient bool, err error) {
	if len(fields) == 0 {
		lenient = true
		for _, name := range p.DefaultFields {
			fields = append(fields, fieldBoost{name, 1})
		}
		if len(fields) == 0 {
			fields = []fieldBoost{{"*", 1}}
		}
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if strings.Contains(f.name, "*") {
			lenient = true
		}
		for _, name := range p.fieldsLike(f.name) {
			if !seen[name] {
				seen[name] = true
				out = append(out, fieldBoost{name, f.boost})
			}
		}
	}
	if len(out) > maxClauses {
		return nil, false, shardf("failed to create query: field expansion matches too many fields, limit: %d, got: %d", maxClauses, len(out))
	}
	return out, lenient, nil
}

func (q *multiMatch) plan(p *planner) (node, error) {
	fields, lenient, err := p.expand(q.fields)
	if err != nil {
		return nil, err
	}
	t := q.textQuery
	t.lenient = t.lenient || lenient
	n, err := t.bindFields(p, fields, q.typ, q.tie)
	if err != nil {
		return nil, err
	}
	return boost(n, q.boost), nil
}

// bindFields plans the text for several fields.
func (t *textQuery) bindFields(p *planner, fields []fieldBoost, typ string, tie float32) (node, error) {
	if typ == "cross_fields" {
		return t.cross(p, fields)
	}
	var parts []node
	for _, f := range fields {
		n, err := t.bind(p, f.name, f.boost)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	if typ == "most_fields" || typ == "bool_prefix" {
		return combine(nil, parts, nil, 1), nil
	}
	return best(parts, max(tie, 0)), nil
}

// cross plans the text as if fields of one analyzer were one field: each word may stand in any of them.
func (t *textQuery) cross(p *planner, fields []fieldBoost) (node, error) {
	groups := map[string][]fieldBoost{}
	var order []string
	for _, f := range fields {
		key := ""
		if m := p.field(f.name); m == nil {
			continue
		} else if m.Type.Kind() == mapping.Words {
			key = "text:" + m.Analyzer + ":" + m.SearchAnalyzer
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], f)
	}
	var any []node
	for _, key := range order {
		n, err := t.crossGroup(p, groups[key], key != "")
		if err != nil {
			return nil, err
		}
		any = append(any, n)
	}
	return best(any, 0), nil
}

func (t *textQuery) crossGroup(p *planner, fields []fieldBoost, text bool) (node, error) {
	words := []string{t.text}
	if text {
		a, err := p.searchAnalyzer(p.field(fields[0].name), t.analyzer)
		if err != nil {
			return nil, err
		}
		words = a.Terms(t.text)
	}
	var parts []node
	for _, w := range words {
		var any []node
		for _, f := range fields {
			n, err := p.equals(f.name, []string{w}, false)
			if err != nil {
				if t.lenient && lenientError(err) {
					continue
				}
				return nil, err
			}
			any = append(any, p.leaf(n, f.boost))
		}
		parts = append(parts, best(any, 0))
	}
	if len(parts) == 0 {
		return noneNode{}, nil
	}
	return t.join(parts)
}
