package codec

import (
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

// esBulk reads the body of a _bulk request: action lines, which go to [@metadata], each before its document.
type esBulk struct{}

func newESBulk(*plugin.Args, *plugin.Env) Codec { return esBulk{} }

func (esBulk) Decode(b *event.Batch, ref uint32, data string) {
	var action event.Value
	name := ""
	for line := range strings.Lines(data) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if name == "" {
			v, err := b.ParseJSON(line)
			if err != nil || v.Kind() != event.MapKind {
				message(b, ref, line, jsonFailure)
				continue
			}
			for k, meta := range b.Each(v) {
				name, action = k, meta
			}
			if name != "delete" {
				continue
			}
			line = "{}"
		}
		e := b.New(ref)
		if b.DecodeObject(e, line) != nil {
			e.AddField("message", event.String(line))
			e.Tag(jsonFailure)
		}
		e.Set(metadataAction, event.String(name))
		for k, v := range b.Each(action) {
			e.Set(metadataPath.Child(k), v)
		}
		name = ""
	}
}

var metadataAction = event.MustPath("[@metadata][action]")

func (esBulk) Encode(dst []byte, e *event.Event) []byte { return append(e.AppendJSON(dst), '\n') }
