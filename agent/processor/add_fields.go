package processor

import (
	"github.com/weirlog/weir/agent/tree"
)

func compileAddFields(args arguments) (run, error) {
	fields, err := args.object("fields")
	if err != nil {
		return nil, err
	}
	target, err := args.text("target", "fields")
	if err != nil {
		return nil, err
	}
	return addUnder(target, fields), nil
}

func addUnder(target string, fields map[string]any) run {
	if target == "@metadata" {
		return func(ev *tree.Event) error { tree.Merge(ev.Metadata, fields, true); return nil }
	}
	if target != "" {
		nested := map[string]any{}
		tree.Set(nested, target, fields)
		fields = nested
	}
	return func(ev *tree.Event) error { tree.Merge(ev.Fields, fields, true); return nil }
}

func compileAddLabels(args arguments) (run, error) {
	labels, err := args.object("labels")
	if err != nil {
		return nil, err
	}
	flat := map[string]any{}
	tree.Flatten(flat, "", labels)
	return addUnder("labels", flat), nil
}

func compileAddTags(args arguments) (run, error) {
	tags, err := args.list("tags")
	if err != nil {
		return nil, err
	}
	target, err := args.text("target", "tags")
	if err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		var have []any
		switch v, _ := tree.Get(ev.Fields, target); v := v.(type) {
		case []any:
			have = v[:len(v):len(v)]
		case string:
			have = []any{v}
		}
		for _, t := range tags {
			have = append(have, t)
		}
		tree.Set(ev.Fields, target, have)
		return nil
	}, nil
}

// compileFormattedIndex is add_formatted_index: the index of a format string that may hold dates.
func compileFormattedIndex(args arguments) (run, error) {
	s, err := args.required("index")
	if err != nil {
		return nil, err
	}
	f, err := ParseDated(s)
	if err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		index, lacks := f.TextAt(ev.Fields, ev.At)
		if lacks {
			return fail(ev, "add_formatted_index: a field of %q is missing", s)
		}
		ev.Metadata["raw_index"] = index
		return nil
	}, nil
}
