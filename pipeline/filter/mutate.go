package filter

import (
	"strings"
	"unicode/utf8"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/pipeline/plugin"
)

var mutateOptions = []plugin.Option{
	{Name: "coerce", Kind: plugin.Hash, Doc: "Values for fields that are null."},
	{Name: "rename", Kind: plugin.Hash, Doc: "Old name => new name."},
	{Name: "update", Kind: plugin.Hash, Doc: "New texts for fields that exist."},
	{Name: "replace", Kind: plugin.Hash, Doc: "New texts for fields."},
	{Name: "convert", Kind: plugin.Hash, Doc: "Field => integer, integer_eu, float, float_eu, string or boolean."},
	{Name: "gsub", Kind: plugin.Array, Doc: "Triples of field, regular expression, replacement."},
	{Name: "uppercase", Kind: plugin.Array, Doc: "Fields to write in capitals."},
	{Name: "capitalize", Kind: plugin.Array, Doc: "Fields to write with a capital first and small letters behind it."},
	{Name: "lowercase", Kind: plugin.Array, Doc: "Fields to write in small letters."},
	{Name: "strip", Kind: plugin.Array, Doc: "Fields to free of white space at both ends."},
	{Name: "split", Kind: plugin.Hash, Doc: "Field => separator; the text becomes a list."},
	{Name: "join", Kind: plugin.Hash, Doc: "Field => separator; the list becomes a text."},
	{Name: "merge", Kind: plugin.Hash, Doc: "Field => field whose values are added to it."},
	{Name: "copy", Kind: plugin.Hash, Doc: "Field => field to copy it to."},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_mutate_error", Doc: "Tags of events an operation fails on."},
	{Name: "remove", Obsolete: "use remove_field"},
}

// mutateOp is one operation on one field; an error ends the filter.
type mutateOp func(e *event.Event) error

// mutateFilter runs its operations in the order of the table above, whatever the order in the file.
type mutateFilter struct {
	ops       []mutateOp
	onFailure []string
}

func newMutate(a *plugin.Args, _ *plugin.Env) Filter {
	f := &mutateFilter{onFailure: tags(a, "tag_on_failure")}
	f.hash(a, "coerce", opCoerce)
	f.hash(a, "rename", opRename)
	f.hash(a, "update", opUpdate)
	f.hash(a, "replace", opReplace)
	f.hash(a, "convert", opConvert)
	f.gsub(a)
	f.texts(a, "uppercase", strings.ToUpper)
	f.texts(a, "capitalize", capitalize)
	f.texts(a, "lowercase", strings.ToLower)
	f.texts(a, "strip", strings.TrimSpace)
	f.hash(a, "split", opSplit)
	f.hash(a, "join", opJoin)
	f.merge(a)
	f.hash(a, "copy", opCopy)
	return f
}

// hash adds an operation for each pair of a hash option; a list of values gives one operation each.
func (f *mutateFilter) hash(a *plugin.Args, option string, build func(a *plugin.Args, key, val plugin.Text) mutateOp) {
	for _, p := range a.Pairs(option) {
		for _, v := range p.Values {
			if op := build(a, p.Key, v); op != nil {
				f.ops = append(f.ops, op)
			}
		}
	}
}

func (f *mutateFilter) Filter(e *event.Event) Result {
	for _, op := range f.ops {
		if op(e) != nil {
			return fail(e, f.onFailure)
		}
	}
	return Matched
}

func opCoerce(a *plugin.Args, key, val plugin.Text) mutateOp {
	field, t := a.Ref(key), a.Template(val)
	return func(e *event.Event) error {
		p := field.Path(e)
		if p == nil {
			return nil
		}
		if v, ok := e.Get(p); !ok || !v.IsNil() {
			return nil
		}
		return e.Set(p, event.String(t.Render(e)))
	}
}

func opRename(a *plugin.Args, key, val plugin.Text) mutateOp {
	from, to := a.Ref(key), a.Ref(val)
	return func(e *event.Event) error {
		src, dst := from.Path(e), to.Path(e)
		if src == nil || dst == nil || !e.Has(src) {
			return nil
		}
		v, _ := e.Delete(src)
		return e.Set(dst, v)
	}
}

func opUpdate(a *plugin.Args, key, val plugin.Text) mutateOp {
	field, t := a.Ref(key), a.Template(val)
	return func(e *event.Event) error {
		p := field.Path(e)
		if p == nil || !e.Has(p) {
			return nil
		}
		return e.Set(p, event.String(t.Render(e)))
	}
}

func opReplace(a *plugin.Args, key, val plugin.Text) mutateOp {
	field, t := a.Ref(key), a.Template(val)
	return func(e *event.Event) error {
		p := field.Path(e)
		if p == nil {
			return nil
		}
		return e.Set(p, event.String(t.Render(e)))
	}
}

// each runs change over a string, or over the strings of a list.
func each(e *event.Event, p *event.Path, change func(string) string) error {
	v, ok := e.Get(p)
	if !ok {
		return nil
	}
	switch v.Kind() {
	case event.StringKind:
		return e.Set(p, event.String(change(v.Str())))
	case event.ListKind:
		b := e.Batch()
		out := b.NewList(b.Len(v))
		for _, el := range b.Elems(v) {
			if el.Kind() == event.StringKind {
				el = event.String(change(el.Str()))
			}
			b.Append(out, el)
		}
		return e.Set(p, out)
	}
	return nil
}

