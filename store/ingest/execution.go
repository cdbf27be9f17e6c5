package ingest

import (
	"errors"
	"slices"
	"time"

	"github.com/weirlog/weir/store/painless"
)

// processor changes a document.
type processor interface {
	run(e *execution, d *Document) error
}

// step is a processor with what all have.
type step struct {
	Type, Tag, Description string
	cond                   *painless.Script
	condText               string
	ignore                 bool
	onFailure              []*step
	p                      processor
	Stats                  Stats
}

// execution is one document's way.
type execution struct {
	s     *Service
	trace Trace
	stack []string // ids of the pipelines under way
}

func (e *execution) pipeline(p *Pipeline, d *Document) error {
	if slices.Contains(e.stack, p.ID) && p.ID != "" {
		return &Error{Type: "illegal_argument_exception", Reason: "Cycle detected for pipeline: " + p.ID}
	}
	if len(e.stack) >= maxDepth {
		return failf("pipelines call each other more than %d deep", maxDepth)
	}
	e.stack = append(e.stack, p.ID)
	defer func() { e.stack = e.stack[:len(e.stack)-1] }()
	began := time.Now()
	p.Stats.Current.Add(1)
	defer func() {
		p.Stats.Current.Add(-1)
		p.Stats.Count.Add(1)
		p.Stats.Nanos.Add(int64(time.Since(began)))
	}()
	if p.ID != "" {
		d.Meta.Set("pipeline", p.ID)
	}
	err := e.steps(p.Steps, d)
	if err == nil {
		return nil
	}
	if len(p.OnFailure) > 0 {
		return e.failure(p.OnFailure, d, err)
	}
	p.Stats.Failed.Add(1)
	return err
}

// located is an error with the step it came from.
type located struct {
	err  error
	step *step
	pipe string
}

func (l *located) Error() string { return l.err.Error() }
func (l *located) Unwrap() error { return l.err }

func (e *execution) steps(list []*step, d *Document) error {
	for _, st := range list {
		if d.Dropped || d.ended {
			return nil
		}
		if err := e.step(st, d); err != nil {
			return err
		}
	}
	return nil
}

// step runs one processor and deals with its failure.
func (e *execution) step(st *step, d *Document) error {
	ok, err := st.applies(d)
	if err == nil && !ok {
		e.tell(st, "skipped", d, nil)
		return nil
	}
	began := time.Now()
	if err == nil {
		err = st.p.run(e, d)
	}
	st.Stats.Count.Add(1)
	st.Stats.Nanos.Add(int64(time.Since(began)))
	switch {
	case err == nil && d.Dropped:
		e.tell(st, "dropped", d, nil)
		return nil
	case err == nil:
		e.tell(st, "success", d, nil)
		return nil
	}
	st.Stats.Failed.Add(1)
	var l *located
	if !errors.As(err, &l) {
		pipe := ""
		if len(e.stack) > 0 {
			pipe = e.stack[len(e.stack)-1]
		}
		err = &located{err, st, pipe}
	}
	switch {
	case st.ignore:
		e.tell(st, "error_ignored", d, err)
		return nil
	case len(st.onFailure) > 0:
		e.tell(st, "error", d, err)
		return e.failure(st.onFailure, d, err)
	}
	e.tell(st, "error", d, err)
	return err
}

func (e *execution) tell(st *step, status string, d *Document, err error) {
	if e.trace != nil {
		e.trace(Step{st.Type, st.Tag, st.Description, st.condText}, status, d, err)
	}
}

// failure runs on_failure processors; _ingest tells them what happened.
func (e *execution) failure(list []*step, d *Document, err error) error {
	keys := []string{"on_failure_message", "on_failure_processor_type", "on_failure_processor_tag", "on_failure_pipeline"}
	d.Meta.Set(keys[0], err.Error())
	var l *located
	if errors.As(err, &l) {
		d.Meta.Set(keys[1], l.step.Type)
		if l.step.Tag != "" {
			d.Meta.Set(keys[2], l.step.Tag)
		}
		if l.pipe != "" {
			d.Meta.Set(keys[3], l.pipe)
		}
	}
	defer func() {
		for _, k := range keys {
			d.Meta.Delete(k)
		}
	}()
	return e.steps(list, d)
}

// applies evaluates the condition.
func (st *step) applies(d *Document) (bool, error) {
	if st.cond == nil {
		return true, nil
	}
	v, err := st.cond.Run(map[string]any{"ctx": view{d}, "params": painless.NewMap()})
	if err != nil {
		return false, scriptFailure(err)
	}
	return painless.Truth(v)
}

func scriptFailure(err error) error {
	var e *painless.Error
	if errors.As(err, &e) {
		return &Error{Type: "script_exception", Reason: e.Error()}
	}
	return err
}

// view is a document as conditions see it: the source's fields with _index and its kin beside them. It cannot be changed.
type view struct{ d *Document }

func (v view) Member(name string) (any, bool) {
	if x, ok := v.d.meta(name); ok {
		return x, true
	}
	x, _ := v.d.Source.Get(name)
	return x, true
}

func (v view) Call(name string, args []any) (any, bool, error) {
	if len(args) == 0 {
		return nil, false, nil
	}
	key := painless.Text(args[0])
	x, has := v.d.meta(key)
	if !has {
		x, has = v.d.Source.Get(key)
	}
	switch {
	case name == "containsKey" && len(args) == 1:
		return has, true, nil
	case name == "get" && len(args) == 1:
		return x, true, nil
	case name == "getOrDefault" && len(args) == 2:
		if !has {
			x = args[1]
		}
		return x, true, nil
	}
	return nil, false, nil
}

// meta is a metadata field of the document.
func (d *Document) meta(name string) (any, bool) {
	switch name {
	case "_index":
		return d.Index, true
	case "_id":
		return orNil(d.ID), true
	case "_routing":
		return orNil(d.Routing), true
	case "_version":
		return d.Version, true
	case "_version_type":
		return orNil(d.VersionType), true
	case "_ingest":
		return d.Meta, true
	}
	return nil, false
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// setMeta changes a metadata field; ok is false when name is none.
func (d *Document) setMeta(name string, v any) (ok bool, err error) {
	text, isText := v.(string)
	if v == nil {
		isText = true
	}
	switch name {
	case "_index", "_id", "_routing", "_version_type":
		if !isText {
			return true, failf("%s must be null or a String but was [%s]", name, painless.Text(v))
		}
	}
	switch name {
	case "_index":
		d.Index = text
	case "_id":
		d.ID = text
	case "_routing":
		d.Routing = text
	case "_version_type":
		d.VersionType = text
	case "_version":
		n, whole := v.(int64)
		if !whole {
			return true, failf("_version must be a number but was [%s]", painless.Text(v))
		}
		d.Version = n
	default:
		return false, nil
	}
	return true, nil
}

// Resume lets a document that left a pipeline by reroute or terminate go through another.
func (d *Document) Resume() { d.ended = false }
