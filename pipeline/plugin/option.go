// Package plugin is what filters, codecs, inputs and outputs share: option tables and their check, the text templates of
// Logstash (%{field}, %{+yyyy.MM.dd}), and the options every filter has.
package plugin

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/pipeline/conf"
)

// Kind is the type of an option's value.
type Kind uint8

const (
	String Kind = iota
	Number
	Boolean
	Bytes // "10 MiB"
	Array
	Hash
	Path // of a file
	Password
	Field  // a field reference; may hold %{}
	Regexp // in Ruby's syntax
	Codec
	URI
	Any // a text, a list or a hash: the plugin looks
)

func (k Kind) String() string {
	return [...]string{"string", "number", "boolean", "bytes", "array", "hash", "path", "password", "field reference", "regular expression", "codec", "uri", "string, array or hash"}[k]
}

// Option is a row of a plugin's table.
type Option struct {
	Name       string
	Kind       Kind
	Default    string // as written in a configuration; "" for none
	Required   bool
	Enum       []string
	Deprecated string // still works; says what to use
	Obsolete   string // refused; says what to use
	Unread     string // taken for compatibility, without effect; says why
	Refused    string // known to Logstash, not supported here; says why
	Doc        string
}

// Env is what plugins are built with.
type Env struct {
	ECS     bool // field names of the Elastic Common Schema
	Log     *slog.Logger
	Now     func() time.Time
	Check   bool // only checked, never run: nothing is opened
	Tracing bool

	shared map[string]any
}

// Share is what the plugins of one pipeline hold in common under a key; make makes it for the first one that asks. It is called while
// plugins are built.
func (e *Env) Share(key string, make func() any) any {
	v, ok := e.shared[key]
	if !ok {
		if e.shared == nil {
			e.shared = map[string]any{}
		}
		v = make()
		e.shared[key] = v
	}
	return v
}

// Args is the checked options of one plugin of a configuration.
type Args struct {
	Name string
	ID   string // the option id, or name and place
	Pos  conf.Pos
	Errs *conf.Errors // New functions add what they find

	opts []Option
	vals map[string]conf.Value
}

// Read checks a plugin's attributes against its table. All faults go to errs.
func Read(p *conf.Plugin, opts []Option, errs *conf.Errors) *Args {
	a := &Args{Name: p.Name, Pos: p.Pos, Errs: errs, opts: opts, vals: make(map[string]conf.Value)}
	for _, at := range p.Attrs {
		o := a.option(at.Name)
		if o == nil {
			a.fail(at.Pos, a.suggest(at.Name), "%s has no option %q", p.Name, at.Name)
			continue
		}
		switch {
		case o.Refused != "":
			a.fail(at.Pos, o.Refused, "option %s of %s is not supported", at.Name, p.Name)
			continue
		case o.Obsolete != "":
			a.fail(at.Pos, o.Obsolete, "option %s of %s is gone", at.Name, p.Name)
			continue
		case o.Deprecated != "":
			a.warn(at.Pos, o.Deprecated, "option %s of %s is deprecated", at.Name, p.Name)
		case o.Unread != "":
			a.warn(at.Pos, o.Unread, "option %s of %s has no effect here", at.Name, p.Name)
		}
		if old, again := a.vals[at.Name]; again {
			a.vals[at.Name] = a.merge(at, old)
			continue
		}
		a.vals[at.Name] = at.Value
	}
	for i := range opts {
		a.check(&opts[i])
	}
	a.ID = a.String("id")
	if a.ID == "" {
		a.ID = fmt.Sprintf("%s:%s:%d", p.Name, p.Pos.File, p.Pos.Line)
	}
	return a
}

func (a *Args) option(name string) *Option {
	for i := range a.opts {
		if a.opts[i].Name == name {
			return &a.opts[i]
		}
	}
	return nil
}

func (a *Args) suggest(name string) string {
	names := make([]string, len(a.opts))
	for i, o := range a.opts {
		names[i] = o.Name
	}
	if n := conf.Nearest(name, names); n != "" {
		return "did you mean " + n + "?"
	}
	slices.Sort(names)
	return "options: " + strings.Join(names, ", ")
}

func (a *Args) fail(pos conf.Pos, hint, format string, args ...any) {
	*a.Errs = append(*a.Errs, conf.ErrorAt(pos, hint, format, args...))
}

func (a *Args) warn(pos conf.Pos, hint, format string, args ...any) {
	e := conf.ErrorAt(pos, hint, format, args...)
	e.Warning = true
	*a.Errs = append(*a.Errs, e)
}

// Fail reports a fault of an option's value, or of the plugin when the option is not set.
func (a *Args) Fail(option, hint, format string, args ...any) {
	a.fail(a.At(option), hint, format, args...)
}

// FailAt reports a fault at a place inside the plugin.
func (a *Args) FailAt(pos conf.Pos, hint, format string, args ...any) {
	a.fail(pos, hint, format, args...)
}

// Warn reports a remark about an option.
func (a *Args) Warn(option, hint, format string, args ...any) {
	a.warn(a.At(option), hint, format, args...)
}

