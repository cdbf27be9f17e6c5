package dashboard

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

type lensAttributes struct {
	Title string `json:"title"`
	Type  string `json:"visualizationType"`
	State struct {
		Query         json.RawMessage   `json:"query"`
		Filters       []json.RawMessage `json:"filters"`
		Visualization json.RawMessage   `json:"visualization"`
		Datasource    struct {
			Form  lensSource      `json:"formBased"`
			Old   lensSource      `json:"indexpattern"` // the name before 8.6
			Text  json.RawMessage `json:"textBased"`
			Older lensSource      `json:"indexPattern"`
		} `json:"datasourceStates"`
	} `json:"state"`
}

type lensSource struct {
	Layers map[string]lensLayer `json:"layers"`
}

type lensLayer struct {
	Columns      map[string]lensColumn `json:"columns"`
	IndexPattern string                `json:"indexPatternId"`
}

type lensColumn struct {
	Operation   string     `json:"operationType"`
	Field       string     `json:"sourceField"`
	Label       string     `json:"label"`
	CustomLabel bool       `json:"customLabel"`
	Filter      *Query     `json:"filter"`
	TimeShift   string     `json:"timeShift"`
	TimeScale   string     `json:"timeScale"`
	Params      lensParams `json:"params"`
}

type lensParams struct {
	Interval   json.RawMessage `json:"interval"`
	Size       int             `json:"size"`
	OrderBy    *lensOrder      `json:"orderBy"`
	Direction  string          `json:"orderDirection"`
	Other      bool            `json:"otherBucket"`
	Secondary  []string        `json:"secondaryFields"`
	Type       string          `json:"type"`
	MaxBars    json.RawMessage `json:"maxBars"`
	Percentile float64         `json:"percentile"`
	Value      json.RawMessage `json:"value"`
	Formula    string          `json:"formula"`
	Ranges     []struct {
		From  *float64 `json:"from"`
		To    *float64 `json:"to"`
		Label string   `json:"label"`
	} `json:"ranges"`
	Filters []struct {
		Label string `json:"label"`
		Input Query  `json:"input"`
	} `json:"filters"`
	Format *struct {
		ID     string         `json:"id"`
		Params map[string]any `json:"params"`
	} `json:"format"`
}

type lensOrder struct {
	Type     string `json:"type"`
	ColumnID string `json:"columnId"`
}

// lensVis is what the visualization states of all kinds hold; each kind uses a few.
type lensVis struct {
	LayerID     string          `json:"layerId"`
	Layers      []lensVisLayer  `json:"layers"`
	Preferred   string          `json:"preferredSeriesType"`
	Shape       string          `json:"shape"`
	Accessor    string          `json:"accessor"`
	Metric      string          `json:"metricAccessor"`
	Secondary   string          `json:"secondaryMetricAccessor"`
	Max         string          `json:"maxAccessor"`
	Min         string          `json:"minAccessor"`
	Goal        string          `json:"goalAccessor"`
	Breakdown   string          `json:"breakdownByAccessor"`
	Value       string          `json:"valueAccessor"`
	X           string          `json:"xAccessor"`
	Y           string          `json:"yAccessor"`
	Tag         string          `json:"tagAccessor"`
	Columns     []lensVisColumn `json:"columns"`
	EmptyFactor *float64        `json:"emptySizeRatio"`
}

type lensVisColumn struct {
	ID     string `json:"columnId"`
	Hidden bool   `json:"hidden"`
}

type lensVisLayer struct {
	LayerID   string   `json:"layerId"`
	LayerType string   `json:"layerType"`
	Series    string   `json:"seriesType"`
	X         string   `json:"xAccessor"`
	Split     string   `json:"splitAccessor"`
	Accessors []string `json:"accessors"`
	Primary   []string `json:"primaryGroups"`
	Second    []string `json:"secondaryGroups"`
	Groups    []string `json:"groups"`
	Metric    string   `json:"metric"`
	Metrics   []string `json:"metrics"`
}

// lens converts one Lens visualization.
type lens struct {
	attrs  lensAttributes
	vis    lensVis
	layers map[string]lensLayer
	refs   []Reference
	out    *panel
}

