package dashboard

import (
	"encoding/json"
	"strings"
	"testing"
)

func nothing(string, string) *SavedObject { return nil }

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// lensOf is a Lens visualization with columns a (over time), b (top values), c (count) and d (what the case needs).
func lensOf(kind, visualization, d string) SavedObject {
	columns := `"a":{"operationType":"date_histogram","sourceField":"@timestamp","params":{"interval":"auto"}},
		"b":{"operationType":"terms","sourceField":"log.level","params":{"size":3,"orderBy":{"type":"column","columnId":"c"},"orderDirection":"desc","otherBucket":true}},
		"c":{"operationType":"count","sourceField":"___records___","label":"Count of records"}`
	if d != "" {
		columns += `,"d":` + d
	}
	return SavedObject{Type: "lens", ID: "1", References: []Reference{{Name: "indexpattern-datasource-layer-l", Type: "index-pattern", ID: "view"}},
		Attributes: json.RawMessage(`{"title":"T","visualizationType":"` + kind + `","state":{"query":{"query":"x:y","language":"kuery"},"filters":[],
		"visualization":` + visualization + `,"datasourceStates":{"formBased":{"layers":{"l":{"columns":{` + columns + `}}}}}}}`)}
}

func TestLens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		object SavedObject
		status string
		want   []string
	}{
		"xy": {lensOf("lnsXY", `{"layers":[{"layerId":"l","layerType":"data","seriesType":"bar_percentage_stacked","xAccessor":"a","splitAccessor":"b","accessors":["c"]}]}`, ""), Whole,
			[]string{`"type":"bar_percentage"`, `"ref_id":"view"`, `"x":{"field":"@timestamp","operation":"date_histogram"}`, `"fields":["log.level"]`, `"limit":3`, `"metric_index":0`, `"query":"x:y"`}},
		"reference line": {lensOf("lnsXY", `{"layers":[{"layerId":"l","seriesType":"line","xAccessor":"a","accessors":["c"]},{"layerId":"r","layerType":"referenceLine"}]}`, ""), Approximate, []string{`"type":"line"`}},
		"metric": {lensOf("lnsMetric", `{"layerId":"l","metricAccessor":"d","secondaryMetricAccessor":"c"}`, `{"operationType":"percentile","sourceField":"n","label":"p99","params":{"percentile":99,"format":{"id":"bytes","params":{"decimals":1}}}}`), Whole,
			[]string{`"percentile":99`, `"type":"primary"`, `"type":"secondary"`, `"decimals":1`}},
		"donut":   {lensOf("lnsPie", `{"shape":"donut","layers":[{"layerId":"l","primaryGroups":["b"],"metrics":["c"]}]}`, ""), Whole, []string{`"type":"pie"`, `"donut_hole":"m"`, `"group_by":[`}},
		"table":   {lensOf("lnsDatatable", `{"layerId":"l","columns":[{"columnId":"b"},{"columnId":"c"}]}`, ""), Whole, []string{`"type":"data_table"`, `"rows":[{`, `"metrics":[{"operation":"count"}]`}},
		"heatmap": {lensOf("lnsHeatmap", `{"layerId":"l","xAccessor":"a","yAccessor":"b","valueAccessor":"c"}`, ""), Whole, []string{`"type":"heatmap"`, `"metric":{`}},
		"gauge":   {lensOf("lnsGauge", `{"layerId":"l","metricAccessor":"c","maxAccessor":"d"}`, `{"operationType":"static_value","params":{"value":"100"}}`), Whole, []string{`"type":"gauge"`, `"max":"100"`}},
		"tags":    {lensOf("lnsTagcloud", `{"layerId":"l","tagAccessor":"b","valueAccessor":"c"}`, ""), Whole, []string{`"tag_by":`}},
		"formula": {lensOf("lnsMetric", `{"layerId":"l","metricAccessor":"d"}`, `{"operationType":"formula","label":"errors","params":{"formula":"count(kql='level : \"ERROR\"')"}}`), Whole,
			[]string{`"operation":"count"`, `level : \"ERROR\"`}},
		"hard formula": {lensOf("lnsMetric", `{"layerId":"l","metricAccessor":"d"}`, `{"operationType":"formula","params":{"formula":"count() / 2"}}`), Placeholder, []string{`"original"`}},
		"map":          {lensOf("lnsChoropleth", `{}`, ""), Placeholder, []string{`"type":"lnsChoropleth"`}},
		"shifted":      {lensOf("lnsMetric", `{"layerId":"l","metricAccessor":"d"}`, `{"operationType":"count","timeShift":"1d","label":"before"}`), Approximate, nil},
	} {
		conv, err := Convert(c.object, nothing)
		if err != nil || conv.Type != "visualization" || len(conv.Report) != 1 || conv.Report[0].Status != c.status {
			t.Errorf("%s: %v %+v", name, err, conv.Report)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(string(conv.Body), w) {
				t.Errorf("%s: %s\n  lacks %s", name, conv.Body, w)
			}
		}
		if c.status == Placeholder {
			continue
		}
		if _, err := ParseVis(conv.Body); err != nil {
			t.Errorf("%s: what was converted cannot be read: %v", name, err)
		}
	}
}

