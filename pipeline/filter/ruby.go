package filter

import (
	"os"
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/pipeline/ruby"
)

var rubyOptions = []plugin.Option{
	{Name: "code", Doc: "Code that runs for each event, which it knows as event. new_event_block.call(e) hands on an event it made."},
	{Name: "init", Doc: "Code that runs once, before the first event."},
	{Name: "path", Kind: plugin.Path, Doc: "File that defines filter(event), which returns a list of events, and perhaps register(params)."},
	{Name: "script_params", Kind: plugin.Hash, Doc: "What register of the file is called with."},
	{Name: "tag_on_exception", Default: "_rubyexception", Doc: "Tag of events the code raises on, or takes more than its share of steps and memory."},
	{Name: "tag_with_exception_message", Kind: plugin.Boolean, Default: "false", Doc: "Whether a tag with the exception's text is added."},
}

// rubyFilter runs code over events. Instance variables belong to the worker; code that changes them makes the pipeline ordered.
type rubyFilter struct {
	prog       *ruby.Program
	code       *ruby.Code
	script     bool // code is the method filter of a file
	tag        string
	message    bool
	env        *plugin.Env
	place      string
	exceptions int64
	args       [2]ruby.Value
}

func newRuby(a *plugin.Args, env *plugin.Env) Filter {
	f := &rubyFilter{tag: a.String("tag_on_exception"), message: a.Bool("tag_with_exception_message"), env: env, place: a.ID}
	f.prog = ruby.New(a.ID, rubyEnv(env))
	switch {
	case a.Has("code") == a.Has("path"):
		a.Fail("code", "", "ruby needs either code or path")
		return nil
	case a.Has("path"):
		f.script = true
		return f.file(a)
	case a.Has("script_params"):
		a.Fail("script_params", "use init with code", "script_params belong to path")
	}
	code, ok := compileRuby(a, f.prog, []string{"init", "code"}, []ruby.Source{{Text: a.String("init"), Init: true},
		{Text: a.String("code"), Params: []string{"event", "new_event_block"}}})
	if !ok {
		return nil
	}
	f.code = code[1]
	if _, exc := code[0].Call(ruby.Run{}); exc != nil {
		a.FailAt(inside(a.At("init"), exc.Line, exc.Column), "", "ruby: init ends with %s: %s", exc.Class, exc.Message)
	}
	return f
}

func rubyEnv(env *plugin.Env) ruby.Env {
	host, _ := os.Hostname()
	return ruby.Env{Log: env.Log, Now: env.Now, Getenv: os.Getenv, Hostname: host}
}

// compileRuby compiles options and reports each fault at its place in the configuration.
func compileRuby(a *plugin.Args, prog *ruby.Program, options []string, srcs []ruby.Source) ([]*ruby.Code, bool) {
	code, faults := prog.Compile(srcs...)
	for i, l := range faults {
		for _, e := range l {
			a.FailAt(inside(a.At(options[i]), e.Line, e.Column), "", "ruby: %s", e.Msg)
		}
	}
	return code, code != nil
}

// inside is a place in the text of an option that begins with a quote at pos.
func inside(pos conf.Pos, line, col int) conf.Pos {
	if line == 1 {
		pos.Col += col
		return pos
	}
	pos.Line += line - 1
	pos.Col = col
	return pos
}

// file compiles a script, runs it so that it defines its methods, and calls register.
func (f *rubyFilter) file(a *plugin.Args) Filter {
	path := a.String("path")
	text, err := os.ReadFile(path)
	if err != nil {
		a.Fail("path", "", "%v", err)
		return nil
	}
	code, faults := f.prog.Compile(ruby.Source{Text: string(text)})
	for _, e := range faults[0] {
		a.FailAt(conf.Pos{File: path, Line: e.Line, Col: e.Column}, "", "ruby: %s", e.Msg)
	}
	if code == nil {
		return nil
	}
	run := func(c *ruby.Code, args ...ruby.Value) bool {
		_, exc := c.Call(ruby.Run{}, args...)
		if exc != nil {
			a.FailAt(conf.Pos{File: path, Line: exc.Line, Col: exc.Column}, "", "ruby: %s: %s", exc.Class, exc.Message)
		}
		return exc == nil
	}
	if !run(code[0]) {
		return nil
	}
	if reg := f.prog.Method("register"); reg != nil && !run(reg, scriptParams(a)) {
		return nil
	}
	if f.code = f.prog.Method("filter"); f.code == nil {
		a.Fail("path", "write def filter(event) ... end", "%s defines no method filter", path)
		return nil
	}
	return f
}

func scriptParams(a *plugin.Args) ruby.Value {
	params := map[string]any{}
	var names []string
	scalar := func(s string, number bool) any {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && number {
			return n
		}
		if n, err := strconv.ParseFloat(s, 64); err == nil && number {
			return n
		}
		return s
	}
	for _, p := range a.Pairs("script_params") {
		names = append(names, p.Key.Text)
		if !p.List && len(p.Values) == 1 {
			params[p.Key.Text] = scalar(p.Values[0].Text, p.Number)
			continue
		}
		l := make([]any, 0, len(p.Values))
		for _, v := range p.Values {
			l = append(l, v.Text)
		}
		params[p.Key.Text] = l
	}
	return ruby.Object(names, params)
}

func (f *rubyFilter) Filter(e *event.Event) Result {
	b := e.Batch()
	f.args = [2]ruby.Value{e, ruby.NewEvents{}}
	args := f.args[:]
	if f.script {
		args = f.args[:1]
	}
	v, exc := f.code.Call(ruby.Run{Batch: b, Ref: e.Ref, Emit: b.Attach}, args...)
	if exc != nil {
		return f.failed(e, exc)
	}
	if f.script {
		return f.given(e, v)
	}
	return Matched
}

// given hands on what a script's filter returned; an event that is not among it is dropped.
func (f *rubyFilter) given(e *event.Event, v ruby.Value) Result {
	events, ok := f.prog.Events(v)
	if !ok {
		return f.failed(e, &ruby.Exception{Class: "TypeError", Message: "filter must return a list of events"})
	}
	kept := false
	for _, x := range events {
		if x == e {
			kept = true
		} else {
			e.Batch().Attach(x)
		}
	}
	if !kept {
		e.Cancel()
	}
	return Matched
}

func (f *rubyFilter) failed(e *event.Event, exc *ruby.Exception) Result {
	if f.exceptions++; f.exceptions&(f.exceptions-1) == 0 { // the first, second, fourth ...
		f.env.Log.Warn("ruby code raised", "filter", f.place, "class", exc.Class, "message", exc.Message, "line", exc.Line, "count", f.exceptions)
	}
	if f.message {
		e.Tag(f.tag + ": " + strings.Clone(exc.Message))
	}
	e.Tag(f.tag)
	return Failed
}

// rubyKeeps reports code that changes what later events see.
func rubyKeeps(a *plugin.Args) bool {
	p := ruby.New("", ruby.Env{})
	src := ruby.Source{Text: a.String("code"), Params: []string{"event", "new_event_block"}}
	if a.Has("path") {
		text, _ := os.ReadFile(a.String("path"))
		src = ruby.Source{Text: string(text)}
	}
	p.Compile(ruby.Source{Text: a.String("init"), Init: true}, src)
	return p.Writes()
}
