package ingest

import (
	"html"
	"net/url"
	"strconv"
	"strings"

	"github.com/weirlog/weir/store/painless"
)

// textProcessor changes the texts of a field: one text or a list of them.
type textProcessor struct {
	field   string
	target  string
	missing bool
	f       func(d *Document, s string) (any, error)
}

func newText(o *options, f func(d *Document, s string) (any, error)) *textProcessor {
	t := &textProcessor{field: o.mustText("field"), missing: o.boolean("ignore_missing", false), f: f}
	t.target = o.text("target_field", t.field)
	return t
}

func (t *textProcessor) run(_ *execution, d *Document) error {
	v, ok := d.Get(t.field)
	if (!ok || v == nil) && t.missing {
		return nil
	}
	if !ok {
		_, err := d.Must(t.field)
		return err
	}
	out, err := t.apply(d, v)
	if err != nil {
		return err
	}
	return d.Set(t.target, out)
}

func (t *textProcessor) apply(d *Document, v any) (any, error) {
	switch x := v.(type) {
	case string:
		return t.f(d, x)
	case *painless.List:
		out := &painless.List{}
		for _, e := range x.Items {
			y, err := t.apply(d, e)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, y)
		}
		return out, nil
	case nil:
		return nil, failf("field [%s] is null, cannot process it.", t.field)
	}
	return nil, failf("field [%s] of type [%s] cannot be cast to [java.lang.String]", t.field, typeName(v))
}

func newLowercase(o *options) processor {
	return newText(o, func(_ *Document, s string) (any, error) { return strings.ToLower(s), nil })
}

func newUppercase(o *options) processor {
	return newText(o, func(_ *Document, s string) (any, error) { return strings.ToUpper(s), nil })
}

func newTrim(o *options) processor {
	return newText(o, func(_ *Document, s string) (any, error) { return strings.TrimSpace(s), nil })
}

func newURLDecode(o *options) processor {
	return newText(o, func(_ *Document, s string) (any, error) {
		out, err := url.QueryUnescape(s)
		if err != nil {
			return nil, failf("%v", err)
		}
		return out, nil
	})
}

// byteUnits of the bytes processor.
var byteUnits = []struct {
	suffix string
	shift  int
}{{"pb", 50}, {"tb", 40}, {"gb", 30}, {"mb", 20}, {"kb", 10}, {"b", 0}}

func newBytes(o *options) processor {
	return newText(o, func(_ *Document, s string) (any, error) {
		text := strings.ToLower(strings.TrimSpace(s))
		for _, u := range byteUnits {
			num, ok := strings.CutSuffix(text, u.suffix)
			if !ok {
				continue
			}
			f, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
			if err != nil || f < 0 || f > 1<<62/float64(int64(1)<<u.shift) {
				break
			}
			return int64(f * float64(int64(1)<<u.shift)), nil
		}
		return nil, &Error{Type: "parse_exception", Reason: "failed to parse setting [Ingest Field] with value [" + s + "] as a size in bytes: unit is missing or unrecognized"}
	})
}

func newHTMLStrip(o *options) processor {
	return newText(o, func(_ *Document, s string) (any, error) { return stripHTML(s), nil })
}

// stripHTML takes tags out, each leaving a line break as block tags would, and decodes entities.
func stripHTML(s string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '<')
		if at < 0 {
			b.WriteString(html.UnescapeString(s))
			return b.String()
		}
		b.WriteString(html.UnescapeString(s[:at]))
		end := strings.IndexByte(s[at:], '>')
		if strings.HasPrefix(s[at:], "<!--") {
			if end = strings.Index(s[at:], "-->"); end >= 0 {
				end += 2
			}
		}
		if end < 0 || at+1 < len(s) && !strings.ContainsAny(s[at+1:at+2], "/!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			b.WriteByte('<')
			s = s[at+1:]
			continue
		}
		if blockTag(s[at+1 : at+end]) {
			b.WriteByte('\n')
		}
		s = s[at+end+1:]
	}
}

// inlineTags leave nothing behind.
var inlineTags = " b em i strong u s small big sub sup span a abbr acronym cite code font kbd samp strike tt var q "

func blockTag(tag string) bool {
	tag = strings.ToLower(strings.TrimPrefix(tag, "/"))
	name, _, _ := strings.Cut(strings.TrimSuffix(tag, "/"), " ")
	return !strings.Contains(inlineTags, " "+name+" ") && !strings.HasPrefix(name, "!")
}

// gsub replaces what a regular expression finds.
func newGsub(o *options) processor {
	re := o.regexp("pattern", o.mustText("pattern"))
	repl := o.mustText("replacement")
	return newText(o, func(_ *Document, s string) (any, error) {
		out, err := re.ReplaceAll(s, repl)
		if err != nil {
			return nil, failf("%v", err)
		}
		return out, nil
	})
}

// split cuts a text at a regular expression.
func newSplit(o *options) processor {
	re := o.regexp("separator", o.mustText("separator"))
	trailing := o.boolean("preserve_trailing", false)
	return newText(o, func(_ *Document, s string) (any, error) {
		parts, err := re.Split(s)
		if err != nil {
			return nil, failf("%v", err)
		}
		for !trailing && len(parts) > 1 && parts[len(parts)-1] == "" {
			parts = parts[:len(parts)-1]
		}
		l := &painless.List{}
		for _, p := range parts {
			l.Items = append(l.Items, p)
		}
		return l, nil
	})
}

type join struct{ field, sep, target string }

func newJoin(o *options) processor {
	j := &join{field: o.mustText("field"), sep: o.mustText("separator")}
	j.target = o.text("target_field", j.field)
	return j
}

func (j *join) run(_ *execution, d *Document) error {
	v, err := d.Must(j.field)
	if err != nil {
		return err
	}
	l, ok := v.(*painless.List)
	if !ok {
		return failf("field [%s] of type [%s] cannot be cast to [java.util.List]", j.field, typeName(v))
	}
	parts := make([]string, len(l.Items))
	for i, e := range l.Items {
		parts[i] = painless.Text(e)
	}
	return d.Set(j.target, strings.Join(parts, j.sep))
}
