package lines

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fastjson"
)

// NDJSON says how a line that is a JSON object becomes fields. The step decodes; who renders the event puts the object into it.
type NDJSON struct {
	Target              string
	OverwriteKeys       bool
	ExpandKeys          bool
	AddErrorKey         bool
	MessageKey          string
	DocumentID          string
	IgnoreDecodingError bool
}

type ndjsonSpec struct{ conf NDJSON }

// NDJSON adds a parser of JSON objects.
func (s *Spec) NDJSON(conf NDJSON) error {
	s.steps = append(s.steps, &ndjsonSpec{conf: conf})
	return nil
}

func (s *ndjsonSpec) step() step { return (*ndjson)(s) }

// ndjson holds nothing back.
type ndjson ndjsonSpec

func (s *ndjson) push(j *Joiner, at int, m *Message) {
	m.Codec = &s.conf
	object, err := decodeObject(&j.scratch.json, m.Text)
	switch {
	case err != nil:
		m.Fault = "Error decoding JSON: " + err.Error()
	case s.conf.MessageKey == "":
		m.JSON, m.Text = object, nil
	default:
		m.JSON = object
		m.Text, m.Fault = textOf(object, s.conf.MessageKey)
	}
	j.run(at+1, m)
}

// textOf is the value of the message key.
func textOf(object map[string]any, key string) (text []byte, fault string) {
	v, ok := object[key]
	if !ok {
		return nil, fmt.Sprintf("Key '%s' not found", key)
	}
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Sprintf("Value of key '%s' is not a string", key)
	}
	return []byte(s), ""
}

func (*ndjson) due(*Joiner, int, time.Time)    {}
func (*ndjson) flush(*Joiner, int)             {}
func (*ndjson) low(_ uint32, high int64) int64 { return high }
func (*ndjson) held() int                      { return 0 }

var errNotObject = errors.New("not a JSON object")

func decodeObject(parser *fastjson.Parser, text []byte) (map[string]any, error) {
	v, err := parser.ParseBytes(text)
	if err != nil {
		return nil, err
	}
	if v.Type() != fastjson.TypeObject {
		return nil, errNotObject
	}
	return ToGo(v).(map[string]any), nil
}

// DecodeJSON decodes any JSON value; numbers stay as they are written (json.Number).
func DecodeJSON(scratch *Scratch, text []byte) (any, error) {
	v, err := scratch.json.ParseBytes(text)
	if err != nil {
		return nil, err
	}
	return ToGo(v), nil
}

// ToGo copies a parsed value out of its parser: map[string]any, []any, string, json.Number, bool or nil.
func ToGo(v *fastjson.Value) any {
	switch v.Type() {
	case fastjson.TypeObject:
		object := v.GetObject()
		out := make(map[string]any, object.Len())
		object.Visit(func(key []byte, v *fastjson.Value) { out[string(key)] = ToGo(v) })
		return out
	case fastjson.TypeArray:
		items := v.GetArray()
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = ToGo(item)
		}
		return out
	case fastjson.TypeString:
		s, _ := v.StringBytes()
		return string(s)
	case fastjson.TypeNumber:
		return json.Number(v.String())
	case fastjson.TypeTrue:
		return true
	case fastjson.TypeFalse:
		return false
	}
	return nil
}
