package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Bounds of one visualization.
const (
	maxLayers  = 10
	maxDims    = 4
	maxMetrics = 10
	maxLimit   = 1000 // buckets of one dimension
)

// Unsupported says what of a panel cannot be shown.
type Unsupported struct{ What string }

func (u *Unsupported) Error() string { return u.What }

func unsupported(format string, args ...any) error {
	return &Unsupported{fmt.Sprintf(format, args...)}
}

// Query is a query text. The API calls the text "query" or "expression", and the language "kuery" or "lucene".
type Query struct {
	Query      string `json:"query"`
	Expression string `json:"expression"`
	Language   string `json:"language"`
}

// Text is the query's text under whichever name it came.
func (q Query) Text() string { return q.Query + q.Expression }

// Lucene is whether the text is Lucene's syntax, not KQL.
func (q Query) Lucene() bool { return q.Language == "lucene" }

// Source is where a layer's documents are.
type Source struct {
	Type         string `json:"type"` // data_view_reference, data_view_spec, esql
	RefID        string `json:"ref_id"`
	IndexPattern string `json:"index_pattern"`
	TimeField    string `json:"time_field"`
	Query        string `json:"query"` // of esql
}

// Rank orders the buckets of a terms dimension.
type Rank struct {
	Type        string `json:"type"` // metric (or column), alphabetical, rare
	MetricIndex int    `json:"metric_index"`
	Direction   string `json:"direction"`
}

// Op is one dimension or metric.
type Op struct {
	Operation         string          `json:"operation"`
	Type              string          `json:"type"` // of a metric panel's metrics: primary, secondary
	Field             string          `json:"field"`
	Fields            []string        `json:"fields"`
	Label             string          `json:"label"`
	Format            json.RawMessage `json:"format"`
	Color             json.RawMessage `json:"color"`
	Limit             int             `json:"limit"`
	RankBy            *Rank           `json:"rank_by"`
	OtherBucket       json.RawMessage `json:"other_bucket"`
	SuggestedInterval string          `json:"suggested_interval"`
	Granularity       json.RawMessage `json:"granularity"`
	Interval          float64         `json:"interval"`
	Ranges            []Range         `json:"ranges"`
	Filters           []LabelledQuery `json:"filters"`
	Filter            *Query          `json:"filter"`
	Percentile        float64         `json:"percentile"`
	Rank              float64         `json:"rank"`
	Value             *float64        `json:"value"` // of static_value
	Min               json.RawMessage `json:"min"`   // of a gauge's metric
	Max               json.RawMessage `json:"max"`
	Goal              json.RawMessage `json:"goal"`
}

// Range is one bucket of a range dimension.
type Range struct {
	GT    *float64 `json:"gt"`
	GTE   *float64 `json:"gte"`
	LT    *float64 `json:"lt"`
	LTE   *float64 `json:"lte"`
	Label string   `json:"label"`
}

// LabelledQuery is one bucket of a filters dimension; the query stands in "filter" or beside the label.
type LabelledQuery struct {
	Label  string `json:"label"`
	Filter *Query `json:"filter"`
	Query
}

func (l LabelledQuery) query() Query {
	if l.Filter != nil {
		return *l.Filter
	}
	return l.Query
}

// ops is one operation or a list of them.
type ops []Op

func (o *ops) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]Op)(o))
	}
	var one Op
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*o = ops{one}
	return nil
}

// layerConfig is what a layer, or a panel of one layer, may hold.
type layerConfig struct {
	Type        string          `json:"type"`
	DataSource  *Source         `json:"data_source"`
	Dataset     *Source         `json:"dataset"` // the name before 9.5
	X           *Op             `json:"x"`
	Y           ops             `json:"y"`
	BreakdownBy *Op             `json:"breakdown_by"`
	Metric      *Op             `json:"metric"`
	Metrics     ops             `json:"metrics"`
	GroupBy     ops             `json:"group_by"`
	Rows        ops             `json:"rows"`
	SplitBy     ops             `json:"split_metrics_by"`
	TagBy       *Op             `json:"tag_by"`
	Query       *Query          `json:"query"`
	Filters     json.RawMessage `json:"filters"`
	IgnoreAll   bool            `json:"ignore_global_filters"`
}

type visConfig struct {
	layerConfig
	Layers []layerConfig `json:"layers"`
}

// Layer is one search of a visualization.
type Layer struct {
	Kind         string // of an xy layer: bar_stacked, line ...; else the panel's type
	Source       Source
	Dims         []Op
	Metrics      []Op
	Query        Query
	Filters      []Filter
	IgnoreGlobal bool
	dateDim      int // which of Dims is the date histogram that starts at the range's ends; -1: none
}

// Vis is a visualization.
type Vis struct {
	Type   string
	Layers []Layer
}

// ParseVis reads a panel's config.
func ParseVis(config []byte) (*Vis, error) {
	var c visConfig
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, unsupported("the definition cannot be read: %v", err)
	}
	v := &Vis{Type: normalType(c.Type)}
	layers := []layerConfig{c.layerConfig}
	if v.Type == "xy" {
		layers = c.Layers
		for i := range layers {
			inherit(&layers[i], c.layerConfig)
		}
	}
	if len(layers) == 0 || len(layers) > maxLayers {
		return nil, unsupported("%d layers, want 1 to %d", len(layers), maxLayers)
	}
	for _, lc := range layers {
		if lc.Type == "reference_line" || lc.Type == "reference_lines" || lc.Type == "annotations" {
			continue // drawn by nobody here; the data are unaffected
		}
		l, err := lc.layer(v.Type)
		if err != nil {
			return nil, err
		}
		v.Layers = append(v.Layers, l)
	}
	return v, nil
}

