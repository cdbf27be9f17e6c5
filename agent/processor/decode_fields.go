package processor

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weirlog/weir/agent/tree"
)

// compileText is a processor that makes a text of a text.
func (a arguments) compileText(pairs []fieldPair, decode func(s string) (any, error)) (run, error) {
	missingOK, strict, err := a.flags()
	if err != nil {
		return nil, err
	}
	var list []change
	for _, p := range pairs {
		list = append(list, func(ev *tree.Event) error {
			s, done, err := textField(ev, p.from, missingOK)
			if done {
				return err
			}
			v, err := decode(s)
			if err != nil {
				return fmt.Errorf("field %s: %w", p.from, err)
			}
			put(ev, p.to, v)
			return nil
		})
	}
	return allOrNone(strict, list), nil
}

func compileDecodeBase64(args arguments) (run, error) {
	p, err := args.pair("field")
	if err != nil {
		return nil, err
	}
	return args.compileText([]fieldPair{p}, func(s string) (any, error) {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			b, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
		}
		return strings.ToValidUTF8(string(b), "\uFFFD"), err
	})
}

// maxInflated bounds what decompress_gzip_field makes of a field, in bytes.
const maxInflated = 10 << 20

func compileDecompressGzip(args arguments) (run, error) {
	p, err := args.pair("field")
	if err != nil {
		return nil, err
	}
	return args.compileText([]fieldPair{p}, func(s string) (any, error) {
		r, err := gzip.NewReader(strings.NewReader(s))
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if n, err := io.Copy(&b, io.LimitReader(r, maxInflated+1)); err != nil || n > maxInflated {
			return nil, errors.Join(err, fmt.Errorf("%d bytes, at most %d are unpacked", n, maxInflated))
		}
		return strings.ToValidUTF8(b.String(), "\uFFFD"), nil
	})
}

func compileURLDecode(args arguments) (run, error) {
	pairs, err := args.pairs(true)
	if err != nil {
		return nil, err
	}
	return args.compileText(pairs, func(s string) (any, error) { return url.QueryUnescape(s) })
}

func compileDecodeDuration(args arguments) (run, error) {
	field, err := args.required("field")
	if err != nil {
		return nil, err
	}
	format, err := args.text("format", "milliseconds")
	if err != nil {
		return nil, err
	}
	units := map[string]time.Duration{"milliseconds": time.Millisecond, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour}
	unit, ok := units[format]
	if !ok {
		return nil, fmt.Errorf("format: %q is not milliseconds, seconds, minutes or hours", format)
	}
	return args.compileText([]fieldPair{{field, field}}, func(s string) (any, error) {
		d, err := time.ParseDuration(s)
		return float64(d) / float64(unit), err
	})
}

func compileDecodeCSV(args arguments) (run, error) {
	fields, err := args.object("fields")
	if err != nil {
		return nil, err
	}
	separator, err1 := args.text("separator", ",")
	overwrite, err2 := args.flag("overwrite_keys", false)
	trim, err3 := args.flag("trim_leading_space", false)
	missingOK, strict, err4 := args.flags()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	comma, n := utf8.DecodeRuneInString(separator)
	if n == 0 || n != len(separator) {
		return nil, fmt.Errorf("separator: %q is not one character", separator)
	}
	flat := map[string]any{}
	tree.Flatten(flat, "", fields)
	var list []change
	for from, v := range flat {
		to, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("fields: %s: %v is no name", from, v)
		}
		list = append(list, func(ev *tree.Event) error {
			s, done, err := textField(ev, from, missingOK)
			if done {
				return err
			}
			if _, taken := ev.Get(to); taken && to != from && !overwrite {
				return fmt.Errorf("target field %s already has a value, set overwrite_keys", to)
			}
			r := csv.NewReader(strings.NewReader(s))
			r.Comma, r.TrimLeadingSpace, r.LazyQuotes = comma, trim, true
			row, err := r.Read()
			if err != nil && err != io.EOF {
				return fmt.Errorf("field %s: %w", from, err)
			}
			put(ev, to, plain(row))
			return nil
		})
	}
	return allOrNone(strict, list), nil
}

