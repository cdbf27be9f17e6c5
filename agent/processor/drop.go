package processor

import (
	"regexp"
	"strings"

	"github.com/weirlog/weir/agent/tree"
)

func compileDropEvent(arguments) (run, error) {
	return func(*tree.Event) error { return errDrop }, nil
}

// fieldNames are names of fields, and regular expressions between slashes that match names.
type fieldNames struct {
	names    []string
	patterns []*regexp.Regexp
}

func (a arguments) fieldNames() (f fieldNames, err error) {
	list, err := a.list("fields")
	if err != nil {
		return f, err
	}
	for _, name := range list {
		if len(name) < 3 || !strings.HasPrefix(name, "/") || !strings.HasSuffix(name, "/") {
			f.names = append(f.names, name)
			continue
		}
		re, err := regexp.Compile(name[1 : len(name)-1])
		if err != nil {
			return f, err
		}
		f.patterns = append(f.patterns, re)
	}
	return f, nil
}

// matching are the names, and those of t that a pattern matches.
func (f *fieldNames) matching(t map[string]any) []string {
	if len(f.patterns) == 0 {
		return f.names
	}
	out := f.names[:len(f.names):len(f.names)]
	flat := map[string]any{}
	tree.Flatten(flat, "", t)
	for name := range flat {
		for _, re := range f.patterns {
			if re.MatchString(name) {
				out = append(out, name)
				break
			}
		}
	}
	return out
}

func compileDropFields(args arguments) (run, error) {
	fields, err := args.fieldNames()
	if err != nil {
		return nil, err
	}
	if _, err := args.flag("ignore_missing", false); err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		for _, f := range fields.matching(ev.Fields) {
			if rest, ok := strings.CutPrefix(f, "@metadata."); ok {
				tree.Drop(ev.Metadata, rest)
			} else if f != "@timestamp" && f != "type" {
				tree.Drop(ev.Fields, f)
			}
		}
		return nil
	}, nil
}

func compileIncludeFields(args arguments) (run, error) {
	fields, err := args.fieldNames()
	if err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		kept := map[string]any{}
		for _, f := range fields.matching(ev.Fields) {
			if v, ok := tree.Get(ev.Fields, f); ok {
				tree.Set(kept, f, v)
			}
		}
		ev.Fields = kept
		return nil
	}, nil
}
