package filter

import (
	"strings"
	"unicode/utf8"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var urldecodeOptions = []plugin.Option{
	{Name: "field", Kind: plugin.Field, Default: "message", Doc: "Field to decode."},
	{Name: "all_fields", Kind: plugin.Boolean, Default: "false", Doc: "Whether every field is decoded."},
	{Name: "charset", Enum: []string{"UTF-8"}, Default: "UTF-8", Doc: "Encoding of the decoded bytes."},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_urldecodefailure", Doc: "Tags of events with bytes that are no text."},
}

type urldecode struct {
	field     *event.Path
	all       bool
	onFailure []string
}

func newURLDecode(a *plugin.Args, _ *plugin.Env) Filter {
	return &urldecode{a.Field("field"), a.Bool("all_fields"), tags(a, "tag_on_failure")}
}

func (f *urldecode) Filter(e *event.Event) Result {
	if !f.all {
		v, ok := e.Get(f.field)
		if !ok {
			return None
		}
		v, good := decodeValue(e.Batch(), v)
		if !good || e.Set(f.field, v) != nil {
			return fail(e, f.onFailure)
		}
		return Matched
	}
	good := true
	for _, n := range e.Names() {
		if n == "@timestamp" {
			continue
		}
		p := event.Field(n)
		v, _ := e.Get(p)
		v, ok := decodeValue(e.Batch(), v)
		good = good && ok
		e.Set(p, v)
	}
	if !good {
		return fail(e, f.onFailure)
	}
	return Matched
}

// decodeValue decodes texts, also inside of lists and objects; ok is false when one is no UTF-8.
func decodeValue(b *event.Batch, v event.Value) (out event.Value, ok bool) {
	ok = true
	switch v.Kind() {
	case event.StringKind:
		s := unescapeURL(v.Str())
		return event.String(s), utf8.ValidString(s)
	case event.ListKind:
		out = b.NewList(b.Len(v))
		for _, el := range b.Elems(v) {
			d, good := decodeValue(b, el)
			b.Append(out, d)
			ok = ok && good
		}
		return out, ok
	case event.MapKind:
		out = b.NewMap()
		for k, el := range b.Each(v) {
			d, good := decodeValue(b, el)
			b.Put(out, k, d)
			ok = ok && good
		}
		return out, ok
	}
	return v, true
}

// unescapeURL decodes %XX and +; what is no escape stays.
func unescapeURL(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			out = append(out, ' ')
		case s[i] == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			out = append(out, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
