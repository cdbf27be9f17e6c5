package processor

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/weirlog/weir/agent/tree"
)

// stamp is timestamp.
type stamp struct {
	field, target  string
	layouts        []string
	zone           *time.Location
	missingOK, lax bool
}

func compileTimestamp(args arguments) (run, error) {
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

func (s *stamp) run(ev *tree.Event) error {
	v, ok := ev.Get(s.field)
	if !ok {
		if !s.missingOK && !s.lax {
			return fail(ev, "field %s is missing", s.field)
		}
		return nil
	}
	t, err := s.parse(tree.Text(v), ev.At)
	if err != nil {
		if !s.lax {
			return fail(ev, "%w", err)
		}
		return nil
	}
	if s.target == "@timestamp" {
		ev.At = t
	} else {
		put(ev, s.target, string(tree.AppendTime(nil, t)))
	}
	return nil
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
