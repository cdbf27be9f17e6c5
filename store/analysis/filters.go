package analysis

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// filter makes a token filter: a configured one, or a built-in one by its type's name.
func (c *configurer) filter(name string) (tokenFilter, error) {
	s, typ := c.kinds["filter"][name], name
	if s != nil {
		typ = s["type"]
	}
	make, ok := tokenFilters[typ]
	if !ok {
		return nil, fmt.Errorf("failed to find filter under name [%s]", name)
	}
	if err := s.only(name, filterSettings[typ]); err != nil {
		return nil, err
	}
	f, err := make(s)
	if err != nil {
		return nil, fmt.Errorf("filter [%s]: %w", name, err)
	}
	return f, nil
}

// tokenFilters are the filters by type; settings may be nil.
var tokenFilters = map[string]func(s settings) (tokenFilter, error){
	"lowercase":    plain(lowerTokens),
	"uppercase":    plain(eachTerm(bytes.ToUpper)),
	"asciifolding": plain(foldTokens),
	"trim":         plain(eachTerm(bytes.TrimSpace)),
	"reverse":      plain(eachTerm(reversed)),
	"apostrophe":   plain(eachTerm(func(t []byte) []byte { before, _, _ := bytes.Cut(t, []byte("'")); return before })),
	"cjk_width":    plain(eachTerm(func(t []byte) []byte { return []byte(strings.Map(foldWidth, string(t))) })),
	"decimal_digit": plain(eachTerm(func(t []byte) []byte {
		return bytes.Map(func(r rune) rune {
			if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
				return r
			}
			return '0' + digitValue(r)
		}, t)
	})),
	"porter_stem": plain(stemTokens),
	"unique":      uniqueFilter,
	"stop":        stopFilter,
	"keep":        keepFilter,
	"truncate":    truncateFilter,
	"length":      lengthFilter,
	"limit":       limitFilter,
	"ngram":       func(s settings) (tokenFilter, error) { return gramFilter(s, false) },
	"edge_ngram":  func(s settings) (tokenFilter, error) { return gramFilter(s, true) },
	"shingle":     shingleFilter,
	"stemmer":     stemmerFilter,
	"snowball":    stemmerFilter,
	"elision":     elisionFilter,
	"fingerprint": func(s settings) (tokenFilter, error) {
		sep := " "
		if v, ok := s["separator"]; ok {
			sep = v
		}
		return fingerprint(sep), nil
	},
	"keyword_marker":  keywordMarker,
	"pattern_replace": patternReplaceFilter,
}

// digitValue is the value of a decimal digit of any script: they stand in runs of ten.
func digitValue(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	return 0
}

// filterSettings are the parameters of each type of filter.
var filterSettings = map[string]string{
	"asciifolding": "preserve_original", "unique": "only_on_same_position", "stop": "stopwords ignore_case remove_trailing", "keep": "keep_words keep_words_case",
	"truncate": "length", "length": "min max", "limit": "max_token_count consume_all_tokens", "ngram": "min_gram max_gram preserve_original",
	"edge_ngram": "min_gram max_gram preserve_original side", "shingle": "min_shingle_size max_shingle_size output_unigrams token_separator",
	"stemmer": "language name", "snowball": "language", "elision": "articles articles_case", "fingerprint": "separator max_output_size",
	"keyword_marker": "keywords ignore_case", "pattern_replace": "pattern replacement all", "lowercase": "language",
}

// refused are values of parameters that change what comes out in a way that is not done.
var refused = map[string]string{"preserve_original": "true", "only_on_same_position": "true", "remove_trailing": "false", "side": "back", "language": "greek"}

// only refuses parameters that are not among those named.
func (s settings) only(name, allowed string) error {
	for k, v := range s {
		if k != "type" && !slices.Contains(strings.Fields(allowed), k) {
			return fmt.Errorf("setting [%s] of [%s] is not supported", k, name)
		}
		if r, ok := refused[k]; ok && r == v && !(k == "preserve_original" && strings.HasSuffix(s["type"], "ngram")) {
			return fmt.Errorf("value [%s] of setting [%s] of [%s] is not supported", v, k, name)
		}
	}
	return nil
}

func plain(f tokenFilter) func(s settings) (tokenFilter, error) {
	return func(settings) (tokenFilter, error) { return f, nil }
}

