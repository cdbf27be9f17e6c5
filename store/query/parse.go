package query

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds of a query.
const (
	maxDepth   = 30    // nesting of bool and its like
	maxClauses = 1024  // leaves of one query, expansions of name patterns included
	maxTerms   = 65536 // values of one terms query
	maxRegexp  = 1000  // characters
)

// Query is a node of a parsed query. It knows no index: plan fits it to one.
type Query interface {
	plan(p *planner) (node, error)
}

// parseFunc reads the value that stands behind the query's name.
type parseFunc func(d *decoder, name string, n *Node) (Query, error)

// table names the queries.
func table() map[string]parseFunc {
	return map[string]parseFunc{
		"match_all":           parseMatchAll,
		"match_none":          parseMatchNone,
		"bool":                parseBool,
		"term":                parseTerm,
		"terms":               parseTerms,
		"ids":                 parseIDs,
		"range":               parseRange,
		"exists":              parseExists,
		"match":               parseMatch,
		"match_phrase":        parseMatchPhrase,
		"match_phrase_prefix": parseMatchPhrasePrefix,
		"match_bool_prefix":   parseMatchBoolPrefix,
		"multi_match":         parseMultiMatch,
		"query_string":        parseQueryString,
		"simple_query_string": parseSimpleQueryString,
		"kql":                 parseKQLQuery,
		"nested":              parseNested,
		"prefix":              parsePrefix,
		"wildcard":            parseWildcard,
		"regexp":              parseRegexp,
		"fuzzy":               parseFuzzy,
		"constant_score":      parseConstantScore,
		"dis_max":             parseDisMax,
		"boosting":            parseBoosting,
		"wrapper":             parseWrapper,
		"geo_bounding_box":    parseGeoBoundingBox,
		"geo_distance":        parseGeoDistance,
		"distance_feature":    parseDistanceFeature,
		"script":              parseScriptQuery,
		"script_score":        parseScriptScore,
		"function_score":      parseFunctionScore,
		"terms_set":           parseTermsSet,
		"span_term":           parseSpan,
		"span_multi":          parseSpan,
		"span_near":           parseSpan,
		"span_or":             parseSpan,
		"span_not":            parseSpan,
		"span_first":          parseSpan,
		"span_containing":     parseSpan,
		"span_within":         parseSpan,
		"field_masking_span":  parseSpan,
	}
}

// Parse reads a query: the JSON object {"term": {...}}.
func Parse(n *Node) (Query, error) {
	d := &decoder{table: table()}
	return d.query(n)
}

// ParseText is Parse of a JSON text.
func ParseText(text string) (Query, error) {
	n, err := ParseJSON(text)
	if err != nil {
		return nil, err
	}
	return Parse(n)
}

// decoder carries the bounds through the recursion.
type decoder struct {
	table   map[string]parseFunc
	depth   int
	clauses int
}

func (d *decoder) query(n *Node) (Query, error) {
	if n.Kind != Object {
		return nil, n.Errorf("[_na] query malformed, must start with start_object")
	}
	if len(n.Keys) == 0 {
		return nil, &Error{Status: 400, Type: "illegal_argument_exception", Reason: "query malformed, empty clause found"}
	}
	if len(n.Keys) > 1 {
		return nil, n.KeyErrorf(1, "[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", n.Keys[0].Name)
	}
	name, v := n.Keys[0].Name, n.Vals[0]
	parse, ok := d.table[name]
	if !ok {
		return nil, d.unknown(n, name)
	}
	if v.Kind != Object {
		return nil, v.Errorf("[%s] query malformed, no start_object after query name", name)
	}
	if d.depth++; d.depth > maxDepth {
		return nil, badf("The nested depth of the query exceeds the maximum nested depth for queries set in [indices.query.bool.max_nested_depth]")
	}
	if d.clauses++; d.clauses > maxClauses {
		return nil, tooManyClauses()
	}
	q, err := parse(d, name, v)
	d.depth--
	return q, err
}

func tooManyClauses() *Error {
	return &Error{Status: 400, Type: "too_many_clauses", Reason: fmt.Sprintf("maxClauseCount is set to %d", maxClauses)}
}

func (d *decoder) unknown(n *Node, name string) error {
	names := make([]string, 0, len(d.table))
	for k := range d.table {
		names = append(names, k)
	}
	e := n.KeyErrorf(0, "unknown query [%s]%s", name, DidYouMean(name, names))
	return e
}

