package conf

import (
	"slices"
	"strconv"
	"strings"
)

const (
	maxDepth  = 200 // nested braces, brackets and parentheses
	maxErrors = 50  // errors reported for one file
)

// Parse reads one file. The tree holds what could be read even when there are errors.
func Parse(file, src string) (*File, Errors) {
	p := &parser{scanner: newScanner(file, strings.TrimPrefix(src, "\ufeff"))}
	f := &File{}
	for {
		p.space()
		if p.eof() || len(p.errs) >= maxErrors {
			break
		}
		if s := p.section(); s != nil {
			f.Sections = append(f.Sections, s)
		}
	}
	f.Tail = p.lead()
	for _, e := range p.errs {
		e.Source = p.sourceLine(e.Line)
	}
	return f, p.errs
}

// Join makes one configuration of several files, in the order given.
func Join(files ...*File) *File {
	all := &File{}
	for _, f := range files {
		all.Sections = append(all.Sections, f.Sections...)
	}
	return all
}

type parser struct {
	*scanner
	errs  Errors
	depth int
}

func (p *parser) errorAt(pos Pos, hint, format string, args ...any) {
	if n := len(p.errs); n > 0 && p.errs[n-1].Line == pos.Line && p.errs[n-1].Col == pos.Col {
		return // what follows from an error is not another one
	}
	p.errs = append(p.errs, ErrorAt(pos, hint, format, args...))
}

// found describes the next token for messages.
func (p *parser) found() string {
	if p.eof() {
		return "the end of the file"
	}
	from := p.i
	if w := p.name(); w != "" {
		p.i = from
		return strconv.Quote(w)
	}
	for _, r := range p.src[p.i:] {
		return strconv.Quote(string(r))
	}
	return "nothing"
}

var sectionNames = []string{"input", "filter", "output"}

func (p *parser) section() *Section {
	s := &Section{Pos: p.pos(), Lead: p.lead()}
	s.Kind = p.name()
	if !slices.Contains(sectionNames, s.Kind) {
		hint := "a configuration is made of input { }, filter { } and output { }"
		if n := Nearest(s.Kind, sectionNames); n != "" {
			hint = "did you mean " + n + "?"
		}
		if s.Kind == "" {
			p.errorAt(s.Pos, hint, "%s where a section should begin", p.found())
			p.i++
			if p.src[p.i-1] == '{' {
				p.skipBlock()
			}
			return nil
		}
		p.errorAt(s.Pos, hint, "unknown section %q", s.Kind)
	}
	p.space()
	if p.peek() != '{' {
		p.errorAt(p.pos(), "", "{ missing behind %s, found %s", s.Kind, p.found())
		return nil
	}
	s.Body, s.End = p.block("section " + s.Kind)
	return s
}

// skipBlock steps behind the brace that closes an open one.
func (p *parser) skipBlock() {
	for n := 1; n > 0; {
		p.space()
		if p.eof() {
			return
		}
		switch p.peek() {
		case '{':
			n++
		case '}':
			n--
		case '"', '\'':
			if _, _, ok := p.quoted(); ok {
				continue
			}
		}
		p.i++
	}
}

// enter counts a level of nesting.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.errorAt(p.pos(), "", "nested deeper than %d levels", maxDepth)
		p.i = len(p.src)
		return false
	}
	return true
}

// block reads { statements }.
func (p *parser) block(what string) (body []Stmt, end []string) {
	open := p.pos()
	p.i++
	defer func() { p.depth-- }()
	if !p.enter() {
		return nil, nil
	}
	for {
		p.space()
		switch {
		case len(p.errs) >= maxErrors:
			p.i = len(p.src)
			return body, p.lead()
		case p.eof():
			p.errorAt(open, "every { needs a }", "the { of this %s is never closed", what)
			return body, p.lead()
		case p.peek() == '}':
			p.i++
			return body, p.lead()
		}
		if st := p.statement(); st != nil {
			body = append(body, st)
		}
	}
}

func (p *parser) statement() Stmt {
	lead, pos := p.lead(), p.pos()
	c := p.peek()
	if c == '"' || c == '\'' {
		text, quote, ok := p.quoted()
		if !ok {
			p.unclosedString(pos)
			return nil
		}
		return p.plugin(pos, text, quote, lead)
	}
	from := p.i
	name := p.name()
	if name == "" {
		p.errorAt(pos, "", "a plugin or if should begin here, found %s", p.found())
		p.i++
		if c == '{' {
			p.skipBlock()
		}
		return nil
	}
	if name == "if" {
		return p.conditional(pos, lead)
	}
	p.space()
	if p.has("=>") || p.peek() == '=' {
		p.errorAt(pos, "options belong between the braces of a plugin", "option %q outside of a plugin", name)
		p.i = from
		p.attr()
		return nil
	}
	if name == "else" || name == "elsif" || name == "elseif" {
		hint := "else belongs directly behind the } of an if"
		if name != "else" {
			hint = "write else if"
		}
		p.errorAt(pos, hint, "%s without if", name)
		p.skipTo('{')
		if p.peek() == '{' {
			p.block(name)
		}
		return nil
	}
	return p.plugin(pos, name, 0, lead)
}