// normalType maps older names of panel types.
func normalType(t string) string {
	switch t {
	case "datatable":
		return "data_table"
	case "tagcloud":
		return "tag_cloud"
	case "legacy_metric":
		return "metric"
	}
	return t
}

// inherit gives a layer the query and filters of its panel.
func inherit(l *layerConfig, panel layerConfig) {
	if l.Query == nil {
		l.Query = panel.Query
	}
	if l.Filters == nil {
		l.Filters = panel.Filters
	}
	if l.DataSource == nil {
		l.DataSource = panel.DataSource
	}
	l.IgnoreAll = l.IgnoreAll || panel.IgnoreAll
}

func (c layerConfig) layer(visType string) (Layer, error) {
	l := Layer{Kind: visType, dateDim: -1, IgnoreGlobal: c.IgnoreAll}
	if c.DataSource == nil {
		c.DataSource = c.Dataset
	}
	if c.DataSource != nil {
		l.Source = *c.DataSource
	}
	if l.Source.Type == "esql" {
		return l, unsupported("ES|QL: %s", l.Source.Query)
	}
	if l.Source.TimeField == "" {
		l.Source.TimeField = "@timestamp"
	}
	if c.Query != nil {
		l.Query = *c.Query
	}
	var err error
	if l.Filters, err = ParseFilters(c.Filters); err != nil {
		return l, err
	}
	if err := c.shape(visType, &l); err != nil {
		return l, err
	}
	return l, l.check()
}

// shape says which parts of each type are dimensions and which metrics.
func (c layerConfig) shape(visType string, l *Layer) error {
	add := func(list ...*Op) {
		for _, o := range list {
			if o != nil {
				l.Dims = append(l.Dims, *o)
			}
		}
	}
	one := func(o *Op) {
		if o != nil {
			l.Metrics = append(l.Metrics, *o)
		}
	}
	switch visType {
	case "xy":
		l.Kind = c.Type
		// The best values are chosen over the whole range, not bar by bar: the breakdown is the outer one.
		if c.X != nil && c.X.Operation == "date_histogram" {
			add(c.BreakdownBy, c.X)
		} else {
			add(c.X, c.BreakdownBy)
		}
		l.Metrics = c.Y
	case "metric":
		add(c.BreakdownBy)
		l.Metrics = c.Metrics
		one(c.Metric)
	case "gauge":
		one(c.Metric)
	case "heatmap":
		add(c.X)
		l.Dims = append(l.Dims, c.Y...)
		one(c.Metric)
	case "tag_cloud":
		add(c.TagBy)
		one(c.Metric)
	case "data_table":
		l.Dims = append(append(l.Dims, c.Rows...), c.SplitBy...)
		l.Metrics = c.Metrics
	case "pie", "treemap", "mosaic", "waffle", "donut":
		l.Dims = c.GroupBy
		l.Metrics = c.Metrics
	default:
		return unsupported("a panel of type %q", visType)
	}
	return nil
}

var dimensions = map[string]bool{"date_histogram": true, "terms": true, "filters": true, "range": true, "histogram": true}

// metrics of one value each, with their aggregation; count has none.
var metrics = map[string]string{"count": "", "average": "avg", "sum": "sum", "max": "max", "min": "min", "unique_count": "cardinality",
	"median": "percentiles", "percentile": "percentiles", "percentile_rank": "percentile_ranks", "standard_deviation": "extended_stats",
	"last_value": "top_hits", "static_value": ""}

func (l *Layer) check() error {
	if len(l.Dims) > maxDims || len(l.Metrics) > maxMetrics {
		return unsupported("%d dimensions and %d metrics, at most %d and %d", len(l.Dims), len(l.Metrics), maxDims, maxMetrics)
	}
	if len(l.Metrics) == 0 {
		l.Metrics = []Op{{Operation: "count"}}
	}
	for i, d := range l.Dims {
		if !dimensions[d.Operation] {
			return unsupported("the operation %q as a dimension", d.Operation)
		}
		if d.Operation == "date_histogram" {
			l.dateDim = i
		}
		if d.field() == "" && d.Operation != "filters" && d.Operation != "date_histogram" {
			return unsupported("%s without a field", d.Operation)
		}
		if len(d.Fields) > 1 {
			return unsupported("top values of several fields at once (%s)", strings.Join(d.Fields, ", "))
		}
	}
	for _, m := range l.Metrics {
		if _, ok := metrics[m.Operation]; !ok {
			return unsupported("the operation %q", m.Operation)
		}
		if m.Field == "" && m.Operation != "count" && m.Operation != "static_value" {
			return unsupported("%s without a field", m.Operation)
		}
	}
	return nil
}

func (o Op) field() string {
	if o.Field == "" && len(o.Fields) > 0 {
		return o.Fields[0]
	}
	return o.Field
}

// name is what the operation is called where the panel does not say.
func (o Op) name() string {
	if o.Label != "" {
		return o.Label
	}
	switch o.Operation {
	case "count":
		if o.Filter != nil && o.Filter.Text() != "" {
			return o.Filter.Text()
		}
		return "count"
	case "date_histogram":
		return orDefault(o.field(), "@timestamp")
	case "terms", "range", "histogram":
		return o.field()
	case "percentile":
		return fmt.Sprintf("p%g %s", o.percentile(), o.Field)
	case "percentile_rank":
		return fmt.Sprintf("≤ %g %s", o.Rank, o.Field)
	case "filters":
		return "filters"
	case "static_value":
		return "value"
	}
	return o.Operation + " " + o.Field
}

func (o Op) percentile() float64 {
	switch {
	case o.Operation == "median":
		return 50
	case o.Percentile == 0:
		return 95
	}
	return o.Percentile
}

func (o Op) limit() int {
	if o.Limit <= 0 {
		return 5
	}
	return min(o.Limit, maxLimit)
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}