// WarnAt reports a remark about a place inside the plugin.
func (a *Args) WarnAt(pos conf.Pos, hint, format string, args ...any) {
	a.warn(pos, hint, format, args...)
}

// At is the place of an option's value.
func (a *Args) At(option string) conf.Pos {
	if v, ok := a.vals[option]; ok {
		return v.At()
	}
	return a.Pos
}

// merge joins an option written twice: hashes merge, arrays append, scalars become an array unless they are equal.
func (a *Args) merge(at *conf.Attr, old conf.Value) conf.Value {
	if _, ok := at.Value.(*conf.Plugin); ok || a.option(at.Name).Kind == Codec {
		a.fail(at.Pos, "", "%s twice in one plugin", at.Name)
		return old
	}
	if h, ok := old.(*conf.Hash); ok {
		if h2, ok := at.Value.(*conf.Hash); ok {
			out := &conf.Hash{Pos: h.Pos, Items: slices.Clone(h.Items)}
			for _, it := range h2.Items {
				out.Items = append(out.Items, it)
			}
			return out
		}
	}
	l, ok := old.(*conf.Array)
	if !ok {
		if text(old) == text(at.Value) && text(old) != "" {
			return old
		}
		l = &conf.Array{Pos: old.At(), Items: []conf.Item{{Value: old}}}
	}
	out := &conf.Array{Pos: l.Pos, Items: slices.Clone(l.Items)}
	if l2, ok := at.Value.(*conf.Array); ok {
		out.Items = append(out.Items, l2.Items...)
	} else {
		out.Items = append(out.Items, conf.Item{Value: at.Value})
	}
	return out
}

// check coerces one option's value to its kind.
func (a *Args) check(o *Option) {
	v, ok := a.vals[o.Name]
	if !ok {
		if o.Required {
			a.fail(a.Pos, "", "%s needs the option %s", a.Name, o.Name)
		}
		return
	}
	switch o.Kind {
	case Array:
		if _, ok := v.(*conf.Array); !ok {
			a.vals[o.Name] = &conf.Array{Pos: v.At(), Items: []conf.Item{{Value: v}}}
		}
		return
	case Hash:
		a.checkHash(o, v)
		return
	case Codec, Any:
		return
	}
	s, ok := scalar(v)
	if !ok {
		a.fail(v.At(), "", "option %s takes a %s", o.Name, o.Kind)
		delete(a.vals, o.Name)
		return
	}
	if why := o.checkText(s); why != "" {
		a.fail(v.At(), o.hint(s), "option %s: %s", o.Name, why)
		delete(a.vals, o.Name)
	}
}

func (o *Option) hint(s string) string {
	if len(o.Enum) == 0 {
		return ""
	}
	if n := conf.Nearest(s, o.Enum); n != "" {
		return "did you mean " + n + "?"
	}
	return "one of " + strings.Join(o.Enum, ", ")
}

func (o *Option) checkText(s string) string {
	switch o.Kind {
	case Number:
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return strconv.Quote(s) + " is not a number"
		}
	case Boolean:
		if s != "true" && s != "false" {
			return strconv.Quote(s) + " is neither true nor false"
		}
	case Bytes:
		if _, ok := parseBytes(s); !ok {
			return strconv.Quote(s) + " is not a number of bytes, such as 10 MiB"
		}
	}
	if len(o.Enum) > 0 && !slices.Contains(o.Enum, s) {
		return strconv.Quote(s) + " is not known"
	}
	return ""
}

func (a *Args) checkHash(o *Option, v conf.Value) {
	switch v := v.(type) {
	case *conf.Hash:
		return
	case *conf.Array:
		if len(v.Items)%2 == 0 {
			h := &conf.Hash{Pos: v.Pos}
			for i := 0; i < len(v.Items); i += 2 {
				h.Items = append(h.Items, conf.Item{Key: v.Items[i].Value, Value: v.Items[i+1].Value})
			}
			a.vals[o.Name] = h
			return
		}
	}
	a.fail(v.At(), `write { "key" => "value" }`, "option %s takes a hash", o.Name)
	delete(a.vals, o.Name)
}

// scalar is the text of a string, number or bareword; an array of one is its element.
func scalar(v conf.Value) (string, bool) {
	switch v := v.(type) {
	case *conf.String, *conf.Number, *conf.Bareword:
		return text(v), true
	case *conf.Array:
		if len(v.Items) == 1 {
			return scalar(v.Items[0].Value)
		}
	}
	return "", false
}

func text(v conf.Value) string { return conf.KeyText(v) }

// parseBytes reads "10", "10kb", "10 MiB".
func parseBytes(s string) (int64, bool) {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	f, err := strconv.ParseFloat(s[:i], 64)
	if err != nil {
		return 0, false
	}
	unit := strings.ToLower(strings.TrimSpace(s[i:]))
	base := 1000.0
	if strings.Contains(unit, "i") {
		base = 1024
	}
	unit = strings.TrimSuffix(strings.Replace(unit, "i", "", 1), "b")
	power := strings.Index("kmgtp", unit) + 1
	if unit == "" {
		power = 0
	} else if len(unit) != 1 || power == 0 {
		return 0, false
	}
	for range power {
		f *= base
	}
	return int64(f), true
}
