package analysis

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenizer makes a tokenizer: a configured one, or a built-in one by its type's name.
func (c *configurer) tokenizer(name string) (splitter, error) {
	s, typ := c.kinds["tokenizer"][name], name
	if s != nil {
		typ = s["type"]
	}
	make, ok := tokenizers[typ]
	if !ok {
		return nil, fmt.Errorf("failed to find tokenizer under name [%s]", name)
	}
	if err := s.only(name, tokenizerSettings[typ]); err != nil {
		return nil, err
	}
	t, err := make(s)
	if err != nil {
		return nil, fmt.Errorf("tokenizer [%s]: %w", name, err)
	}
	return t, nil
}

// tokenizers are the tokenizers by type; settings may be nil.
var tokenizers = map[string]func(s settings) (splitter, error){
	"standard":       fixed(splitStandard),
	"letter":         fixed(splitLetters),
	"whitespace":     fixed(splitSpace),
	"keyword":        fixed(splitNothing),
	"ngram":          func(s settings) (splitter, error) { return gramTokenizer(s, false) },
	"edge_ngram":     func(s settings) (splitter, error) { return gramTokenizer(s, true) },
	"pattern":        patternTokenizer,
	"simple_pattern": func(s settings) (splitter, error) { return compiled(s["pattern"], 0) },
	"simple_pattern_split": func(s settings) (splitter, error) {
		return compiled(s["pattern"], -1)
	},
	"char_group":     charGroup,
	"path_hierarchy": pathHierarchy,
}

// tokenizerSettings are the parameters of each type of tokenizer.
var tokenizerSettings = map[string]string{
	"ngram": "min_gram max_gram token_chars custom_token_chars", "edge_ngram": "min_gram max_gram token_chars custom_token_chars", "pattern": "pattern group",
	"simple_pattern": "pattern", "simple_pattern_split": "pattern", "char_group": "tokenize_on_chars", "path_hierarchy": "delimiter replacement skip reverse",
}

func fixed(split splitter) func(s settings) (splitter, error) {
	return func(settings) (splitter, error) { return split, nil }
}

func compiled(pattern string, group int) (splitter, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return splitPattern(re, group), nil
}

func patternTokenizer(s settings) (splitter, error) {
	pattern, group := s["pattern"], -1
	if pattern == "" {
		pattern = `\W+`
	}
	if g, ok := s["group"]; ok && g != "-1" {
		var err error
		if group, err = s.int("group", 0); err != nil {
			return nil, err
		}
	}
	split, err := compiled(pattern, group)
	if err == nil && group > regexp.MustCompile(pattern).NumSubexp() {
		err = fmt.Errorf("invalid group specified: pattern only has: %d capturing groups", regexp.MustCompile(pattern).NumSubexp())
	}
	return split, err
}

// splitPattern keeps what is between matches (group -1), or a group of each match.
func splitPattern(re *regexp.Regexp, group int) splitter {
	return func(text []byte, f func(p piece)) {
		from := 0
		emit := func(i, j int) {
			if i < j {
				f(piece{i, j, kindWord})
			}
		}
		for _, m := range re.FindAllSubmatchIndex(text, -1) {
			if group >= 0 {
				if m[2*group] >= 0 {
					emit(m[2*group], m[2*group+1])
				}
				continue
			}
			emit(from, m[0])
			from = m[1]
		}
		if group < 0 {
			emit(from, len(text))
		}
	}
}

func gramTokenizer(s settings, edge bool) (splitter, error) {
	g, err := gramSizes(s)
	if err != nil {
		return nil, err
	}
	in, err := charClasses(s.list("token_chars"), s["custom_token_chars"])
	return func(text []byte, f func(p piece)) {
		whole := func(p piece) {
			g.each(text[p.start:p.end], edge, func(from, to int) { f(piece{p.start + from, p.start + to, kindWord}) })
		}
		if in == nil {
			splitNothing(text, whole)
			return
		}
		splitRuns(text, in, whole)
	}, err
}

// charClasses tests for the classes of token_chars; nil: every character is kept.
func charClasses(classes []string, custom string) (func(r rune) bool, error) {
	var tests []func(r rune) bool
	for _, c := range classes {
		switch c {
		case "letter":
			tests = append(tests, unicode.IsLetter)
		case "digit":
			tests = append(tests, unicode.IsDigit)
		case "whitespace":
			tests = append(tests, unicode.IsSpace)
		case "punctuation":
			tests = append(tests, unicode.IsPunct)
		case "symbol":
			tests = append(tests, unicode.IsSymbol)
		case "custom":
			tests = append(tests, func(r rune) bool { return strings.ContainsRune(custom, r) })
		default:
			return nil, fmt.Errorf("unknown token type: '%s', must be one of [letter, digit, whitespace, punctuation, symbol, custom]", c)
		}
	}
	if tests == nil {
		return nil, nil
	}
	return func(r rune) bool {
		for _, t := range tests {
			if t(r) {
				return true
			}
		}
		return false
	}, nil
}

func charGroup(s settings) (splitter, error) {
	var chars string
	var tests []string
	for _, c := range s.list("tokenize_on_chars") {
		switch c {
		case "\\n":
			c = "\n"
		case "\\t":
			c = "\t"
		case "\\r":
			c = "\r"
		}
		if utf8.RuneCountInString(c) == 1 {
			chars += c
		} else {
			tests = append(tests, c)
		}
	}
	class, err := charClasses(tests, "")
	return func(text []byte, f func(p piece)) {
		splitRuns(text, func(r rune) bool { return !strings.ContainsRune(chars, r) && (class == nil || !class(r)) }, f)
	}, err
}

// pathHierarchy makes a token of each prefix of a path that ends before a delimiter, or of each suffix.
func pathHierarchy(s settings) (splitter, error) {
	delimiter := "/"
	if v, ok := s["delimiter"]; ok {
		delimiter = v
	}
	if v, ok := s["replacement"]; ok && v != delimiter {
		return nil, fmt.Errorf("setting [replacement] is not supported")
	}
	if len(delimiter) != 1 {
		return nil, fmt.Errorf("delimiter must be a one char value")
	}
	skip, err := s.int("skip", 0)
	reverse := s.bool("reverse", false)
	return func(text []byte, f func(p piece)) {
		var cuts []int
		for i, c := range text {
			if c == delimiter[0] && (i > 0 || reverse) {
				cuts = append(cuts, i)
			}
		}
		if !reverse {
			start := 0
			if skip > 0 {
				if skip > len(cuts) {
					return
				}
				start, cuts = cuts[skip-1], cuts[skip:]
			}
			for _, c := range append(cuts, len(text)) {
				if c > start {
					f(piece{start, c, kindWord})
				}
			}
			return
		}
		end := len(text)
		if skip > 0 {
			if skip > len(cuts) {
				return
			}
			end, cuts = cuts[len(cuts)-skip]+1, cuts[:len(cuts)-skip]
		}
		for i := -1; i < len(cuts); i++ {
			start := 0
			if i >= 0 {
				start = cuts[i] + 1
			}
			if start < end {
				f(piece{start, end, kindWord})
			}
		}
	}, err
}
