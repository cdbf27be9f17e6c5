package analysis

import "slices"

// chain is a custom analyzer: the text through character filters, cut by a tokenizer, the tokens through filters.
type chain struct {
	chars   []charFilter
	split   splitter
	filters []tokenFilter
}

// tok is a token on its way through the filters.
type tok struct {
	term       []byte
	start, end int // in the text as it was
	pos        int
	kind       kind
	keep       bool // stemmers leave it alone
}

// tokenFilter changes the tokens of a text; it may reuse the slice.
type tokenFilter func(list []tok) []tok

// charFilter changes the text.
type charFilter func(t mapped) mapped

// mapped is a text with the place of each of its bytes in the text as it was; at has one more entry for the end. nil: byte i was byte i.
type mapped struct {
	text []byte
	at   []int
}

func (m *mapped) place(i int) int {
	if m.at == nil {
		return i
	}
	return m.at[i]
}

// rewriter builds a mapped text from pieces of another.
type rewriter struct {
	from mapped
	out  mapped
}

func rewrite(from mapped) *rewriter {
	return &rewriter{from: from, out: mapped{text: make([]byte, 0, len(from.text)), at: make([]int, 0, len(from.text)+1)}}
}

// keep copies from.text[i:j].
func (r *rewriter) keep(i, j int) {
	for k := i; k < j; k++ {
		r.out.text = append(r.out.text, r.from.text[k])
		r.out.at = append(r.out.at, r.from.place(k))
	}
}

// put writes text in the place of what begins at i.
func (r *rewriter) put(text []byte, i int) {
	for _, c := range text {
		r.out.text = append(r.out.text, c)
		r.out.at = append(r.out.at, r.from.place(i))
	}
}

func (r *rewriter) done() mapped {
	r.out.at = append(r.out.at, r.from.place(len(r.from.text)))
	return r.out
}

// maxChainTokens bounds the tokens of one text, as n-grams make many.
const maxChainTokens = 1 << 20

func (c *chain) tokens(text []byte, f func(tok Token)) {
	m := mapped{text: text}
	for _, cf := range c.chars {
		m = cf(m)
	}
	var list []tok
	c.split(m.text, func(p piece) {
		if len(list) < maxChainTokens {
			list = append(list, tok{term: slices.Clone(m.text[p.start:p.end]), start: m.place(p.start), end: m.place(p.end), pos: len(list), kind: p.kind})
		}
	})
	for _, tf := range c.filters {
		list = tf(list)
		list = list[:min(len(list), maxChainTokens)]
	}
	for i := range list {
		if t := &list[i]; len(t.term) > 0 {
			f(Token{Term: t.term, Start: t.start, End: t.end, Pos: t.pos})
		}
	}
}
