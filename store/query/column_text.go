package query

import (
	"bytes"
	"slices"

	"github.com/weirlog/weir/store/analysis"
)

// tokenNode matches rows of a text column that hold the token.
type tokenNode struct {
	path  string
	token []byte
}

func (n *tokenNode) open(s *Scan) matcher {
	col, ok := s.src.Field(n.path).(Text)
	if !ok {
		return &noneMatcher{}
	}
	rows := col.Term(n.token)
	if rows == 0 {
		return &noneMatcher{}
	}
	m := &tokensMatcher{col: col, tokens: [][]byte{n.token}, total: rows, rows: s.rows}
	m.open()
	return m
}

// tokensNode matches rows that hold any token which passes the test; at most max of them when max is over 0.
type tokensNode struct {
	path   string
	prefix []byte
	match  func(token []byte) bool // nil: all with the prefix
	max    int
}

func (n *tokensNode) open(s *Scan) matcher {
	col, ok := s.src.Field(n.path).(Text)
	if !ok {
		return &noneMatcher{}
	}
	m := &tokensMatcher{col: col, rows: s.rows}
	col.Terms(n.prefix, func(token []byte, rows int) bool {
		if n.match == nil || n.match(token) {
			m.tokens = append(m.tokens, append([]byte(nil), token...))
			m.total += rows
		}
		return n.max == 0 || len(m.tokens) < n.max
	})
	if len(m.tokens) == 0 {
		return &noneMatcher{}
	}
	m.open()
	return m
}

// Postings is the rows of one token. A Text column may have a method Postings(token) (Postings, bool): a token is then looked up once
// and not in every zone.
type Postings interface {
	// SelectZone sets in sel the rows of the zone that hold the token.
	SelectZone(zone int, sel *Selection)
}

// maxLists bounds the postings that a matcher of many tokens keeps open.
const maxLists = 1 << 16

// tokensMatcher matches rows with any of the tokens.
type tokensMatcher struct {
	lists  []Postings // of tokens, when the column has them
	col    Text
	tokens [][]byte
	total  int
	rows   int
	hit    Selection
}

// open looks the tokens up, where the column can.
func (m *tokensMatcher) open() {
	col, ok := m.col.(interface {
		Postings(token []byte) (Postings, bool)
	})
	if !ok || len(m.tokens) > maxLists {
		return
	}
	lists := make([]Postings, 0, len(m.tokens))
	for _, t := range m.tokens {
		l, ok := col.Postings(t)
		if !ok {
			return
		}
		lists = append(lists, l)
	}
	m.lists = lists
}

func (m *tokensMatcher) cost() int          { return min(m.total, m.rows) }
func (m *tokensMatcher) next(zone int) int  { return zone }
func (m *tokensMatcher) count() (int, bool) { return m.total, len(m.tokens) == 1 }

func (m *tokensMatcher) and(zone int, sel *Selection) bool {
	m.hit = Selection{}
	if m.lists != nil {
		for _, l := range m.lists {
			l.SelectZone(zone, &m.hit)
		}
		return sel.And(&m.hit)
	}
	for _, t := range m.tokens {
		m.col.SelectTerm(zone, t, &m.hit)
	}
	return sel.And(&m.hit)
}

// positionGap separates the values of one field: a phrase does not run from one into the next.
const positionGap = 100

// phraseTerm is one place of a phrase.
type phraseTerm struct {
	token  []byte
	pos    int
	prefix bool // any token that starts with it
}

// fits tells whether a token may stand in the place.
func (t *phraseTerm) fits(token []byte) bool {
	return string(t.token) == string(token) || t.prefix && len(token) > len(t.token) && string(token[:len(t.token)]) == string(t.token)
}

// phraseNode matches rows whose text has the terms in their places, at most slop moves apart.
type phraseNode struct {
	path     string
	analyzer *analysis.Analyzer // of the index
	terms    []phraseTerm
	slop     int
}

func (n *phraseNode) open(s *Scan) matcher {
	col, ok := s.src.Field(n.path).(Text)
	if !ok {
		return &noneMatcher{}
	}
	m := &phraseMatcher{col: col, node: n, plain: n.plain()}
	var and []node
	for _, t := range n.terms {
		if t.prefix {
			and = append(and, &tokensNode{path: n.path, prefix: t.token})
		} else {
			and = append(and, &tokenNode{n.path, t.token})
		}
	}
	m.words = combine(and, nil, nil, 0).open(s)
	if isNoneMatcher(m.words) {
		return m.words
	}
	return m
}