// eachTerm changes terms one by one; f must not change its argument in place unless it returns it.
func eachTerm(f func(t []byte) []byte) tokenFilter {
	return func(list []tok) []tok {
		for i := range list {
			list[i].term = f(list[i].term)
		}
		return list
	}
}

// only keeps the tokens that pass; the places of the others stay empty.
func only(pass func(t *tok) bool) tokenFilter {
	return func(list []tok) []tok {
		return slices.DeleteFunc(list, func(t tok) bool { return !pass(&t) })
	}
}

func lowerTokens(list []tok) []tok {
	return eachTerm(func(t []byte) []byte { return appendLower(nil, t, false) })(list)
}

// foldTokens takes accents off and writes the rest of Latin in ASCII.
func foldTokens(list []tok) []tok {
	special := strings.NewReplacer("ß", "ss", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "þ", "th", "Þ", "TH", "ı", "i")
	return eachTerm(func(t []byte) []byte {
		if !slices.ContainsFunc(t, func(c byte) bool { return c >= utf8.RuneSelf }) {
			return t
		}
		var out []rune
		for _, r := range norm.NFD.String(string(t)) {
			if !unicode.Is(unicode.Mn, r) {
				out = append(out, r)
			}
		}
		return []byte(special.Replace(norm.NFC.String(string(out))))
	})(list)
}

func reversed(t []byte) []byte {
	r := []rune(string(t))
	slices.Reverse(r)
	return []byte(string(r))
}

func stemTokens(list []tok) []tok {
	for i := range list {
		if !list[i].keep {
			list[i].term = stemEnglish(list[i].term)
		}
	}
	return list
}

func stemmerFilter(s settings) (tokenFilter, error) {
	switch l := strings.ToLower(s["language"] + s["name"]); l {
	case "", "english", "porter", "porter2", "light_english":
		return stemTokens, nil
	default:
		return nil, fmt.Errorf("stemmer of language [%s] is not supported", l)
	}
}

func uniqueFilter(s settings) (tokenFilter, error) {
	return func(list []tok) []tok {
		seen := map[string]bool{}
		return only(func(t *tok) bool {
			was := seen[string(t.term)]
			seen[string(t.term)] = true
			return !was
		})(list)
	}, nil
}

func dropTokens(words map[string]struct{}) tokenFilter {
	return only(func(t *tok) bool { _, drop := words[string(t.term)]; return !drop })
}

func stopFilter(s settings) (tokenFilter, error) {
	list := []string{"_english_"}
	if _, given := s["stopwords"]; given {
		list = s.list("stopwords")
	}
	words, err := stopWords(list)
	if err != nil || !s.bool("ignore_case", false) {
		return dropTokens(words), err
	}
	lower := map[string]struct{}{}
	for w := range words {
		lower[strings.ToLower(w)] = struct{}{}
	}
	return only(func(t *tok) bool { _, drop := lower[strings.ToLower(string(t.term))]; return !drop }), nil
}

func keepFilter(s settings) (tokenFilter, error) {
	words := map[string]bool{}
	for _, w := range s.list("keep_words") {
		words[w] = true
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("keep requires either `keep_words` or `keep_words_path` to be configured")
	}
	return only(func(t *tok) bool { return words[string(t.term)] }), nil
}

func truncateFilter(s settings) (tokenFilter, error) {
	n, err := s.int("length", 10)
	return eachTerm(func(t []byte) []byte {
		if utf8.RuneCount(t) <= n {
			return t
		}
		return []byte(string([]rune(string(t))[:n]))
	}), err
}

func lengthFilter(s settings) (tokenFilter, error) {
	least, err := s.int("min", 0)
	if err != nil {
		return nil, err
	}
	most := 1 << 30
	if _, given := s["max"]; given {
		most, err = s.int("max", 0)
	}
	return only(func(t *tok) bool { n := utf8.RuneCount(t.term); return n >= least && n <= most }), err
}

func limitFilter(s settings) (tokenFilter, error) {
	n, err := s.int("max_token_count", 1)
	return func(list []tok) []tok { return list[:min(n, len(list))] }, err
}

// grams are the parameters of n-grams.
type grams struct{ least, most int }

func gramSizes(s settings) (g grams, err error) {
	if g.least, err = s.int("min_gram", 1); err == nil {
		g.most, err = s.int("max_gram", 2)
	}
	if err == nil && (g.least < 1 || g.most < g.least) {
		err = fmt.Errorf("minGram must not be greater than maxGram, and greater than zero")
	}
	return g, err
}

