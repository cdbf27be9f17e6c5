package query

import (
	"math"
	"math/bits"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

// Parameters of BM25, Elasticsearch's defaults.
const (
	bm25K = 1.2
	bm25B = 0.75
)

// relevance scores a word or a phrase in an analysed text by BM25: rare words count more, and more so in short texts. How often they
// are in a text is counted on the text itself, of rows that rank only; how rare they are comes from the postings of the index.
type relevance struct {
	path     string
	analyzer *analysis.Analyzer
	terms    []phraseTerm
	slop     int
	idf      float64
	average  float64 // words of a text; 0: lengths do not count
}

// weigh makes the relevance of a leaf; nil when its score is constant: other fields, patterns, and match_only_text, which keeps no
// account of words.
func (p *planner) weigh(n node) *relevance {
	var r *relevance
	switch n := n.(type) {
	case *tokenNode:
		r = &relevance{path: n.path, terms: []phraseTerm{{token: n.token}}}
	case *phraseNode:
		r = &relevance{path: n.path, terms: n.terms, slop: n.slop}
	default:
		return nil
	}
	f := p.field(r.path)
	if f == nil || f.Type != mapping.Text || len(p.Sources) == 0 || string(f.Param("similarity")) == `"boolean"` {
		return nil
	}
	var err error
	if r.analyzer, err = p.analyzer(f.Analyzer); err != nil {
		return nil
	}
	docs, words := p.extent(r.path)
	if string(f.Param("norms")) != "false" && docs > 0 {
		r.average = float64(words) / float64(docs)
	}
	for _, t := range r.terms {
		n := 0
		for _, src := range p.Sources {
			if col, ok := src.Field(r.path).(Text); ok && !t.prefix {
				n += col.Term(t.token)
			}
		}
		r.idf += math.Log1p((float64(docs) - float64(n) + 0.5) / (float64(n) + 0.5))
	}
	return r
}

// extent is the rows of the index that have the field, and their words.
func (p *planner) extent(path string) (docs, words int64) {
	if e, ok := p.extents[path]; ok {
		return e[0], e[1]
	}
	for _, src := range p.Sources {
		col, ok := src.Field(path).(Text)
		if !ok {
			continue
		}
		n := int64(0)
		for z := 0; z*ZoneRows < src.Rows(); z++ {
			var sel Selection
			fillZone(&sel, src.Rows()-z*ZoneRows)
			col.Present(z, &sel)
			n += int64(sel.Count())
		}
		if w, ok := col.(interface{ Words() int64 }); ok && w.Words() > 0 {
			docs, words = docs+n, words+w.Words()
		} else { // written before words were counted
			docs, words = docs+n, words+n*unknownWords
		}
	}
	if p.extents == nil {
		p.extents = map[string][2]int64{}
	}
	p.extents[path] = [2]int64{docs, words}
	return docs, words
}

// unknownWords is taken for the length of texts nobody counted.
const unknownWords = 12

// of is the score of the texts of a row.
func (r *relevance) of(col Text, row int, at [][]int) float64 {
	for i := range at {
		at[i] = at[i][:0]
	}
	base, words := 0, 0
	col.Each(row, func(text []byte) {
		last := base
		r.analyzer.Tokens(text, func(tok analysis.Token) {
			words++
			last = base + tok.Pos
			for i := range r.terms {
				if r.terms[i].fits(tok.Term) {
					at[i] = append(at[i], last)
				}
			}
		})
		base = last + positionGap
	})
	freq := 0.0
	if len(r.terms) == 1 {
		freq = float64(len(at[0]))
	} else {
		freq = phraseFrequency(r.terms, at, r.slop)
	}
	norm := bm25K
	if r.average > 0 {
		norm = bm25K * (1 - bm25B + bm25B*float64(roundedLength(words))/r.average)
	}
	return r.idf * freq / (freq + norm)
}

// phraseFrequency counts the places of a phrase; one that needs moves counts 1/(moves+1).
func phraseFrequency(terms []phraseTerm, at [][]int, slop int) (freq float64) {
	for _, first := range at[0] {
		start := first - terms[0].pos
		if fitsAt(terms, at, start) {
			freq++
			continue
		}
		for moves := 1; moves <= slop; moves++ {
			if spread(terms, at, []int{first}, start, start, moves) {
				freq += 1 / float64(moves+1)
				break
			}
		}
	}
	return freq
}

// roundedLength is the length that Lucene's one byte keeps of a number of words: exact up to 39, then four significant bits.
func roundedLength(n int) int {
	const exact = 24
	if n < exact {
		return n
	}
	v := uint64(n - exact)
	if width := bits.Len64(v); width > 4 {
		shift := width - 4
		v = v >> shift << shift
	}
	return exact + int(v)
}