// phraseMatcher verifies the phrase on the text of rows that hold all its words.
type phraseMatcher struct {
	col   Text
	node  *phraseNode
	words matcher
	plain []byte  // the phrase as plainWords takes it, nil: every text is analysed
	at    [][]int // per term: positions in the text looked at
}

// plain is the phrase as lower-case ASCII words with a space between, when that is all it is and the analyzer keeps such words.
func (n *phraseNode) plain() []byte {
	if n.analyzer.Name() != "standard" {
		return nil
	}
	var out []byte
	for i, t := range n.terms {
		if t.prefix || t.pos != n.terms[0].pos+i {
			return nil
		}
		for _, c := range t.token {
			if c-'0' > 9 && c-'a' > 'z'-'a' {
				return nil
			}
		}
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, t.token...)
	}
	return out
}

// plainWords tells whether an analysed text surely has the words of a phrase one behind the other: between spaces or the text's ends,
// in any case. A space ends every token, so that nothing around them matters. False says nothing.
func plainWords(text, phrase []byte) bool {
	for len(text) >= len(phrase) {
		if foldedPrefix(text, phrase) && (len(text) == len(phrase) || text[len(phrase)] == ' ') {
			return true
		}
		next := bytes.IndexByte(text, ' ')
		if next < 0 {
			return false
		}
		text = text[next+1:]
	}
	return false
}

func foldedPrefix(text, lower []byte) bool {
	for i, c := range lower {
		t := text[i]
		if t-'A' <= 'Z'-'A' {
			t |= 0x20
		}
		if t != c {
			return false
		}
	}
	return true
}

func (m *phraseMatcher) cost() int         { return m.words.cost() }
func (m *phraseMatcher) next(zone int) int { return m.words.next(zone) }

func (m *phraseMatcher) and(zone int, sel *Selection) bool {
	if !m.words.and(zone, sel) {
		return false
	}
	sel.Each(func(row int) {
		if !m.verify(zone*ZoneRows + row) {
			sel.Clear(row)
		}
	})
	return sel.Any()
}

func (m *phraseMatcher) verify(row int) bool {
	if m.plain != nil {
		found := false
		m.col.Each(row, func(text []byte) { found = found || plainWords(text, m.plain) })
		if found {
			return true
		}
	}
	if m.at == nil {
		m.at = make([][]int, len(m.node.terms))
	}
	for i := range m.at {
		m.at[i] = m.at[i][:0]
	}
	base := 0
	m.col.Each(row, func(text []byte) {
		last := base
		m.node.analyzer.Tokens(text, func(tok analysis.Token) {
			last = base + tok.Pos
			for i := range m.node.terms {
				if m.node.terms[i].fits(tok.Term) {
					m.at[i] = append(m.at[i], last)
				}
			}
		})
		base = last + positionGap
	})
	return phraseFits(m.node.terms, m.at, m.node.slop)
}

// phraseFits tells whether positions can be chosen, one per place, that are at most slop moves from the phrase. Terms at one place
// of the phrase are alternatives.
func phraseFits(terms []phraseTerm, at [][]int, slop int) bool {
	for _, first := range at[0] {
		start := first - terms[0].pos
		if slop == 0 {
			if fitsAt(terms, at, start) {
				return true
			}
			continue
		}
		if spread(terms, at, []int{first}, start, start, slop) {
			return true
		}
	}
	return false
}

func fitsAt(terms []phraseTerm, at [][]int, start int) bool {
	for i, t := range terms {
		found := false
		for _, p := range at[i] {
			if p-t.pos == start {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// spread tries positions for the terms behind those in used such that all shifts lie within slop. No position serves two terms.
func spread(terms []phraseTerm, at [][]int, used []int, lo, hi, slop int) bool {
	i := len(used)
	if i == len(terms) {
		return true
	}
	for _, p := range at[i] {
		shift := p - terms[i].pos
		l, h := min(lo, shift), max(hi, shift)
		if h-l <= slop && !slices.Contains(used, p) && spread(terms, at, append(used, p), l, h, slop) {
			return true
		}
	}
	return false
}
