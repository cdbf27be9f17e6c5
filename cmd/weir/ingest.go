package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/store/ingest"
	"github.com/weirlog/weir/store/painless"
)

// ingestFilters lends the pipeline's machines to the ingest pipelines of the store.
func ingestFilters() ingest.Filters {
	return ingest.Filters{Grok: ingestGrok, GrokPatterns: grokPatterns, Regexp: ingestRegexp, UserAgent: ingestUserAgent()}
}

// ingestUserAgent reads its rules at the first text.
func ingestUserAgent() func(text string) *painless.Map {
	rules := sync.OnceValues(filter.UserAgents)
	return func(text string) *painless.Map {
		find, err := rules()
		m := painless.NewMap()
		if err != nil { // the rules are part of the program, and a test reads them
			return m
		}
		u := find(text)
		put := func(m *painless.Map, key, value string) {
			if value != "" {
				m.Set(key, value)
			}
		}
		put(m, "name", u.Name)
		put(m, "original", text)
		put(m, "version", u.Version)
		if u.OS != "Other" {
			os := painless.NewMap()
			put(os, "name", u.OS)
			put(os, "version", u.OSVersion)
			put(os, "full", u.OSFull)
			m.Set("os", os)
		}
		device := painless.NewMap()
		put(device, "name", u.Device)
		m.Set("device", device)
		return m
	}
}

// ingestGrok compiles the patterns of a grok processor. Each document takes matchers of its own.
func ingestGrok(patterns []string, defs map[string]string, ecs bool) (func(text string, set func(path string, value any)) (int, error), error) {
	set := grok.Stock(ecs).With(defs)
	type entry struct {
		p    *grok.Pattern
		free *sync.Pool // *grok.Matcher, one per document under way
	}
	var list []entry
	for _, text := range patterns {
		p, err := set.Compile(text, grok.DefaultOptions())
		if err != nil {
			return nil, err
		}
		list = append(list, entry{p, &sync.Pool{New: func() any { return p.NewMatcher() }}})
	}
	return func(text string, put func(path string, value any)) (int, error) {
		b := []byte(text)
		for i, e := range list {
			m := e.free.Get().(*grok.Matcher)
			ok, err := m.Match(b)
			if ok && err == nil {
				captures := e.p.Captures()
				m.Each(func(c, from, to int) { put(dotted(captures[c].Name), grokValue(captures[c].Type, b[from:to])) })
			}
			e.free.Put(m)
			if ok || err != nil {
				return i, err
			}
		}
		return -1, nil
	}, nil
}

// dotted is [a][b] as a.b.
func dotted(name string) string {
	if !strings.HasPrefix(name, "[") {
		return name
	}
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"), "][", ".")
}

func grokValue(t grok.Type, b []byte) any {
	switch t {
	case grok.Int:
		return grok.ToInt(b)
	case grok.Float:
		return grok.ToFloat(b)
	}
	return string(b)
}

func grokPatterns(ecs bool) map[string]string {
	set := grok.Stock(ecs)
	out := map[string]string{}
	for _, n := range set.Names() {
		out[n], _ = set.Definition(n)
	}
	return out
}

// linear is a regular expression of the pipeline's engine as ingest uses it.
type linear struct{ re *grok.Regexp }

func ingestRegexp(expr string) (ingest.Regexp, error) {
	re, err := grok.CompileRegexp(expr)
	if err != nil {
		return nil, err
	}
	return linear{re}, nil
}

// ReplaceAll puts template, with $1 for groups, in the place of each match.
func (l linear) ReplaceAll(s, template string) (string, error) {
	out, err := l.re.ReplaceAll(nil, []byte(s), rubyTemplate(template))
	return string(out), err
}

// rubyTemplate is a replacement as Java writes it in the engine's own spelling: \1 for $1.
func rubyTemplate(t string) string {
	var b strings.Builder
	for i := 0; i < len(t); i++ {
		switch {
		case t[i] == '$' && i+1 < len(t) && t[i+1] >= '0' && t[i+1] <= '9':
			b.WriteByte('\\')
		case t[i] == '\\' && i+1 < len(t):
			i++
			if t[i] == '\\' {
				b.WriteString(`\\`)
			} else {
				b.WriteByte(t[i])
			}
		default:
			b.WriteByte(t[i])
		}
	}
	return b.String()
}

// Split cuts s at every match.
func (l linear) Split(s string) ([]string, error) {
	var out []string
	from, at := 0, 0
	b := []byte(s)
	for at <= len(b) {
		loc, err := l.re.Find(nil, b, at)
		if err != nil {
			return nil, fmt.Errorf("split: %w", err)
		}
		if len(loc) < 2 || loc[0] < 0 {
			break
		}
		if loc[1] == loc[0] { // an empty match cuts between characters, not behind another match
			if at = loc[1] + 1; loc[0] == from || loc[0] >= len(b) {
				continue
			}
		} else {
			at = loc[1]
		}
		out = append(out, s[from:loc[0]])
		from = loc[1]
	}
	return append(out, s[from:]), nil
}
