package processor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirlog/weir/agent/tree"
)

// compilePairs is rename and copy_fields: all pairs or, with fail_on_error, none.
func compilePairs(args arguments, apply func(ev *tree.Event, p fieldPair, v any)) (run, error) {
	pairs, err := args.pairs(false)
	if err != nil {
		return nil, err
	}
	missingOK, strict, err := args.flags()
	if err != nil {
		return nil, err
	}
	var list []change
	for _, p := range pairs {
		list = append(list, func(ev *tree.Event) error {
			v, ok := ev.Get(p.from)
			if !ok {
				return missing(p.from, missingOK)
			}
			if _, taken := ev.Get(p.to); taken {
				return fmt.Errorf("target field %s already exists, drop or rename this field first", p.to)
			}
			apply(ev, p, v)
			return nil
		})
	}
	return allOrNone(strict, list), nil
}

func compileRename(args arguments) (run, error) {
	return compilePairs(args, func(ev *tree.Event, p fieldPair, v any) {
		if rest, ok := strings.CutPrefix(p.from, "@metadata."); ok {
			tree.Drop(ev.Metadata, rest)
		} else {
			tree.Drop(ev.Fields, p.from)
		}
		put(ev, p.to, v)
	})
}

func compileCopyFields(args arguments) (run, error) {
	return compilePairs(args, func(ev *tree.Event, p fieldPair, v any) { put(ev, p.to, tree.CloneValue(v)) })
}

// compileMoveFields is move_fields: members of an object go to another, all or those named.
func compileMoveFields(args arguments) (run, error) {
	parent, err1 := args.text("parent_path", "")
	to, err2 := args.text("to", "")
	missingOK, err3 := args.flag("ignore_missing", false)
	from, exclude := []string(nil), []string(nil)
	var err4, err5 error
	if _, ok := args.get("from"); ok {
		from, err4 = args.list("from")
	}
	if _, ok := args.get("exclude"); ok {
		exclude, err5 = args.list("exclude")
	}
	for _, err := range [...]error{err1, err2, err3, err4, err5} {
		if err != nil {
			return nil, err
		}
	}
	return func(ev *tree.Event) error {
		object := ev.Fields
		if parent != "" {
			v, _ := tree.Get(ev.Fields, parent)
			m, ok := v.(map[string]any)
			if !ok {
				if missingOK {
					return nil
				}
				return fail(ev, "move_fields: field %s is missing", parent)
			}
			object = m
		}
		keys := from
		if len(keys) == 0 {
			for k := range object {
				keys = append(keys, k)
			}
			slices.Sort(keys)
		}
		for _, k := range keys {
			v, ok := tree.Get(object, k)
			if slices.Contains(exclude, k) || !ok && missingOK {
				continue
			}
			if !ok {
				return fail(ev, "move_fields: field %s is missing", k)
			}
			tree.Drop(object, k)
			tree.Set(ev.Fields, to+k, v)
		}
		return nil
	}, nil
}
