package processor

import (
	"errors"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/lines"
)

// decodeJSON is decode_json_fields.
type decodeJSON struct {
	fields     []string
	arrays     bool
	depth      int
	target     string
	hasTarget  bool
	overwrite  bool
	expand     bool
	errorKey   bool
	documentID string
}

func compileDecodeJSON(args arguments) (run, error) {
	d := decodeJSON{depth: 1}
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	var err error
	d.fields, err = args.list("fields")
	note(err)
	d.arrays, err = args.flag("process_array", false)
	note(err)
	d.overwrite, err = args.flag("overwrite_keys", false)
	note(err)
	d.expand, err = args.flag("expand_keys", false)
	note(err)
	d.errorKey, err = args.flag("add_error_key", false)
	note(err)
	d.documentID, err = args.text("document_id", "")
	note(err)
	d.depth, err = args.number("max_depth", 1)
	note(err)
	_, d.hasTarget = args.get("target")
	d.target, err = args.text("target", "")
	note(err)
	return d.run, errors.Join(errs...)
}

func (d *decodeJSON) run(ev *tree.Event) error {
	for _, field := range d.fields {
		text, ok := ev.Get(field)
		s, isText := text.(string)
		if !ok || !isText {
			continue
		}
		v, err := decodeText(s, d.depth, d.arrays)
		if err != nil {
			if d.errorKey {
				ev.Fault("Error decoding JSON: " + err.Error())
			}
			continue
		}
		d.put(ev, field, v)
	}
	return nil
}

// put stores a decoded value: in place of the text, under the target, or at the root.
func (d *decodeJSON) put(ev *tree.Event, field string, v any) {
	object, isObject := v.(map[string]any)
	if isObject && d.expand {
		object = tree.Expand(object)
		v = object
	}
	if isObject && d.documentID != "" {
		if id, ok := tree.Get(object, d.documentID); ok {
			if s, ok := id.(string); ok {
				ev.Metadata["_id"] = s
				tree.Drop(object, d.documentID)
			}
		}
	}
	switch {
	case !d.hasTarget:
		put(ev, field, v)
	case d.target != "":
		put(ev, d.target, v)
	case isObject:
		ev.PutRoot(object, d.overwrite)
	}
}

var errJSONText = errors.New("text is no JSON object")

// decodeText decodes an object or, with arrays, an array. Deeper than 1, texts within that look like objects are decoded too.
func decodeText(s string, depth int, arrays bool) (any, error) {
	t := strings.TrimSpace(s)
	if !strings.HasPrefix(t, "{") && !(arrays && strings.HasPrefix(t, "[")) {
		return nil, errJSONText
	}
	var p fastjson.Parser
	parsed, err := p.Parse(t)
	if err != nil {
		return nil, err
	}
	return decodeInner(lines.ToGo(parsed), depth-1, arrays), nil
}

func decodeInner(v any, depth int, arrays bool) any {
	if depth <= 0 {
		return v
	}
	switch v := v.(type) {
	case string:
		if inner, err := decodeText(v, depth, arrays); err == nil {
			return inner
		}
	case map[string]any:
		for k, item := range v {
			v[k] = decodeInner(item, depth, arrays)
		}
	case []any:
		if arrays {
			for i, item := range v {
				v[i] = decodeInner(item, depth, arrays)
			}
		}
	}
	return v
}
