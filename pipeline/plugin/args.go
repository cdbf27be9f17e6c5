package plugin

import (
	"strconv"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/grok"
)

// Has reports whether the option was written.
func (a *Args) Has(name string) bool { _, ok := a.vals[name]; return ok }

// Value is the option as written, nil when it was not.
func (a *Args) Value(name string) conf.Value { return a.vals[name] }

// String is the text of an option, or its default.
func (a *Args) String(name string) string {
	if v, ok := a.vals[name]; ok {
		s, _ := scalar(v)
		return s
	}
	if o := a.option(name); o != nil {
		return o.Default
	}
	return ""
}

// Bool is a boolean option.
func (a *Args) Bool(name string) bool { return a.String(name) == "true" }

// Int is a number option, rounded down.
func (a *Args) Int(name string) int {
	f, _ := strconv.ParseFloat(a.String(name), 64)
	return int(f)
}

// Float is a number option.
func (a *Args) Float(name string) float64 {
	f, _ := strconv.ParseFloat(a.String(name), 64)
	return f
}

// Seconds is a number option as a duration.
func (a *Args) Seconds(name string) time.Duration {
	return time.Duration(a.Float(name) * float64(time.Second))
}

// Bytes is a bytes option.
func (a *Args) Bytes(name string) int64 {
	n, _ := parseBytes(a.String(name))
	return n
}

// Text is a text with its place.
type Text struct {
	Pos  conf.Pos
	Text string
}

// Texts is the elements of an array option. Elements that are no text are reported.
func (a *Args) Texts(name string) []Text {
	v, ok := a.vals[name]
	if !ok {
		if o := a.option(name); o != nil && o.Default != "" {
			return []Text{{a.Pos, o.Default}}
		}
		return nil
	}
	return a.texts(name, v)
}

func (a *Args) texts(name string, v conf.Value) []Text {
	l, ok := v.(*conf.Array)
	if !ok {
		l = &conf.Array{Items: []conf.Item{{Value: v}}}
	}
	var out []Text
	for _, it := range l.Items {
		s, ok := scalar(it.Value)
		if !ok {
			a.fail(it.Value.At(), "", "option %s: a text should stand here", name)
			continue
		}
		out = append(out, Text{it.Value.At(), s})
	}
	return out
}

// Strings is Texts without places.
func (a *Args) Strings(name string) []string {
	var out []string
	for _, t := range a.Texts(name) {
		out = append(out, t.Text)
	}
	return out
}

// Pair is one entry of a hash option.
type Pair struct {
	Key    Text
	Values []Text // one, or the elements of a list
	List   bool
	Number bool // Values[0] was written as a number
	Raw    conf.Value
}

// Pairs is the entries of a hash option in order. Values that are neither text nor lists of texts are reported.
func (a *Args) Pairs(name string) []Pair {
	h, ok := a.vals[name].(*conf.Hash)
	if !ok {
		return nil
	}
	var out []Pair
	for _, it := range h.Items {
		p := Pair{Key: Text{it.Key.At(), text(it.Key)}, Raw: it.Value}
		_, p.List = it.Value.(*conf.Array)
		_, p.Number = it.Value.(*conf.Number)
		p.Values = a.texts(name, it.Value)
		out = append(out, p)
	}
	return out
}

// Path compiles a text as a field reference; a fault is reported and gives nil.
func (a *Args) Path(t Text) *event.Path {
	p, err := event.ParsePath(t.Text)
	if err != nil {
		a.fail(t.Pos, "", "%v", err)
		return nil
	}
	return p
}

// Field is the field reference of an option; nil when the option has no value.
func (a *Args) Field(name string) *event.Path {
	s := a.String(name)
	if s == "" {
		return nil
	}
	return a.Path(Text{a.At(name), s})
}

// Template compiles a text with %{}; a fault is reported and gives an empty template.
func (a *Args) Template(t Text) *Template {
	tpl, err := ParseTemplate(t.Text)
	if err != nil {
		a.fail(t.Pos, "", "%v", err)
		return &Template{}
	}
	return tpl
}

// Templates compiles the elements of an array option.
func (a *Args) Templates(name string) []*Template {
	var out []*Template
	for _, t := range a.Texts(name) {
		out = append(out, a.Template(t))
	}
	return out
}

// Ref compiles a field reference that may hold %{}.
func (a *Args) Ref(t Text) *Ref {
	tpl := a.Template(t)
	r := &Ref{tpl: tpl}
	if tpl.Const() {
		r.path = a.Path(t)
	}
	return r
}

// Regexp compiles a regular expression; a fault is reported and gives nil.
func (a *Args) Regexp(t Text) *grok.Regexp {
	re, err := grok.CompileRegexp(t.Text)
	if err != nil {
		a.fail(t.Pos, "", "regular expression: %v", err)
		return nil
	}
	return re
}