// DidYouMean is " did you mean [x]?" for the names close to what was written, else "".
func DidYouMean(name string, names []string) string {
	type near struct {
		name string
		d    int
	}
	var best []near
	for _, k := range names {
		if d := editDistance(name, k); 2*d < max(len(name), len(k)) {
			best = append(best, near{k, d})
		}
	}
	slices.SortFunc(best, func(a, b near) int {
		if a.d != b.d {
			return a.d - b.d
		}
		return strings.Compare(a.name, b.name)
	})
	switch len(best) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" did you mean [%s]?", best[0].name)
	}
	list := make([]string, len(best))
	for i, b := range best {
		list[i] = b.name
	}
	return fmt.Sprintf(" did you mean any of [%s]?", strings.Join(list, ", "))
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// list reads one query or an array of them.
func (d *decoder) list(n *Node) ([]Query, error) {
	if n.Kind != Array {
		q, err := d.query(n)
		return []Query{q}, err
	}
	out := make([]Query, 0, len(n.Vals))
	for _, v := range n.Vals {
		q, err := d.query(v)
		if err != nil {
			return nil, err
		}
		out = append(out, q)
	}
	return out, nil
}

// base is what every query has.
type base struct {
	boost float32
	name  string
}

// option reads one parameter of a query; ok is false when it has no such parameter.
type option func(key string, v *Node) (ok bool, err error)

// members walks the parameters of a query; boost and _name are taken everywhere.
func (b *base) members(query string, n *Node, opt option) error {
	b.boost = 1
	for i, k := range n.Keys {
		v := n.Vals[i]
		switch k.Name {
		case "boost":
			f, ok := v.Float()
			if !ok {
				return v.Errorf("[%s] failed to parse field [boost]", query)
			}
			if f < 0 {
				return badf("negative [boost] are not allowed in [%s], use a value between 0 and 1 to deboost", v.Str)
			}
			b.boost = float32(f)
			continue
		case "_name":
			b.name = v.Str
			continue
		}
		ok, err := opt(k.Name, v)
		if err != nil {
			return err
		}
		if !ok {
			return n.KeyErrorf(i, "[%s] query does not support [%s]", query, k.Name)
		}
	}
	return nil
}

// field reads {"field": value} or {"field": {short: value, ...}}. Scalars are handed to opt under the name short.
func (b *base) field(query string, n *Node, short string, opt option) (field string, err error) {
	b.boost = 1
	for i, k := range n.Keys {
		v := n.Vals[i]
		if v.Kind != Object && (k.Name == "boost" || k.Name == "_name") {
			if err := b.members(query, &Node{Kind: Object, Keys: n.Keys[i : i+1], Vals: n.Vals[i : i+1], text: n.text}, nil); err != nil {
				return "", err
			}
			continue
		}
		if field != "" {
			return "", n.KeyErrorf(i, "[%s] query doesn't support multiple fields, found [%s] and [%s]", query, field, k.Name)
		}
		field = k.Name
		switch v.Kind {
		case Object:
			err = b.members(query, v, opt)
		case Array:
			return "", v.Errorf("[%s] query does not support arrays", query)
		default:
			_, err = opt(short, v)
		}
		if err != nil {
			return "", err
		}
	}
	if field == "" {
		return "", badf("field name is null or empty")
	}
	return field, nil
}

// scalar takes a string, number or boolean.
func scalar(query, key string, v *Node, dst *string) (bool, error) {
	s, ok := v.Text()
	if !ok {
		return true, v.Errorf("[%s] unknown token [%s] after [%s]", query, v.Kind.token(), key)
	}
	*dst = s
	return true, nil
}

// flag takes a boolean.
func flag(query, key string, v *Node, dst *bool) (bool, error) {
	b, ok := v.Bool()
	if !ok {
		return true, v.Errorf("[%s] Failed to parse value [%s] of [%s] as only [true] or [false] are allowed.", query, v.Str, key)
	}
	*dst = b
	return true, nil
}

// number takes a whole number that is not negative.
func number(query, key string, v *Node, dst *int) (bool, error) {
	i, ok := v.Int()
	if !ok || i < 0 {
		return true, v.Errorf("[%s] failed to parse field [%s]", query, key)
	}
	*dst = i
	return true, nil
}

// real takes a number.
func real(query, key string, v *Node, dst *float32) (bool, error) {
	f, ok := v.Float()
	if !ok {
		return true, v.Errorf("[%s] failed to parse field [%s]", query, key)
	}
	*dst = float32(f)
	return true, nil
}

// oneOf takes one of some words, in any case.
func oneOf(query, key string, v *Node, dst *string, words ...string) (bool, error) {
	s := strings.ToLower(v.Str)
	if !slices.Contains(words, s) {
		return true, v.Errorf("[%s] failed to parse [%s]: unknown value [%s], known are %v", query, key, v.Str, words)
	}
	*dst = s
	return true, nil
}