func convertLens(attributes json.RawMessage, refs []Reference) *panel {
	c := lens{refs: refs, out: &panel{typ: "vis", status: Whole, config: map[string]any{}}}
	if err := json.Unmarshal(attributes, &c.attrs); err != nil {
		return placeholder("lens", "the definition cannot be read: "+err.Error(), attributes)
	}
	json.Unmarshal(c.attrs.State.Visualization, &c.vis)
	ds := c.attrs.State.Datasource
	for _, src := range []lensSource{ds.Form, ds.Old, ds.Older} {
		if len(src.Layers) > 0 {
			c.layers = src.Layers
		}
	}
	if len(c.layers) == 0 {
		why := "no layers of data"
		if len(ds.Text) > 0 && strings.Contains(string(ds.Text), `"query"`) {
			why = "ES|QL"
		}
		return placeholder(c.attrs.Type, why, attributes)
	}
	if err := c.build(); err != nil {
		p := placeholder(c.attrs.Type, err.Error(), attributes)
		p.config["title"] = c.attrs.Title
		return p
	}
	if c.attrs.Title != "" {
		c.out.config["title"] = c.attrs.Title
	}
	var q Query
	json.Unmarshal(c.attrs.State.Query, &q)
	narrow(c.out.config, q, c.attrs.State.Filters)
	return c.out
}

func (c *lens) build() error {
	v, cfg := c.vis, c.out.config
	switch c.attrs.Type {
	case "lnsXY":
		return c.xy()
	case "lnsMetric", "lnsLegacyMetric":
		cfg["type"] = "metric"
		metrics, err := c.metrics(v.LayerID, orDefault(v.Metric, v.Accessor), v.Secondary)
		if err != nil {
			return err
		}
		for i, m := range metrics {
			m["type"] = []string{"primary", "secondary"}[i]
		}
		cfg["metrics"] = metrics
		return c.parts(v.LayerID, map[string]string{"breakdown_by": v.Breakdown}, nil)
	case "lnsPie":
		return c.pie()
	case "lnsDatatable":
		return c.table()
	case "lnsHeatmap":
		cfg["type"] = "heatmap"
		return c.parts(v.LayerID, map[string]string{"x": v.X, "y": v.Y}, map[string]string{"metric": v.Value})
	case "lnsTagcloud":
		cfg["type"] = "tag_cloud"
		return c.parts(v.LayerID, map[string]string{"tag_by": v.Tag}, map[string]string{"metric": v.Value})
	case "lnsGauge":
		return c.gauge()
	}
	return unsupported("Lens visualizations of type %s", c.attrs.Type)
}

// parts converts single dimensions and metrics of a layer by the names they have in the API.
func (c *lens) parts(layer string, dims, metrics map[string]string) error {
	c.out.config["data_source"] = c.source(layer)
	for name, id := range dims {
		if id == "" {
			continue
		}
		d, err := c.dim(layer, id, nil)
		if err != nil {
			return err
		}
		c.out.config[name] = d
	}
	for name, id := range metrics {
		list, err := c.metrics(layer, id)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			c.out.config[name] = list[0]
		}
	}
	return nil
}

func (c *lens) source(layer string) map[string]any {
	for _, name := range []string{"indexpattern-datasource-layer-" + layer, "indexpattern-datasource-current-indexpattern"} {
		if r := find(c.refs, name); r != nil {
			return dataView(r.ID)
		}
	}
	return dataView(c.layers[layer].IndexPattern)
}

var seriesTypes = map[string]string{"bar": "bar", "bar_stacked": "bar_stacked", "bar_percentage_stacked": "bar_percentage", "bar_horizontal": "bar_horizontal",
	"bar_horizontal_stacked": "bar_horizontal_stacked", "bar_horizontal_percentage_stacked": "bar_horizontal_percentage", "line": "line", "area": "area",
	"area_stacked": "area_stacked", "area_percentage_stacked": "area_percentage"}

func (c *lens) xy() error {
	c.out.config["type"] = "xy"
	var layers []any
	for _, vl := range c.vis.Layers {
		switch vl.LayerType {
		case "referenceLine":
			c.out.note("reference lines are left out")
			continue
		case "annotations":
			c.out.note("annotations are left out")
			continue
		}
		series := seriesTypes[orDefault(vl.Series, c.vis.Preferred)]
		if series == "" {
			return unsupported("series of type %s", vl.Series)
		}
		l := map[string]any{"type": series, "data_source": c.source(vl.LayerID)}
		y, err := c.metrics(vl.LayerID, vl.Accessors...)
		if err != nil {
			return err
		}
		l["y"] = y
		for name, id := range map[string]string{"x": vl.X, "breakdown_by": vl.Split} {
			if id == "" {
				continue
			}
			if l[name], err = c.dim(vl.LayerID, id, vl.Accessors); err != nil {
				return err
			}
		}
		layers = append(layers, l)
	}
	if len(layers) == 0 {
		return unsupported("no layer of data")
	}
	c.out.config["layers"] = layers
	return nil
}