func compileExtractArray(args arguments) (run, error) {
	field, err1 := args.required("field")
	mappings, err2 := args.object("mappings")
	overwrite, err3 := args.flag("overwrite_keys", false)
	omit, err4 := args.flag("omit_empty", false)
	missingOK, strict, err5 := args.flags()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	flat := map[string]any{}
	tree.Flatten(flat, "", mappings)
	var names []string
	for to, v := range flat {
		if n, ok := number(v); !ok || n < 0 {
			return nil, fmt.Errorf("mappings: %s: %v is no index", to, v)
		}
		names = append(names, to)
	}
	slices.Sort(names)
	return allOrNone(strict, []change{func(ev *tree.Event) error {
		v, ok := ev.Get(field)
		if !ok {
			return missing(field, missingOK)
		}
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("field %s is no list", field)
		}
		for _, to := range names {
			i, _ := number(flat[to])
			if int(i) >= len(list) {
				return fmt.Errorf("field %s has no element %d", field, int(i))
			}
			item := list[int(i)]
			if s, isText := item.(string); omit && (item == nil || isText && s == "") {
				continue
			}
			if _, taken := ev.Get(to); taken && !overwrite {
				return fmt.Errorf("target field %s already has a value, set overwrite_keys", to)
			}
			put(ev, to, tree.CloneValue(item))
		}
		return nil
	}}), nil
}

// compileExtractField is extract_field: one piece of a text that a separator cuts.
func compileExtractField(args arguments) (run, error) {
	field, err1 := args.required("field")
	separator, err2 := args.required("separator")
	index, err3 := args.number("index", 0)
	target, err4 := args.required("target")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		s, done, err := textField(ev, field, false)
		if done {
			return fail(ev, "extract_field: %w", err)
		}
		parts := strings.Split(s, separator)
		if index < 0 || index >= len(parts) {
			return fail(ev, "extract_field: field %s has no part %d", field, index)
		}
		put(ev, target, parts[index])
		return nil
	}, nil
}

func compileAppend(args arguments) (run, error) {
	target, err := args.required("target_field")
	if err != nil {
		return nil, err
	}
	var fields []string
	var err1 error
	if _, ok := args.get("fields"); ok {
		fields, err1 = args.list("fields")
	}
	values, _ := args.get("values")
	missingOK, strict, err2 := args.flags()
	twice, err3 := args.flag("allow_duplicate", true)
	noEmpty, err4 := args.flag("ignore_empty_values", false)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return allOrNone(strict, []change{func(ev *tree.Event) error {
		var out []any
		add := func(v any) {
			items, ok := v.([]any)
			if !ok {
				items = []any{v}
			}
			for _, item := range items {
				if noEmpty && (item == nil || item == "") {
					continue
				}
				if !twice && slices.ContainsFunc(out, func(o any) bool { return tree.Text(o) == tree.Text(item) }) {
					continue
				}
				out = append(out, tree.CloneValue(item))
			}
		}
		if v, ok := ev.Get(target); ok {
			add(v)
		}
		for _, f := range fields {
			v, ok := ev.Get(f)
			if !ok {
				if err := missing(f, missingOK); err != nil {
					return err
				}
				continue
			}
			add(v)
		}
		if values != nil {
			add(plain(values))
		}
		put(ev, target, out)
		return nil
	}}), nil
}

func compileNow(args arguments) (run, error) {
	field, err := args.required("field")
	return func(ev *tree.Event) error {
		put(ev, field, string(tree.AppendTime(nil, time.Now())))
		return nil
	}, err
}

func compileLowercase(args arguments) (run, error) { return args.changeCase(strings.ToLower) }
func compileUppercase(args arguments) (run, error) { return args.changeCase(strings.ToUpper) }

// changeCase is lowercase and uppercase: of the names in fields, and of the values in values.
func (a arguments) changeCase(apply func(string) string) (run, error) {
	var lists [2][]string
	for i, key := range [...]string{"fields", "values"} {
		if _, ok := a.get(key); ok {
			var err error
			if lists[i], err = a.list(key); err != nil {
				return nil, err
			}
		}
	}
	whole, err := a.flag("full_path", true)
	if err != nil {
		return nil, err
	}
	missingOK, strict, err := a.flags()
	if err != nil {
		return nil, err
	}
	var list []change
	for _, f := range lists[0] {
		to := apply(f)
		if i := strings.LastIndexByte(f, '.'); !whole && i >= 0 {
			to = f[:i] + apply(f[i:])
		}
		list = append(list, func(ev *tree.Event) error {
			v, ok := tree.Get(ev.Fields, f)
			if !ok {
				return missing(f, missingOK)
			}
			tree.Drop(ev.Fields, f)
			tree.Set(ev.Fields, to, v)
			return nil
		})
	}
	for _, f := range lists[1] {
		list = append(list, func(ev *tree.Event) error {
			s, done, err := textField(ev, f, missingOK)
			if !done {
				put(ev, f, apply(s))
			}
			return err
		})
	}
	return allOrNone(strict, list), nil
}

func compileDetectMimeType(args arguments) (run, error) {
	field, err1 := args.required("field")
	target, err2 := args.required("target")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		v, _ := ev.Get(field)
		if s, ok := v.(string); ok {
			if typ := mimeType(s); typ != "" {
				put(ev, target, typ)
			}
		}
		return nil
	}, nil
}
