package grok

import (
	"strings"
	"unicode"
)

// Span is a part of a line, in bytes.
type Span struct{ From, To int }

// FromSelection is a pattern for lines like this one, in which each span becomes a field: its kind is the most telling stock pattern that
// matches it whole. What stands between the spans must stand there again, but for words with digits and for lengths of blanks. Spans are
// in order and do not overlap.
func (s *Set) FromSelection(line string, spans []Span) string {
	b := &builder{set: s, used: map[string]int{}}
	at := 0
	for _, sp := range spans {
		b.between(line[at:sp.From])
		b.selected(line[sp.From:sp.To])
		at = sp.To
	}
	rest := line[at:]
	if border := strings.IndexFunc(rest, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }); border >= 0 {
		b.between(rest[:border])
		b.out.WriteString("%{GREEDYDATA}")
	} else {
		b.between(rest)
	}
	return b.out.String()
}

// selected takes a text as one field.
func (b *builder) selected(text string) {
	for k, p := range parts {
		if p.name == "JAVACLASS" && !strings.Contains(text, ".") {
			continue
		}
		if b.set.fitsAll(`\A(?:%{`+p.name+`})\z`, []string{text}) {
			typ := ""
			if p.name == "NUMBER" {
				if typ = ":int"; strings.Contains(text, ".") {
					typ = ":float"
				}
			}
			b.out.WriteString("%{" + p.name + ":" + b.name(k) + typ + "}")
			return
		}
	}
	b.out.WriteString("%{DATA:" + b.name(len(parts)-1) + "}")
}

// between takes what stands between two fields.
func (b *builder) between(text string) {
	for text != "" {
		blank := text[0] == ' ' || text[0] == '\t'
		n := strings.IndexFunc(text, func(r rune) bool { return (r == ' ' || r == '\t') != blank })
		if n < 0 {
			n = len(text)
		}
		word := text[:n]
		switch {
		case blank && n > 1:
			b.out.WriteString(`\s+`)
		case !blank && strings.ContainsAny(word, "0123456789"):
			b.varying(word)
		default:
			b.out.WriteString(QuoteRegexp(word))
		}
		text = text[n:]
	}
}

// varying takes a word with digits: what encloses it stays as it is.
func (b *builder) varying(word string) {
	core := strings.Trim(word, `[](){}<>"':;,=|`)
	from := strings.Index(word, core)
	b.out.WriteString(QuoteRegexp(word[:from]) + "%{DATA}" + QuoteRegexp(word[from+len(core):]))
}