func (c *lens) pie() error {
	if len(c.vis.Layers) == 0 {
		return unsupported("no layer of data")
	}
	vl := c.vis.Layers[0]
	shape := orDefault(c.vis.Shape, "pie")
	if shape == "donut" {
		shape = "pie"
		c.out.config["donut_hole"] = "m"
	}
	if f := c.vis.EmptyFactor; f != nil && *f > 0 {
		c.out.config["donut_hole"] = "m"
	}
	c.out.config["type"] = shape
	c.out.config["data_source"] = c.source(vl.LayerID)
	metricIDs := vl.Metrics
	if vl.Metric != "" {
		metricIDs = append(metricIDs, vl.Metric)
	}
	metrics, err := c.metrics(vl.LayerID, metricIDs...)
	if err != nil {
		return err
	}
	var groups []any
	for _, id := range slices.Concat(vl.Primary, vl.Second, vl.Groups) {
		d, err := c.dim(vl.LayerID, id, metricIDs)
		if err != nil {
			return err
		}
		groups = append(groups, d)
	}
	c.out.config["metrics"], c.out.config["group_by"] = metrics, groups
	return nil
}

func (c *lens) table() error {
	c.out.config["type"] = "data_table"
	c.out.config["data_source"] = c.source(c.vis.LayerID)
	var metricIDs, dimIDs []string
	for _, col := range c.vis.Columns {
		lc, ok := c.layers[c.vis.LayerID].Columns[col.ID]
		switch {
		case !ok || col.Hidden:
		case dimensions[dimOperation(lc)]:
			dimIDs = append(dimIDs, col.ID)
		default:
			metricIDs = append(metricIDs, col.ID)
		}
	}
	metrics, err := c.metrics(c.vis.LayerID, metricIDs...)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, id := range dimIDs {
		d, err := c.dim(c.vis.LayerID, id, metricIDs)
		if err != nil {
			return err
		}
		rows = append(rows, d)
	}
	c.out.config["metrics"], c.out.config["rows"] = metrics, rows
	return nil
}

func (c *lens) gauge() error {
	c.out.config["type"] = "gauge"
	v := c.vis
	if err := c.parts(v.LayerID, nil, map[string]string{"metric": v.Metric}); err != nil {
		return err
	}
	m, _ := c.out.config["metric"].(map[string]any)
	for name, id := range map[string]string{"min": v.Min, "max": v.Max, "goal": v.Goal} {
		col, ok := c.layers[v.LayerID].Columns[id]
		if ok && m != nil && col.Operation == "static_value" {
			m[name] = col.Params.Value
		} else if ok {
			c.out.note("the gauge's %s is computed there, left out here", name)
		}
	}
	return nil
}

func dimOperation(col lensColumn) string {
	if col.Operation == "range" && col.Params.Type == "histogram" {
		return "histogram"
	}
	return col.Operation
}

// dim converts a column that makes buckets; metrics are the columns it may be ordered by, in their order.
func (c *lens) dim(layer, id string, metrics []string) (map[string]any, error) {
	col, ok := c.layers[layer].Columns[id]
	if !ok {
		return nil, unsupported("column %s is missing", id)
	}
	op := dimOperation(col)
	d := map[string]any{"operation": op}
	if col.CustomLabel {
		d["label"] = col.Label
	}
	switch op {
	case "date_histogram":
		d["field"] = col.Field
		var text string
		if json.Unmarshal(col.Params.Interval, &text) == nil && text != "auto" && text != "" {
			d["suggested_interval"] = text
		}
	case "terms":
		c.terms(d, col, metrics)
	case "filters":
		var list []any
		for _, f := range col.Params.Filters {
			list = append(list, map[string]any{"label": f.Label, "filter": map[string]any{"query": f.Input.Query, "language": orDefault(f.Input.Language, "kuery")}})
		}
		d["filters"] = list
	case "range":
		d["field"] = col.Field
		d["ranges"] = lensRanges(col.Params)
	case "histogram":
		d["field"] = col.Field
		var step float64
		if json.Unmarshal(col.Params.Interval, &step) == nil && step > 0 {
			d["interval"] = step
		} else {
			c.out.note("the interval of %s is fixed", col.Field)
		}
	default:
		return nil, unsupported("the operation %q as a dimension", col.Operation)
	}
	return d, nil
}

func lensRanges(p lensParams) []any {
	var list []any
	for _, r := range p.Ranges {
		one := map[string]any{}
		if r.From != nil {
			one["gte"] = *r.From
		}
		if r.To != nil {
			one["lt"] = *r.To
		}
		if r.Label != "" {
			one["label"] = r.Label
		}
		list = append(list, one)
	}
	return list
}

