package dashboard

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"
)

func scope() Scope {
	return Scope{Span: Span{From: time.UnixMilli(0), To: time.UnixMilli(600_000), Zone: time.UTC, Bars: 100},
		Parse: func(q Query) (json.RawMessage, error) {
			if q.Text() == "bad:" {
				return nil, errors.New("cannot be read")
			}
			return json.Marshal(map[string]any{"parsed": q.Text()})
		}}
}

func layer(t *testing.T, config string) *Layer {
	t.Helper()
	v, err := ParseVis([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return &v.Layers[0]
}

// TestBody: a config on the left holds each text on the right in its search.
func TestBody(t *testing.T) {
	t.Parallel()
	for config, want := range map[string][]string{
		`{"type":"metric","metrics":[{"operation":"count"}]}`: {`"size":0`, `"gte":0`, `"lte":600000`},
		`{"type":"xy","layers":[{"type":"bar_stacked","x":{"operation":"date_histogram"},"y":[{"operation":"count"}],"breakdown_by":{"operation":"terms","fields":["l"],"limit":3}}]}`: {
			`"aggs":{"d0":{"aggs":{"d1":{"date_histogram":{`, `"field":"@timestamp"`, `"fixed_interval":"10000ms"`, `"terms":{"field":"l","order":{"_count":"desc"},"size":3}`},
		`{"type":"xy","layers":[{"type":"bar","x":{"operation":"terms","fields":["l"],"rank_by":{"type":"metric","metric_index":1,"direction":"asc"}},"y":[{"operation":"count"},{"operation":"average","field":"n"}]}]}`: {
			`"order":{"m1":"asc"}`, `"m1":{"avg":{"field":"n"}}`},
		`{"type":"pie","metrics":[{"operation":"percentile","field":"n","percentile":99.5}],"group_by":[{"operation":"terms","fields":["l"]}]}`: {`"order":{"m0.99.5":"desc"}`, `"percents":[99.5]`},
		`{"type":"data_table","metrics":{"operation":"count","filter":{"query":"a:b","language":"kuery"}},"rows":[{"operation":"terms","fields":["l"]}]}`: {
			`"m0":{"filter":{"parsed":"a:b"}}`, `"order":{"m0._count":"desc"}`},
		`{"type":"data_table","metrics":[{"operation":"count"}],"rows":[{"operation":"terms","fields":["l"],"rank_by":{"type":"alphabetical","direction":"asc"}}]}`: {`"order":{"_key":"asc"}`},
		`{"type":"pie","metrics":[{"operation":"count"}],"group_by":[{"operation":"filters","filters":[{"label":"x","filter":{"query":"q1"}},{"query":"q2"}]}]}`:    {`"filters":{"0":{"parsed":"q1"},"1":{"parsed":"q2"}}`},
		`{"type":"pie","metrics":[{"operation":"count"}],"group_by":[{"operation":"range","field":"n","ranges":[{"gte":1,"lt":2}]}]}`:                               {`"ranges":[{"from":1,"to":2}]`},
		`{"type":"metric","query":{"expression":"x:y"},"filters":[{"condition":{"field":"f","operator":"is","value":"v"}}]}`:                                        {`{"parsed":"x:y"}`, `{"match_phrase":{"f":"v"}}`},
		`{"type":"metric","filters":[{"meta":{"negate":true,"key":"f"},"query":{"match_phrase":{"f":"v"}}},{"meta":{"disabled":true},"query":{"z":1}}]}`:            {`"must_not":[{"match_phrase":{"f":"v"}}]`},
		`{"type":"pie","metrics":[{"operation":"count"}],"group_by":[{"operation":"terms","fields":["l"],"other_bucket":{}}]}`:                                      {`"all":{"filter":{"match_all":{}}}`},
		`{"type":"gauge","metric":{"operation":"last_value","field":"n"}}`:                                                                                          {`"top_hits":{"_source":["n"],"size":1,"sort":[{"@timestamp":{"order":"desc"}}]}`},
	} {
		body, err := layer(t, config).Body(scope())
		if err != nil {
			t.Errorf("%s: %v", config, err)
			continue
		}
		got, _ := json.Marshal(body)
		for _, w := range want {
			if !strings.Contains(string(got), w) {
				t.Errorf("%s\n  gives %s\n  want %s", config, got, w)
			}
		}
	}
}

func TestUnsupported(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"type":"vega"}`: "vega",
		`{"type":"metric","metrics":[{"operation":"moving_average","field":"n"}]}`:              "moving_average",
		`{"type":"metric","metrics":[{"operation":"sum"}]}`:                                     "without a field",
		`{"type":"xy","layers":[]}`:                                                             "0 layers",
		`{"type":"metric","data_source":{"type":"esql","query":"FROM x"}}`:                      "ES|QL: FROM x",
		`{"type":"metric","filters":[{"condition":{"field":"f","operator":"near","value":1}}]}`: "near",
		`{"type":"pie","metrics":[],"group_by":[{"operation":"terms","fields":["a","b"]}]}`:     "several fields",
		`{"type":"pie","metrics":[],"group_by":[{"operation":"rate","field":"a"}]}`:             "as a dimension",
		`[]`: "cannot be read",
	} {
		_, err := ParseVis([]byte(config))
		var un *Unsupported
		if !errors.As(err, &un) || !strings.Contains(un.What, want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	l := layer(t, `{"type":"xy","layers":[{"type":"bar_stacked","x":{"operation":"date_histogram"},"y":[{"operation":"count"},{"operation":"average","field":"n"}],"breakdown_by":{"operation":"terms","fields":["l"]}}]}`)
	v := fastjson.MustParse(`{"hits":{"total":{"value":7}},"aggregations":{"d0":{"buckets":[{"key":"A","doc_count":3,"d1":{"buckets":[{"key":1000,"doc_count":2,"m1":{"value":1.5}},{"key":2000,"doc_count":1,"m1":{"value":null}}]}},{"key":true,"key_as_string":"true","doc_count":1,"d1":{"buckets":[]}}]}}}`)
	got, _ := json.Marshal(l.Table(v, scope()).Rows)
	if want := `[["A",1000,2,1.5],["A",2000,1,null]]`; string(got) != want {
		t.Errorf("rows = %s, want %s", got, want)
	}
}

// TestOther: what belongs to none of the listed values is the whole less the values, bucket by bucket.
func TestOther(t *testing.T) {
	t.Parallel()
	l := layer(t, `{"type":"xy","layers":[{"type":"bar_stacked","x":{"operation":"date_histogram"},"y":[{"operation":"count"}],"breakdown_by":{"operation":"terms","fields":["l"],"other_bucket":{}}}]}`)
	v := fastjson.MustParse(`{"hits":{"total":{"value":9}},"aggregations":{"d0":{"buckets":[{"key":"A","doc_count":3,"d1":{"buckets":[{"key":1000,"doc_count":2},{"key":2000,"doc_count":1}]}}]},
		"all":{"doc_count":9,"d1":{"buckets":[{"key":1000,"doc_count":5},{"key":2000,"doc_count":4}]}}}}`)
	got, _ := json.Marshal(l.Table(v, scope()).Rows)
	if want := `[["A",1000,2],["A",2000,1],["…",1000,3],["…",2000,3]]`; string(got) != want {
		t.Errorf("rows = %s, want %s", got, want)
	}
}

// TestShipped: every dashboard that comes with the program is read without a remark.
func TestShipped(t *testing.T) {
	t.Parallel()
	list, err := Shipped()
	if err != nil || len(list) < 5 {
		t.Fatalf("%d dashboards, %v", len(list), err)
	}
	for _, d := range list {
		var doc struct {
			Panels []struct {
				ID, Type string
				Grid     struct{ X, Y, W, H int }
				Config   json.RawMessage
			}
		}
		if err := json.Unmarshal(d.Data, &doc); err != nil || d.Title == "" || d.Description == "" || len(doc.Panels) < 5 {
			t.Fatalf("%s: %v", d.ID, err)
		}
		taken := map[[2]int]string{}
		for _, p := range doc.Panels {
			for x := p.Grid.X; x < p.Grid.X+p.Grid.W; x++ {
				for y := p.Grid.Y; y < p.Grid.Y+p.Grid.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x > 47 {
						t.Fatalf("%s: panels %s and %s overlap", d.ID, p.ID, other)
					}
					taken[[2]int{x, y}] = p.ID
				}
			}
			if p.Type == "vis" {
				l := layer(t, string(p.Config))
				if _, err := l.Body(scope()); err != nil {
					t.Errorf("%s %s: %v", d.ID, p.ID, err)
				}
			} else if _, err := ParseSession(p.Config); err != nil {
				t.Errorf("%s %s: %v", d.ID, p.ID, err)
			}
		}
	}
}

func FuzzParseVis(f *testing.F) {
	f.Add([]byte(`{"type":"xy","layers":[{"type":"line","x":{"operation":"terms","fields":["a"]},"y":[{"operation":"count"}]}]}`), []byte(`{"aggregations":{"d0":{"buckets":[{"key":1,"m0":{"value":2}}]}}}`))
	f.Add([]byte(`{"type":"metric","filters":[{"group":{"operator":"or","conditions":[{"field":"a","operator":"is","value":1}]}}]}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, config, answer []byte) {
		v, err := ParseVis(config)
		if err != nil {
			return
		}
		a, err := fastjson.ParseBytes(answer)
		if err != nil {
			return
		}
		for i := range v.Layers {
			if _, err := v.Layers[i].Body(scope()); err != nil {
				continue
			}
			v.Layers[i].Table(a, scope())
		}
	})
}
