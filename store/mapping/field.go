package mapping

import "github.com/valyala/fastjson"

// Field is a leaf of a mapping. It is immutable.
type Field struct {
	Path     string // full path, "message.keyword" for a multi-field
	Num      int    // its number in every Mapping that descends from the one that made it
	Type     Type
	TypeName string // as in the mapping; differs from Type.String only for Other

	Format          *DateFormat // dates; never nil for them
	Analyzer        string      // "" means standard
	SearchAnalyzer  string      // "" means Analyzer
	Normalizer      string      // "" means none
	IgnoreAbove     int         // characters; 0 means no limit
	NullValue       []byte      // literal text of the value taken for null; nil means none
	ScalingFactor   float64     // scaled_float
	Constant        []byte      // constant_keyword: the value, nil until the first document
	Index           bool
	DocValues       bool
	Fielddata       bool
	IgnoreMalformed bool
	Coerce          bool
	CopyTo          []string
	Copied          bool   // another field copies to this one
	Parent          string // path of the field this is a multi-field of
	Target          string // alias: the path it stands for
	Key             string // asked for by Field("labels.a.b") of a flattened field: the key below it
	Multi           []*Field
	DepthLimit      int     // flattened
	params          []param // everything that was given but type, properties and fields, in order
}

// param is one setting of a field or object as it was given.
type param struct {
	name string
	raw  string // JSON
}

// Kind is how the field's columns are served.
func (f *Field) ColumnKind() Kind { return f.Type.Kind() }

// Column is the path of the field's column: Path, but for a key below a flattened field its keyed column.
func (f *Field) Column() string {
	if f.Key != "" {
		return f.Path + KeyedSuffix
	}
	return f.Path
}

// KeyedSuffix is what the column of a flattened field's keys and values is called behind its path.
const KeyedSuffix = "._keyed"

// Param is the JSON of a setting as it was given, nil when it was not.
func (f *Field) Param(name string) []byte {
	for _, p := range f.params {
		if p.name == name {
			return []byte(p.raw)
		}
	}
	return nil
}

// Name is the last part of the path.
func (f *Field) Name() string {
	if f.Parent != "" {
		return f.Path[len(f.Parent)+1:]
	}
	return lastPart(f.Path)
}

func lastPart(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return path[i+1:]
		}
	}
	return path
}

// newField makes a field of the named type with its defaults.
func newField(path, typeName string) (*Field, error) {
	t, ok := typeByName(typeName)
	if !ok || t == Object {
		return nil, badf("No handler for type [%s] declared on field [%s]", typeName, lastPart(path))
	}
	f := &Field{Path: path, Type: t, TypeName: typeName, Index: true, DocValues: true, Coerce: true}
	switch t {
	case Date:
		f.Format = defaultDate
	case DateNanos:
		f.Format = defaultNanos
	case Text, MatchOnlyText:
		f.DocValues = false
	case Binary:
		f.Index, f.DocValues = false, false
	case Flattened:
		f.DepthLimit = 20
	}
	return f, nil
}

// fieldFrom makes a field from its JSON object.
func fieldFrom(path string, v *fastjson.Object, typeName string, multi bool) (*Field, error) {
	f, err := newField(path, typeName)
	if err != nil {
		return nil, err
	}
	v.Visit(func(key []byte, val *fastjson.Value) {
		if err == nil {
			err = f.set(string(key), val, multi)
		}
	})
	if err != nil {
		return nil, err
	}
	if f.Type == ScaledFloat && f.ScalingFactor <= 0 {
		return nil, badf("Failed to parse mapping: Field [scaling_factor] is required")
	}
	if f.Type == Alias && f.Target == "" {
		return nil, badf("Failed to parse mapping: The [path] property must be specified for field [%s].", path)
	}
	return f, nil
}

