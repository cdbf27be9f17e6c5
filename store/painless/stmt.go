package painless

import "fmt"

// signal is how a statement ended.
type signal uint8

const (
	sigNone signal = iota
	sigBreak
	sigContinue
	sigReturn
)

// stmt is a statement.
type stmt interface {
	exec(f *frame) (signal, error)
}

// frame is a run.
type frame struct {
	env    map[string]any
	locals []any
	result any
	steps  int
	grow   int // bytes and elements that may still be made
	script *Script
}

// step counts towards the bound.
func (f *frame) step() error {
	if f.steps++; f.steps > MaxSteps {
		return &Error{Type: "painless_error", Reason: "The maximum number of statements that can be executed in a loop has been reached.", Script: near(f.script.text, 0)}
	}
	return nil
}

// charge takes n off what the run may make.
func (f *frame) charge(n int) error {
	if f.grow -= n; f.grow < 0 {
		return &Error{Type: "painless_error", Reason: "the script makes too much data", Script: near(f.script.text, 0)}
	}
	return nil
}

func (f *frame) fail(at int, typ, format string, args ...any) error {
	return &Error{Type: typ, Reason: fmt.Sprintf(format, args...), At: at, Script: near(f.script.text, at)}
}

type block struct{ body []stmt }

func (b *block) exec(f *frame) (signal, error) {
	for _, s := range b.body {
		if sig, err := s.exec(f); sig != sigNone || err != nil {
			return sig, err
		}
	}
	return sigNone, nil
}

// run evaluates an expression.
type run struct{ e expr }

func (r *run) exec(f *frame) (sig signal, err error) {
	if err := f.step(); err != nil {
		return sigNone, err
	}
	f.result, err = r.e.eval(f)
	return sigNone, err
}

type declare struct {
	slot int
	cast string
	init expr
	at   int
}

func (d *declare) exec(f *frame) (signal, error) {
	if err := f.step(); err != nil {
		return sigNone, err
	}
	v, err := d.init.eval(f)
	if err == nil && d.cast != "" && v != nil {
		v, err = f.cast(d.at, d.cast, v, false)
	}
	f.locals[d.slot] = v
	return sigNone, err
}

type branch struct {
	cond        expr
	then, other stmt
}

func (b *branch) exec(f *frame) (signal, error) {
	if err := f.step(); err != nil {
		return sigNone, err
	}
	ok, err := f.truth(b.cond)
	switch {
	case err != nil:
		return sigNone, err
	case ok:
		return b.then.exec(f)
	case b.other != nil:
		return b.other.exec(f)
	}
	return sigNone, nil
}

// loop is for, while and do.
type loop struct {
	init  stmt
	cond  expr // nil: true
	step  []expr
	body  stmt
	after bool // the condition is looked at behind the body
}

func (l *loop) exec(f *frame) (signal, error) {
	if l.init != nil {
		if _, err := l.init.exec(f); err != nil {
			return sigNone, err
		}
	}
	for first := true; ; first = false {
		if err := f.step(); err != nil {
			return sigNone, err
		}
		if l.cond != nil && !(first && l.after) {
			if ok, err := f.truth(l.cond); err != nil || !ok {
				return sigNone, err
			}
		}
		sig, err := l.body.exec(f)
		if err != nil || sig == sigReturn {
			return sig, err
		}
		if sig == sigBreak {
			return sigNone, nil
		}
		for _, e := range l.step {
			if _, err := e.eval(f); err != nil {
				return sigNone, err
			}
		}
	}
}

type forEach struct {
	slot int
	over expr
	body stmt
	at   int
}

func (l *forEach) exec(f *frame) (signal, error) {
	v, err := l.over.eval(f)
	if err != nil {
		return sigNone, err
	}
	var items []any
	switch v := v.(type) {
	case *List:
		items = append(items, v.Items...) // the body may change the list
	case Object:
		x, ok, err := v.Call("values", nil)
		if list, isList := x.(*List); err == nil && ok && isList {
			items = list.Items
		} else {
			return sigNone, f.fail(l.at, "class_cast_exception", "Cannot iterate over [%s]", typeName(v))
		}
	default:
		return sigNone, f.fail(l.at, "class_cast_exception", "Cannot iterate over [%s]", typeName(v))
	}
	for _, x := range items {
		if err := f.step(); err != nil {
			return sigNone, err
		}
		f.locals[l.slot] = x
		sig, err := l.body.exec(f)
		if err != nil || sig == sigReturn {
			return sig, err
		}
		if sig == sigBreak {
			break
		}
	}
	return sigNone, nil
}

type ret struct{ e expr }

func (r *ret) exec(f *frame) (signal, error) {
	var err error
	f.result = nil
	if r.e != nil {
		f.result, err = r.e.eval(f)
	}
	return sigReturn, err
}

type throw struct {
	e  expr
	at int
}

func (t *throw) exec(f *frame) (signal, error) {
	v, err := t.e.eval(f)
	if err != nil {
		return sigNone, err
	}
	if x, ok := v.(exception); ok {
		return sigNone, f.fail(t.at, x.typ, "%s", x.reason)
	}
	return sigNone, f.fail(t.at, "class_cast_exception", "only exceptions can be thrown")
}

// leave is break and continue.
type leave signal

func (l leave) exec(f *frame) (signal, error) { return signal(l), f.step() }
