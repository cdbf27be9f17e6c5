package agent

import (
	"bytes"
	"encoding/json"

	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/agent/processor"
	"github.com/weirlog/weir/agent/tree"
)

// renderRaw is the record of another agent's event, or the rule that drops it. What this agent says of itself is not added: the event
// says where it comes from.
func (l *listener) renderRaw(e *input.Event) (value []byte, rule string) {
	if l.raw && bytes.IndexByte(e.Raw, '\n') < 0 {
		return bytes.Clone(e.Raw), ""
	}
	d := json.NewDecoder(bytes.NewReader(e.Raw))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil || fields == nil {
		return bytes.Clone(e.Raw), "" // the input has checked it; a parser that is stricter changes nothing
	}
	ev := &tree.Event{At: e.At, Fields: fields, Metadata: map[string]any{}}
	if meta, ok := fields["@metadata"].(map[string]any); ok {
		ev.Metadata = meta
	}
	delete(fields, "@metadata")
	delete(fields, "@timestamp")
	conf, cfg := l.in.conf, &l.a.cfg
	addUser(ev.Fields, cfg.Fields, cfg.FieldsUnderRoot, cfg.Tags)
	addUser(ev.Fields, conf.Fields, conf.FieldsUnderRoot, conf.Tags)
	if conf.Pipeline != "" {
		ev.Metadata["pipeline"] = conf.Pipeline
	}
	if conf.Index != "" {
		ev.Metadata["raw_index"] = conf.Index
	}
	if conf.ServiceType != "" {
		tree.Set(ev.Fields, "service.type", conf.ServiceType)
	}
	processor.Run(l.in.once, ev)
	if rule = processor.Run(l.in.chain, ev); rule != "" {
		return nil, rule
	}
	return ev.Append(nil), ""
}