func (c *lens) terms(d map[string]any, col lensColumn, metrics []string) {
	d["fields"] = append([]string{col.Field}, col.Params.Secondary...)
	if len(col.Params.Secondary) > 0 {
		d["fields"] = []string{col.Field}
		c.out.note("only the first of the fields %s is counted", strings.Join(append([]string{col.Field}, col.Params.Secondary...), ", "))
	}
	d["limit"] = max(col.Params.Size, 1)
	if col.Params.Other {
		d["other_bucket"] = map[string]any{"include_documents_without_field": false}
	}
	o := col.Params.OrderBy
	if o == nil {
		return
	}
	rank := map[string]any{"type": o.Type, "direction": orDefault(col.Params.Direction, "desc")}
	if o.Type == "column" {
		rank["type"] = "metric"
		rank["metric_index"] = max(slices.Index(metrics, o.ColumnID), 0)
	}
	d["rank_by"] = rank
}

// metrics converts columns that compute values; "" among the ids is left out.
func (c *lens) metrics(layer string, ids ...string) ([]map[string]any, error) {
	list := []map[string]any{}
	for _, id := range ids {
		if id == "" {
			continue
		}
		col, ok := c.layers[layer].Columns[id]
		if !ok {
			return nil, unsupported("column %s is missing", id)
		}
		m, err := c.metric(col)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

func (c *lens) metric(col lensColumn) (map[string]any, error) {
	if col.Operation == "formula" {
		simple, err := formula(col)
		if err != nil {
			return nil, err
		}
		col = simple
	}
	if _, ok := metrics[col.Operation]; !ok {
		return nil, unsupported("the operation %q", col.Operation)
	}
	m := map[string]any{"operation": col.Operation}
	if col.Label != "" && (col.CustomLabel || col.Operation != "count") {
		m["label"] = col.Label
	}
	if col.Field != "" && col.Field != "___records___" && col.Field != "Records" {
		m["field"] = col.Field
	}
	switch col.Operation {
	case "percentile":
		m["percentile"] = col.Params.Percentile
	case "percentile_rank":
		m["rank"] = col.Params.Value
	case "static_value":
		m["value"] = staticValue(col.Params.Value)
	}
	if col.Filter != nil && col.Filter.Text() != "" {
		m["filter"] = map[string]any{"query": col.Filter.Text(), "language": orDefault(col.Filter.Language, "kuery")}
	}
	if col.TimeShift != "" {
		c.out.note("%s is not shifted in time", col.Label)
	}
	if col.TimeScale != "" {
		c.out.note("%s is not scaled per %s", col.Label, col.TimeScale)
	}
	if f := col.Params.Format; f != nil {
		m["format"] = formatOf(f.ID, f.Params)
	}
	return m, nil
}

// staticValue is a number that may be written as text.
func staticValue(raw json.RawMessage) json.RawMessage {
	var s string
	var f float64
	if json.Unmarshal(raw, &s) == nil {
		raw = json.RawMessage(s)
	}
	if json.Unmarshal(raw, &f) != nil {
		return json.RawMessage("0")
	}
	return raw
}

func formatOf(id string, params map[string]any) map[string]any {
	f := map[string]any{"type": id}
	for _, k := range []string{"decimals", "suffix", "compact", "pattern"} {
		if v, ok := params[k]; ok {
			f[k] = v
		}
	}
	if id == "duration" {
		f["from"], f["to"] = params["fromUnit"], params["toUnit"]
	}
	return f
}

var oneCall = regexp.MustCompile(`^\s*([a-z_]+)\(\s*(?:([\w.@-]+)\s*)?(?:,?\s*kql='((?:[^'\\]|\\.)*)'\s*)?(?:,?\s*percentile=(\d+(?:\.\d+)?)\s*)?\)\s*$`)

// formula reads a formula that is one call; any other is beyond us.
func formula(col lensColumn) (lensColumn, error) {
	m := oneCall.FindStringSubmatch(col.Params.Formula)
	if m == nil {
		return col, unsupported("the formula %s", col.Params.Formula)
	}
	col.Operation, col.Field = m[1], m[2]
	if m[3] != "" {
		col.Filter = &Query{Query: strings.ReplaceAll(m[3], `\'`, `'`), Language: "kuery"}
	}
	if m[4] != "" {
		fmt.Sscan(m[4], &col.Params.Percentile)
	}
	return col, nil
}