// skipTo steps to the next c on this line, or to the line's end.
func (p *parser) skipTo(c byte) {
	for !p.eof() && p.peek() != c && p.peek() != '\n' {
		p.i++
	}
}

// plugin reads { attributes } behind a name.
func (p *parser) plugin(pos Pos, name string, quote byte, lead []string) Stmt {
	pl := &Plugin{Pos: pos, Name: name, Quote: quote, Lead: lead}
	p.space()
	if p.peek() != '{' {
		hint := ""
		if p.peek() == '[' || p.peek() == '(' {
			hint = "a condition begins with if"
		}
		p.errorAt(p.pos(), hint, "{ missing behind plugin %s, found %s", name, p.found())
		p.skipTo('{')
		if p.peek() != '{' {
			return nil
		}
	}
	p.attributes(pl)
	pl.Trail = p.trail(p.line)
	return pl
}

// attributes reads { name => value ... }.
func (p *parser) attributes(pl *Plugin) {
	open := p.pos()
	p.i++
	defer func() { p.depth-- }()
	if !p.enter() {
		return
	}
	for {
		p.space()
		switch {
		case len(p.errs) >= maxErrors:
			p.i = len(p.src)
			return
		case p.eof():
			p.errorAt(open, "every { needs a }", "the { of %s is never closed", pl.Name)
			return
		case p.peek() == '}':
			p.i++
			pl.End = p.lead()
			return
		case p.peek() == ',':
			p.errorAt(p.pos(), "options are separated by white space: remove the comma", "comma between options")
			p.i++
			continue
		}
		if a := p.attr(); a != nil {
			pl.Attrs = append(pl.Attrs, a)
		} else {
			p.resync()
		}
	}
}

// resync steps to the next line that begins with an option, or to a closing brace.
func (p *parser) resync() {
	for !p.eof() {
		p.skipTo('}')
		if p.peek() == '}' {
			return
		}
		p.space()
		from, line, start := p.i, p.line, p.lineStart
		if p.name() != "" {
			p.space()
			if p.has("=>") {
				p.i, p.line, p.lineStart = from, line, start
				return
			}
		} else if !p.eof() && p.peek() != '}' {
			p.i++
		}
	}
}

func (p *parser) attr() *Attr {
	a := &Attr{Pos: p.pos(), Lead: p.lead()}
	if c := p.peek(); c == '"' || c == '\'' {
		var ok bool
		if a.Name, a.Quote, ok = p.quoted(); !ok {
			p.unclosedString(a.Pos)
			return nil
		}
	} else if a.Name = p.name(); a.Name == "" {
		p.errorAt(a.Pos, "", "an option should begin here, found %s", p.found())
		return nil
	}
	p.space()
	if !p.arrow(a.Name) {
		return nil
	}
	if a.Value = p.value(); a.Value == nil {
		return nil
	}
	a.Trail = p.trail(p.line)
	return a
}

// arrow reads =>, or what was probably meant to be one.
func (p *parser) arrow(name string) bool {
	p.space()
	pos := p.pos()
	switch c := p.peek(); {
	case p.has("=>"):
		p.i += 2
	case c == '=' || c == ':':
		p.errorAt(pos, "write "+name+" => ...", "%q where => should be", string(c))
		p.i++
	case c == '{':
		p.errorAt(pos, "plugins and conditions cannot stand inside of a plugin; is a } missing above?", "=> missing behind %s", name)
		p.attributes(&Plugin{Name: name})
		return false
	default:
		p.errorAt(pos, "", "=> missing behind %s, found %s", name, p.found())
		return false
	}
	p.space()
	return true
}

func (p *parser) unclosedString(pos Pos) {
	p.errorAt(pos, "", "the string that begins here never ends")
	p.i = len(p.src)
}

