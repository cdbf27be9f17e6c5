package processor

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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

func compileDecodeJSON(args arguments) (func(*tree.Event) bool, error) {
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

func (d *decodeJSON) run(ev *tree.Event) bool {
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
	return true
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
		tree.Set(ev.Fields, field, v)
	case d.target != "":
		tree.Set(ev.Fields, d.target, v)
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

// number is an integer setting.
func (a arguments) number(key string, fallback int) (int, error) {
	v, ok := a.get(key)
	if !ok {
		return fallback, nil
	}
	n, ok := number(v)
	if !ok || n != math.Trunc(n) || math.Abs(n) > 1<<31 {
		return 0, fmt.Errorf("%s: %v is no integer", key, v)
	}
	return int(n), nil
}

// stamp is timestamp.
type stamp struct {
	field, target  string
	layouts        []string
	zone           *time.Location
	missingOK, lax bool
}

func compileTimestamp(args arguments) (func(*tree.Event) bool, error) {
	var s stamp
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	var err error
	s.field, err = args.text("field", "")
	note(err)
	s.target, err = args.text("target_field", "@timestamp")
	note(err)
	s.layouts, err = args.list("layouts")
	note(err)
	zone, err := args.text("timezone", "UTC")
	note(err)
	s.missingOK, err = args.flag("ignore_missing", false)
	note(err)
	s.lax, err = args.flag("ignore_failure", false)
	note(err)
	if s.zone, err = time.LoadLocation(zone); err != nil {
		note(fmt.Errorf("timezone: %w", err))
		s.zone = time.UTC
	}
	if s.field == "" {
		note(errors.New("field: missing"))
	}
	if _, ok := args.get("test"); ok {
		tests, err := args.list("test")
		note(err)
		for _, t := range tests {
			if _, err := s.parse(t, time.Now()); err != nil {
				note(fmt.Errorf("test: %w", err))
			}
		}
	}
	return s.run, errors.Join(errs...)
}

func (s *stamp) run(ev *tree.Event) bool {
	v, ok := ev.Get(s.field)
	if !ok {
		if !s.missingOK && !s.lax {
			note(ev, "error.message", "field "+s.field+" is missing")
		}
		return true
	}
	t, err := s.parse(tree.Text(v), ev.At)
	if err != nil {
		if !s.lax {
			note(ev, "error.message", err.Error())
		}
		return true
	}
	if s.target == "@timestamp" {
		ev.At = t
	} else {
		tree.Set(ev.Fields, s.target, string(tree.AppendTime(nil, t)))
	}
	return true
}

// parse tries the layouts in order. A time without a year is of this year.
func (s *stamp) parse(text string, now time.Time) (time.Time, error) {
	for _, layout := range s.layouts {
		if layout == "UNIX" || layout == "UNIX_MS" {
			if f, err := strconv.ParseFloat(text, 64); err == nil {
				if layout == "UNIX" {
					f *= 1000
				}
				return time.UnixMilli(int64(math.Round(f))).UTC(), nil
			}
			continue
		}
		if t, err := time.ParseInLocation(layout, text, s.zone); err == nil {
			if t.Year() == 0 {
				t = t.AddDate(now.In(s.zone).Year(), 0, 0)
			}
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("failed parsing time field %s: %q matches no layout", s.field, text)
}

// change edits one field and reports why it could not.
type change func(t map[string]any) error

// compileChanges makes a step of changes that all happen or, with fail_on_error, none.
func compileChanges(args arguments, list []change) (func(*tree.Event) bool, error) {
	strict, err := args.flag("fail_on_error", true)
	return func(ev *tree.Event) bool {
		before := ev.Fields
		if strict {
			ev.Fields = tree.Clone(before)
		}
		for _, c := range list {
			if err := c(ev.Fields); err != nil && strict {
				ev.Fields = before
				note(ev, "error.message", err.Error())
				return true
			}
		}
		return true
	}, err
}

func (a arguments) objects(key string) ([]map[string]any, error) {
	v, _ := a.get(key)
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: want a list", key)
	}
	out := make([]map[string]any, len(list))
	for i, item := range list {
		if out[i], ok = item.(map[string]any); !ok {
			return nil, fmt.Errorf("%s: want a list of maps", key)
		}
	}
	return out, nil
}

func missing(field string, ok bool) error {
	if ok {
		return nil
	}
	return fmt.Errorf("field %s is missing", field)
}

func compileReplace(args arguments) (func(*tree.Event) bool, error) {
	list, err := args.objects("fields")
	if err != nil {
		return nil, err
	}
	missingOK, err := args.flag("ignore_missing", false)
	if err != nil {
		return nil, err
	}
	var changes []change
	for _, m := range list {
		field, _ := m["field"].(string)
		pattern, _ := m["pattern"].(string)
		with, _ := m["replacement"].(string)
		re, err := regexp.Compile(pattern)
		if field == "" || err != nil {
			return nil, errors.Join(errors.New("fields: want field, pattern and replacement"), err)
		}
		changes = append(changes, func(t map[string]any) error {
			v, ok := tree.Get(t, field)
			s, isText := v.(string)
			if !ok || !isText {
				return missing(field, missingOK)
			}
			tree.Set(t, field, re.ReplaceAllString(s, with))
			return nil
		})
	}
	return compileChanges(args, changes)
}

func compileTruncate(args arguments) (func(*tree.Event) bool, error) {
	fields, err := args.list("fields")
	if err != nil {
		return nil, err
	}
	bytes, err1 := args.number("max_bytes", 0)
	chars, err2 := args.number("max_characters", 0)
	missingOK, err3 := args.flag("ignore_missing", false)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if (bytes > 0) == (chars > 0) {
		return nil, errors.New("want one of max_bytes and max_characters")
	}
	var changes []change
	for _, field := range fields {
		changes = append(changes, func(t map[string]any) error {
			v, ok := tree.Get(t, field)
			s, isText := v.(string)
			if !ok || !isText {
				return missing(field, missingOK)
			}
			limit := bytes
			if chars > 0 {
				limit = endOfRunes(s, chars)
			}
			if len(s) > limit {
				tree.Set(t, field, string(lines.CutText([]byte(s), limit)))
				tree.AddFlag(t, "truncated")
			}
			return nil
		})
	}
	return compileChanges(args, changes)
}

// endOfRunes is the length of the first n characters of s.
func endOfRunes(s string, n int) int {
	end := 0
	for ; n > 0 && end < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return end
}

func compileConvert(args arguments) (func(*tree.Event) bool, error) {
	list, err := args.objects("fields")
	if err != nil {
		return nil, err
	}
	missingOK, err1 := args.flag("ignore_missing", false)
	mode, err2 := args.text("mode", "copy")
	_, err3 := args.text("tag", "")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if mode != "copy" && mode != "rename" {
		return nil, fmt.Errorf("mode: %q is not copy or rename", mode)
	}
	var changes []change
	for _, m := range list {
		from, _ := m["from"].(string)
		to, _ := m["to"].(string)
		typ, _ := m["type"].(string)
		if from == "" || to == "" && typ == "" {
			return nil, errors.New("fields: want from, and to or type")
		}
		if _, err := convertTo("0", typ); err != nil && typ != "ip" && typ != "boolean" {
			return nil, err
		}
		changes = append(changes, func(t map[string]any) error {
			v, ok := tree.Get(t, from)
			if !ok {
				return missing(from, missingOK)
			}
			out, err := convertTo(v, typ)
			if err != nil {
				return fmt.Errorf("field %s: %w", from, err)
			}
			if to != "" && mode == "rename" {
				tree.Drop(t, from)
			}
			if to == "" {
				tree.Set(t, from, out)
			} else {
				tree.Set(t, to, out)
			}
			return nil
		})
	}
	return compileChanges(args, changes)
}

// convertTo is v as a type of convert; "" leaves it.
func convertTo(v any, typ string) (any, error) {
	s := tree.Text(v)
	switch typ {
	case "":
		return tree.CloneValue(v), nil
	case "string":
		return s, nil
	case "integer", "long":
		bits := 64
		if typ == "integer" {
			bits = 32
		}
		n, err := strconv.ParseInt(s, 0, bits)
		return n, err
	case "float", "double":
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return nil, err
		}
		if json.Valid([]byte(s)) {
			return json.Number(s), nil
		}
		return strconv.ParseFloat(s, 64)
	case "boolean":
		return strconv.ParseBool(s)
	case "ip":
		a, err := netip.ParseAddr(s)
		return a.String(), err
	}
	return nil, fmt.Errorf("type: %q is not integer, long, float, double, string, boolean or ip", typ)
}
