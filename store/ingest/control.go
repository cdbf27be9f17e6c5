package ingest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"slices"
	"strings"

	"github.com/weirlog/weir/store/painless"
)

type drop struct{}

func newDrop(*options) processor { return drop{} }

func (drop) run(_ *execution, d *Document) error {
	d.Dropped = true
	return nil
}

type terminate struct{}

func newTerminate(*options) processor { return terminate{} }

func (terminate) run(_ *execution, d *Document) error {
	d.ended = true
	return nil
}

type fail struct{ message template }

func newFail(o *options) processor { return &fail{o.template("message", "", true)} }

func (f *fail) run(_ *execution, d *Document) error {
	return &Error{Type: "fail_processor_exception", Reason: f.message.render(d)}
}

// pipelineCall runs another pipeline.
type pipelineCall struct {
	name    template
	missing bool
}

func newPipeline(o *options) processor {
	return &pipelineCall{o.template("name", "", true), o.boolean("ignore_missing_pipeline", false)}
}

func (p *pipelineCall) run(e *execution, d *Document) error {
	name := p.name.render(d)
	pl, err := e.s.Pipeline(name)
	if err != nil {
		return err
	}
	if pl == nil {
		if p.missing {
			return nil
		}
		return &Error{Type: "illegal_state_exception", Reason: "Pipeline processor configured for non-existent pipeline [" + name + "]"}
	}
	return e.pipeline(pl, d)
}

// foreach runs a processor for each element of a list or object, which stands in _ingest._value meanwhile.
type foreach struct {
	field   string
	missing bool
	st      *step
}

func newForeach(o *options) processor {
	f := &foreach{field: o.mustText("field"), missing: o.boolean("ignore_missing", false)}
	m, ok := o.must("processor").(*painless.Map)
	if o.err != nil {
		return f
	}
	if !ok || m.Len() != 1 {
		o.fail("processor", "[processor] Must specify exactly one processor type")
		return f
	}
	conf, _ := m.Get(m.Keys()[0])
	var err error
	if f.st, err = o.c.step(m.Keys()[0], conf); err != nil && o.err == nil {
		o.err = err
	}
	return f
}

func (f *foreach) run(e *execution, d *Document) error {
	v, ok := d.Get(f.field)
	if !ok || v == nil {
		if f.missing {
			return nil
		}
		if !ok {
			_, err := d.Must(f.field)
			return err
		}
		return failf("field [%s] is null, cannot loop over its elements.", f.field)
	}
	had, hadValue := d.Meta.Get("_value")
	hadK, hadKey := d.Meta.Get("_key")
	defer func() {
		restore(d.Meta, "_value", had, hadValue)
		restore(d.Meta, "_key", hadK, hadKey)
	}()
	switch x := v.(type) {
	case *painless.List:
		out := &painless.List{}
		for _, el := range x.Items {
			d.Meta.Set("_value", el)
			if err := e.step(f.st, d); err != nil {
				return err
			}
			now, _ := d.Meta.Get("_value")
			out.Items = append(out.Items, now)
		}
		return d.Set(f.field, out)
	case *painless.Map:
		out := painless.NewMap()
		for _, k := range slices.Clone(x.Keys()) {
			el, _ := x.Get(k)
			d.Meta.Set("_key", k)
			d.Meta.Set("_value", el)
			if err := e.step(f.st, d); err != nil {
				return err
			}
			now, _ := d.Meta.Get("_value")
			key, _ := d.Meta.Get("_key")
			out.Set(painless.Text(key), now)
		}
		return d.Set(f.field, out)
	}
	return failf("field [%s] of type [%s] cannot be cast to a list or map", f.field, typeName(v))
}

func restore(m *painless.Map, key string, v any, had bool) {
	if had {
		m.Set(key, v)
		return
	}
	m.Delete(key)
}

// scriptProcessor changes the document by a script over ctx.
type scriptProcessor struct {
	sc     *painless.Script
	params any
}

func newScript(o *options) processor {
	p := &scriptProcessor{params: any(painless.NewMap())}
	source := o.text("source", o.text("inline", ""))
	id := o.text("id", "")
	if lang := o.text("lang", "painless"); lang != "painless" {
		o.fail("lang", "script_lang not supported ["+lang+"]")
	}
	if v, ok := o.take("params"); ok {
		p.params = v
	}
	if id != "" {
		body, ok := o.c.s.lookup("script:" + id)
		if !ok {
			o.fail("id", "unable to find script ["+id+"] in cluster state")
			return p
		}
		source = string(body)
	}
	if source == "" {
		o.fail("source", "must specify either [source] for an inline script or [id] for a stored script")
		return p
	}
	var err error
	if p.sc, err = painless.Compile(source); err != nil && o.err == nil {
		o.err = &Error{Type: "script_exception", Reason: err.Error(), Processor: o.typ, Tag: o.tag, Property: "source"}
	}
	return p
}

