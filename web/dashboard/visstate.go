package dashboard

import (
	"encoding/json"
	"slices"
	"strings"
)

// visState is an agg-based visualization.
type visState struct {
	Title  string          `json:"title"`
	Type   string          `json:"type"`
	Params json.RawMessage `json:"params"`
	Aggs   []visAgg        `json:"aggs"`
}

type visAgg struct {
	ID      string       `json:"id"`
	Enabled *bool        `json:"enabled"`
	Type    string       `json:"type"`
	Schema  string       `json:"schema"`
	Params  visAggParams `json:"params"`
}

type visAggParams struct {
	Field    string          `json:"field"`
	Label    string          `json:"customLabel"`
	Interval json.RawMessage `json:"interval"`
	Size     json.RawMessage `json:"size"`
	Order    string          `json:"order"`
	OrderBy  string          `json:"orderBy"`
	Other    bool            `json:"otherBucket"`
	Percents []float64       `json:"percents"`
	Values   []float64       `json:"values"`
	Ranges   []struct {
		From *float64 `json:"from"`
		To   *float64 `json:"to"`
	} `json:"ranges"`
	Filters []struct {
		Label string          `json:"label"`
		Input json.RawMessage `json:"input"`
	} `json:"filters"`
}

// convertVisualization converts a saved visualization.
func convertVisualization(attributes json.RawMessage, refs []Reference) *panel {
	var a struct {
		Title    string          `json:"title"`
		VisState json.RawMessage `json:"visState"`
	}
	if err := json.Unmarshal(attributes, &a); err != nil {
		return placeholder("visualization", "the definition cannot be read: "+err.Error(), attributes)
	}
	raw := a.VisState
	var text string
	if json.Unmarshal(raw, &text) == nil { // a text of JSON; in packages the object itself
		raw = json.RawMessage(text)
	}
	var v visState
	if err := json.Unmarshal(raw, &v); err != nil {
		return placeholder("visualization", "the definition cannot be read: "+err.Error(), attributes)
	}
	p := v.convert(sourceOf(attributes), refs, attributes)
	if p.typ == "vis" {
		p.config["title"] = orDefault(a.Title, v.Title)
	}
	return p
}

