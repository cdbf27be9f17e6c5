package conf

import (
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`\$\{([a-zA-Z_.][a-zA-Z0-9_.]*)(?::([^}]*))?\}`)

// Expand replaces ${NAME} and ${NAME:default} in every value and condition, and escapes in strings when escapes is set. lookup
// finds variables. A value that is one variable holding [a, b] becomes an array.
func Expand(f *File, lookup func(string) (string, bool), escapes bool) Errors {
	x := &expander{lookup: lookup, escapes: escapes}
	for _, s := range f.Sections {
		x.body(s.Body)
	}
	return x.errs
}

type expander struct {
	lookup  func(string) (string, bool)
	escapes bool
	errs    Errors
}

func (x *expander) body(body []Stmt) {
	for _, st := range body {
		switch st := st.(type) {
		case *Plugin:
			x.plugin(st)
		case *If:
			for _, b := range st.Branches {
				if b.Cond != nil {
					x.expr(b.Cond)
				}
				x.body(b.Body)
			}
		}
	}
}

func (x *expander) plugin(p *Plugin) {
	for _, a := range p.Attrs {
		a.Value = x.value(a.Value)
	}
}

func (x *expander) expr(e Expr) {
	switch e := e.(type) {
	case *Logic:
		x.expr(e.L)
		x.expr(e.R)
	case *Not:
		x.expr(e.X)
	case *Paren:
		x.expr(e.X)
	case *Compare:
		e.L, e.R = x.value(e.L), x.value(e.R)
	case *Truth:
		e.X = x.value(e.X)
	}
}

func (x *expander) value(v Value) Value {
	switch v := v.(type) {
	case *String:
		text := v.Text
		if x.escapes {
			text = unescape(text)
		}
		return x.text(v.Pos, text, v.Quote)
	case *Bareword:
		return v
	case *Selector:
		v.Text = x.replace(v.Pos, v.Text)
	case *Array:
		for i := range v.Items {
			v.Items[i].Value = x.value(v.Items[i].Value)
		}
	case *Hash:
		for i := range v.Items {
			if k, ok := v.Items[i].Key.(*String); ok {
				text := k.Text
				if x.escapes {
					text = unescape(text)
				}
				v.Items[i].Key = &String{k.Pos, x.replace(k.Pos, text), k.Quote}
			}
			v.Items[i].Value = x.value(v.Items[i].Value)
		}
	case *Plugin:
		x.plugin(v)
	}
	return v
}

// text replaces variables of a string; a lone variable may turn into a list.
func (x *expander) text(pos Pos, text string, quote byte) Value {
	if !strings.Contains(text, "${") {
		return &String{pos, text, quote}
	}
	out := x.replace(pos, text)
	if m := variable.FindString(text); m == text {
		out = strings.TrimSpace(out)
		if n := len(out); n >= 2 && (out[0] == '"' || out[0] == '\'') && out[n-1] == out[0] {
			return &String{pos, out[1 : n-1], quote}
		}
		if strings.HasPrefix(out, "[") && strings.HasSuffix(out, "]") {
			p := &parser{scanner: newScanner(pos.File, out)}
			if a, ok := p.array().(*Array); ok && p.eof() && len(p.errs) == 0 {
				a.Pos = pos
				return a
			}
		}
	}
	return &String{pos, out, quote}
}

func (x *expander) replace(pos Pos, text string) string {
	return variable.ReplaceAllStringFunc(text, func(m string) string {
		g := variable.FindStringSubmatch(m)
		if v, ok := x.lookup(g[1]); ok {
			return v
		}
		if strings.Contains(m, ":") {
			return g[2]
		}
		x.errs = append(x.errs, ErrorAt(pos, "set it in the environment, or give a default: ${"+g[1]+":value}", "variable %s is not set", g[1]))
		return ""
	})
}

// unescape decodes \" \' \\ \n \r \t \0; other escapes stay.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\"`, `"`, `\'`, `'`, `\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\0`, "\x00").Replace(s)
}
