package query

import (
	"bytes"
	"slices"
	"strings"

	"github.com/weirlog/weir/store/mapping"
)

// field is the mapped field of a name, nil when there is none.
func (p *planner) field(name string) *mapping.Field {
	if p.Mapping == nil {
		return nil
	}
	f := p.Mapping.Field(name)
	if f == nil || f.Type.Kind() == mapping.NoColumn {
		return nil
	}
	return f
}

// fieldsLike lists the searchable fields whose path fits a pattern with stars, in order of path.
func (p *planner) fieldsLike(pattern string) []string {
	if !strings.Contains(pattern, "*") {
		return []string{pattern}
	}
	var out []string
	if p.Mapping == nil {
		return nil
	}
	p.Mapping.Each(func(f *mapping.Field) {
		if f.Type.Kind() != mapping.NoColumn && f.Index && Glob(pattern, f.Path) {
			out = append(out, f.Path)
		}
	})
	return out
}

// metadata plans a test on a field that every document has by itself; ok is false for other names.
func (p *planner) metadata(field string, match func(value string) bool, exact []string) (n node, ok bool) {
	switch field {
	case "_index":
		if match(p.Index) {
			return allNode{}, true
		}
		return noneNode{}, true
	case "_id":
		if exact != nil {
			return newIDsNode(exact), true
		}
		return &valuesNode{field, &valueTest{pred: func(v []byte) bool { return match(string(v)) }}}, true
	case "_ignored", "_routing":
		if exact != nil {
			values := make([][]byte, len(exact))
			for i, v := range exact {
				values[i] = []byte(v)
			}
			return &valuesNode{field, exactly(values...)}, true
		}
		return &valuesNode{field, &valueTest{pred: func(v []byte) bool { return match(string(v)) }}}, true
	}
	return nil, false
}

func newIDsNode(ids []string) node {
	if len(ids) == 0 {
		return noneNode{}
	}
	n := &idsNode{ids: make(map[string]struct{}, len(ids))}
	for _, id := range ids {
		n.ids[id] = struct{}{}
	}
	return n
}

// equals matches documents with one of the values, as they stand: what term and terms mean.
func (p *planner) equals(name string, values []string, fold bool) (node, error) {
	match := func(v string) bool {
		return slices.ContainsFunc(values, func(w string) bool { return v == w || fold && strings.EqualFold(v, w) })
	}
	exact := values
	if fold {
		exact = nil
	}
	if n, ok := p.metadata(name, match, exact); ok {
		return n, nil
	}
	f := p.field(name)
	if f == nil {
		return noneNode{}, nil
	}
	switch f.Type.Kind() {
	case mapping.Words:
		return p.equalTokens(f, values, fold), nil
	case mapping.Numbers:
		return p.equalNumbers(f, values)
	case mapping.Values:
		return p.equalKeywords(f, values, fold)
	}
	return nil, shardf("failed to create query: Field [%s] of type [%s] does not support this query", f.Path, f.TypeName)
}

func (p *planner) equalTokens(f *mapping.Field, values []string, fold bool) node {
	var any []node
	for _, v := range values {
		if fold {
			any = append(any, &tokensNode{path: f.Path, match: func(t []byte) bool { return bytes.EqualFold(t, []byte(v)) }})
		} else {
			any = append(any, &tokenNode{f.Path, []byte(v)})
		}
	}
	return combine(nil, any, nil, 1)
}

func (p *planner) equalNumbers(f *mapping.Field, values []string) (node, error) {
	var spans []span
	for _, v := range values {
		s, err := p.numberSpan(f, v)
		if err != nil {
			return nil, err
		}
		spans = append(spans, s)
	}
	return newNumbersNode(f.Path, spans), nil
}

func (p *planner) equalKeywords(f *mapping.Field, values []string, fold bool) (node, error) {
	var exact [][]byte
	var any []node
	for _, v := range values {
		if f.Type == mapping.IP && strings.Contains(v, "/") {
			lo, hi, err := mapping.ParseCIDR(v)
			if err != nil {
				return nil, shardf("failed to create query: %s", err)
			}
			any = append(any, &valuesNode{f.Column(), &valueTest{lo: lo[:], hi: hi[:]}})
			continue
		}
		b, err := p.keyword(f, v)
		if err != nil {
			return nil, err
		}
		if fold && f.Type != mapping.IP {
			any = append(any, p.values(f, &valueTest{pred: func(x []byte) bool { return bytes.EqualFold(x, b) }}))
			continue
		}
		exact = append(exact, b)
	}
	if exact != nil {
		any = append(any, p.values(f, exactly(exact...)))
	}
	return combine(nil, any, nil, 1), nil
}

