package query

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirlog/weir/store/mapping"
)

// KQLOptions are what the reading of a text depends on besides itself.
type KQLOptions struct {
	Mapping  *mapping.Mapping // nil: types are unknown; a field match is then a match query
	TimeZone string           // of dates without one, "" for UTC
	Cursor   int              // UTF-16 offset at which to complete; -1: none
	Names    []string         // fields to complete from; nil: those of Mapping
}

// KQL is a text that was read. Offsets count UTF-16 units.
type KQL struct {
	Tokens   []KQLToken      `json:"tokens"`
	Hints    []KQLHint       `json:"hints"`
	Error    *KQLError       `json:"error"`
	DSL      json.RawMessage `json:"dsl,omitempty"`      // the query, empty after an error
	Words    []string        `json:"words,omitempty"`    // what is searched for, to be marked in lines
	Complete *KQLComplete    `json:"complete,omitempty"` // nil without a cursor
}

// ParseKQL reads a text in the Kibana Query Language and some more: what Kibana refuses and can only mean one thing is read so, with a
// hint.
func ParseKQL(text string, o KQLOptions) KQL {
	p := &kqlParser{text: text}
	root, err := p.parse()
	k := KQL{Tokens: append([]KQLToken{}, p.tokens...), Hints: append([]KQLHint{}, p.hints...), Error: err}
	if err == nil {
		w := &kqlWriter{o: o}
		w.node(root, "")
		k.DSL, k.Words = w.dst, w.words
		if w.err != nil {
			k.Error, k.DSL = w.err, nil
		}
	}
	if o.Cursor >= 0 {
		k.Complete = completeKQL(text, byteOffset(text, o.Cursor))
		k.Complete.suggest(&o)
	}
	k.toUTF16(text)
	return k
}

// Query is the parsed query.
func (k *KQL) Query() (Query, error) {
	if k.Error != nil {
		return nil, badf("failed to parse KQL: %s", k.Error)
	}
	return ParseText(string(k.DSL))
}

// toUTF16 turns byte offsets into what browsers count.
func (k *KQL) toUTF16(text string) {
	slices.SortStableFunc(k.Tokens, func(a, b KQLToken) int { return a.From - b.From })
	at := utf16Offsets(text)
	for i := range k.Tokens {
		k.Tokens[i].From, k.Tokens[i].To = at(k.Tokens[i].From), at(k.Tokens[i].To)
	}
	for i := range k.Hints {
		k.Hints[i].From, k.Hints[i].To = at(k.Hints[i].From), at(k.Hints[i].To)
	}
	if k.Error != nil {
		k.Error.At = at(k.Error.At)
	}
	if k.Complete != nil {
		k.Complete.From, k.Complete.To = at(k.Complete.From), at(k.Complete.To)
	}
}

// utf16Offsets answers the UTF-16 offset of a byte offset.
func utf16Offsets(text string) func(i int) int {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return func(i int) int {
				n := 0
				for _, r := range text[:min(i, len(text))] {
					n += max(1, utf16.RuneLen(r))
				}
				return n
			}
		}
	}
	return func(i int) int { return i }
}

// byteOffset is the inverse of utf16Offsets.
func byteOffset(text string, units int) int {
	n := 0
	for i, r := range text {
		if n >= units {
			return i
		}
		n += max(1, utf16.RuneLen(r))
	}
	return len(text)
}

// kqlWriter prints the DSL of a tree.
type kqlWriter struct {
	o     KQLOptions
	dst   []byte
	words []string
	err   *KQLError
}

func (w *kqlWriter) raw(s string) { w.dst = append(w.dst, s...) }
func (w *kqlWriter) str(s string) { w.dst = AppendString(w.dst, s) }

// node prints a node; prefix is the path of the nested query around, with a dot.
func (w *kqlWriter) node(n *kqlNode, prefix string) {
	switch n.op {
	case kqlAll:
		w.raw(`{"match_all":{}}`)
	case kqlAnd:
		w.clauses(`{"bool":{"filter":[`, n.kids, prefix, `]}}`)
	case kqlOr:
		w.clauses(`{"bool":{"should":[`, n.kids, prefix, `],"minimum_should_match":1}}`)
	case kqlNot:
		words := len(w.words)
		w.clauses(`{"bool":{"must_not":[`, n.kids, prefix, `]}}`)
		w.words = w.words[:words]
	case kqlText:
		w.text(&n.value)
	case kqlIs, kqlRange:
		w.match(n, prefix)
	case kqlNested:
		path := prefix + n.field.text
		w.raw(`{"nested":{"path":`)
		w.str(path)
		w.raw(`,"query":`)
		w.node(n.kids[0], path+".")
		w.raw(`,"score_mode":"none"}}`)
	}
}

