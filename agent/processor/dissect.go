package processor

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/dissect"
)

// dissection is dissect: Filebeat's form of a pattern is brought into that of package dissect, its types are applied behind.
type dissection struct {
	pattern   *dissect.Pattern
	types     map[string]string
	field     string
	prefix    string
	lax       bool
	overwrite bool
	trim      string
	chars     string
}

func compileDissect(args arguments) (run, error) {
	var d dissection
	text, err1 := args.required("tokenizer")
	var err2, err3, err4, err5, err6, err7 error
	d.field, err2 = args.text("field", "message")
	d.prefix, err3 = args.text("target_prefix", "dissect")
	d.lax, err4 = args.flag("ignore_failure", false)
	d.overwrite, err5 = args.flag("overwrite_keys", false)
	d.trim, err6 = args.text("trim_values", "none")
	d.chars, err7 = args.text("trim_chars", " ")
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		return nil, err
	}
	switch d.trim {
	case "none", "left", "right", "all":
	default:
		return nil, fmt.Errorf("trim_values: %q is not none, left, right or all", d.trim)
	}
	var err error
	if text, d.types, err = convertTokenizer(text); err != nil {
		return nil, err
	}
	if d.pattern, err = dissect.Compile(text); err != nil {
		return nil, err
	}
	return d.run, nil
}

var tokenizerKey = regexp.MustCompile(`%\{([^}]*)\}`)

// convertTokenizer takes the types (|integer) out of a pattern and calls %{*k} %{?k}.
func convertTokenizer(text string) (pattern string, types map[string]string, err error) {
	types = map[string]string{}
	pattern = tokenizerKey.ReplaceAllStringFunc(text, func(m string) string {
		key := m[2 : len(m)-1]
		name, typ, typed := strings.Cut(key, "|")
		if strings.Contains(name, "#") {
			err = fmt.Errorf("tokenizer: %s: a fixed length is not supported", m)
		}
		if typed {
			pad := strings.HasSuffix(typ, "->")
			typ = strings.TrimSuffix(typ, "->")
			switch typ {
			case "integer", "long", "float", "double", "boolean", "ip", "string":
			default:
				err = fmt.Errorf("tokenizer: %s: type %q is not integer, long, float, double, boolean, ip or string", m, typ)
			}
			types[strings.TrimSuffix(strings.TrimLeft(name, "+?*&"), "->")] = typ
			if pad && !strings.HasSuffix(name, "->") {
				name += "->"
			}
		}
		if rest, ok := strings.CutPrefix(name, "*"); ok {
			name = "?" + rest
		}
		return "%{" + name + "}"
	})
	return pattern, types, err
}

func (d *dissection) run(ev *tree.Event) error {
	s, done, err := textField(ev, d.field, false)
	if done {
		return d.failed(ev, err)
	}
	pieces, ok := d.pattern.Match(nil, s)
	if !ok {
		return d.failed(ev, fmt.Errorf("dissect: %q does not match", d.field))
	}
	got := map[string]any{}
	d.pattern.Each(s, pieces, func(key, text string) {
		if key != "" && err == nil {
			got[key], err = d.value(key, text)
		}
	})
	if err != nil {
		return d.failed(ev, err)
	}
	for key := range got {
		if d.prefix != "" {
			key = d.prefix + "." + key
		}
		if _, taken := ev.Get(key); taken && !d.overwrite {
			return d.failed(ev, fmt.Errorf("dissect: field %s exists already", key))
		}
	}
	for key, v := range got {
		if d.prefix != "" {
			key = d.prefix + "." + key
		}
		put(ev, key, v)
	}
	return nil
}

// value trims a piece and gives it its type.
func (d *dissection) value(key, text string) (any, error) {
	switch d.trim {
	case "left":
		text = strings.TrimLeft(text, d.chars)
	case "right":
		text = strings.TrimRight(text, d.chars)
	case "all":
		text = strings.Trim(text, d.chars)
	}
	switch typ := d.types[key]; typ {
	case "", "string":
		return text, nil
	case "integer", "long":
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err
	case "ip":
		a, err := netip.ParseAddr(text)
		return a.String(), err
	default:
		return convertTo(text, typ)
	}
}

// failed flags the event; all or nothing is taken.
func (d *dissection) failed(ev *tree.Event, err error) error {
	if d.lax {
		return nil
	}
	tree.AddFlag(ev.Fields, "dissect_parsing_error")
	return err
}