// values is a test on a keyword-like column; for a constant_keyword it is decided here.
func (p *planner) values(f *mapping.Field, t *valueTest) node {
	if f.Type == mapping.ConstantKeyword {
		if f.Constant != nil && t.match(f.Constant) {
			return allNode{}
		}
		return noneNode{}
	}
	return &valuesNode{f.Column(), t}
}

// pattern is a test on single values: prefix, wildcard, regexp, fuzzy.
type pattern struct {
	query  string // name for errors
	prefix string // every match starts with it
	match  func(value []byte) bool
	max    int // tokens of a text field looked at, 0: all
}

// fitting matches documents with a value (of a text field: a token) that fits the pattern.
func (p *planner) fitting(name string, t pattern) (node, error) {
	test := func(v string) bool {
		return strings.HasPrefix(v, t.prefix) && (t.match == nil || t.match([]byte(v)))
	}
	if n, ok := p.metadata(name, test, nil); ok {
		return n, nil
	}
	f := p.field(name)
	if f == nil {
		return noneNode{}, nil
	}
	switch {
	case f.Type.IsText():
		return &tokensNode{path: f.Path, prefix: []byte(t.prefix), match: t.match, max: t.max}, nil
	case f.Type.Kind() == mapping.Values && f.Type != mapping.IP && f.Type != mapping.Version:
		return p.values(f, p.keyed(f, &valueTest{prefix: []byte(t.prefix), pred: t.match})), nil
	case f.Type == mapping.Version:
		return p.values(f, &valueTest{pred: func(v []byte) bool { return test(mapping.VersionText(v)) }}), nil
	}
	return nil, shardf("Can only use %s queries on keyword, text and wildcard fields - not on [%s] which is of type [%s]", t.query, name, f.TypeName)
}

// keyed narrows a test to one key of a flattened field.
func (p *planner) keyed(f *mapping.Field, t *valueTest) *valueTest {
	if f.Key == "" {
		return t
	}
	key := append([]byte(f.Key), 0)
	k := &valueTest{prefix: append(bytes.Clone(key), t.prefix...)}
	inner := *t
	inner.prefix = nil
	k.pred = func(v []byte) bool { return inner.match(v[len(key):]) }
	return k
}

// normalized is a pattern's text as the field's values are normalized.
func (p *planner) normalized(name, text string) string {
	if f := p.field(name); f != nil && f.Type == mapping.Keyword {
		return string(f.Normalize([]byte(text)))
	}
	return text
}

// exists matches documents with a value in the field or in any field below it.
func (p *planner) exists(name string) (node, error) {
	switch name {
	case "_id", "_index", "_source", "_seq_no", "_version":
		if name == "_source" {
			return nil, shardf("failed to create query: Cannot run exists query on [_source]")
		}
		return allNode{}, nil
	case "_ignored", "_routing":
		return &presentNode{name}, nil
	}
	if p.Mapping == nil {
		return noneNode{}, nil
	}
	if strings.Contains(name, "*") {
		return p.existsAny(func(path string) bool { return Glob(name, path) })
	}
	if f := p.Mapping.Field(name); f != nil {
		return p.present(f), nil
	}
	return p.existsAny(func(path string) bool { return strings.HasPrefix(path, name) && path[len(name)] == '.' })
}

func (p *planner) present(f *mapping.Field) node {
	switch {
	case f.Type == mapping.ConstantKeyword:
		if f.Constant != nil {
			return allNode{}
		}
		return noneNode{}
	case f.Type == mapping.GeoPoint:
		return &presentNode{f.Path + ".lat"}
	case f.Key != "":
		return &valuesNode{f.Column(), &valueTest{prefix: append([]byte(f.Key), 0)}}
	case f.Type.Kind() == mapping.NoColumn:
		return noneNode{}
	}
	return &presentNode{f.Path}
}

func (p *planner) existsAny(fits func(path string) bool) (node, error) {
	var any []node
	p.Mapping.Each(func(f *mapping.Field) {
		if fits(f.Path) && f.Type != mapping.Alias {
			any = append(any, p.present(f))
		}
	})
	if len(any) > maxClauses {
		return nil, tooManyClauses()
	}
	return combine(nil, any, nil, 1), nil
}

// Glob tells whether name fits a pattern in which * stands for any text.
func Glob(pattern, name string) bool {
	star, back := -1, 0
	i := 0
	for j := 0; j < len(name); {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, back = i, j
			i++
		case i < len(pattern) && pattern[i] == name[j]:
			i++
			j++
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	for i < len(pattern) && pattern[i] == '*' {
		i++
	}
	return i == len(pattern)
}