func (w *kqlWriter) clauses(head string, kids []*kqlNode, prefix, tail string) {
	w.raw(head)
	for i, k := range kids {
		if i > 0 {
			w.raw(",")
		}
		w.node(k, prefix)
	}
	w.raw(tail)
}

// text prints a value that may stand in any field.
func (w *kqlWriter) text(v *kqlLiteral) {
	w.words = append(w.words, v.text)
	switch {
	case v.any():
		w.raw(`{"match_all":{}}`)
	case v.wild():
		w.queryString(v, "")
	default:
		w.raw(`{"multi_match":{"type":"`)
		if v.quoted {
			w.raw("phrase")
		} else {
			w.raw("best_fields")
		}
		w.raw(`","query":`)
		w.str(v.text)
		w.raw(`,"lenient":true}}`)
	}
}

// queryString prints a pattern in Lucene's syntax, for one field or all.
func (w *kqlWriter) queryString(v *kqlLiteral, field string) {
	w.raw(`{"query_string":{`)
	if field != "" {
		w.raw(`"fields":[`)
		w.str(field)
		w.raw(`],`)
	}
	w.raw(`"query":`)
	w.str(v.pattern(escapeLucene))
	w.raw(`}}`)
}

// escapeLucene escapes what Lucene's syntax reads as operators.
func escapeLucene(s string) string {
	var out strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`+-=&|><!(){}[]^"~*?:\/ `, r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

// escapeWildcard escapes for a wildcard query.
func escapeWildcard(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(s)
}

// match prints a field's match: one clause per field that the name stands for.
func (w *kqlWriter) match(n *kqlNode, prefix string) {
	if n.op == kqlIs && n.field.any() && n.value.any() {
		w.raw(`{"match_all":{}}`)
		return
	}
	if n.op == kqlIs && n.field.any() && prefix == "" {
		w.text(&n.value)
		return
	}
	names := w.names(&n.field, prefix)
	if len(names) == 1 {
		w.one(n, names[0])
		return
	}
	w.raw(`{"bool":{"should":[`)
	for i, name := range names {
		if i > 0 {
			w.raw(",")
		}
		w.one(n, name)
	}
	w.raw(`],"minimum_should_match":1}}`)
}

// names are the fields a name pattern stands for; a name without stars, or one that fits nothing, stands for itself.
func (w *kqlWriter) names(field *kqlLiteral, prefix string) []string {
	name := prefix + field.text
	if !field.wild() || w.o.Mapping == nil {
		return []string{name}
	}
	var out []string
	w.o.Mapping.Each(func(f *mapping.Field) {
		if f.ColumnKind() != mapping.NoColumn && Glob(name, f.Path) && len(out) <= maxClauses {
			out = append(out, f.Path)
		}
	})
	if len(out) == 0 {
		return []string{name}
	}
	if len(out) > maxClauses {
		w.err = &KQLError{Message: "the field pattern " + name + " fits more than 1024 fields", Expected: "a narrower pattern"}
	}
	return out
}

func (w *kqlWriter) field(name string) *mapping.Field {
	if w.o.Mapping == nil {
		return nil
	}
	return w.o.Mapping.Field(name)
}

// one prints the match of one field.
func (w *kqlWriter) one(n *kqlNode, name string) {
	f, v := w.field(name), &n.value
	switch {
	case n.op == kqlRange:
		w.ranges(f, name, []string{n.cmp}, v)
	case !v.quoted && v.text == "null":
		w.named(`{"bool":{"must_not":[{"exists":{"field":`, name)
		w.raw(`}}]}}`)
	case v.any():
		w.named(`{"exists":{"field":`, name)
		w.raw(`}}`)
	case v.wild() && f != nil && f.ColumnKind() == mapping.Values && f.Type != mapping.IP:
		w.words = append(w.words, v.text)
		w.named(`{"wildcard":{`, name)
		w.raw(`:{"value":`)
		w.str(v.pattern(escapeWildcard))
		w.raw(`}}}`)
	case v.wild():
		w.words = append(w.words, v.text)
		w.queryString(v, name)
	case f != nil && f.Type.IsDate():
		w.ranges(f, name, []string{"gte", "lte"}, v)
	default:
		w.words = append(w.words, v.text)
		w.plain(f, name, v)
	}
}

// plain prints term, match or match_phrase.
func (w *kqlWriter) plain(f *mapping.Field, name string, v *kqlLiteral) {
	switch {
	case f != nil && f.ColumnKind() == mapping.Values:
		w.named(`{"term":{`, name)
		w.raw(`:{"value":`)
		w.value(v)
		w.raw(`}}}`)
		return
	case v.quoted:
		w.named(`{"match_phrase":{`, name)
	default:
		w.named(`{"match":{`, name)
	}
	w.raw(`:`)
	w.value(v)
	w.raw(`}}`)
}

func (w *kqlWriter) named(head, name string) {
	w.raw(head)
	w.str(name)
}

// value prints a literal; true and false without quotes are booleans.
func (w *kqlWriter) value(v *kqlLiteral) {
	if !v.quoted && (v.text == "true" || v.text == "false") {
		w.raw(v.text)
		return
	}
	w.str(v.text)
}

func (w *kqlWriter) ranges(f *mapping.Field, name string, bounds []string, v *kqlLiteral) {
	w.named(`{"range":{`, name)
	w.raw(`:{`)
	for i, b := range bounds {
		if i > 0 {
			w.raw(",")
		}
		w.raw(`"` + b + `":`)
		w.str(v.text)
	}
	if w.o.TimeZone != "" && f != nil && f.Type.IsDate() && !digitsOnly(v.text) {
		w.raw(`,"time_zone":`)
		w.str(w.o.TimeZone)
	}
	w.raw(`}}}`)
}

func digitsOnly(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// kqlQuery is kql: the text is read when the index, and so the types of its fields, is known.
type kqlQuery struct {
	base
	text string
	zone string
}

func parseKQLQuery(d *decoder, name string, n *Node) (Query, error) {
	q := &kqlQuery{}
	found := false
	err := q.members(name, n, func(key string, v *Node) (bool, error) {
		switch key {
		case "query":
			found = true
			return scalar(name, key, v, &q.text)
		case "time_zone":
			return scalar(name, key, v, &q.zone)
		}
		return false, nil
	})
	if err == nil && !found {
		err = n.Errorf("[kql] requires a [query]")
	}
	if err == nil {
		p := &kqlParser{text: q.text}
		if _, kerr := p.parse(); kerr != nil {
			err = n.Errorf("[kql] %s", kerr.Error())
		}
	}
	return q, err
}

func (q *kqlQuery) plan(p *planner) (node, error) {
	k := ParseKQL(q.text, KQLOptions{Mapping: p.Mapping, TimeZone: q.zone, Cursor: -1})
	inner, err := k.Query()
	if err != nil {
		return nil, err
	}
	n, err := p.plan(inner)
	if err != nil {
		return nil, err
	}
	return boost(n, q.boost), nil
}

// KQLQuery is the query of a KQL text; the error tells what cannot be read.
func KQLQuery(text string) (Query, error) {
	p := &kqlParser{text: text}
	if _, err := p.parse(); err != nil {
		return nil, badf("failed to parse KQL: %s", err)
	}
	return &kqlQuery{base: base{boost: 1}, text: text}, nil
}

// nestedQuery is nested. Objects of type nested are kept in documents but not searched, so there is no path to search under.
type nestedQuery struct {
	base
	path   string
	ignore bool
}

func parseNested(d *decoder, name string, n *Node) (Query, error) {
	q := &nestedQuery{}
	return q, q.members(name, n, func(key string, v *Node) (bool, error) {
		switch key {
		case "path":
			return scalar(name, key, v, &q.path)
		case "query":
			_, err := d.query(v)
			return true, err
		case "score_mode":
			var mode string
			return oneOf(name, key, v, &mode, "none", "avg", "max", "min", "sum")
		case "ignore_unmapped":
			return flag(name, key, v, &q.ignore)
		}
		return false, nil
	})
}

func (q *nestedQuery) plan(p *planner) (node, error) {
	if q.ignore {
		return noneNode{}, nil
	}
	if p.Mapping != nil {
		if o := p.Mapping.Object(q.path); o != nil && o.Nested {
			return nil, shardf("failed to create query: [nested] queries are not supported: objects under [%s] are kept, not searched", q.path)
		}
	}
	return nil, shardf("failed to create query: [nested] failed to find nested object under path [%s]", q.path)
}
