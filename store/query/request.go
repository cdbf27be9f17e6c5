package query

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Bounds of a search request.
const (
	MaxWindow       = 10000 // from + size
	maxDocvalues    = 100   // docvalue_fields
	totalsThreshold = 10000 // hits counted exactly when track_total_hits is not given
	maxSorts        = 64
)

// CountAll as Request.TrackTotal counts every hit.
const CountAll = -1

// Request is a search.
type Request struct {
	Query      Query // never nil
	PostFilter Query // nil: none
	Aggs       *Node // "aggs", nil: none
	From, Size int
	Sort       []SortKey // empty: by score, best first

	SearchAfter []*Node // values of the last hit's sort
	TrackTotal  int     // hits counted exactly; CountAll; 0: no total is given
	TrackScores bool
	MinScore    *float32

	Source    SourceFilter
	Fields    []FieldSpec
	Docvalues []FieldSpec
	Stored    []string // stored_fields; ["_none_"] drops _id and _source
	Highlight *Highlight
	Collapse  string // field, "" for none

	Version        bool
	SeqNo          bool
	Timeout        time.Duration // 0: none
	TerminateAfter int           // documents looked at per index, 0: all
	IndicesBoost   []IndexBoost
	Slice          *Slice
}

// SortKey is one key of the sort.
type SortKey struct {
	Field    string // "_score", "_doc", "_shard_doc", "_id" or a field
	Desc     bool
	Missing  string // "_last", "_first" or a value
	Unmapped string // unmapped_type, "" when not given
	Mode     string // min max sum avg median; "" is min ascending, max descending
	Numeric  string // numeric_type
	Format   string
}

// SourceFilter says what of _source is returned.
type SourceFilter struct {
	Given              bool // something was said
	None               bool
	Includes, Excludes []string
}

// FieldSpec asks for a field, or a pattern, with a format of dates and numbers.
type FieldSpec struct {
	Field, Format   string
	IncludeUnmapped bool
}

// IndexBoost weighs the hits of indices.
type IndexBoost struct {
	Index string
	Boost float32
}

// Slice is part ID of Max of a search.
type Slice struct{ ID, Max int }

// NewRequest is a request for everything, with the defaults.
func NewRequest() *Request {
	return &Request{Query: MatchAll(), Size: 10, TrackTotal: totalsThreshold}
}

// keys of a search body that change nothing here.
var ignoredKeys = []string{"stats", "ext", "pit"}

// ParseRequest reads the body of a search; an empty one asks for everything. "pit" is left to the caller.
func ParseRequest(body string) (*Request, error) {
	r, err := ReadRequest(body)
	if err != nil {
		return nil, err
	}
	return r, r.Check()
}

