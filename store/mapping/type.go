package mapping

// Type is the type of a field.
type Type uint8

const (
	Other Type = iota // kept in the document, neither searched nor aggregated; Field.TypeName has its name
	Keyword
	ConstantKeyword
	Wildcard
	Text
	MatchOnlyText
	Long
	Integer
	Short
	Byte
	UnsignedLong
	Double
	Float
	HalfFloat
	ScaledFloat
	Boolean
	Date
	DateNanos
	IP
	Version
	Object // only for Objects; no Field has it
	Flattened
	Alias // only before resolution: Mapping.Field follows it
	Binary
	GeoPoint
)

var typeNames = [...]string{"other", "keyword", "constant_keyword", "wildcard", "text", "match_only_text", "long", "integer", "short", "byte",
	"unsigned_long", "double", "float", "half_float", "scaled_float", "boolean", "date", "date_nanos", "ip", "version", "object", "flattened",
	"alias", "binary", "geo_point"}

// String is Elasticsearch's name of the type.
func (t Type) String() string { return typeNames[t] }

// kept are the types whose values stay in the document without being searched.
var kept = [...]string{"completion", "join", "geo_shape", "dense_vector", "token_count", "search_as_you_type", "integer_range", "float_range",
	"long_range", "double_range", "date_range", "ip_range", "percolator", "rank_feature", "rank_features", "sparse_vector", "shape", "point",
	"histogram", "aggregate_metric_double", "semantic_text", "annotated_text", "murmur3"}

// typeByName finds a type; ok is false for names nobody knows.
func typeByName(name string) (t Type, ok bool) {
	for i, n := range typeNames {
		if i != int(Other) && n == name {
			return Type(i), true
		}
	}
	for _, n := range kept {
		if n == name {
			return Other, true
		}
	}
	return Other, false
}

// Kind is how the columns of a type are served.
type Kind uint8

const (
	NoColumn Kind = iota // binary, unsearched types
	Numbers              // query.Numbers
	Values               // query.Ordinals or query.Strings, whichever the source chose for the data
	Words                // query.Text
	Point                // two query.Numbers at Path+".lat" and Path+".lon"
)

// Kind is the kind of the type's columns.
func (t Type) Kind() Kind {
	switch t {
	case Keyword, ConstantKeyword, Wildcard, IP, Version, Flattened:
		return Values
	case Text, MatchOnlyText:
		return Words
	case Long, Integer, Short, Byte, UnsignedLong, Double, Float, HalfFloat, ScaledFloat, Boolean, Date, DateNanos:
		return Numbers
	case GeoPoint:
		return Point
	}
	return NoColumn
}

// IsFloat reports whether values of the type are SortableFloats.
func (t Type) IsFloat() bool { return t >= Double && t <= ScaledFloat }

// IsNumber reports whether the type is a number (dates and booleans are not).
func (t Type) IsNumber() bool { return t >= Long && t <= ScaledFloat }

// IsDate reports whether the type is a date.
func (t Type) IsDate() bool { return t == Date || t == DateNanos }

// IsText reports whether the type is analysed.
func (t Type) IsText() bool { return t == Text || t == MatchOnlyText }
