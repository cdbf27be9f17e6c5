package agent

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/lines"
)

// envelope is what is constant in the records of a source, rendered once.
type envelope struct {
	topic string
	key   []byte // chain id, 32 hexadecimal digits

	meta []byte // `","@metadata":{...},"message":"`
	log  []byte // what follows the varying members of "log", with its closing brace
	rest []byte // the members behind "log", and the closing brace

	tree     map[string]any // all of it but @metadata, for events with fields of their own; shared, not to be changed
	metadata map[string]any
}

// compatVersion is the Filebeat release a level follows.
func compatVersion(level int) string {
	switch level {
	case 7:
		return "7.17.28"
	case 8:
		return "8.19.0"
	}
	return "9.5.0"
}

// identity is what envelopes say of the agent.
type identity struct {
	id, ephemeral, name, host, version string
	compat                             int
}

// fileFields are log.file of a source.
func fileFields(compat int, path string, p place, h *head) map[string]any {
	file := map[string]any{"path": path}
	if compat == 7 {
		return file
	}
	file["device_id"] = strconv.FormatUint(p.dev, 10)
	file["inode"] = strconv.FormatUint(p.ino, 10)
	if h.len == headBytes {
		file["fingerprint"] = hex.EncodeToString(h.sum[:])
	}
	return file
}

// agentFields are agent, ecs and host of every record.
func (id *identity) agentFields() map[string]any {
	agent := map[string]any{
		"ephemeral_id": id.ephemeral, "id": id.id, "name": id.name, "type": "filebeat", "version": compatVersion(id.compat),
		"build": map[string]any{"original": id.version},
	}
	ecs := "8.0.0"
	if id.compat == 7 {
		agent["hostname"] = id.host
		ecs = "1.12.0"
	}
	return map[string]any{"agent": agent, "ecs": map[string]any{"version": ecs}, "host": map[string]any{"name": id.name}}
}

// addUser puts a user's fields and tags into a tree.
func addUser(t map[string]any, fields map[string]any, underRoot bool, tags []string) {
	if len(fields) > 0 {
		if !underRoot {
			fields = map[string]any{"fields": fields}
		}
		tree.Merge(t, fields, true)
	}
	if len(tags) == 0 {
		return
	}
	have, _ := t["tags"].([]any)
	for _, tag := range tags {
		have = append(have, tag)
	}
	t["tags"] = have
}

// render fills the rendered parts from tree and metadata.
func (e *envelope) render() {
	e.meta = append(e.meta[:0], `","@metadata":`...)
	e.meta = tree.AppendObject(e.meta, e.metadata)
	e.meta = append(e.meta, `,"message":"`...)

	log, _ := e.tree["log"].(map[string]any)
	e.log = append(tree.AppendMembers(e.log[:0], log, true), '}')
	e.rest = tree.AppendMembers(e.rest[:0], tree.Without(e.tree, "log"), true)
	e.rest = append(e.rest, '}')
}

// appendPlain renders a message that has no fields of its own. bad says that its text held bytes that are no UTF-8.
func (e *envelope) appendPlain(b []byte, stamp []byte, m *lines.Message) (out []byte, bad bool) {
	b = append(b, `{"@timestamp":"`...)
	if m.At.IsZero() {
		b = append(b, stamp...)
	} else {
		b = tree.AppendTime(b, m.At)
	}
	b = append(b, e.meta...)
	b, bad = tree.AppendText(b, m.Text)
	b = append(b, `","log":{"offset":`...)
	b = strconv.AppendInt(b, m.Offset, 10)
	flags := m.Flags
	if bad {
		flags |= lines.BadEncoding
	}
	if flags != 0 {
		b = append(b, `,"flags":`...)
		b = tree.AppendValue(b, flags.AppendNames(nil))
	}
	if m.Cut != nil {
		b = append(b, `,"cut":`...)
		b = tree.AppendObject(b, cutFields(m.Cut))
	}
	b = append(b, e.log...)
	if m.Stream != lines.NoStream {
		b = append(b, `,"stream":"`...)
		b = append(b, m.Stream.String()...)
		b = append(b, '"')
	}
	return append(b, e.rest...), bad
}

func cutFields(c *lines.Cut) map[string]any {
	return map[string]any{"bytes": c.Bytes, "sha256": hex.EncodeToString(c.SHA256[:])}
}

// newEvent makes the tree of a message.
func (e *envelope) newEvent(m *lines.Message) *tree.Event {
	ev := &tree.Event{At: m.Read, Fields: tree.Clone(e.tree), Metadata: tree.Clone(e.metadata)}
	if !m.At.IsZero() {
		ev.At = m.At
	}
	log, ok := ev.Fields["log"].(map[string]any)
	if !ok {
		log = map[string]any{}
		ev.Fields["log"] = log
	}
	log["offset"] = m.Offset
	if m.Flags != 0 {
		log["flags"] = tree.CloneValue(m.Flags.AppendNames(nil))
	}
	if m.Cut != nil {
		log["cut"] = cutFields(m.Cut)
	}
	if m.Stream != lines.NoStream {
		ev.Fields["stream"] = m.Stream.String()
	}
	if m.Codec == nil || m.JSON == nil || len(m.Text) > 0 {
		ev.Fields["message"] = strings.ToValidUTF8(string(m.Text), "\uFFFD")
	}
	if m.Fields != nil {
		tree.Merge(ev.Fields, m.Fields, true)
	}
	if m.Codec != nil {
		putJSON(ev, m)
	}
	return ev
}

// putJSON puts the object of an ndjson line into ev.
func putJSON(ev *tree.Event, m *lines.Message) {
	c := m.Codec
	if m.Fault != "" && c.AddErrorKey {
		ev.Fault(m.Fault)
	}
	if m.JSON == nil {
		return
	}
	object := m.JSON
	if c.MessageKey != "" && m.Fault == "" {
		object[c.MessageKey] = string(m.Text)
		delete(ev.Fields, "message")
	}
	if c.DocumentID != "" {
		if id, ok := tree.Get(object, c.DocumentID); ok {
			if s, ok := id.(string); ok && s != "" {
				ev.Metadata["_id"] = s
				tree.Drop(object, c.DocumentID)
			}
		}
	}
	if c.ExpandKeys {
		object = tree.Expand(object)
	}
	if c.Target != "" {
		nested := map[string]any{}
		tree.Set(nested, c.Target, object)
		tree.Merge(ev.Fields, nested, true)
		return
	}
	ev.PutRoot(object, c.OverwriteKeys)
}
