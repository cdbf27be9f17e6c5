package analysis

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Set is the analyzers of one index: the built-in ones and those its settings define. A nil Set has the built-in ones. It is immutable
// and safe for concurrent use.
type Set struct {
	analyzers map[string]*Analyzer
}

// Lookup finds an analyzer. "" is the index's default; ok is false for a name nobody defined.
func (s *Set) Lookup(name string) (a *Analyzer, ok bool) {
	if name == "" {
		if name = "default"; s == nil || s.analyzers[name] == nil {
			return Standard(), true
		}
	}
	if s != nil {
		if a := s.analyzers[name]; a != nil {
			return a, true
		}
	}
	return Lookup(name)
}

// settings are those of one component: parameters by name.
type settings map[string]string

// Configure reads the settings that begin with "analysis.", by their full names: analyzer, tokenizer, filter and char_filter. nil means
// that there are none.
func Configure(all map[string]string) (*Set, error) {
	kinds := map[string]map[string]settings{}
	for k, v := range all {
		rest, ok := strings.CutPrefix(k, "analysis.")
		if !ok {
			continue
		}
		parts := strings.SplitN(rest, ".", 3)
		if len(parts) < 3 || parts[0] == "normalizer" {
			continue
		}
		if kinds[parts[0]] == nil {
			kinds[parts[0]] = map[string]settings{}
		}
		if kinds[parts[0]][parts[1]] == nil {
			kinds[parts[0]][parts[1]] = settings{}
		}
		kinds[parts[0]][parts[1]][parts[2]] = v
	}
	if len(kinds) == 0 {
		return nil, nil
	}
	c := &configurer{kinds: kinds}
	s := &Set{analyzers: map[string]*Analyzer{}}
	for _, name := range slices.Sorted(maps.Keys(kinds["analyzer"])) {
		a, err := c.analyzer(name, kinds["analyzer"][name])
		if err != nil {
			return nil, err
		}
		s.analyzers[name] = a
	}
	return s, nil
}

type configurer struct {
	kinds map[string]map[string]settings
}

// list is a setting with several values.
func (s settings) list(name string) []string {
	v := s[name]
	if strings.HasPrefix(v, "[") {
		var out []string
		if json.Unmarshal([]byte(v), &out) == nil {
			return out
		}
	}
	if v == "" {
		return nil
	}
	out := strings.Split(v, ",")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

func (s settings) int(name string, def int) (int, error) {
	v, ok := s[name]
	if !ok {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > 10_000 {
		return 0, fmt.Errorf("failed to parse value [%s] for setting [%s]", v, name)
	}
	return n, nil
}

func (s settings) bool(name string, def bool) bool {
	v, ok := s[name]
	if !ok {
		return def
	}
	return v == "true"
}

// analyzer makes a custom analyzer, or a built-in one with other parameters.
func (c *configurer) analyzer(name string, s settings) (*Analyzer, error) {
	typ := s["type"]
	if typ == "" && s["tokenizer"] != "" {
		typ = "custom"
	}
	if typ != "custom" {
		return c.variant(name, typ, s)
	}
	chain := &chain{}
	if s["tokenizer"] == "" {
		return nil, fmt.Errorf("analyzer [%s] must specify either an analyzer type, or a tokenizer", name)
	}
	var err error
	tokenizer := s["tokenizer"]
	if tokenizer == "lowercase" && c.kinds["tokenizer"][tokenizer] == nil { // letter, lower-cased
		tokenizer, chain.filters = "letter", []tokenFilter{lowerTokens}
	}
	if chain.split, err = c.tokenizer(tokenizer); err != nil {
		return nil, fmt.Errorf("custom analyzer [%s] %w", name, err)
	}
	for _, f := range s.list("char_filter") {
		cf, err := c.charFilter(f)
		if err != nil {
			return nil, fmt.Errorf("custom analyzer [%s] %w", name, err)
		}
		chain.chars = append(chain.chars, cf)
	}
	for _, f := range s.list("filter") {
		tf, err := c.filter(f)
		if err != nil {
			return nil, fmt.Errorf("custom analyzer [%s] %w", name, err)
		}
		chain.filters = append(chain.filters, tf)
	}
	a := newAnalyzer("custom "+name, nil)
	a.chain = chain
	return a, nil
}

// variant is a built-in analyzer with parameters.
func (c *configurer) variant(name, typ string, s settings) (*Analyzer, error) {
	if typ == "pattern" || typ == "fingerprint" {
		return c.built(name, typ, s)
	}
	a, ok := Lookup(typ)
	if !ok {
		return nil, fmt.Errorf("failed to find analyzer type [%s] for analyzer [%s]", typ, name)
	}
	a.name = "custom " + name
	if _, given := s["stopwords"]; given {
		var err error
		if a.stop, err = stopWords(s.list("stopwords")); err != nil {
			return nil, err
		}
	}
	for k := range s {
		if k != "type" && k != "stopwords" {
			return nil, fmt.Errorf("setting [%s] of analyzer [%s] is not supported", k, name)
		}
	}
	return a, nil
}

// built is pattern and fingerprint, which are chains.
func (c *configurer) built(name, typ string, s settings) (*Analyzer, error) {
	a := newAnalyzer("custom "+name, nil)
	words, err := stopWords(s.list("stopwords"))
	if err != nil {
		return nil, err
	}
	ch := &chain{}
	a.chain = ch
	if typ == "fingerprint" {
		sep := s["separator"]
		if sep == "" {
			sep = " "
		}
		ch.split = splitStandard
		ch.filters = []tokenFilter{lowerTokens, foldTokens, dropTokens(words), fingerprint(sep)}
		return a, nil
	}
	pattern := s["pattern"]
	if pattern == "" {
		pattern = `\W+`
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("analyzer [%s]: %w", name, err)
	}
	ch.split = splitPattern(re, -1)
	if s.bool("lowercase", true) {
		ch.filters = append(ch.filters, lowerTokens)
	}
	ch.filters = append(ch.filters, dropTokens(words))
	return a, nil
}

// stopWords reads a list of words, _english_ or _none_.
func stopWords(list []string) (map[string]struct{}, error) {
	out := map[string]struct{}{}
	for _, w := range list {
		switch {
		case w == "_english_":
			maps.Copy(out, englishStopWords())
		case w == "_none_":
		case len(w) > 2 && w[0] == '_' && w[len(w)-1] == '_':
			return nil, fmt.Errorf("stop words [%s] are not supported", w)
		default:
			out[w] = struct{}{}
		}
	}
	return out, nil
}
