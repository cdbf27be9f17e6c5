package codec

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var rubydebugOptions = []plugin.Option{
	{Name: "metadata", Kind: plugin.Boolean, Default: "false", Doc: "Whether [@metadata] is shown."},
}

// rubydebug prints events for people, in the form of Ruby's awesome_print.
type rubydebug struct{ metadata bool }

func newRubydebug(a *plugin.Args, _ *plugin.Env) Codec { return &rubydebug{a.Bool("metadata")} }

func (c *rubydebug) Decode(b *event.Batch, ref uint32, data string) { message(b, ref, data, "") }

type rubyPair struct {
	key string
	v   event.Value
}

func (c *rubydebug) Encode(dst []byte, e *event.Event) []byte {
	var pairs []rubyPair
	if ns, ok := e.Timestamp(); ok {
		pairs = append(pairs, rubyPair{"@timestamp", event.Time(ns)})
	}
	e.Fields(func(k string, v event.Value) bool {
		pairs = append(pairs, rubyPair{k, v})
		return true
	})
	if c.metadata {
		m, _ := e.Get(metadataPath)
		pairs = append(pairs, rubyPair{"@metadata", m})
	}
	return append(rubyMap(dst, e.Batch(), pairs, 1), '\n')
}

var metadataPath = event.MustPath("[@metadata]")

func rubyMap(dst []byte, b *event.Batch, pairs []rubyPair, level int) []byte {
	if len(pairs) == 0 {
		return append(dst, "{}"...)
	}
	width := 0
	for _, p := range pairs {
		width = max(width, utf8.RuneCountInString(p.key)+2)
	}
	dst = append(dst, "{\n"...)
	for i, p := range pairs {
		k := strconv.Quote(p.key)
		dst = append(dst, strings.Repeat(" ", 4*level+max(0, width-utf8.RuneCountInString(k)))...)
		dst = append(append(dst, k...), " => "...)
		dst = rubyValue(dst, b, p.v, level)
		if i+1 < len(pairs) {
			dst = append(dst, ',')
		}
		dst = append(dst, '\n')
	}
	return append(append(dst, strings.Repeat(" ", 4*(level-1))...), '}')
}

func rubyValue(dst []byte, b *event.Batch, v event.Value, level int) []byte {
	switch v.Kind() {
	case event.NilKind:
		return append(dst, "nil"...)
	case event.StringKind:
		return event.AppendString(dst, v.Str())
	case event.TimeKind:
		return event.AppendISO(dst, v.Int64())
	case event.MapKind:
		var pairs []rubyPair
		for k, el := range b.Each(v) {
			pairs = append(pairs, rubyPair{k, el})
		}
		return rubyMap(dst, b, pairs, level+1)
	case event.ListKind:
		return rubyList(dst, b, b.Elems(v), level+1)
	}
	return b.AppendText(dst, v)
}

func rubyList(dst []byte, b *event.Batch, elems []event.Value, level int) []byte {
	if len(elems) == 0 {
		return append(dst, "[]"...)
	}
	dst = append(dst, "[\n"...)
	for i, el := range elems {
		dst = append(dst, strings.Repeat(" ", 4*level)...)
		dst = append(append(append(dst, '['), strconv.Itoa(i)...), "] "...)
		dst = rubyValue(dst, b, el, level)
		if i+1 < len(elems) {
			dst = append(dst, ',')
		}
		dst = append(dst, '\n')
	}
	return append(append(dst, strings.Repeat(" ", 4*(level-1))...), ']')
}
