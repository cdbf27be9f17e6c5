package store

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

// Settings are the settings of an index, by their full names without "index.": "number_of_shards", "mapping.total_fields.limit".
// They are immutable.
type Settings struct {
	values map[string]string
}

// ParseSettings reads settings in any of the forms clients send: nested or dotted, with or without "index".
func ParseSettings(json []byte) (*Settings, error) {
	s := &Settings{values: map[string]string{}}
	if len(strings.TrimSpace(string(json))) == 0 {
		return s, nil
	}
	var p fastjson.Parser
	v, err := p.ParseBytes(json)
	if err != nil {
		return nil, errorf(400, "parsing_exception", "Failed to parse settings: %v", err)
	}
	if v.Type() == fastjson.TypeNull {
		return s, nil
	}
	if v.Type() != fastjson.TypeObject {
		return nil, errorf(400, "parsing_exception", "Failed to parse settings: expected an object")
	}
	s.flatten("", v)
	return s, nil
}

func (s *Settings) flatten(path string, v *fastjson.Value) {
	switch v.Type() {
	case fastjson.TypeObject:
		v.GetObject().Visit(func(k []byte, c *fastjson.Value) {
			p := string(k)
			if path != "" {
				p = path + "." + p
			}
			s.flatten(p, c)
		})
		return
	case fastjson.TypeArray:
		var parts []string
		for _, e := range v.GetArray() {
			parts = append(parts, settingText(e))
		}
		text := strings.Join(parts, ",")
		if slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(p, ",") }) { // words of analyzers: kept as JSON
			text = string(v.MarshalTo(nil))
		}
		s.values[strings.TrimPrefix(path, "index.")] = text
		return
	case fastjson.TypeNull:
		s.values[strings.TrimPrefix(path, "index.")] = ""
		return
	}
	s.values[strings.TrimPrefix(path, "index.")] = settingText(v)
}

func settingText(v *fastjson.Value) string {
	if v.Type() == fastjson.TypeString {
		return string(v.GetStringBytes())
	}
	return string(v.MarshalTo(nil))
}

// Get is a setting's text; ok is false when it was not given.
func (s *Settings) Get(name string) (string, bool) {
	v, ok := s.values[strings.TrimPrefix(name, "index.")]
	return v, ok
}

// Int is a setting as a number, or def.
func (s *Settings) Int(name string, def int) int {
	v, ok := s.Get(name)
	if !ok {
		return def
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return def
	}
	return n
}

// Bool is a setting as a truth value, or def.
func (s *Settings) Bool(name string, def bool) bool {
	v, ok := s.Get(name)
	if !ok || v == "" {
		return def
	}
	return v == "true"
}

// Names are the names of all settings, without "index.", in order.
func (s *Settings) Names() []string {
	names := make([]string, 0, len(s.values))
	for n := range s.values {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// merge is s with other on top; an empty value takes the setting away.
func (s *Settings) merge(other *Settings) *Settings {
	out := &Settings{values: make(map[string]string, len(s.values)+len(other.values))}
	for k, v := range s.values {
		out.values[k] = v
	}
	for k, v := range other.values {
		if v == "" {
			delete(out.values, k)
			continue
		}
		out.values[k] = v
	}
	return out
}

// Limits are the bounds of the index's mapping.
func (s *Settings) Limits() mapping.Limits {
	l := mapping.DefaultLimits()
	l.TotalFields = s.Int("mapping.total_fields.limit", l.TotalFields)
	l.Depth = s.Int("mapping.depth.limit", l.Depth)
	l.IgnoreBeyond = s.Bool("mapping.total_fields.ignore_dynamic_beyond_limit", false)
	l.IgnoreMalformed = s.Bool("mapping.ignore_malformed", false)
	return l
}

// Analyzers are those that the settings define; nil: none.
func (s *Settings) Analyzers() (*analysis.Set, error) {
	set, err := analysis.Configure(s.values)
	if err != nil {
		return nil, errorf(400, "illegal_argument_exception", "%s", err)
	}
	return set, nil
}

// checkAnalyzers refuses a mapping that names analyzers nobody defined.
func checkAnalyzers(set *analysis.Set, mp *mapping.Mapping) error {
	var bad error
	mp.Each(func(f *mapping.Field) {
		for _, name := range []string{f.Analyzer, f.SearchAnalyzer} {
			if _, ok := set.Lookup(name); !ok && bad == nil {
				bad = errorf(400, "mapper_parsing_exception", "Failed to parse mapping: analyzer [%s] has not been configured in mappings", name)
			}
		}
	})
	return bad
}

// flatJSON prints the settings as one object of full names without "index.".
func (s *Settings) flatJSON() []byte {
	b := []byte{'{'}
	for i, n := range s.Names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(mapping.AppendString(b, n), ':')
		b = mapping.AppendString(b, s.values[n])
	}
	return append(b, '}')
}