// value reads the value of an option or an element.
func (p *parser) value() Value {
	pos := p.pos()
	switch c := p.peek(); {
	case c == '"' || c == '\'':
		text, quote, ok := p.quoted()
		if !ok {
			p.unclosedString(pos)
			return nil
		}
		return &String{pos, text, quote}
	case c == '[':
		return p.array()
	case c == '{':
		return p.hash()
	case isLetter(c):
		return p.word(pos)
	}
	if n := p.number(); n != "" {
		if !strings.Contains(n, ".") {
			if _, err := strconv.ParseInt(n, 10, 64); err != nil {
				p.errorAt(pos, "put it into quotes", "number %s is too large", n)
			}
		}
		if c := p.peek(); isLetter(c) {
			p.errorAt(pos, "put it into quotes", "value %s... is neither number nor word", n)
			p.name()
		}
		return &Number{pos, n}
	}
	hint := ""
	if p.peek() == '/' {
		hint = "a path is written in quotes"
	}
	p.errorAt(pos, hint, "value missing, found %s", p.found())
	return nil
}

// word reads a bareword, or a plugin when a brace follows.
func (p *parser) word(pos Pos) Value {
	name := p.name()
	from, line, start, fresh, pending := p.i, p.line, p.lineStart, p.fresh, len(p.pending)
	p.space()
	if p.peek() == '{' {
		pl := &Plugin{Pos: pos, Name: name}
		p.attributes(pl)
		return pl
	}
	p.i, p.line, p.lineStart, p.fresh, p.pending = from, line, start, fresh, p.pending[:pending]
	if len(name) < 2 || strings.Contains(name, "-") {
		p.errorAt(pos, "put it into quotes", "word %s needs quotes", name)
	} else if c := p.peek(); c != 0 && strings.IndexByte(".:/@%$*+\\", c) >= 0 {
		p.errorAt(pos, "put it into quotes", "value %s%c... needs quotes", name, c)
		for !p.eof() && strings.IndexByte(" \t\r\n}],", p.peek()) < 0 {
			p.i++
		}
	}
	return &Bareword{pos, name}
}

func (p *parser) array() Value {
	a := &Array{Pos: p.pos()}
	p.i++
	defer func() { p.depth-- }()
	if !p.enter() {
		return nil
	}
	for {
		p.space()
		if p.peek() == ']' {
			if n := len(a.Items); n > 0 {
				p.errorAt(p.pos(), "remove the comma", "comma before ]")
			}
			p.i++
			a.End = p.lead()
			return a
		}
		if p.eof() {
			p.errorAt(a.Pos, "every [ needs a ]", "the [ that begins here is never closed")
			return nil
		}
		it := Item{Lead: p.lead()}
		if it.Value = p.value(); it.Value == nil {
			return nil
		}
		line := p.line
		it.Trail = p.trail(line)
		p.space()
		switch p.peek() {
		case ',':
			p.i++
			if it.Trail == "" {
				it.Trail = p.trail(p.line)
			}
			a.Items = append(a.Items, it)
		case ']':
			a.Items = append(a.Items, it)
			p.i++
			a.End = p.lead()
			return a
		default:
			p.errorAt(p.pos(), "elements are separated by commas", "comma or ] missing, found %s", p.found())
			return nil
		}
	}
}

func (p *parser) hash() Value {
	h := &Hash{Pos: p.pos()}
	p.i++
	defer func() { p.depth-- }()
	if !p.enter() {
		return nil
	}
	for {
		p.space()
		switch {
		case p.eof():
			p.errorAt(h.Pos, "every { needs a }", "the { that begins here is never closed")
			return nil
		case p.peek() == '}':
			p.i++
			h.End = p.lead()
			p.doubles(h)
			return h
		case p.peek() == ',':
			p.errorAt(p.pos(), "pairs are separated by white space: remove the comma", "comma between pairs")
			p.i++
			continue
		}
		it := Item{Lead: p.lead()}
		if it.Key = p.hashKey(); it.Key == nil || !p.arrow(KeyText(it.Key)) {
			return nil
		}
		if it.Value = p.value(); it.Value == nil {
			return nil
		}
		it.Trail = p.trail(p.line)
		h.Items = append(h.Items, it)
	}
}

func (p *parser) hashKey() Value {
	if isLetter(p.peek()) {
		pos := p.pos()
		return &Bareword{pos, p.name()}
	}
	if p.peek() == '[' || p.peek() == '{' {
		p.errorAt(p.pos(), `put it into quotes: "[a][b]" => ...`, "a key is a word, a number or a string in quotes")
		return nil
	}
	return p.value()
}

// KeyText is the text of a key.
func KeyText(v Value) string {
	switch v := v.(type) {
	case *String:
		return v.Text
	case *Number:
		return v.Text
	case *Bareword:
		return v.Text
	}
	return ""
}

func (p *parser) doubles(h *Hash) {
	seen := make(map[string]bool, len(h.Items))
	for _, it := range h.Items {
		k := KeyText(it.Key)
		if seen[k] {
			p.errorAt(it.Key.At(), "", "key %q twice in one hash", k)
		}
		seen[k] = true
	}
}
