package rest

import (
	"bytes"
	"encoding/json"

	"github.com/weirlog/weir/store/query"
)

// object builds a JSON object in the order its fields are given.
type object struct {
	b    []byte
	null bool
}

func newObject() *object { return &object{b: []byte{'{'}} }

// raw adds a field whose value is JSON already.
func (o *object) raw(key string, value []byte) *object {
	if len(o.b) > 1 {
		o.b = append(o.b, ',')
	}
	o.b = appendText(o.b, key)
	o.b = append(o.b, ':')
	o.b = append(o.b, value...)
	return o
}

// set adds a field with any value encoding/json can print.
func (o *object) set(key string, value any) *object {
	var v []byte
	switch x := value.(type) {
	case *object:
		v = x.bytes()
	case string:
		v = appendText(nil, x)
	default:
		v = encode(value)
	}
	return o.raw(key, v)
}

func (o *object) bytes() []byte {
	if o.null {
		return []byte("null")
	}
	return append(o.b[:len(o.b):len(o.b)], '}')
}

// encode prints a value without HTML escapes.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("rest: answer cannot be printed: " + err.Error()) // our own types only
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})
}

func appendText(b []byte, s string) []byte { return query.AppendString(b, s) }

func indent(b []byte) []byte {
	var buf bytes.Buffer
	if json.Indent(&buf, b, "", "  ") != nil {
		return b
	}
	buf.WriteByte('\n')
	return buf.Bytes()
}

// acknowledged is the answer to a change of metadata.
var acknowledged = []byte(`{"acknowledged":true}`)
