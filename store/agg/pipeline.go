package agg

import (
	"math"
	"strings"

	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/script"
)

// gap says what a pipeline makes of a bucket without a value.
type gap uint8

const (
	gapSkip  gap = iota // as if the bucket were not there
	gapZeros            // 0
	gapKeep             // skip, but keep the value of an empty bucket
)

func parseGap(v *query.Node) (gap, error) {
	switch v.Str {
	case "skip":
		return gapSkip, nil
	case "insert_zeros":
		return gapZeros, nil
	case "keep_values":
		return gapKeep, nil
	}
	return 0, v.Errorf("Invalid gap policy: [%s], accepted values: [insert_zeros, skip, keep_values]", v.Str)
}

// pipeBase is what every pipeline has.
type pipeBase struct {
	paths  []string // in order of names; one without a name is common
	names  []string
	gap    gap
	format string
}

// read walks the parameters.
func (b *pipeBase) read(typ string, n *query.Node, set func(key string, v *query.Node) (bool, error)) error {
	if n.Kind != query.Object {
		return n.Errorf("Expected [START_OBJECT] under [%s]", typ)
	}
	for i, k := range n.Keys {
		v := n.Vals[i]
		var err error
		ok := true
		switch k.Name {
		case "buckets_path":
			err = b.readPaths(v)
		case "gap_policy":
			b.gap, err = parseGap(v)
		case "format":
			b.format = v.Str
		default:
			if ok, err = set(k.Name, v); err == nil && !ok {
				err = n.KeyErrorf(i, "[%s] unknown field [%s]", typ, k.Name)
			}
		}
		if err != nil {
			return err
		}
	}
	if len(b.paths) == 0 && typ != "bucket_sort" {
		return n.Errorf("Required [buckets_path]")
	}
	return nil
}

func (b *pipeBase) readPaths(v *query.Node) error {
	switch v.Kind {
	case query.String:
		b.paths, b.names = []string{v.Str}, []string{"_value"}
	case query.Array:
		for _, e := range v.Vals {
			b.paths, b.names = append(b.paths, e.Str), append(b.names, "_value")
		}
	case query.Object:
		for i, k := range v.Keys {
			b.paths, b.names = append(b.paths, v.Vals[i].Str), append(b.names, k.Name)
		}
	default:
		return v.Errorf("[buckets_path] must be a string or an object")
	}
	for _, p := range b.paths {
		if _, err := parsePath(p); err != nil {
			return err
		}
	}
	return nil
}

// value is the number at a path of a bucket under the gap policy; ok is false when there is none.
func (b *pipeBase) value(e *bucket, path string) (v float64, ok bool, err error) {
	steps, err := parsePath(path)
	if err != nil {
		return 0, false, err
	}
	v, found := e.resolve(steps)
	if !found {
		return 0, false, query.Badf("No aggregation found for path [%s]", path)
	}
	empty := e.count == 0 && path != "_count" && !strings.HasSuffix(path, "_bucket_count")
	if math.IsNaN(v) || math.IsInf(v, 0) || empty && b.gap != gapKeep {
		if b.gap == gapZeros {
			return 0, true, nil
		}
		return math.NaN(), false, nil
	}
	return v, true, nil
}

// formatter prints values by the pipeline's own format.
func (b *pipeBase) formatter() formatter {
	if b.format == "" {
		return nil
	}
	return func(v float64) string { return DecimalFormat(b.format, v) }
}

// put adds a number to a bucket.
func (b *pipeBase) put(e *bucket, name, typ string, v float64) {
	if e.level == nil {
		e.level = &level{}
	}
	e.level.set(named{name: name, res: &simpleValue{typ: typ, v: v, format: b.formatter()}})
}

// simpleValue is a number.
type simpleValue struct {
	typ    string
	v      float64
	format formatter
	keys   []string // of max_bucket and min_bucket; nil: none
}

func (s *simpleValue) kind() string { return s.typ }
func (s *simpleValue) value(property string) (float64, bool) {
	return s.v, property == "" || property == "value"
}
func (s *simpleValue) json(w *writer) {
	writeValue(w, "value", s.v, s.format)
	if s.keys == nil {
		return
	}
	w.raw(`,"keys":[`)
	for i, k := range s.keys {
		if i > 0 {
			w.raw(",")
		}
		w.str(k)
	}
	w.raw("]")
}

// compileScript reads "source" or {"source": ..., "params": ...}.
func compileScript(v *query.Node) (s *script.Script, params map[string]script.Value, err error) {
	params = map[string]script.Value{}
	src := v.Str
	if v.Kind == query.Object {
		for i, k := range v.Keys {
			switch k.Name {
			case "source", "inline":
				src = v.Vals[i].Str
			case "lang":
				if l := v.Vals[i].Str; l != "painless" && l != "expression" {
					return nil, nil, query.Badf("script_lang not supported [%s]", l)
				}
			case "params":
				scriptParams(v.Vals[i], params)
			default:
				return nil, nil, v.KeyErrorf(i, "[script] unknown field [%s]", k.Name)
			}
		}
	}
	s, err = script.Compile(src)
	return s, params, scriptError(err)
}

func scriptParams(v *query.Node, into map[string]script.Value) {
	for i, k := range v.Keys {
		e := v.Vals[i]
		switch e.Kind {
		case query.Number:
			into[k.Name], _ = e.Float()
		case query.Bool:
			into[k.Name] = e.Str == "true"
		case query.String:
			into[k.Name] = e.Str
		case query.Null:
			into[k.Name] = nil
		}
	}
}

func scriptError(err error) error {
	if err == nil {
		return nil
	}
	return &query.Error{Status: 400, Type: "script_exception", Reason: err.Error()}
}

// env is the variables of a script for one bucket; ok is false when a value is missing.
func (b *pipeBase) env(e *bucket, params map[string]script.Value) (env map[string]script.Value, ok bool, err error) {
	env = make(map[string]script.Value, len(params)+len(b.paths))
	for k, v := range params {
		env[k] = v
	}
	for i, p := range b.paths {
		v, has, err := b.value(e, p)
		if err != nil {
			return nil, false, err
		}
		if !has {
			return nil, false, nil
		}
		env[b.names[i]] = v
	}
	return env, true, nil
}
