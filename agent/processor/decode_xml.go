package processor

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/weirlog/weir/agent/tree"
)

// maxXMLDepth bounds the elements within one another.
const maxXMLDepth = 100

var errXMLDepth = errors.New("elements are nested too deeply")

// compileDecodeXML is decode_xml: elements and attributes become fields, the text of an element that has both becomes #text.
func compileDecodeXML(args arguments) (run, error) {
	field, err1 := args.text("field", "message")
	target, err2 := args.text("target_field", field)
	lower, err3 := args.flag("to_lower", true)
	overwrite, err4 := args.flag("overwrite_keys", true)
	id, err5 := args.text("document_id", "")
	missingOK, err6 := args.flag("ignore_missing", false)
	lax, err7 := args.flag("ignore_failure", false)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		s, done, err := textField(ev, field, missingOK || lax)
		var object map[string]any
		if !done {
			object, err = decodeXML(s, lower)
		}
		if err != nil {
			if lax {
				return nil
			}
			return fail(ev, "decode_xml: %w", err)
		}
		if done {
			return nil
		}
		if v, ok := tree.Get(object, id); ok && id != "" {
			ev.Metadata["_id"] = tree.Text(v)
			tree.Drop(object, id)
		}
		if target == "" {
			tree.Merge(ev.Fields, object, overwrite)
			return nil
		}
		put(ev, target, object)
		return nil
	}, nil
}

// decodeXML reads a document into an object.
func decodeXML(s string, lower bool) (map[string]any, error) {
	d := xml.NewDecoder(strings.NewReader(s))
	name := func(n xml.Name) string {
		if lower {
			return strings.ToLower(n.Local)
		}
		return n.Local
	}
	type element struct {
		name   string
		fields map[string]any
		text   strings.Builder
	}
	stack := []*element{{fields: map[string]any{}}}
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			if len(stack) > maxXMLDepth {
				return nil, errXMLDepth
			}
			e := &element{name: name(tok.Name), fields: map[string]any{}}
			for _, a := range tok.Attr {
				e.fields[name(a.Name)] = a.Value
			}
			stack = append(stack, e)
		case xml.CharData:
			top.text.Write(tok)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			addXML(stack[len(stack)-1].fields, top.name, elementValue(top.fields, strings.TrimSpace(top.text.String())))
		}
	}
	if len(stack[0].fields) == 0 {
		return nil, errors.New("text is no XML")
	}
	return stack[0].fields, nil
}

func elementValue(fields map[string]any, text string) any {
	if len(fields) == 0 {
		return text
	}
	if text != "" {
		fields["#text"] = text
	}
	return fields
}

// addXML adds an element; elements of one name become a list.
func addXML(fields map[string]any, name string, v any) {
	switch old := fields[name].(type) {
	case nil:
		fields[name] = v
	case []any:
		fields[name] = append(old, v)
	default:
		fields[name] = []any{old, v}
	}
}
