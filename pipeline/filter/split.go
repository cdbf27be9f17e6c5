package filter

import (
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var splitOptions = []plugin.Option{
	{Name: "field", Kind: plugin.Field, Default: "message", Doc: "Field to split: a list, or a text."},
	{Name: "terminator", Default: "\n", Doc: "What ends a piece of a text."},
	{Name: "target", Kind: plugin.Field, Doc: "Field for the piece; default is field."},
}

// maxPieces bounds the events made of one.
const maxPieces = 10_000

// split makes an event of each piece of a field and drops the original.
type split struct {
	field, target *event.Path
	terminator    string
	common        *plugin.Common
	pieces        []event.Value
}

func newSplit(a *plugin.Args, _ *plugin.Env) Filter {
	f := &split{field: a.Field("field"), target: a.Field("target"), terminator: a.String("terminator"), common: plugin.NewCommon(a)}
	if f.terminator == `\n` {
		f.terminator = "\n"
	}
	if f.terminator == "" {
		a.Fail("terminator", "", "terminator is empty")
	}
	if f.target == nil {
		f.target = f.field
	}
	return f
}

func (f *split) Filter(e *event.Event) Result {
	v, _ := e.Get(f.field)
	b := e.Batch()
	f.pieces = f.pieces[:0]
	switch v.Kind() {
	case event.StringKind:
		for s := range strings.SplitSeq(v.Str(), f.terminator) {
			f.pieces = append(f.pieces, event.String(s))
			if len(f.pieces) > maxPieces {
				break
			}
		}
		if len(f.pieces) == 1 {
			return Matched
		}
	case event.ListKind:
		f.pieces = append(f.pieces, b.Elems(v)...)
	default:
		return fail(e, []string{"_split_type_failure"})
	}
	if len(f.pieces) > maxPieces {
		return fail(e, []string{"_split_type_failure"})
	}
	if f.target == f.field {
		e.Delete(f.field) // the pieces stay; the copies need not carry all of them
	}
	for _, p := range f.pieces {
		if p.Kind() == event.StringKind && p.Str() == "" || p.IsNil() {
			continue
		}
		c := b.Clone(e)
		c.Set(f.target, b.Copy(p))
		f.common.Apply(c)
	}
	e.Cancel()
	return Matched
}
