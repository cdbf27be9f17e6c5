// Package codec turns bytes into events and events into bytes. One file each; codecs.go is the table.
package codec

import (
	"slices"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

// Codec belongs to one goroutine.
type Codec interface {
	// Decode appends the events of one message to b, each with record ref. Bytes that cannot be read become an event with the
	// text in message and a failure tag, so nothing is lost. data lives as long as the batch.
	Decode(b *event.Batch, ref uint32, data string)
	// Encode appends e, with what ends it in a stream.
	Encode(dst []byte, e *event.Event) []byte
}

// Joiner makes messages of several lines. It belongs to one stream.
type Joiner interface {
	// Line takes the next line and emits the messages it completes. line is copied; messages belong to who they are emitted to.
	Line(line []byte, emit func(message []byte))
	// Flush emits what is held back.
	Flush(emit func(message []byte))
}

// Joins is implemented by codecs whose messages span lines.
type Joins interface{ NewJoiner() Joiner }

// Spec is a row of the table.
type Spec struct {
	Name    string
	Options []plugin.Option
	New     func(a *plugin.Args, env *plugin.Env) Codec
	In, Out bool // whether it decodes, encodes
}

// Table is every codec there is.
func Table() []Spec {
	return []Spec{
		{Name: "cef", Options: cefOptions, New: newCEF, In: true, Out: true},
		{Name: "csv", Options: csvOptions, New: newCSV, In: true, Out: true},
		{Name: "dots", New: newDots, Out: true},
		{Name: "es_bulk", New: newESBulk, In: true},
		{Name: "json", Options: jsonOptions, New: newJSON, In: true, Out: true},
		{Name: "json_lines", Options: jsonLinesOptions, New: newJSONLines, In: true, Out: true},
		{Name: "line", Options: lineOptions, New: newLine, In: true, Out: true},
		{Name: "multiline", Options: multilineOptions, New: newMultiline, In: true},
		{Name: "plain", Options: plainOptions, New: newPlain, In: true, Out: true},
		{Name: "rubydebug", Options: rubydebugOptions, New: newRubydebug, Out: true},
	}
}

// Use says for what a codec is built.
type Use uint8

const (
	In Use = iota
	Out
)

// New builds the codec a plugin names in its option codec, or the one called standard. Faults go to the plugin's Args.
func New(a *plugin.Args, env *plugin.Env, standard string, use Use) Codec {
	var pl *conf.Plugin
	switch v := a.Value("codec").(type) {
	case nil:
		pl = &conf.Plugin{Pos: a.Pos, Name: standard}
	case *conf.Plugin:
		pl = v
	case *conf.Bareword:
		pl = &conf.Plugin{Pos: v.Pos, Name: v.Text}
	case *conf.String:
		pl = &conf.Plugin{Pos: v.Pos, Name: v.Text}
	default:
		a.Fail("codec", "write codec => json, or codec => json { }", "a codec should stand here")
		return nil
	}
	t := Table()
	names := make([]string, len(t))
	for i := range t {
		names[i] = t[i].Name
	}
	i := slices.Index(names, pl.Name)
	if i < 0 {
		hint := "codecs: " + strings.Join(names, ", ")
		if n := conf.Nearest(pl.Name, names); n != "" {
			hint = "did you mean " + n + "?"
		}
		a.FailAt(pl.Pos, hint, "unknown codec %q", pl.Name)
		return nil
	}
	if use == In && !t[i].In || use == Out && !t[i].Out {
		a.FailAt(pl.Pos, "", "codec %s only %s", pl.Name, [...]string{"writes", "reads"}[use])
		return nil
	}
	opts := append(slices.Clone(t[i].Options), plugin.Option{Name: "ecs_compatibility", Enum: []string{"disabled", "v1", "v8"}}, plugin.Option{Name: "id"},
		plugin.Option{Name: "enable_metric", Kind: plugin.Boolean})
	return t[i].New(plugin.Read(pl, opts, a.Errs), env)
}

var messagePath = event.MustPath("message")

// message appends an event that holds text, with a failure tag unless tag is empty.
func message(b *event.Batch, ref uint32, text, tag string) {
	e := b.New(ref)
	e.AddField("message", event.String(text))
	if tag != "" {
		e.Tag(tag)
	}
}
