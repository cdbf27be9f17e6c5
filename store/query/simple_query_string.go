package query

import (
	"strings"
	"unicode/utf8"
)

// simpleQueryString is simple_query_string: + | - "phrase" prefix* ( ) word~1 "phrase"~2. Text that makes no sense is read as words:
// it never fails.
type simpleQueryString struct {
	base
	fields   []fieldBoost
	text     string
	and      bool
	min      string
	analyzer string
	lenient  *bool
	flags    string
	prefix   int
	expand   int
}

func parseSimpleQueryString(d *decoder, name string, n *Node) (Query, error) {
	q := &simpleQueryString{flags: "ALL", expand: maxExpansions}
	found := false
	err := q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "query":
			found = true
			return scalar(name, key, v, &q.text)
		case "fields":
			q.fields, err = fieldBoosts(v)
			return true, err
		case "default_operator":
			var op string
			ok, err := oneOf(name, key, v, &op, "and", "or")
			q.and = op == "and"
			return ok, err
		case "minimum_should_match":
			return scalar(name, key, v, &q.min)
		case "analyzer":
			return scalar(name, key, v, &q.analyzer)
		case "lenient":
			q.lenient = new(bool)
			return flag(name, key, v, q.lenient)
		case "flags":
			return scalar(name, key, v, &q.flags)
		case "fuzzy_prefix_length":
			return number(name, key, v, &q.prefix)
		case "fuzzy_max_expansions":
			return number(name, key, v, &q.expand)
		case "analyze_wildcard", "fuzzy_transpositions", "auto_generate_synonyms_phrase_query":
			var s string
			return scalar(name, key, v, &s)
		}
		return false, nil
	})
	if err == nil && !found {
		err = n.Errorf("[simple_query_string] query text missing")
	}
	return q, err
}

func (q *simpleQueryString) plan(p *planner) (node, error) {
	fields, lenient, err := p.expand(q.fields)
	if err != nil {
		return nil, err
	}
	if q.lenient != nil {
		lenient = *q.lenient
	}
	s := &simpleParser{q: q, p: p, fields: fields, lenient: lenient, text: q.text}
	n, err := s.group(0)
	if err != nil || n == nil {
		return noneNode{}, err
	}
	return boost(n, q.boost), nil
}

// simpleParser plans while it reads.
type simpleParser struct {
	q       *simpleQueryString
	p       *planner
	fields  []fieldBoost
	lenient bool
	text    string
	i       int
}

// on tells whether an operator is switched on by flags.
func (s *simpleParser) on(flag string) bool {
	for _, f := range strings.Split(strings.ToUpper(s.q.flags), "|") {
		if f = strings.TrimSpace(f); f == "ALL" || f == flag || f == "NEAR" && flag == "SLOP" {
			return true
		}
	}
	return false
}

// group reads to the end or a closing parenthesis; nil means nothing was there. As in Lucene, one operator holds for all that was read
// before it: a changed operator nests.
func (s *simpleParser) group(depth int) (node, error) {
	var left node
	op, not := byte(0), false
	for s.i < len(s.text) {
		c := s.text[s.i]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0 && s.on("WHITESPACE"):
			s.i++
			continue
		case c == '+' && s.on("AND"), c == '|' && s.on("OR"):
			op = c
			s.i++
			continue
		case c == '-' && s.on("NOT"):
			not = !not
			s.i++
			continue
		case c == ')' && s.on("PRECEDENCE"):
			s.i++
			if depth > 0 {
				return left, nil
			}
			continue
		}
		n, err := s.operand(depth)
		if err != nil {
			return nil, err
		}
		if n != nil {
			left = s.join(left, n, op, not)
		}
		op, not = 0, false
	}
	return left, nil
}

func (s *simpleParser) join(left, n node, op byte, not bool) node {
	if not {
		n = combine(nil, nil, []node{n}, 0)
	}
	switch {
	case left == nil:
		return n
	case op == '+', op == 0 && s.q.and:
		return combine([]node{left, n}, nil, nil, 0)
	}
	return combine(nil, []node{left, n}, nil, 1)
}

func (s *simpleParser) operand(depth int) (node, error) {
	switch c := s.text[s.i]; {
	case c == '(' && s.on("PRECEDENCE") && depth < maxDepth:
		s.i++
		return s.group(depth + 1)
	case c == '"' && s.on("PHRASE") && strings.IndexByte(s.text[s.i+1:], '"') >= 0:
		return s.phrase()
	}
	return s.word()
}

func (s *simpleParser) phrase() (node, error) {
	end := s.i + 1 + strings.IndexByte(s.text[s.i+1:], '"')
	t := &textQuery{kind: kindPhrase, text: s.text[s.i+1 : end], analyzer: s.q.analyzer, lenient: s.lenient, expand: s.q.expand}
	s.i = end + 1
	if n, ok := s.tilde("SLOP"); ok {
		t.slop = n
	}
	return t.bindFields(s.p, s.fields, "most_fields", 0)
}

// tilde reads ~2.
func (s *simpleParser) tilde(flag string) (n int, ok bool) {
	if s.i+1 >= len(s.text) || s.text[s.i] != '~' || !s.on(flag) || s.text[s.i+1] < '0' || s.text[s.i+1] > '9' {
		return 0, false
	}
	for s.i++; s.i < len(s.text) && '0' <= s.text[s.i] && s.text[s.i] <= '9'; s.i++ {
		n = min(n*10+int(s.text[s.i]-'0'), 1000)
	}
	return n, true
}

func (s *simpleParser) word() (node, error) {
	var out []byte
	prefix := false
	for s.i < len(s.text) {
		c := s.text[s.i]
		if c == '\\' && s.i+1 < len(s.text) && s.on("ESCAPE") {
			_, n := utf8.DecodeRuneInString(s.text[s.i+1:])
			out = append(out, s.text[s.i+1:s.i+1+n]...)
			s.i += 1 + n
			continue
		}
		if strings.IndexByte(" \t\r\n", c) >= 0 || c == '|' && s.on("OR") || c == '(' && s.on("PRECEDENCE") || c == ')' && s.on("PRECEDENCE") ||
			c == '+' && s.on("AND") || c == '~' && len(out) > 0 {
			break
		}
		out = append(out, c)
		s.i++
	}
	if n := len(out); n > 1 && out[n-1] == '*' && s.on("PREFIX") {
		prefix, out = true, out[:n-1]
	}
	t := &textQuery{text: string(out), analyzer: s.q.analyzer, lenient: s.lenient, and: s.q.and, expand: s.q.expand, prefix: s.q.prefix}
	if prefix {
		t.kind = kindBoolPrefix
	}
	if s.i < len(s.text) && s.text[s.i] == '~' {
		if n, ok := s.tilde("FUZZY"); ok {
			t.fuzziness = string(rune('0' + min(n, 2)))
		} else {
			s.i++
		}
	}
	if len(out) == 0 {
		s.i = max(s.i, 1)
		return nil, nil
	}
	return t.bindFields(s.p, s.fields, "most_fields", 0)
}
