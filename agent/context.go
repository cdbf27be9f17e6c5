package agent

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

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
		mergeTree(t, fields, true)
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
	e.meta = appendObject(e.meta, e.metadata)
	e.meta = append(e.meta, `,"message":"`...)

	log, _ := e.tree["log"].(map[string]any)
	e.log = append(appendMembers(e.log[:0], log, true), '}')
	e.rest = appendMembers(e.rest[:0], without(e.tree, "log"), true)
	e.rest = append(e.rest, '}')
}

// without is a tree less some keys of its root, those a line gives included.
func without(t map[string]any, keys ...string) map[string]any {
	out := make(map[string]any, len(t))
	for k, v := range t {
		if k != "@timestamp" && k != "@metadata" && k != "message" && !slices.Contains(keys, k) {
			out[k] = v
		}
	}
	return out
}

// appendPlain renders a message that has no fields of its own. bad says that its text held bytes that are no UTF-8.
func (e *envelope) appendPlain(b []byte, stamp []byte, m *lines.Message) (out []byte, bad bool) {
	b = append(b, `{"@timestamp":"`...)
	if m.At.IsZero() {
		b = append(b, stamp...)
	} else {
		b = appendTime(b, m.At)
	}
	b = append(b, e.meta...)
	b, bad = appendString(b, m.Text)
	b = append(b, `","log":{"offset":`...)
	b = strconv.AppendInt(b, m.Offset, 10)
	flags := m.Flags
	if bad {
		flags |= lines.BadEncoding
	}
	if flags != 0 {
		b = append(b, `,"flags":`...)
		b = appendValue(b, flags.AppendNames(nil))
	}
	if m.Cut != nil {
		b = append(b, `,"cut":`...)
		b = appendObject(b, cutFields(m.Cut))
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

// event is a message as a tree, for parsers and processors that change fields.
type event struct {
	at       time.Time
	fields   map[string]any // with message, without @timestamp and @metadata
	metadata map[string]any
}

// appendEvent renders a tree: @timestamp, @metadata and message first, the other members by name.
func (ev *event) append(b []byte) []byte {
	b = append(b, `{"@timestamp":"`...)
	b = appendTime(b, ev.at)
	b = append(b, `","@metadata":`...)
	b = appendObject(b, ev.metadata)
	if msg, ok := ev.fields["message"]; ok {
		b = append(b, `,"message":`...)
		b = appendValue(b, msg)
	}
	b = appendMembers(b, without(ev.fields), true)
	return append(b, '}')
}

// newEvent makes the tree of a message.
func (e *envelope) newEvent(m *lines.Message) *event {
	ev := &event{at: m.Read, fields: cloneTree(e.tree), metadata: cloneTree(e.metadata)}
	if !m.At.IsZero() {
		ev.at = m.At
	}
	log, ok := ev.fields["log"].(map[string]any)
	if !ok {
		log = map[string]any{}
		ev.fields["log"] = log
	}
	log["offset"] = m.Offset
	if m.Flags != 0 {
		log["flags"] = cloneValue(m.Flags.AppendNames(nil))
	}
	if m.Cut != nil {
		log["cut"] = cutFields(m.Cut)
	}
	if m.Stream != lines.NoStream {
		ev.fields["stream"] = m.Stream.String()
	}
	if m.Codec == nil || m.JSON == nil || len(m.Text) > 0 {
		ev.fields["message"] = strings.ToValidUTF8(string(m.Text), "\uFFFD")
	}
	if m.Fields != nil {
		mergeTree(ev.fields, m.Fields, true)
	}
	if m.Codec != nil {
		ev.putJSON(m)
	}
	return ev
}

// putJSON puts the object of an ndjson line into the event.
func (ev *event) putJSON(m *lines.Message) {
	c := m.Codec
	if m.Fault != "" && c.AddErrorKey {
		ev.fault(m.Fault)
	}
	if m.JSON == nil {
		return
	}
	object := m.JSON
	if c.MessageKey != "" && m.Fault == "" {
		object[c.MessageKey] = string(m.Text)
		delete(ev.fields, "message")
	}
	if c.DocumentID != "" {
		if id, ok := getField(object, c.DocumentID); ok {
			if s, ok := id.(string); ok && s != "" {
				ev.metadata["_id"] = s
				dropField(object, c.DocumentID)
			}
		}
	}
	if c.ExpandKeys {
		object = expandKeys(object)
	}
	if c.Target != "" {
		nested := map[string]any{}
		setField(nested, c.Target, object)
		mergeTree(ev.fields, nested, true)
		return
	}
	ev.putRoot(object, c.OverwriteKeys)
}

// timeLayouts are what an @timestamp within a line may look like.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z0700"}

// putRoot merges an object into the root of the event.
func (ev *event) putRoot(object map[string]any, overwrite bool) {
	stamp, hasStamp := object["@timestamp"]
	meta, _ := object["@metadata"].(map[string]any)
	delete(object, "@timestamp")
	delete(object, "@metadata")
	if !overwrite {
		mergeTree(ev.fields, object, false)
		return
	}
	if typ, ok := object["type"]; ok {
		if s, isText := typ.(string); !isText || s == "" || s[0] == '_' {
			ev.fault("type not overwritten (invalid value [" + textOfValue(typ) + "])")
			delete(object, "type")
		}
	}
	if hasStamp {
		ev.putStamp(stamp)
	}
	mergeTree(ev.metadata, meta, true)
	mergeTree(ev.fields, object, true)
}

func (ev *event) putStamp(stamp any) {
	text, ok := stamp.(string)
	if !ok {
		ev.fault("@timestamp not overwritten (not string)")
		return
	}
	var err error
	for _, layout := range timeLayouts {
		var at time.Time
		if at, err = time.Parse(layout, text); err == nil {
			ev.at = at
			return
		}
	}
	ev.fault("@timestamp not overwritten (parse error on " + text + ")")
}

// fault sets error.message and error.type as ndjson does.
func (ev *event) fault(message string) {
	mergeTree(ev.fields, map[string]any{"error": map[string]any{"message": message, "type": "json"}}, true)
}

func textOfValue(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(appendValue(nil, v))
}
