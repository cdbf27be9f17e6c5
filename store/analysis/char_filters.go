package analysis

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

// charFilter makes a character filter: a configured one, or html_strip by its name.
func (c *configurer) charFilter(name string) (charFilter, error) {
	s, typ := c.kinds["char_filter"][name], name
	if s != nil {
		typ = s["type"]
	}
	allowed := map[string]string{"html_strip": "escaped_tags", "mapping": "mappings", "pattern_replace": "pattern replacement"}
	if err := s.only(name, allowed[typ]); err != nil {
		return nil, err
	}
	switch typ {
	case "html_strip":
		return stripHTML(s.list("escaped_tags")), nil
	case "mapping":
		return mappingFilter(s)
	case "pattern_replace":
		re, err := regexp.Compile(s["pattern"])
		if err != nil || s["pattern"] == "" {
			return nil, fmt.Errorf("char_filter [%s]: pattern is missing or wrong: %q", name, s["pattern"])
		}
		to := []byte(javaGroup.ReplaceAllString(s["replacement"], "$${$1}"))
		return func(t mapped) mapped {
			r, from := rewrite(t), 0
			for _, m := range re.FindAllSubmatchIndex(t.text, -1) {
				r.keep(from, m[0])
				r.put(re.Expand(nil, to, t.text, m), m[0])
				from = m[1]
			}
			r.keep(from, len(t.text))
			return r.done()
		}, nil
	}
	return nil, fmt.Errorf("failed to find char_filter under name [%s]", name)
}

// mappingFilter replaces texts by others, the longest first: "a => b".
func mappingFilter(s settings) (charFilter, error) {
	type rule struct{ from, to []byte }
	var rules []rule
	for _, line := range s.list("mappings") {
		from, to, ok := strings.Cut(line, "=>")
		if from = strings.TrimSpace(from); !ok || from == "" {
			return nil, fmt.Errorf("invalid mapping rule : [%s]", line)
		}
		rules = append(rules, rule{unescapeRule(from), unescapeRule(strings.TrimSpace(to))})
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("mapping requires either `mappings` or `mappings_path` to be configured")
	}
	slices.SortStableFunc(rules, func(a, b rule) int { return len(b.from) - len(a.from) })
	return func(t mapped) mapped {
		r, kept := rewrite(t), 0
	next:
		for i := 0; i < len(t.text); {
			for _, x := range rules {
				if bytes.HasPrefix(t.text[i:], x.from) {
					r.keep(kept, i)
					r.put(x.to, i)
					i += len(x.from)
					kept = i
					continue next
				}
			}
			i++
		}
		r.keep(kept, len(t.text))
		return r.done()
	}, nil
}

func unescapeRule(s string) []byte {
	return []byte(strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\u0020`, " ").Replace(s))
}

var htmlPiece = regexp.MustCompile(`(?s)<!--.*?-->|<(script|style)\b.*?</(?:script|style)\s*>|</?([a-zA-Z][a-zA-Z0-9]*)(?:\s[^<>]*)?/?>|&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);`)

// blockTags end a line.
const blockTags = " p div br li ul ol table tr td th h1 h2 h3 h4 h5 h6 pre blockquote hr section article header footer form "

// stripHTML takes tags out and resolves entities; tags of escaped stay.
func stripHTML(escaped []string) charFilter {
	return func(t mapped) mapped {
		r, from := rewrite(t), 0
		for _, m := range htmlPiece.FindAllSubmatchIndex(t.text, -1) {
			piece := t.text[m[0]:m[1]]
			name := ""
			if m[4] >= 0 {
				name = strings.ToLower(string(t.text[m[4]:m[5]]))
			}
			if name != "" && slices.Contains(escaped, name) {
				continue
			}
			r.keep(from, m[0])
			switch {
			case piece[0] == '&':
				r.put([]byte(html.UnescapeString(string(piece))), m[0])
			case m[2] >= 0 || name != "" && strings.Contains(blockTags, " "+name+" "):
				r.put([]byte("\n"), m[0])
			}
			from = m[1]
		}
		r.keep(from, len(t.text))
		return r.done()
	}
}
