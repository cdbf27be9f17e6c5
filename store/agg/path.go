package agg

import (
	"strings"

	"github.com/weirlog/weir/store/query"
)

// step is one name of a path like "a['x']>b.avg" or "p[99.0]".
type step struct {
	name     string
	key      string // ['x']: a bucket, or [99.0]: a property
	hasKey   bool
	property string // after a dot, of the last step
}

// parsePath reads a path of orders and buckets_path. What stands behind the last dot is a property unless the whole is a known name,
// so both readings are kept: see resolve.
func parsePath(path string) ([]step, error) {
	var out []step
	for _, part := range strings.Split(path, ">") {
		part = strings.TrimSpace(part)
		s := step{name: part}
		if i := strings.IndexByte(part, '['); i >= 0 && strings.Contains(part[i:], "]") {
			j := i + strings.IndexByte(part[i:], ']')
			s.name, s.key, s.hasKey = part[:i], strings.Trim(part[i+1:j], `'"`), true
			if rest := part[j+1:]; strings.HasPrefix(rest, ".") {
				s.property = rest[1:]
			}
		}
		if s.name == "" {
			return nil, query.Badf("Invalid path element [%s] in path [%s]", part, path)
		}
		out = append(out, s)
	}
	return out, nil
}

// resolve finds the number at a path below a bucket. ok is false when there is no such thing; the number may be NaN for no value.
func (b *bucket) resolve(steps []step) (v float64, ok bool) {
	if len(steps) == 1 {
		switch steps[0].name {
		case "_count":
			return float64(b.count), true
		case "_key":
			return b.num, true
		}
	}
	return b.level.resolve(steps)
}

func (l *level) resolve(steps []step) (v float64, ok bool) {
	if l == nil || len(steps) == 0 {
		return 0, false
	}
	s := steps[0]
	res := l.find(s.name)
	property := s.property
	if res == nil && !s.hasKey && len(steps) == 1 {
		if i := strings.LastIndexByte(s.name, '.'); i > 0 {
			for ; i > 0 && res == nil; i = strings.LastIndexByte(s.name[:i], '.') {
				res, property = l.find(s.name[:i]), s.name[i+1:]
			}
		}
	}
	switch res := res.(type) {
	case nil:
		return 0, false
	case *single:
		if len(steps) > 1 {
			if len(steps) == 2 && steps[1].name == "_count" {
				return float64(res.count), true
			}
			return res.level.resolve(steps[1:])
		}
	case *buckets:
		return res.resolve(s, steps[1:])
	}
	if s.hasKey {
		property = s.key
	}
	if len(steps) == 2 && !s.hasKey {
		property = steps[1].name
	}
	return res.value(property)
}

// resolve follows a path into the bucket named in brackets.
func (b *buckets) resolve(s step, rest []step) (float64, bool) {
	if len(rest) == 1 && rest[0].name == "_bucket_count" {
		return float64(len(b.list)), true
	}
	if !s.hasKey {
		return b.value(s.property)
	}
	for _, e := range b.list {
		if e.name != s.key {
			continue
		}
		if len(rest) == 0 {
			if s.property == "" || s.property == "_count" {
				return float64(e.count), true
			}
			rest = []step{{name: s.property}}
		}
		return e.resolve(rest)
	}
	return 0, false
}

// each calls f with the number at a path in every bucket of the aggregation the path begins with: what sibling pipelines read.
func (l *level) each(path string, f func(b *bucket, v float64, ok bool)) error {
	steps, err := parsePath(path)
	if err != nil {
		return err
	}
	b, is := l.find(steps[0].name).(*buckets)
	if !is || len(steps) < 2 {
		return query.Badf("Unable to find aggregation with buckets at path [%s]", path)
	}
	for _, e := range b.list {
		v, ok := e.resolve(steps[1:])
		f(e, v, ok)
	}
	return nil
}
