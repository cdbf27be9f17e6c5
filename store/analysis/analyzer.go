// Package analysis cuts text into the tokens that are indexed and searched.
//
// An Analyzer is a tokenizer and a fixed chain of steps; the table names those that a mapping may ask for. The standard analyzer
// follows UAX #29 as Lucene's does: words of letters and digits, one token per ideograph, runs of South-East Asian script as one
// token, emoji kept; terms are lower-cased and cut at MaxTokenLength. Text and queries must pass the same Analyzer.
//
// Invariant: a space, tab, CR or LF always ends a token, and tokens on either side of one do not influence each other (but for
// their positions, and bigrams, which are built from adjacent characters only). The keyword analyzer and normalizers keep the whole text.
package analysis

import "sync"

// MaxTokenLength is the length in UTF-16 units after which the standard tokenizer cuts a word.
const MaxTokenLength = 255

// Token is one term of a text. Start and End are byte offsets into the text; Pos counts from 0 and may skip (stop words) or repeat.
type Token struct {
	Term       []byte // valid during the call only, not to be changed
	Start, End int
	Pos        int
}

// Analyzer turns text into tokens. It is safe for concurrent use.
type Analyzer struct {
	name    string
	split   splitter
	lower   bool
	fold    bool // full width to half width
	bigrams bool
	stem    bool
	stop    map[string]struct{}
	chain   *chain    // of a custom analyzer, in place of the rest
	scratch sync.Pool // *[]byte
}

// splitter cuts text into pieces, in order.
type splitter func(text []byte, f func(p piece))

type piece struct {
	start, end int
	kind       kind
}

// kind is what a piece is made of.
type kind uint8

const (
	kindASCII kind = iota // letters, digits and connectors below 0x80
	kindWord              // the same with other letters
	kindHangul
	kindKatakana
	kindSingle // one ideograph or Hiragana
	kindSoutheastAsian
	kindEmoji
)

// cjk tells which pieces the bigram step joins.
func (k kind) cjk() bool { return k == kindHangul || k == kindKatakana || k == kindSingle }

// Name is the name the analyzer has in mappings.
func (a *Analyzer) Name() string { return a.name }

// Tokens calls f for each token of text, in order. f must not keep tok.Term.
func (a *Analyzer) Tokens(text []byte, f func(tok Token)) {
	if a.chain != nil {
		a.chain.tokens(text, f)
		return
	}
	buf := a.scratch.Get().(*[]byte)
	defer a.scratch.Put(buf)
	pos := 0
	emit := func(p piece) {
		term := a.term(text[p.start:p.end], p.kind, buf)
		if _, drop := a.stop[string(term)]; !drop {
			f(Token{Term: term, Start: p.start, End: p.end, Pos: pos})
		}
		pos++
	}
	if a.bigrams {
		joinBigrams(text, a.split, emit)
		return
	}
	a.split(text, emit)
}

// Terms is the tokens of a text as strings: what queries need.
func (a *Analyzer) Terms(text string) []string {
	var out []string
	a.Tokens([]byte(text), func(tok Token) { out = append(out, string(tok.Term)) })
	return out
}

// term applies the steps that change a term. The result is a slice of word or of *buf.
func (a *Analyzer) term(word []byte, k kind, buf *[]byte) []byte {
	if a.lower && (k != kindASCII || hasUpper(word)) {
		*buf = appendLower((*buf)[:0], word, a.fold)
		word = *buf
	}
	if a.stem {
		*buf = append((*buf)[:0], word...)
		word = stemEnglish(*buf)
	}
	return word
}

func newAnalyzer(name string, split splitter) *Analyzer {
	a := &Analyzer{name: name, split: split}
	a.scratch.New = func() any { b := make([]byte, 0, 4*MaxTokenLength); return &b }
	return a
}
