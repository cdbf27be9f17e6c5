package analysis

import "slices"

// table names the analyzers a mapping may use.
var table = map[string]func() *Analyzer{
	"standard":   Standard,
	"simple":     simple,
	"whitespace": whitespace,
	"keyword":    keyword,
	"stop":       stop,
	"english":    english,
	"cjk":        cjk,
}

// Lookup makes the analyzer of that name; ok is false when there is none.
func Lookup(name string) (a *Analyzer, ok bool) {
	if name == "pattern" || name == "fingerprint" {
		a, err := (&configurer{}).built(name, name, nil)
		return a, err == nil
	}
	make, ok := table[name]
	if !ok {
		return nil, false
	}
	return make(), true
}

// Names lists the analyzers, sorted.
func Names() []string {
	names := append(make([]string, 0, len(table)+2), "fingerprint", "pattern")
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Standard is the default analyzer of text fields.
func Standard() *Analyzer {
	a := newAnalyzer("standard", splitStandard)
	a.lower = true
	return a
}

// simple keeps runs of letters.
func simple() *Analyzer {
	a := newAnalyzer("simple", splitLetters)
	a.lower = true
	return a
}

// whitespace keeps what stands between white space, as it is.
func whitespace() *Analyzer { return newAnalyzer("whitespace", splitSpace) }

// keyword keeps the whole text as one token.
func keyword() *Analyzer { return newAnalyzer("keyword", splitNothing) }

// stop is simple without English stop words.
func stop() *Analyzer {
	a := newAnalyzer("stop", splitLetters)
	a.lower = true
	a.stop = englishStopWords()
	return a
}

// english is standard without stop words, stemmed.
func english() *Analyzer {
	a := newAnalyzer("english", splitStandard)
	a.lower, a.stem = true, true
	a.stop = englishStopWords()
	return a
}

// cjk indexes Han, Hangul and Kana as overlapping pairs of characters, so that a word is found inside a longer one.
func cjk() *Analyzer {
	a := newAnalyzer("cjk", splitStandard)
	a.lower, a.fold, a.bigrams = true, true, true
	a.stop = englishStopWords()
	return a
}

// englishStopWords is Lucene's classic list.
func englishStopWords() map[string]struct{} {
	set := make(map[string]struct{}, 33)
	for _, w := range []string{"a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
		"on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with"} {
		set[w] = struct{}{}
	}
	return set
}
