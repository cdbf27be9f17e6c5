package processor

import (
	"errors"
	"regexp"

	"github.com/weirlog/weir/agent/tree"
)

func compileReplace(args arguments) (run, error) {
	list, err := args.objects("fields")
	if err != nil {
		return nil, err
	}
	missingOK, strict, err := args.flags()
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
		changes = append(changes, func(ev *tree.Event) error {
			v, ok := ev.Get(field)
			s, isText := v.(string)
			if !ok || !isText {
				return missing(field, missingOK)
			}
			put(ev, field, re.ReplaceAllString(s, with))
			return nil
		})
	}
	return allOrNone(strict, changes), nil
}

// compileRedact is redact: what matches one of the patterns in the fields is replaced.
func compileRedact(args arguments) (run, error) {
	fields, err := []string{"message"}, error(nil)
	if _, ok := args.get("fields"); ok {
		fields, err = args.list("fields")
	}
	patterns, err1 := args.list("patterns")
	with, err2 := args.text("replacement", "[redacted]")
	if err := errors.Join(err, err1, err2); err != nil {
		return nil, err
	}
	var res []*regexp.Regexp
	for _, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, err
		}
		res = append(res, re)
	}
	return func(ev *tree.Event) error {
		for _, f := range fields {
			v, _ := ev.Get(f)
			s, ok := v.(string)
			if !ok {
				continue
			}
			for _, re := range res {
				s = re.ReplaceAllLiteralString(s, with)
			}
			put(ev, f, s)
		}
		return nil
	}, nil
}