func (f *mutateFilter) texts(a *plugin.Args, option string, change func(string) string) {
	for _, t := range a.Texts(option) {
		field := a.Ref(t)
		f.ops = append(f.ops, func(e *event.Event) error {
			if p := field.Path(e); p != nil {
				return each(e, p, change)
			}
			return nil
		})
	}
}

func capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + strings.ToLower(s[n:])
}

func (f *mutateFilter) gsub(a *plugin.Args) {
	triples := a.Texts("gsub")
	if len(triples)%3 != 0 {
		a.Fail("gsub", `write ["field", "regular expression", "replacement"]`, "gsub takes triples, found %d texts", len(triples))
		return
	}
	for i := 0; i < len(triples); i += 3 {
		f.ops = append(f.ops, opGsub(a, triples[i], triples[i+1], triples[i+2]))
	}
}

func opGsub(a *plugin.Args, field, needle, replacement plugin.Text) mutateOp {
	ref, with := a.Ref(field), a.Template(replacement)
	pattern := a.Template(needle)
	var re *grok.Regexp
	if pattern.Const() {
		re = a.Regexp(needle)
	}
	last := ""
	var buf []byte
	return func(e *event.Event) error {
		p := ref.Path(e)
		if p == nil {
			return nil
		}
		if !pattern.Const() {
			if text := pattern.Render(e); re == nil || text != last {
				fresh, err := grok.CompileRegexp(strings.Clone(text))
				if err != nil {
					return err
				}
				re, last = fresh, strings.Clone(text)
			}
		}
		template := with.Render(e)
		var failed error
		err := each(e, p, func(s string) string {
			out, err := re.ReplaceAll(buf[:0], event.Bytes(s), template)
			if err != nil {
				failed = err
				return s
			}
			buf = out
			if string(out) == s {
				return s
			}
			return e.Batch().KeepBytes(out)
		})
		if failed != nil {
			return failed
		}
		return err
	}
}

func opSplit(a *plugin.Args, key, val plugin.Text) mutateOp {
	field, sep := a.Ref(key), a.Template(val)
	return func(e *event.Event) error {
		p := field.Path(e)
		if p == nil {
			return nil
		}
		v, ok := e.Get(p)
		if !ok || v.Kind() != event.StringKind {
			return nil
		}
		b := e.Batch()
		out := b.NewList(8)
		rest, s := v.Str(), sep.Render(e)
		for s != "" {
			i := strings.Index(rest, s)
			if i < 0 {
				break
			}
			b.Append(out, event.String(rest[:i]))
			rest = rest[i+len(s):]
		}
		b.Append(out, event.String(rest))
		trimTail(b, &out)
		return e.Set(p, out)
	}
}

// trimTail removes empty texts at the end, as Ruby's split does.
func trimTail(b *event.Batch, l *event.Value) {
	elems := b.Elems(*l)
	n := len(elems)
	for n > 0 && elems[n-1].Str() == "" {
		n--
	}
	*l = b.ListOf(elems[:n]...)
}

func opJoin(a *plugin.Args, key, val plugin.Text) mutateOp {
	field, sep := a.Ref(key), a.Template(val)
	return func(e *event.Event) error {
		p := field.Path(e)
		if p == nil {
			return nil
		}
		v, ok := e.Get(p)
		if !ok || v.Kind() != event.ListKind {
			return nil
		}
		b := e.Batch()
		var out []byte
		s := sep.Render(e)
		for i, el := range b.Elems(v) {
			if i > 0 {
				out = append(out, s...)
			}
			out = b.AppendText(out, el)
		}
		return e.Set(p, event.String(b.KeepBytes(out)))
	}
}

func (f *mutateFilter) merge(a *plugin.Args) {
	for _, p := range a.Pairs("merge") {
		for _, v := range p.Values {
			dst, src := a.Ref(p.Key), a.Ref(v)
			f.ops = append(f.ops, func(e *event.Event) error {
				d, s := dst.Path(e), src.Path(e)
				if d == nil || s == nil {
					return nil
				}
				return mergeInto(e, d, s)
			})
		}
	}
}

// mergeInto adds what src holds to dst: objects into objects, all else into lists.
func mergeInto(e *event.Event, dst, src *event.Path) error {
	b := e.Batch()
	add, ok := e.Get(src)
	if !ok {
		return nil
	}
	add = b.Copy(add)
	old, ok := e.Get(dst)
	if !ok || old.IsNil() {
		return e.Set(dst, add)
	}
	if old.Kind() == event.MapKind || add.Kind() == event.MapKind {
		if old.Kind() != add.Kind() {
			return &event.SetError{Path: dst.String(), Why: "objects merge with objects only"}
		}
		m := b.Open(old)
		for k, v := range b.Each(add) {
			b.Put(m, k, v)
		}
		return e.Set(dst, m)
	}
	if old.Kind() != event.ListKind {
		old = b.ListOf(old)
	}
	l := b.Open(old)
	if add.Kind() == event.ListKind {
		for _, v := range b.Elems(add) {
			b.Append(l, v)
		}
	} else {
		b.Append(l, add)
	}
	return e.Set(dst, l)
}

func opCopy(a *plugin.Args, key, val plugin.Text) mutateOp {
	from, to := a.Ref(key), a.Ref(val)
	return func(e *event.Event) error {
		src, dst := from.Path(e), to.Path(e)
		if src == nil || dst == nil {
			return nil
		}
		v, ok := e.Get(src)
		if !ok {
			return nil
		}
		return e.Set(dst, e.Batch().Copy(v))
	}
}