// ReadRequest is ParseRequest for a caller who changes the request before it calls Check.
func ReadRequest(body string) (*Request, error) {
	r := NewRequest()
	if strings.TrimSpace(body) == "" {
		return r, nil
	}
	n, err := ParseJSON(body)
	if err != nil {
		return nil, err
	}
	if n.Kind != Object {
		return nil, n.Errorf("Expected [START_OBJECT] but found [%s]", n.Kind.token())
	}
	for i, k := range n.Keys {
		if err := r.set(n, i, k.Name, n.Vals[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// set takes one key of the body.
func (r *Request) set(n *Node, i int, key string, v *Node) (err error) {
	if slices.Contains(ignoredKeys, key) {
		return nil
	}
	if v.Kind == Null {
		return nil
	}
	switch key {
	case "query":
		r.Query, err = Parse(v)
	case "post_filter":
		r.PostFilter, err = Parse(v)
	case "aggs", "aggregations":
		r.Aggs = v
	case "from":
		r.From, err = intOf(key, v)
	case "size":
		r.Size, err = intOf(key, v)
	case "terminate_after":
		r.TerminateAfter, err = intOf(key, v)
	case "sort":
		r.Sort, err = ParseSort(v)
	case "search_after":
		r.SearchAfter, err = searchAfter(v)
	case "track_total_hits":
		r.TrackTotal, err = trackTotal(v)
	case "track_scores":
		r.TrackScores, err = boolOf(key, v)
	case "version":
		r.Version, err = boolOf(key, v)
	case "seq_no_primary_term":
		r.SeqNo, err = boolOf(key, v)
	case "explain", "profile":
		var on bool
		if on, err = boolOf(key, v); on {
			err = v.Errorf("[%s] is not supported", key)
		}
	case "min_score":
		r.MinScore, err = floatOf(key, v)
	case "_source":
		r.Source, err = ParseSourceFilter(v)
	case "fields":
		r.Fields, err = fieldSpecs(key, v)
	case "docvalue_fields":
		r.Docvalues, err = fieldSpecs(key, v)
	case "stored_fields":
		r.Stored, err = stringList(key, v)
	case "highlight":
		r.Highlight, err = parseHighlight(v)
	case "collapse":
		r.Collapse, err = collapse(v)
	case "timeout":
		r.Timeout, err = ParseDuration(key, v.Str)
	case "indices_boost":
		r.IndicesBoost, err = indicesBoost(v)
	case "slice":
		r.Slice, err = slice(v)
	case "runtime_mappings", "script_fields":
		if v.Kind != Object || len(v.Keys) > 0 {
			err = v.Errorf("[%s] is not supported", key)
		}
	case "rescore", "suggest", "knn", "retriever", "rank":
		err = v.Errorf("[%s] is not supported", key)
	default:
		err = n.KeyErrorf(i, "Unknown key for a %s in [%s].", v.Kind.token(), key)
	}
	return err
}

// Check tells what does not fit together.
func (r *Request) Check() error {
	switch {
	case r.From < 0:
		return badf("[from] parameter cannot be negative")
	case r.Size < 0:
		return badf("[size] parameter cannot be negative, found [%d]", r.Size)
	case r.From+r.Size > MaxWindow:
		return badf("Result window is too large, from + size must be less than or equal to: [%d] but was [%d]. See the scroll api for a more "+
			"efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.",
			MaxWindow, r.From+r.Size)
	case len(r.SearchAfter) > 0 && r.From > 0:
		return validation("`from` parameter must be set to 0 when `search_after` is used.")
	case len(r.SearchAfter) > 0 && r.Collapse != "" && (len(r.Sort) != 1 || r.Sort[0].Field != r.Collapse):
		return badf("collapse field and sort field must be the same when use `collapse` in conjunction with `search_after`")
	case len(r.SearchAfter) > 0 && len(r.SearchAfter) != max(len(r.Sort), 1):
		return badf("search_after has %d value(s) but sort has %d.", len(r.SearchAfter), len(r.Sort))
	case len(r.Docvalues) > maxDocvalues:
		return badf("Trying to retrieve too many docvalue_fields. Must be less than or equal to: [%d] but was [%d]. This limit can be set by "+
			"changing the [index.max_docvalue_fields_search] index level setting.", maxDocvalues, len(r.Docvalues))
	case r.TerminateAfter < 0:
		return badf("terminateAfter must be > 0")
	}
	return nil
}

func validation(reason string) *Error {
	e := badf("Validation Failed: 1: %s;", reason)
	e.Type = "action_request_validation_exception"
	return e
}

func intOf(key string, v *Node) (int, error) {
	i, ok := v.Int()
	if !ok {
		return 0, v.Errorf("[%s] must be a whole number but was [%s]", key, v.Raw())
	}
	return i, nil
}

func boolOf(key string, v *Node) (bool, error) {
	b, ok := v.Bool()
	if !ok {
		return false, v.Errorf("Failed to parse value [%s] of [%s] as only [true] or [false] are allowed.", v.Str, key)
	}
	return b, nil
}

func floatOf(key string, v *Node) (*float32, error) {
	f, ok := v.Float()
	if !ok {
		return nil, v.Errorf("[%s] must be a number", key)
	}
	x := float32(f)
	return &x, nil
}

func trackTotal(v *Node) (int, error) {
	if b, ok := v.Bool(); ok {
		if b {
			return CountAll, nil
		}
		return 0, nil
	}
	i, ok := v.Int()
	if !ok || i < -1 {
		return 0, badf("[track_total_hits] parameter must be positive or equals to -1, got %s", v.Raw())
	}
	return i, nil
}

func stringList(key string, v *Node) ([]string, error) {
	if v.Kind == String {
		return strings.Split(v.Str, ","), nil
	}
	if v.Kind != Array {
		return nil, v.Errorf("[%s] must be a string or an array of strings", key)
	}
	out := []string{}
	for _, e := range v.Vals {
		if e.Kind != String {
			return nil, e.Errorf("[%s] must be a string or an array of strings", key)
		}
		out = append(out, e.Str)
	}
	return out, nil
}

// ParseSourceFilter reads true, false, "a.*", ["a", "b"] or {includes, excludes}.
func ParseSourceFilter(v *Node) (SourceFilter, error) {
	if b, ok := v.Bool(); ok && v.Kind == Bool {
		return SourceFilter{Given: true, None: !b}, nil
	}
	if v.Kind != Object {
		in, err := stringList("_source", v)
		return SourceFilter{Given: true, Includes: in}, err
	}
	f := SourceFilter{Given: true}
	var err error
	for i, k := range v.Keys {
		switch k.Name {
		case "includes", "include":
			f.Includes, err = stringList(k.Name, v.Vals[i])
		case "excludes", "exclude":
			f.Excludes, err = stringList(k.Name, v.Vals[i])
		default:
			err = v.KeyErrorf(i, "Unknown key for a %s in [%s].", v.Vals[i].Kind.token(), k.Name)
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

func fieldSpecs(key string, v *Node) ([]FieldSpec, error) {
	if v.Kind != Array {
		return nil, v.Errorf("Unknown key for a %s in [%s].", v.Kind.token(), key)
	}
	out := []FieldSpec{}
	for _, e := range v.Vals {
		if e.Kind == String {
			out = append(out, FieldSpec{Field: e.Str})
			continue
		}
		var f FieldSpec
		for i, k := range e.Keys {
			switch k.Name {
			case "field":
				f.Field = e.Vals[i].Str
			case "format":
				f.Format = e.Vals[i].Str
			case "include_unmapped":
				f.IncludeUnmapped, _ = e.Vals[i].Bool()
			default:
				return nil, e.KeyErrorf(i, "[fields] unknown field [%s]", k.Name)
			}
		}
		if e.Kind != Object || f.Field == "" {
			return nil, e.Errorf("[%s] needs a field name", key)
		}
		out = append(out, f)
	}
	return out, nil
}

func collapse(v *Node) (string, error) {
	field := ""
	for i, k := range v.Keys {
		switch k.Name {
		case "field":
			field = v.Vals[i].Str
		case "max_concurrent_group_searches":
		default:
			return "", v.KeyErrorf(i, "[collapse] [%s] is not supported", k.Name)
		}
	}
	if field == "" {
		return "", v.Errorf("collapse must have a [field]")
	}
	return field, nil
}

func indicesBoost(v *Node) ([]IndexBoost, error) {
	list := v.Vals
	if v.Kind == Object {
		list = []*Node{v}
	}
	var out []IndexBoost
	for _, e := range list {
		for i, k := range e.Keys {
			f, ok := e.Vals[i].Float()
			if !ok {
				return nil, e.Vals[i].Errorf("[indices_boost] needs numbers")
			}
			out = append(out, IndexBoost{k.Name, float32(f)})
		}
	}
	return out, nil
}

func slice(v *Node) (*Slice, error) {
	id, ok1 := 0, false
	max, ok2 := 0, false
	for i, k := range v.Keys {
		switch k.Name {
		case "id":
			id, ok1 = v.Vals[i].Int()
		case "max":
			max, ok2 = v.Vals[i].Int()
		default:
			return nil, v.KeyErrorf(i, "[slice] [%s] is not supported", k.Name)
		}
	}
	switch {
	case !ok1 || !ok2:
		return nil, v.Errorf("[slice] needs id and max")
	case max < 2:
		return nil, badf("max must be greater than 1")
	case id < 0 || id >= max:
		return nil, badf("max must be greater than id")
	case max > 1024:
		return nil, badf("The number of slices [%d] is too large. It must be less than [1024]. This limit can be set by changing the "+
			"[index.max_slices_per_scroll] index level setting.", max)
	}
	return &Slice{id, max}, nil
}

// ParseSort reads "f", {"f": "desc"}, {"f": {...}} or a list of these.
func ParseSort(v *Node) ([]SortKey, error) {
	list := []*Node{v}
	if v.Kind == Array {
		list = v.Vals
	}
	out := []SortKey{}
	for _, e := range list {
		switch e.Kind {
		case String:
			out = append(out, SortKey{Field: e.Str, Desc: e.Str == "_score"})
		case Object:
			for i, k := range e.Keys {
				s, err := sortKey(k.Name, e.Vals[i])
				if err != nil {
					return nil, err
				}
				out = append(out, s)
			}
		default:
			return nil, e.Errorf("malformed sort format, within the sort array, an object, or an actual string are allowed")
		}
	}
	if len(out) > maxSorts {
		return nil, badf("at most %d sort keys are supported", maxSorts)
	}
	return out, nil
}

// ParseSortParam reads the sort of a URL: "@timestamp:desc,_doc".
func ParseSortParam(text string) ([]SortKey, error) {
	var out []SortKey
	for _, part := range strings.Split(text, ",") {
		field, order, ok := strings.Cut(part, ":")
		s := SortKey{Field: field, Desc: field == "_score"}
		if ok {
			if err := s.order(&Node{Kind: String, Str: order}); err != nil {
				return nil, err
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func sortKey(field string, v *Node) (SortKey, error) {
	s := SortKey{Field: field, Desc: field == "_score"}
	if v.Kind == String {
		return s, s.order(v)
	}
	if v.Kind != Object {
		return s, v.Errorf("malformed sort of [%s]", field)
	}
	for i, k := range v.Keys {
		e := v.Vals[i]
		switch k.Name {
		case "order":
			if err := s.order(e); err != nil {
				return s, err
			}
		case "missing":
			s.Missing = e.Str
		case "unmapped_type":
			s.Unmapped = e.Str
		case "mode":
			s.Mode = strings.ToLower(e.Str)
			if !slices.Contains([]string{"min", "max", "sum", "avg", "median"}, s.Mode) {
				return s, e.Errorf("Unknown SortMode [%s]", e.Str)
			}
		case "numeric_type":
			s.Numeric = e.Str
		case "format":
			s.Format = e.Str
		default:
			return s, v.KeyErrorf(i, "[sort] of [%s]: [%s] is not supported", field, k.Name)
		}
	}
	return s, nil
}

func (s *SortKey) order(v *Node) error {
	switch strings.ToLower(v.Str) {
	case "asc":
		s.Desc = false
	case "desc":
		s.Desc = true
	default:
		return v.Errorf("Unknown SortOrder [%s]", v.Str)
	}
	return nil
}

func searchAfter(v *Node) ([]*Node, error) {
	if v.Kind != Array {
		return nil, v.Errorf("[search_after] must be an array")
	}
	if len(v.Vals) == 0 {
		return nil, badf("[search_after] must contains at least one value.")
	}
	for _, e := range v.Vals {
		if e.Kind == Array || e.Kind == Object {
			return nil, e.Errorf("Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found [%s] inside search_after.", e.Kind.token())
		}
	}
	return v.Vals, nil
}

// durationUnits are those of Elasticsearch's time values.
var durationUnits = []struct {
	name string
	unit time.Duration
}{{"nanos", time.Nanosecond}, {"micros", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute},
	{"h", time.Hour}, {"d", 24 * time.Hour}}

// ParseDuration reads "30s", "1m", "100ms"; "-1" and "0" are 0: no limit.
func ParseDuration(key, text string) (time.Duration, error) {
	if text == "-1" || text == "0" {
		return 0, nil
	}
	for _, u := range durationUnits {
		num, ok := strings.CutSuffix(text, u.name)
		if !ok || num == "" {
			continue
		}
		var n Node
		n.Kind, n.Str = Number, num
		if f, ok := n.Float(); ok && f >= 0 && f*float64(u.unit) < math.MaxInt64 {
			return time.Duration(f * float64(u.unit)), nil
		}
	}
	return 0, badf("failed to parse setting [%s] with value [%s] as a time value: unit is missing or unrecognized", key, text)
}