func aggBased(kind, params, aggs string) SavedObject {
	state := `{"title":"T","type":"` + kind + `","params":` + params + `,"aggs":` + aggs + `}`
	return SavedObject{Type: "visualization", ID: "v", References: []Reference{{Name: "kibanaSavedObjectMeta.searchSourceJSON.index", Type: "index-pattern", ID: "view"}},
		Attributes: json.RawMessage(`{"title":"T","visState":` + text(state) + `,"kibanaSavedObjectMeta":{"searchSourceJSON":` + text(`{"query":{"query":"a:b","language":"kuery"},"filter":[{"meta":{"negate":false},"query":{"term":{"x":1}}}],"indexRefName":"kibanaSavedObjectMeta.searchSourceJSON.index"}`) + `}}`)}
}

func TestAggBased(t *testing.T) {
	t.Parallel()
	count := `{"id":"1","enabled":true,"type":"count","schema":"metric","params":{}}`
	terms := func(schema string) string {
		return `{"id":"2","enabled":true,"type":"terms","schema":"` + schema + `","params":{"field":"l","size":7,"order":"desc","orderBy":"1"}}`
	}
	over := `{"id":"3","enabled":true,"type":"date_histogram","schema":"segment","params":{"field":"@timestamp","interval":"auto"}}`
	off := `{"id":"4","enabled":false,"type":"serial_diff","schema":"metric","params":{}}`
	for name, c := range map[string]struct {
		kind, params, aggs, status string
		want                       []string
	}{
		"histogram": {"histogram", `{"seriesParams":[{"type":"histogram","mode":"stacked"}]}`, `[` + count + `,` + over + `,` + terms("group") + `,` + off + `]`, Whole, []string{`"type":"bar_stacked"`, `"limit":7`, `"ref_id":"view"`, `"query":"a:b"`, `"term":{"x":1}`}},
		"line":      {"line", `{}`, `[` + count + `,` + over + `]`, Whole, []string{`"type":"line"`}},
		"pie":       {"pie", `{"isDonut":true}`, `[` + count + `,` + terms("segment") + `]`, Whole, []string{`"donut_hole":"m"`}},
		"table":     {"table", `{}`, `[` + count + `,` + terms("bucket") + `]`, Whole, []string{`"rows":[{`}},
		"metric":    {"metric", `{}`, `[` + count + `]`, Whole, []string{`"type":"primary"`}},
		"split":     {"pie", `{}`, `[` + count + `,` + terms("segment") + `,` + terms("split") + `]`, Approximate, nil},
		"tsvb":      {"metrics", `{}`, `[]`, Placeholder, []string{`"type":"metrics"`}},
		"odd":       {"metric", `{}`, `[{"id":"1","type":"geo_centroid","schema":"metric","params":{}}]`, Placeholder, nil},
	} {
		conv, err := Convert(aggBased(c.kind, c.params, c.aggs), nothing)
		if err != nil || conv.Report[0].Status != c.status {
			t.Errorf("%s: %v %+v", name, err, conv.Report)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(string(conv.Body), w) {
				t.Errorf("%s: %s\n  lacks %s", name, conv.Body, w)
			}
		}
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	panels := `[{"type":"lens","panelIndex":"p1","gridData":{"x":0,"y":0,"w":24,"h":10,"i":"p1"},"panelRefName":"panel_p1","embeddableConfig":{"title":"Named"}},
		{"type":"visualization","panelIndex":"p2","gridData":{"x":24,"y":0,"w":24,"h":10,"i":"p2"},"embeddableConfig":{"savedVis":{"type":"markdown","params":{"markdown":"# hi"},"data":{}}}},
		{"type":"search","panelIndex":"p3","gridData":{"x":0,"y":10,"w":48,"h":10,"i":"p3"},"panelRefName":"panel_2"},
		{"type":"map","panelIndex":"p4","gridData":{"x":0,"y":20,"w":99,"h":10,"i":"p4"},"embeddableConfig":{"attributes":{"layerListJSON":"[]"}}},
		{"type":"lens","panelIndex":"p5","gridData":{"x":0,"y":30,"w":48,"h":10,"i":"p5"},"panelRefName":"panel_gone"}]`
	controls := `{"c1":{"order":1,"type":"optionsListControl","explicitInput":{"fieldName":"b","title":"B"}},"c0":{"order":0,"type":"rangeSliderControl","explicitInput":{"fieldName":"a"}},"c2":{"order":2,"type":"timeSlider","explicitInput":{}}}`
	d := SavedObject{Type: "dashboard", ID: "d", Attributes: json.RawMessage(`{"title":"D","timeRestore":true,"timeFrom":"now-2h","timeTo":"now","panelsJSON":` + text(panels) + `,"controlGroupInput":{"panelsJSON":` + text(controls) + `}}`),
		References: []Reference{{Name: "p1:panel_p1", Type: "lens", ID: "1"}, {Name: "panel_2", Type: "search", ID: "s"}, {Name: "p5:panel_gone", Type: "lens", ID: "nowhere"}}}
	one := lensOf("lnsXY", `{"layers":[{"layerId":"l","seriesType":"line","xAccessor":"a","accessors":["c"]}]}`, "")
	search := SavedObject{Type: "search", ID: "s", Attributes: json.RawMessage(`{"title":"S","columns":["_source","a"],"kibanaSavedObjectMeta":{"searchSourceJSON":"{\"query\":{\"query\":\"q\",\"language\":\"lucene\"}}"}}`)}
	conv, err := Convert(d, func(typ, id string) *SavedObject {
		switch typ + id {
		case "lens1":
			return &one
		case "searchs":
			return &search
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{`"title":"Named"`, `"content":"# hi"`, `"type":"discover_session"`, `"columns":["a"]`, `"language":"lucene"`, `"time_range":{"from":"now-2h","to":"now"}`,
		`"pinned_panels":[{"config":{"data_view_id":"","field_name":"a"`, `"w":48`} {
		if !strings.Contains(string(conv.Body), w) {
			t.Errorf("%s\n  lacks %s", conv.Body, w)
		}
	}
	var got []string
	for _, r := range conv.Report {
		got = append(got, r.Panel+" "+r.Status)
	}
	if want := "p1 converted,p2 converted,p3 converted,p4 placeholder,p5 placeholder"; strings.Join(got, ",") != want {
		t.Errorf("report = %v, want %s", got, want)
	}
}

func FuzzConvert(f *testing.F) {
	f.Add("lens", []byte(lensOf("lnsXY", `{"layers":[{"layerId":"l","seriesType":"line","xAccessor":"a","accessors":["c"]}]}`, "").Attributes))
	f.Add("visualization", []byte(aggBased("pie", `{}`, `[]`).Attributes))
	f.Add("dashboard", []byte(`{"title":"D","panelsJSON":"[{\"type\":\"lens\"}]","sections":[{"title":"s","gridData":{"i":"1"}}]}`))
	f.Add("search", []byte(`{"columns":["a"]}`))
	f.Fuzz(func(t *testing.T, typ string, attributes []byte) {
		c, err := Convert(SavedObject{Type: typ, ID: "x", Attributes: attributes}, nothing)
		if err == nil && !json.Valid(c.Body) {
			t.Fatalf("%s: not JSON: %q", typ, c.Body)
		}
	})
}