// metaKeys stand beside the source's fields in a script's ctx.
var metaKeys = []string{"_index", "_id", "_routing", "_version", "_version_type", "_ingest"}

func (p *scriptProcessor) run(_ *execution, d *Document) error {
	for _, k := range metaKeys {
		v, _ := d.meta(k)
		d.Source.Set(k, v)
	}
	_, err := p.sc.Run(map[string]any{"ctx": d.Source, "params": painless.Clone(p.params)})
	for _, k := range metaKeys {
		v, _ := d.Source.Delete(k)
		if k == "_ingest" || err != nil {
			continue
		}
		if _, bad := d.setMeta(k, v); bad != nil {
			err = bad
		}
	}
	if err != nil {
		return scriptFailure(err)
	}
	if err := painless.Check(d.Source); err != nil {
		return scriptFailure(err)
	}
	return nil
}

// reroute sends the document to another index or data stream.
type reroute struct {
	dest      string
	dataset   []template
	namespace []template
}

func newReroute(o *options) processor {
	r := &reroute{dest: o.text("destination", "")}
	list := func(name, def string) (out []template) {
		texts := o.texts(name, false)
		if texts == nil {
			texts = []string{def}
		}
		for _, s := range texts {
			t, err := parseTemplate(s)
			if err != nil {
				o.fail(name, err.Error())
			}
			out = append(out, t)
		}
		return out
	}
	r.dataset, r.namespace = list("dataset", "{{data_stream.dataset}}"), list("namespace", "{{data_stream.namespace}}")
	return r
}

func (r *reroute) run(_ *execution, d *Document) error {
	if r.dest != "" {
		d.Index = r.dest
	} else {
		kind, rest, _ := strings.Cut(d.Index, "-")
		dataset, namespace, ok := cutLast(rest)
		if !ok {
			return failf("invalid data stream name: [%s]; must follow naming scheme <type>-<dataset>-<namespace>", d.Index)
		}
		dataset, namespace = firstText(r.dataset, d, dataset, "-"), firstText(r.namespace, d, namespace, "")
		d.Index = kind + "-" + dataset + "-" + namespace
		for k, v := range map[string]string{"type": kind, "dataset": dataset, "namespace": namespace} {
			if err := d.Set("data_stream."+k, v); err != nil {
				return err
			}
		}
	}
	d.Rerouted, d.ended = true, true
	return nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// firstText is the first template that gives a text, cleaned of what names may not hold; else the fallback.
func firstText(list []template, d *Document, fallback, extra string) string {
	for _, t := range list {
		if s := t.render(d); s != "" {
			return strings.Map(func(r rune) rune {
				if strings.ContainsRune(`\/*?"<>| ,#:`+extra, r) {
					return '_'
				}
				return r
			}, strings.ToLower(s))
		}
	}
	return fallback
}

// fingerprint hashes fields, named ones or all, in the order of their names.
type fingerprint struct {
	fields  []string
	target  string
	salt    string
	missing bool
	hash    func() hash.Hash
}

func newFingerprint(o *options) processor {
	f := &fingerprint{fields: o.texts("fields", true), target: o.text("target_field", "fingerprint"), salt: o.text("salt", ""), missing: o.boolean("ignore_missing", false)}
	slices.Sort(f.fields)
	switch m := o.text("method", "SHA-1"); m {
	case "MD5":
		f.hash = md5.New
	case "SHA-1":
		f.hash = sha1.New
	case "SHA-256":
		f.hash = sha256.New
	case "SHA-512":
		f.hash = sha512.New
	default:
		o.fail("method", "["+m+"] must be one of the supported hash methods [MD5, SHA-1, SHA-256, SHA-512]")
	}
	return f
}

func (f *fingerprint) run(_ *execution, d *Document) error {
	h := f.hash()
	h.Write([]byte(f.salt))
	n := 0
	for _, name := range f.fields {
		v, ok := d.Get(name)
		if !ok || v == nil {
			if f.missing {
				continue
			}
			return failf("missing field [%s] when calculating fingerprint", name)
		}
		n++
		feed(h, name)
		feedValue(h, v)
	}
	if n == 0 {
		return nil
	}
	return d.Set(f.target, base64.StdEncoding.EncodeToString(h.Sum(nil)))
}

// feed writes a text with its length, so that neighbours do not run into each other.
func feed(h hash.Hash, s string) {
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
	h.Write([]byte(s))
}

func feedValue(h hash.Hash, v any) {
	switch x := v.(type) {
	case *painless.Map:
		for _, k := range slices.Sorted(slices.Values(x.Keys())) {
			e, _ := x.Get(k)
			feed(h, k)
			feedValue(h, e)
		}
	case *painless.List:
		for _, e := range x.Items {
			feedValue(h, e)
		}
	default:
		feed(h, typeName(v)+painless.Text(v))
	}
}
