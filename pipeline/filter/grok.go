package filter

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/pipeline/plugin"
)

var grokOptions = []plugin.Option{
	{Name: "match", Kind: plugin.Hash, Required: true, Doc: "Field => pattern, or list of patterns."},
	{Name: "patterns_dir", Kind: plugin.Array, Doc: "Folders of pattern files."},
	{Name: "patterns_files_glob", Default: "*", Doc: "Names of the files to read in patterns_dir."},
	{Name: "pattern_definitions", Kind: plugin.Hash, Doc: "Patterns of this filter: name => pattern."},
	{Name: "break_on_match", Kind: plugin.Boolean, Default: "true", Doc: "Whether the first pattern that matches ends the filter."},
	{Name: "named_captures_only", Kind: plugin.Boolean, Default: "true", Doc: "Whether %{NAME} without a field name keeps nothing."},
	{Name: "keep_empty_captures", Kind: plugin.Boolean, Default: "false", Doc: "Whether empty captures become fields."},
	{Name: "target", Kind: plugin.Field, Doc: "Field to put the captures below."},
	{Name: "overwrite", Kind: plugin.Array, Doc: "Fields that captures replace instead of being appended to."},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_grokparsefailure", Doc: "Tags of events no pattern matches."},
	{Name: "timeout_millis", Kind: plugin.Number, Default: "30000", Doc: "Wall limit of a match."},
	{Name: "timeout_scope", Enum: []string{"pattern", "event"}, Default: "pattern", Doc: "What timeout_millis limits."},
	{Name: "tag_on_timeout", Default: "_groktimeout", Doc: "Tag of events whose match was given up."},
}

type grokFilter struct {
	fields    []grokField
	breakOn   bool
	onFailure []string
	onTimeout string
}

type grokField struct {
	path     *event.Path
	patterns []grokPattern
}

type grokPattern struct {
	m        *grok.Matcher
	text     string
	figures  *patternFigures
	captures []grokCapture
	mask     uint64 // of all captures' names
	plain    bool   // each capture is a top-level field that one group fills
}

type grokCapture struct {
	path      *event.Path
	typ       grok.Type
	overwrite bool
}

func newGrok(a *plugin.Args, env *plugin.Env) Filter {
	set := grok.Stock(a.ECS(env))
	for _, d := range a.Texts("patterns_dir") {
		defs, err := grok.LoadDir(d.Text, a.String("patterns_files_glob"))
		if err != nil {
			a.FailAt(d.Pos, "", "%v", err)
			continue
		}
		set = set.With(defs)
	}
	if pairs := a.Pairs("pattern_definitions"); len(pairs) > 0 {
		defs := make(map[string]string, len(pairs))
		for _, p := range pairs {
			if len(p.Values) == 1 {
				defs[p.Key.Text] = p.Values[0].Text
			}
		}
		set = set.With(defs)
	}
	f := &grokFilter{breakOn: a.Bool("break_on_match"), onFailure: tags(a, "tag_on_failure"), onTimeout: a.String("tag_on_timeout")}
	opts := grok.DefaultOptions()
	opts.NamedCapturesOnly = a.Bool("named_captures_only")
	opts.KeepEmpty = a.Bool("keep_empty_captures")
	opts.Timeout = time.Duration(a.Int("timeout_millis")) * time.Millisecond
	overwrite := make(map[string]bool)
	for _, s := range a.Strings("overwrite") {
		overwrite[s] = true
	}
	for _, p := range a.Pairs("match") {
		gf := grokField{path: a.Path(p.Key)}
		for _, v := range p.Values {
			if gp, ok := compileGrok(a, env, set, v, opts, overwrite); ok {
				gf.patterns = append(gf.patterns, gp)
				gp.lint(a, v, gf.path)
			}
		}
		f.fields = append(f.fields, gf)
	}
	return f
}

// sharedPattern compiles a pattern once for all workers.
func sharedPattern(a *plugin.Args, env *plugin.Env, set *grok.Set, v plugin.Text, opts grok.Options) (*grok.Pattern, error) {
	type compiled struct {
		p   *grok.Pattern
		err error
	}
	c := env.Share(fmt.Sprint("grok ", a.Pos, v.Pos, v.Text), func() any {
		p, err := set.Compile(v.Text, opts)
		return &compiled{p, err}
	}).(*compiled)
	return c.p, c.err
}

func compileGrok(a *plugin.Args, env *plugin.Env, set *grok.Set, v plugin.Text, opts grok.Options, overwrite map[string]bool) (grokPattern, bool) {
	p, err := sharedPattern(a, env, set, v, opts)
	if err != nil {
		a.FailAt(within(v, err), "", "grok pattern: %v", err)
		return grokPattern{}, false
	}
	for _, l := range p.Lints() {
		a.WarnAt(v.Pos, "", "grok pattern: %s", l.Msg)
	}
	gp := grokPattern{m: p.NewMatcher(), text: v.Text, figures: new(patternFigures)}
	target := a.Field("target")
	for _, c := range p.Captures() {
		path := a.Path(plugin.Text{Pos: v.Pos, Text: c.Name})
		if path == nil {
			return grokPattern{}, false
		}
		over := overwrite[c.Name] || overwrite["["+c.Name+"]"]
		if target != nil {
			path = below(target, path)
		}
		gp.captures = append(gp.captures, grokCapture{path, c.Type, over})
	}
	gp.plain = true
	for i := range gp.captures {
		bits, top := gp.captures[i].path.Mask()
		gp.mask |= bits
		gp.plain = gp.plain && top && p.Groups(i) == 1
	}
	return gp, true
}