// each calls f with the byte ranges of the n-grams of a term.
func (g grams) each(term []byte, edge bool, f func(from, to int)) {
	ends := []int{0}
	for i := 0; i < len(term); {
		_, n := utf8.DecodeRune(term[i:])
		i += n
		ends = append(ends, i)
	}
	for from := range len(ends) - 1 {
		if edge && from > 0 {
			return
		}
		for n := g.least; n <= g.most && from+n < len(ends); n++ {
			f(ends[from], ends[from+n])
		}
	}
}

func gramFilter(s settings, edge bool) (tokenFilter, error) {
	g, err := gramSizes(s)
	original := s.bool("preserve_original", false)
	return func(list []tok) []tok {
		var out []tok
		for _, t := range list {
			whole := false
			g.each(t.term, edge, func(from, to int) {
				x := t
				x.term = t.term[from:to]
				whole = whole || to-from == len(t.term)
				out = append(out, x)
			})
			if original && !whole {
				out = append(out, t)
			}
		}
		return out
	}, err
}

func shingleFilter(s settings) (tokenFilter, error) {
	least, err := s.int("min_shingle_size", 2)
	if err != nil {
		return nil, err
	}
	most, err := s.int("max_shingle_size", 2)
	if err == nil && (least < 2 || most < least) {
		err = fmt.Errorf("shingle sizes must be at least 2, the largest not below the smallest")
	}
	unigrams, sep := s.bool("output_unigrams", true), " "
	if v, ok := s["token_separator"]; ok {
		sep = v
	}
	return func(list []tok) []tok {
		var out []tok
		for i, t := range list {
			if unigrams {
				out = append(out, t)
			}
			term := slices.Clone(t.term)
			for n := 2; n <= most && i+n <= len(list); n++ {
				term = append(append(term, sep...), list[i+n-1].term...)
				if n >= least {
					x := t
					x.term, x.end = slices.Clone(term), list[i+n-1].end
					out = append(out, x)
				}
			}
		}
		return out
	}, err
}

// fingerprint joins the distinct terms in order.
func fingerprint(sep string) tokenFilter {
	return func(list []tok) []tok {
		if len(list) == 0 {
			return nil
		}
		var terms []string
		for _, t := range list {
			terms = append(terms, string(t.term))
		}
		slices.Sort(terms)
		one := tok{term: []byte(strings.Join(slices.Compact(terms), sep)), start: list[0].start, end: list[len(list)-1].end}
		return []tok{one}
	}
}

func elisionFilter(s settings) (tokenFilter, error) {
	articles := map[string]bool{}
	list := s.list("articles")
	if len(list) == 0 {
		list = []string{"l", "m", "t", "qu", "n", "s", "j", "d", "c", "jusqu", "quoiqu", "lorsqu", "puisqu"}
	}
	for _, a := range list {
		articles[strings.ToLower(a)] = true
	}
	return eachTerm(func(t []byte) []byte {
		i := bytes.IndexAny(t, "'\u2019")
		if i < 0 || !articles[strings.ToLower(string(t[:i]))] {
			return t
		}
		_, n := utf8.DecodeRune(t[i:])
		return t[i+n:]
	}), nil
}

func keywordMarker(s settings) (tokenFilter, error) {
	words := map[string]bool{}
	fold := s.bool("ignore_case", false)
	for _, w := range s.list("keywords") {
		if fold {
			w = strings.ToLower(w)
		}
		words[w] = true
	}
	return func(list []tok) []tok {
		for i := range list {
			term := string(list[i].term)
			if fold {
				term = strings.ToLower(term)
			}
			list[i].keep = list[i].keep || words[term]
		}
		return list
	}, nil
}

var javaGroup = regexp.MustCompile(`\$(\d+)`)

func patternReplaceFilter(s settings) (tokenFilter, error) {
	re, err := regexp.Compile(s["pattern"])
	if err != nil || s["pattern"] == "" {
		return nil, fmt.Errorf("pattern is missing or wrong: %q", s["pattern"])
	}
	to := []byte(javaGroup.ReplaceAllString(s["replacement"], "$${$1}"))
	all := s.bool("all", true)
	return eachTerm(func(t []byte) []byte {
		if all {
			return re.ReplaceAll(t, to)
		}
		at := re.FindSubmatchIndex(t)
		if at == nil {
			return t
		}
		out := re.Expand(slices.Clone(t[:at[0]]), to, t, at)
		return append(out, t[at[1]:]...)
	}), nil
}