// set takes one setting.
func (f *Field) set(name string, v *fastjson.Value, multi bool) error {
	switch name {
	case "type":
		return nil
	case "fields":
		if multi {
			return badf("Failed to parse mapping: [fields] is not allowed in the multi-field [%s]", f.Path)
		}
		return f.setMulti(v)
	}
	if !f.knows(name) {
		return badf("Failed to parse mapping: unknown parameter [%s] on mapper [%s] of type [%s]", name, lastPart(f.Path), f.TypeName)
	}
	f.params = append(f.params, param{name, string(v.MarshalTo(nil))})
	text := plain(v)
	var err error
	switch name {
	case "format":
		f.Format, err = ParseDateFormat(text)
	case "analyzer":
		f.Analyzer = text
	case "search_analyzer":
		f.SearchAnalyzer = text
	case "normalizer":
		f.Normalizer = text
	case "ignore_above":
		f.IgnoreAbove = numberOf(v)
	case "depth_limit":
		f.DepthLimit = numberOf(v)
	case "null_value":
		if v.Type() != fastjson.TypeNull {
			f.NullValue = []byte(text)
		}
	case "scaling_factor":
		f.ScalingFactor = floatOf(v)
	case "value":
		f.Constant = []byte(text)
	case "index":
		f.Index = truth(v)
	case "doc_values":
		f.DocValues = truth(v)
	case "fielddata":
		f.Fielddata = truth(v)
	case "ignore_malformed":
		f.IgnoreMalformed = truth(v)
	case "coerce":
		f.Coerce = truth(v)
	case "path":
		f.Target = text
	case "copy_to":
		f.CopyTo = texts(v)
	}
	return err
}

func (f *Field) setMulti(v *fastjson.Value) error {
	o, err := v.Object()
	if err != nil {
		return badf("Failed to parse mapping: expected map for property [fields] on field [%s]", lastPart(f.Path))
	}
	o.Visit(func(key []byte, val *fastjson.Value) {
		if err != nil {
			return
		}
		var sub *fastjson.Object
		if sub, err = val.Object(); err != nil {
			return
		}
		var m *Field
		if m, err = fieldFrom(f.Path+"."+string(key), sub, plain(sub.Get("type")), true); err != nil {
			return
		}
		m.Parent = f.Path
		f.Multi = append(f.Multi, m)
	})
	return err
}

// common are the settings that every type takes.
var common = [...]string{"meta", "copy_to", "store", "boost", "index", "doc_values", "time_series_dimension", "time_series_metric", "on_script_error",
	"script", "synthetic_source_keep", "include_in_all"}

// own are the settings of some types.
var own = [...]struct {
	name  string
	types []Type
}{
	{"format", []Type{Date, DateNanos}},
	{"locale", []Type{Date, DateNanos}},
	{"analyzer", []Type{Text, MatchOnlyText}},
	{"search_analyzer", []Type{Text, MatchOnlyText}},
	{"search_quote_analyzer", []Type{Text}},
	{"fielddata", []Type{Text}},
	{"fielddata_frequency_filter", []Type{Text}},
	{"index_prefixes", []Type{Text}},
	{"index_phrases", []Type{Text}},
	{"index_options", []Type{Text, Keyword, Flattened}},
	{"norms", []Type{Text, Keyword}},
	{"position_increment_gap", []Type{Text}},
	{"similarity", []Type{Text, Keyword, Flattened}},
	{"term_vector", []Type{Text}},
	{"eager_global_ordinals", []Type{Text, Keyword, Flattened}},
	{"normalizer", []Type{Keyword}},
	{"split_queries_on_whitespace", []Type{Keyword, Flattened}},
	{"ignore_above", []Type{Keyword, Wildcard, Flattened}},
	{"null_value", []Type{Keyword, Wildcard, Long, Integer, Short, Byte, UnsignedLong, Double, Float, HalfFloat, ScaledFloat, Boolean, Date, DateNanos, IP,
		Flattened, GeoPoint}},
	{"scaling_factor", []Type{ScaledFloat}},
	{"value", []Type{ConstantKeyword}},
	{"ignore_malformed", []Type{Long, Integer, Short, Byte, UnsignedLong, Double, Float, HalfFloat, ScaledFloat, Boolean, Date, DateNanos, IP, GeoPoint}},
	{"coerce", []Type{Long, Integer, Short, Byte, Double, Float, HalfFloat, ScaledFloat}},
	{"path", []Type{Alias}},
	{"depth_limit", []Type{Flattened}},
	{"ignore_z_value", []Type{GeoPoint}},
	{"precision_step", []Type{Long, Integer, Date, Double, Float}},
}

func (f *Field) knows(name string) bool {
	if f.Type == Other {
		return true
	}
	for _, c := range common {
		if c == name {
			return true
		}
	}
	for _, o := range own {
		if o.name == name {
			for _, t := range o.types {
				if t == f.Type {
					return true
				}
			}
			return false
		}
	}
	return false
}
