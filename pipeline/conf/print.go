package conf

import (
	"strings"
	"unicode/utf8"
)

const lineWidth = 100 // arrays and small hashes longer than this are broken up

// Print writes the tree in the one form: two spaces a level, => aligned within a plugin or hash, comments where they were.
func Print(f *File) string {
	p := &printer{}
	for i, s := range f.Sections {
		if i > 0 {
			p.b.WriteByte('\n')
		}
		p.comments(s.Lead)
		p.line(s.Kind + " {")
		p.body(s.Body, s.End)
		p.line("}")
	}
	p.comments(f.Tail)
	return p.b.String()
}

type printer struct {
	b     strings.Builder
	level int
}

func (p *printer) line(s string) {
	p.b.WriteString(strings.Repeat("  ", p.level))
	p.b.WriteString(s)
	p.b.WriteByte('\n')
}

func (p *printer) comments(lines []string) {
	for _, c := range lines {
		p.line(c)
	}
}

func (p *printer) body(body []Stmt, end []string) {
	p.level++
	for _, st := range body {
		switch st := st.(type) {
		case *Plugin:
			p.comments(st.Lead)
			p.line(p.plugin(st) + trailing(st.Trail))
		case *If:
			p.comments(st.Lead)
			p.conditional(st)
		}
	}
	p.comments(end)
	p.level--
}

func trailing(c string) string {
	if c == "" {
		return ""
	}
	return " " + c
}

func (p *printer) conditional(st *If) {
	for i, b := range st.Branches {
		head := "if "
		if i > 0 {
			head = "} else if "
		}
		if b.Cond == nil {
			head = "} else"
		} else {
			head += p.expr(b.Cond)
		}
		p.line(head + " {")
		p.level++
		p.comments(b.Lead)
		p.level--
		p.body(b.Body, b.End)
	}
	p.line("}" + trailing(st.Trail))
}

// plugin is the text of a plugin without the indent of its first line.
func (p *printer) plugin(pl *Plugin) string {
	name := quote(pl.Name, pl.Quote)
	if len(pl.Attrs) == 0 && len(pl.End) == 0 {
		return name + " { }"
	}
	width := 0
	for _, a := range pl.Attrs {
		width = max(width, utf8.RuneCountInString(quote(a.Name, a.Quote)))
	}
	in := &printer{level: p.level + 1}
	for _, a := range pl.Attrs {
		in.comments(a.Lead)
		k := quote(a.Name, a.Quote)
		in.line(k + pad(k, width) + " => " + in.value(a.Value) + trailing(a.Trail))
	}
	in.comments(pl.End)
	return name + " {\n" + in.b.String() + strings.Repeat("  ", p.level) + "}"
}

func pad(s string, width int) string {
	return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

func quote(s string, q byte) string {
	if q == 0 {
		return s
	}
	return string(q) + s + string(q)
}

// value is the text of a value without the indent of its first line.
func (p *printer) value(v Value) string {
	switch v := v.(type) {
	case *String:
		return quote(v.Text, v.Quote)
	case *Number:
		return v.Text
	case *Bareword:
		return v.Text
	case *Selector:
		return v.Text
	case *Regexp:
		return "/" + v.Text + "/"
	case *Plugin:
		return p.plugin(v)
	case *Array:
		return p.array(v)
	case *Hash:
		return p.hash(v)
	}
	return ""
}

func (p *printer) array(a *Array) string {
	if budget := lineWidth; len(a.Items) == 0 && len(a.End) == 0 || fits(a, &budget) {
		parts := make([]string, len(a.Items))
		for i, it := range a.Items {
			parts[i] = p.value(it.Value)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	in := &printer{level: p.level + 1}
	for i, it := range a.Items {
		in.comments(it.Lead)
		s := in.value(it.Value)
		if i+1 < len(a.Items) {
			s += ","
		}
		in.line(s + trailing(it.Trail))
	}
	in.comments(a.End)
	return "[\n" + in.b.String() + strings.Repeat("  ", p.level) + "]"
}

// fits reports whether v goes onto one line of at most budget bytes. It stops as soon as it does not, so that nested values are not
// printed once a level.
func fits(v Value, budget *int) bool {
	switch v := v.(type) {
	case *String:
		*budget -= len(v.Text) + 2
		return *budget >= 0 && !strings.Contains(v.Text, "\n")
	case *Array:
		*budget -= 2 * len(v.Items)
		for _, it := range v.Items {
			if *budget < 0 || !fits(it.Value, budget) {
				return false
			}
		}
		return !commented(v.Items, v.End)
	case *Hash:
		*budget -= 8
		return len(v.Items) == 1 && !commented(v.Items, v.End) && fits(v.Items[0].Key, budget) && *budget >= 0 && fits(v.Items[0].Value, budget)
	case *Plugin:
		return len(v.Attrs) == 0 && len(v.End) == 0
	case *Number:
		*budget -= len(v.Text)
	case *Bareword:
		*budget -= len(v.Text)
	}
	return *budget >= 0
}

func commented(items []Item, end []string) bool {
	for _, it := range items {
		if len(it.Lead) > 0 || it.Trail != "" {
			return true
		}
	}
	return len(end) > 0
}

func (p *printer) hash(h *Hash) string {
	if len(h.Items) == 0 && len(h.End) == 0 {
		return "{ }"
	}
	if budget := lineWidth; fits(h, &budget) {
		return "{ " + p.value(h.Items[0].Key) + " => " + p.value(h.Items[0].Value) + " }"
	}
	in := &printer{level: p.level + 1}
	width := 0
	for _, it := range h.Items {
		width = max(width, utf8.RuneCountInString(in.value(it.Key)))
	}
	for _, it := range h.Items {
		in.comments(it.Lead)
		k := in.value(it.Key)
		in.line(k + pad(k, width) + " => " + in.value(it.Value) + trailing(it.Trail))
	}
	in.comments(h.End)
	return "{\n" + in.b.String() + strings.Repeat("  ", p.level) + "}"
}

func (p *printer) expr(x Expr) string {
	switch x := x.(type) {
	case *Logic:
		return p.expr(x.L) + " " + x.Op + " " + p.expr(x.R)
	case *Not:
		return "!" + p.expr(x.X)
	case *Paren:
		return "(" + p.expr(x.X) + ")"
	case *Compare:
		return p.value(x.L) + " " + x.Op + " " + p.value(x.R)
	case *Truth:
		return p.value(x.X)
	}
	return ""
}

// Text is a condition as one line.
func Text(x Expr) string { return (&printer{}).expr(x) }