// lint warns of a capture that would be appended to the text it comes from.
func (p *grokPattern) lint(a *plugin.Args, v plugin.Text, source *event.Path) {
	for _, c := range p.captures {
		if source != nil && !c.overwrite && c.path.Same(source) {
			a.WarnAt(v.Pos, `write overwrite => ["`+source.String()+`"]`, "%s is captured into itself and becomes a list", source)
		}
	}
}

// below is the path of p inside of target.
func below(target, p *event.Path) *event.Path {
	for _, n := range p.Names() {
		target = target.Child(n)
	}
	return target
}

// within is the place of a pattern's fault in the file, when it lies in the pattern itself and on its first line.
func within(v plugin.Text, err error) conf.Pos {
	pos := v.Pos
	var ge *grok.Error
	if errors.As(err, &ge) && len(ge.Chain) == 0 && ge.Pattern == v.Text {
		pos.Col += ge.Column()
	}
	return pos
}

func (f *grokFilter) Filter(e *event.Event) Result {
	matched := false
	for i := range f.fields {
		ok, err := f.field(e, &f.fields[i])
		if err != nil {
			if f.onTimeout != "" {
				e.Tag(f.onTimeout)
			}
			return Failed
		}
		matched = matched || ok
		if ok && f.breakOn {
			break
		}
	}
	if !matched {
		return fail(e, f.onFailure)
	}
	return Matched
}

func (f *grokFilter) field(e *event.Event, gf *grokField) (matched bool, err error) {
	v, _ := e.Get(gf.path)
	if v.Kind() != event.ListKind {
		return f.value(e, gf, v)
	}
	for _, el := range e.Batch().Elems(v) {
		ok, err := f.value(e, gf, el)
		if err != nil {
			return false, err
		}
		matched = matched || ok
		if ok && f.breakOn {
			break
		}
	}
	return matched, nil
}

func (f *grokFilter) value(e *event.Event, gf *grokField, v event.Value) (matched bool, err error) {
	if v.Kind() != event.StringKind {
		v = event.String(e.Batch().Text(v))
	}
	text := event.Bytes(v.Str())
	for i := range gf.patterns {
		p := &gf.patterns[i]
		ok, err := p.count(text)
		if err != nil {
			return false, err
		}
		if !ok {
			continue
		}
		matched = true
		p.apply(e, v)
		if f.breakOn {
			break
		}
	}
	return matched, nil
}

// PatternFigure is what one pattern of a filter did since the pipeline began.
type PatternFigure struct {
	Pattern string `json:"pattern"`
	Hits    int64  `json:"hits"`
	Misses  int64  `json:"misses"`
	Nanos   int64  `json:"ns_total"` // estimated from every sixty-fourth line
	Guarded int64  `json:"guarded"`  // lines that cost far more steps than they have bytes
}

// PatternFigurer is implemented by filters that count per pattern. It may be called while the filter runs.
type PatternFigurer interface {
	PatternFigures() []PatternFigure
}

// patternFigures are read by others while the filter counts.
type patternFigures struct{ hits, misses, nanos, guarded atomic.Int64 }

// timeEvery is how many lines share one look at the clock.
const timeEvery = 64

// count matches and counts.
func (p *grokPattern) count(text []byte) (ok bool, err error) {
	f := p.figures
	if n := f.hits.Load() + f.misses.Load(); n%timeEvery == 0 {
		began := time.Now()
		ok, err = p.m.Match(text)
		f.nanos.Add(int64(time.Since(began)) * timeEvery)
		f.guarded.Store(p.m.Guarded())
	} else {
		ok, err = p.m.Match(text)
	}
	if ok {
		f.hits.Add(1)
	} else {
		f.misses.Add(1)
	}
	return ok, err
}

// PatternFigures is the figures of each pattern in the order of the configuration.
func (f *grokFilter) PatternFigures() []PatternFigure {
	var out []PatternFigure
	for i := range f.fields {
		for k := range f.fields[i].patterns {
			p := &f.fields[i].patterns[k]
			out = append(out, PatternFigure{p.text, p.figures.hits.Load(), p.figures.misses.Load(), p.figures.nanos.Load(), p.figures.guarded.Load()})
		}
	}
	return out
}

// apply puts the captures of the last match of v into e.
func (p *grokPattern) apply(e *event.Event, v event.Value) {
	text := v.Str()
	if p.plain && e.Free(p.mask) {
		p.add(e, v)
		return
	}
	p.m.Each(func(i, from, to int) {
		c := &p.captures[i]
		switch c.typ {
		case grok.Int:
			c.put(e, event.Int(grok.ToInt(event.Bytes(text[from:to]))))
		case grok.Float:
			c.put(e, event.Float(grok.ToFloat(event.Bytes(text[from:to]))))
		default:
			c.put(e, v.Sub(from, to))
		}
	})
}

// add is apply to an event that has none of the fields.
func (p *grokPattern) add(e *event.Event, v event.Value) {
	text := v.Str()
	for i := range p.captures {
		from, to, ok := p.m.Group(i)
		if !ok {
			continue
		}
		switch c := &p.captures[i]; c.typ {
		case grok.Int:
			e.AddPath(c.path, event.Int(grok.ToInt(event.Bytes(text[from:to]))))
		case grok.Float:
			e.AddPath(c.path, event.Float(grok.ToFloat(event.Bytes(text[from:to]))))
		default:
			e.AddPath(c.path, v.Sub(from, to))
		}
	}
}

// put sets a capture: a string or list that is there is appended to, other values stay.
func (c *grokCapture) put(e *event.Event, v event.Value) {
	if c.overwrite {
		e.Set(c.path, v)
		return
	}
	old, there := e.SetNew(c.path, v)
	if !there {
		return
	}
	switch old.Kind() {
	case event.StringKind, event.ListKind:
		plugin.AppendValue(e, c.path, v)
	case event.NilKind:
		e.Set(c.path, v)
	}
}