// convertSavedVis converts a visualization that stands in its panel.
func convertSavedVis(raw json.RawMessage, refs []Reference) *panel {
	var s struct {
		Title  string          `json:"title"`
		Type   string          `json:"type"`
		Params json.RawMessage `json:"params"`
		Data   struct {
			Aggs         []visAgg     `json:"aggs"`
			SearchSource searchSource `json:"searchSource"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return placeholder("visualization", "the definition cannot be read: "+err.Error(), raw)
	}
	v := visState{Title: s.Title, Type: s.Type, Params: s.Params, Aggs: s.Data.Aggs}
	p := v.convert(s.Data.SearchSource, refs, raw)
	if p.typ == "vis" && s.Title != "" {
		p.config["title"] = s.Title
	}
	return p
}

// visTypes are the agg-based types with the type of panel they become.
var visTypes = map[string]string{"histogram": "xy", "line": "xy", "area": "xy", "horizontal_bar": "xy", "pie": "pie", "metric": "metric",
	"table": "data_table", "tagcloud": "tag_cloud", "heatmap": "heatmap", "gauge": "gauge", "goal": "gauge"}

func (v visState) convert(src searchSource, refs []Reference, original json.RawMessage) *panel {
	if v.Type == "markdown" {
		var params struct {
			Markdown string `json:"markdown"`
		}
		json.Unmarshal(v.Params, &params)
		return &panel{typ: "markdown", status: Whole, config: map[string]any{"content": params.Markdown}}
	}
	typ := visTypes[v.Type]
	if typ == "" {
		return placeholder(v.Type, "visualizations of type "+visName(v.Type), original)
	}
	p := &panel{typ: "vis", status: Whole, config: map[string]any{"type": typ}}
	if err := v.fill(p, typ, dataView(src.dataViewID(refs))); err != nil {
		return placeholder(v.Type, err.Error(), original)
	}
	narrow(p.config, src.query(), src.Filter)
	return p
}

func visName(t string) string {
	if t == "metrics" {
		return "TSVB"
	}
	return t
}

// fill sorts the aggregations by schema into the parts of the panel.
func (v visState) fill(p *panel, typ string, source map[string]any) error {
	metrics := []map[string]any{}
	by := map[string][]any{}
	for _, a := range v.Aggs {
		if a.Enabled != nil && !*a.Enabled {
			continue
		}
		if a.Schema == "metric" || a.Schema == "radius" {
			m, err := a.metric()
			if err != nil {
				return err
			}
			metrics = append(metrics, m...)
			continue
		}
		d, err := a.dim(p)
		if err != nil {
			return err
		}
		by[a.Schema] = append(by[a.Schema], d)
	}
	if len(by["split"]) > 0 {
		p.note("split charts are drawn as one")
	}
	dims := slices.Concat(by["segment"], by["bucket"], by["group"])
	if typ == "xy" {
		return v.fillXY(p, source, metrics, by)
	}
	c := p.config
	c["data_source"] = source
	switch typ {
	case "pie":
		c["metrics"], c["group_by"] = metrics, dims
		if strings.Contains(string(v.Params), `"isDonut":true`) {
			c["donut_hole"] = "m"
		}
	case "metric":
		for i, m := range metrics {
			m["type"] = "secondary"
			if i == 0 {
				m["type"] = "primary"
			}
		}
		c["metrics"] = metrics
		if len(dims) > 0 {
			c["breakdown_by"] = dims[0]
		}
	case "data_table":
		c["metrics"], c["rows"] = metrics, dims
	default:
		return fillSingle(c, typ, metrics, dims)
	}
	return nil
}

func fillSingle(c map[string]any, typ string, metrics []map[string]any, dims []any) error {
	if len(metrics) == 0 {
		metrics = []map[string]any{{"operation": "count"}}
	}
	c["metric"] = metrics[0]
	switch typ {
	case "tag_cloud":
		if len(dims) == 0 {
			return unsupported("a tag cloud without a field")
		}
		c["tag_by"] = dims[0]
	case "heatmap":
		for i, name := range []string{"x", "y"} {
			if i < len(dims) {
				c[name] = dims[i]
			}
		}
	}
	return nil
}

func (v visState) fillXY(p *panel, source map[string]any, metrics []map[string]any, by map[string][]any) error {
	var params struct {
		Series []struct {
			Type string `json:"type"`
			Mode string `json:"mode"`
		} `json:"seriesParams"`
	}
	json.Unmarshal(v.Params, &params)
	kind := map[string]string{"histogram": "bar", "line": "line", "area": "area", "horizontal_bar": "bar_horizontal"}[v.Type]
	stacked := v.Type != "line"
	if len(params.Series) > 0 {
		s := params.Series[0]
		if k := map[string]string{"histogram": "bar", "line": "line", "area": "area"}[s.Type]; k != "" && v.Type != "horizontal_bar" {
			kind = k
		}
		stacked = s.Mode == "stacked"
	}
	if stacked && kind != "line" && len(by["group"]) > 0 {
		kind += "_stacked"
	}
	l := map[string]any{"type": kind, "data_source": source, "y": metrics}
	if len(by["segment"]) > 0 {
		l["x"] = by["segment"][0]
	}
	if len(by["group"]) > 0 {
		l["breakdown_by"] = by["group"][0]
	}
	if len(by["segment"]) > 1 || len(by["group"]) > 1 {
		p.note("only the first of several groupings is drawn")
	}
	p.config["layers"] = []any{l}
	return nil
}

func (a visAgg) metric() ([]map[string]any, error) {
	ops := map[string]string{"count": "count", "avg": "average", "sum": "sum", "min": "min", "max": "max", "cardinality": "unique_count",
		"median": "median", "std_dev": "standard_deviation", "top_hits": "last_value", "top_metrics": "last_value"}
	one := map[string]any{}
	if a.Params.Label != "" {
		one["label"] = a.Params.Label
	}
	if a.Params.Field != "" {
		one["field"] = a.Params.Field
	}
	if a.Type == "percentiles" {
		var list []map[string]any
		for _, n := range a.Params.Percents {
			list = append(list, map[string]any{"operation": "percentile", "field": a.Params.Field, "percentile": n})
		}
		return list, nil
	}
	op := ops[a.Type]
	if op == "" {
		return nil, unsupported("the metric %q", a.Type)
	}
	one["operation"] = op
	return []map[string]any{one}, nil
}

func (a visAgg) dim(p *panel) (map[string]any, error) {
	d := map[string]any{"operation": a.Type}
	if a.Params.Label != "" {
		d["label"] = a.Params.Label
	}
	switch a.Type {
	case "date_histogram":
		d["field"] = orDefault(a.Params.Field, "@timestamp")
		var text string
		if json.Unmarshal(a.Params.Interval, &text) == nil && text != "auto" && text != "" {
			d["suggested_interval"] = text
		}
	case "terms":
		a.terms(d)
	case "filters":
		var list []any
		for _, f := range a.Params.Filters {
			q := searchSource{Query: f.Input}.query()
			list = append(list, map[string]any{"label": f.Label, "filter": map[string]any{"query": q.Query, "language": orDefault(q.Language, "kuery")}})
		}
		d["filters"] = list
	case "range":
		d["field"] = a.Params.Field
		var list []any
		for _, r := range a.Params.Ranges {
			one := map[string]any{}
			if r.From != nil {
				one["gte"] = *r.From
			}
			if r.To != nil {
				one["lt"] = *r.To
			}
			list = append(list, one)
		}
		d["ranges"] = list
	case "histogram":
		d["field"] = a.Params.Field
		var step float64
		if json.Unmarshal(a.Params.Interval, &step) == nil && step > 0 {
			d["interval"] = step
		} else {
			p.note("the interval of %s is fixed", a.Params.Field)
		}
	default:
		return nil, unsupported("buckets by %q", a.Type)
	}
	return d, nil
}

func (a visAgg) terms(d map[string]any) {
	d["fields"] = []string{a.Params.Field}
	d["limit"] = 5
	var n float64
	if json.Unmarshal(a.Params.Size, &n) == nil && n > 0 {
		d["limit"] = int(n)
	}
	if a.Params.Other {
		d["other_bucket"] = map[string]any{"include_documents_without_field": false}
	}
	rank := map[string]any{"type": "metric", "metric_index": 0, "direction": orDefault(a.Params.Order, "desc")}
	if a.Params.OrderBy == "_key" || a.Params.OrderBy == "_term" {
		rank["type"] = "alphabetical"
	}
	d["rank_by"] = rank
}
