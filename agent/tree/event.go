package tree

import (
	"slices"
	"strings"
	"time"
)

// Event is a message as a tree, for parsers and processors that change fields.
type Event struct {
	At       time.Time
	Fields   map[string]any // with message, without @timestamp and @metadata
	Metadata map[string]any
}

// Append renders the event: @timestamp, @metadata and message first, the other members by name.
func (ev *Event) Append(b []byte) []byte {
	b = append(b, `{"@timestamp":"`...)
	b = AppendTime(b, ev.At)
	b = append(b, `","@metadata":`...)
	b = AppendObject(b, ev.Metadata)
	if msg, ok := ev.Fields["message"]; ok {
		b = append(b, `,"message":`...)
		b = AppendValue(b, msg)
	}
	b = AppendMembers(b, Without(ev.Fields), true)
	return append(b, '}')
}

// timeLayouts are what an @timestamp within a line may look like.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z0700"}

// PutRoot merges an object that stood in a text into the root of the event. Without overwrite what the event has stays, @timestamp
// and @metadata included.
func (ev *Event) PutRoot(object map[string]any, overwrite bool) {
	stamp, hasStamp := object["@timestamp"]
	meta, _ := object["@metadata"].(map[string]any)
	delete(object, "@timestamp")
	delete(object, "@metadata")
	if !overwrite {
		Merge(ev.Fields, object, false)
		return
	}
	if typ, ok := object["type"]; ok {
		if s, isText := typ.(string); !isText || s == "" || s[0] == '_' {
			ev.Fault("type not overwritten (invalid value [" + Text(typ) + "])")
			delete(object, "type")
		}
	}
	if hasStamp {
		ev.putStamp(stamp)
	}
	Merge(ev.Metadata, meta, true)
	Merge(ev.Fields, object, true)
}

func (ev *Event) putStamp(stamp any) {
	text, ok := stamp.(string)
	if !ok {
		ev.Fault("@timestamp not overwritten (not string)")
		return
	}
	var err error
	for _, layout := range timeLayouts {
		var at time.Time
		if at, err = time.Parse(layout, text); err == nil {
			ev.At = at
			return
		}
	}
	ev.Fault("@timestamp not overwritten (parse error on " + text + ")")
}

// Fault sets error.message and error.type as ndjson does.
func (ev *Event) Fault(message string) {
	Merge(ev.Fields, map[string]any{"error": map[string]any{"message": message, "type": "json"}}, true)
}

// Text is v as text: a text as it is, anything else as JSON.
func Text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(AppendValue(nil, v))
}

// Without is a tree less some keys of its root, those a line gives included.
func Without(t map[string]any, keys ...string) map[string]any {
	out := make(map[string]any, len(t))
	for k, v := range t {
		if k != "@timestamp" && k != "@metadata" && k != "message" && !slices.Contains(keys, k) {
			out[k] = v
		}
	}
	return out
}

// Get is a field of the event, @timestamp and @metadata included.
func (ev *Event) Get(path string) (any, bool) {
	if path == "@timestamp" {
		return string(AppendTime(nil, ev.At)), true
	}
	if rest, ok := strings.CutPrefix(path, "@metadata."); ok {
		return Get(ev.Metadata, rest)
	}
	return Get(ev.Fields, path)
}
