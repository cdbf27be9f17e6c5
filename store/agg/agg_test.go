package agg_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
)

const fields = `{"properties":{"t":{"type":"date"},"n":{"type":"long"},"x":{"type":"double"},"k":{"type":"keyword"},"tags":{"type":"keyword"},
"b":{"type":"boolean"},"ip":{"type":"ip"},"u":{"type":"unsigned_long"},"ns":{"type":"date_nanos"},"text":{"type":"text"},"g":{"type":"geo_point"},"lab":{"type":"flattened"}}}`

var docs = []string{
	`{"t":"2026-03-28T23:30:00Z","ns":"2026-01-01T00:00:00.000000001Z","n":1,"x":0.5,"k":"a","tags":["p","q"],"b":true,"ip":"10.0.0.1","u":18446744073709551615,"lab":{"e":"x"},"g":{"lat":37.5,"lon":127},"text":"user 17 logged in"}`,
	`{"t":"2026-03-29T00:30:00Z","ns":"2026-01-01T00:00:00.000000002Z","n":51,"x":1.5,"k":"b","tags":["q","q"],"b":false,"ip":"10.0.1.1","g":"35.5,126","text":"user x9 logged in"}`,
	`{"t":"2026-03-29T03:00:00Z","n":101,"x":2.5,"k":"a","ip":"192.168.0.1","lab":{"e":"y","f":"x"},"g":[151,-33],"text":"disk full"}`,
	`{"t":"2026-03-31T00:00:00Z","n":151,"k":"c","tags":"p","b":true}`,
	`{"t":"2026-04-02T00:00:00Z","k":"a","x":-4}`,
}

// run answers the aggregations over the documents spread over n sources.
func run(t *testing.T, body string, n int) string {
	t.Helper()
	m, err := mapping.Parse([]byte(fields))
	if err != nil {
		t.Fatal(err)
	}
	ix := search.Index{Name: "i", Mapping: m}
	for i := range n {
		src := query.NewMemory(m, mapping.DefaultLimits())
		for j := i * len(docs) / n; j < (i+1)*len(docs)/n; j++ {
			if err := src.Add([]byte(docs[j]), fmt.Sprint(j)); err != nil {
				t.Fatal(err)
			}
		}
		ix.Sources = append(ix.Sources, src)
	}
	req, err := query.ParseRequest(body)
	if err != nil {
		return "error " + err.Error()
	}
	res, err := search.Run(context.Background(), []search.Index{ix}, req, search.Options{Now: time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), Workers: 2})
	if err != nil {
		return "error " + err.Error()
	}
	out := res.AppendJSON(nil, search.Encoding{})
	if !json.Valid(out) {
		t.Errorf("not JSON: %s", out)
	}
	_, aggs, _ := strings.Cut(string(out), `"aggregations":{`)
	return strings.TrimPrefix(strings.TrimSuffix(aggs, "}}"), `"a":`)
}

func TestAggregations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ agg, want string }{
		{`{"terms":{"field":"k"}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"a","doc_count":3},{"key":"b","doc_count":1},{"key":"c","doc_count":1}]}`},
		{`{"terms":{"field":"k","size":1}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":2,"buckets":[{"key":"a","doc_count":3}]}`},
		{`{"terms":{"field":"tags"}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"p","doc_count":2},{"key":"q","doc_count":2}]}`},
		{`{"terms":{"field":"tags","missing":"none","order":{"_key":"desc"}}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"q","doc_count":2},{"key":"p","doc_count":2},{"key":"none","doc_count":2}]}`},
		{`{"terms":{"field":"k","include":"[ab]","exclude":["b"]}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"a","doc_count":3}]}`},
		{`{"terms":{"field":"b"}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":1,"key_as_string":"true","doc_count":2},{"key":0,"key_as_string":"false","doc_count":1}]}`},
		{`{"terms":{"field":"u"}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":18446744073709551615,"doc_count":1}]}`},
		{`{"terms":{"field":"x","size":1,"order":{"_key":"asc"}}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":3,"buckets":[{"key":-4.0,"doc_count":1}]}`},
		{`{"terms":{"field":"ip","size":1,"order":{"_key":"asc"}}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":2,"buckets":[{"key":"10.0.0.1","doc_count":1}]}`},
		{`{"terms":{"field":"lab.e"}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"x","doc_count":1},{"key":"y","doc_count":1}]}`},
		{`{"terms":{"field":"ns","format":"epoch_millis"}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":1767225600000,"key_as_string":"1767225600000","doc_count":2}]}`},
		{`{"date_histogram":{"field":"ns","fixed_interval":"1m","format":"epoch_millis"}}`, `{"buckets":[{"key_as_string":"1767225600000","key":1767225600000,"doc_count":2}]}`},
		{`{"terms":{"field":"nope"}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[]}`},
		{`{"terms":{"field":"_index"}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"i","doc_count":5}]}`},
		{`{"terms":{"field":"k","order":{"m":"desc"},"size":2},"aggs":{"m":{"max":{"field":"n"}}}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":1,"buckets":[{"key":"c","doc_count":1,"m":{"value":151.0}},{"key":"a","doc_count":3,"m":{"value":101.0}}]}`},
		{`{"terms":{"field":"k","order":{"p.50":"asc"},"size":1},"aggs":{"p":{"percentiles":{"field":"n","percents":[50]}}}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":2,"buckets":[{"key":"a","doc_count":3,"p":{"values":{"50.0":51.0}}}]}`},
		{`{"date_histogram":{"field":"t","calendar_interval":"day","time_zone":"Europe/Berlin","format":"yyyy-MM-dd"}}`, `{"buckets":[{"key_as_string":"2026-03-29","key":1774738800000,"doc_count":3},{"key_as_string":"2026-03-30","key":1774821600000,"doc_count":0},{"key_as_string":"2026-03-31","key":1774908000000,"doc_count":1},{"key_as_string":"2026-04-01","key":1774994400000,"doc_count":0},{"key_as_string":"2026-04-02","key":1775080800000,"doc_count":1}]}`},
		{`{"date_histogram":{"field":"t","calendar_interval":"month","keyed":true,"format":"yyyy-MM"}}`, `{"buckets":{"2026-03":{"key_as_string":"2026-03","key":1772323200000,"doc_count":4},"2026-04":{"key_as_string":"2026-04","key":1775001600000,"doc_count":1}}}`},
		{`{"date_histogram":{"field":"t","fixed_interval":"1d","min_doc_count":1,"order":{"_count":"desc"},"format":"epoch_millis"}}`, `{"buckets":[{"key_as_string":"1774742400000","key":1774742400000,"doc_count":2},{"key_as_string":"1774656000000","key":1774656000000,"doc_count":1},{"key_as_string":"1774915200000","key":1774915200000,"doc_count":1},{"key_as_string":"1775088000000","key":1775088000000,"doc_count":1}]}`},
		{`{"date_histogram":{"field":"t","calendar_interval":"year","extended_bounds":{"min":"2025","max":"2026"},"format":"yyyy"}}`, `{"buckets":[{"key_as_string":"2025","key":1735689600000,"doc_count":0},{"key_as_string":"2026","key":1767225600000,"doc_count":5}]}`},
		{`{"date_histogram":{"field":"t","calendar_interval":"week","offset":"-1d","format":"yyyy-MM-dd","min_doc_count":1}}`, `{"buckets":[{"key_as_string":"2026-03-22","key":1774137600000,"doc_count":1},{"key_as_string":"2026-03-29","key":1774742400000,"doc_count":4}]}`},
		{`{"histogram":{"field":"n","interval":50}}`, `{"buckets":[{"key":0.0,"doc_count":1},{"key":50.0,"doc_count":1},{"key":100.0,"doc_count":1},{"key":150.0,"doc_count":1}]}`},
		{`{"histogram":{"field":"x","interval":2,"format":"Value is ##0.0"}}`, `{"buckets":[{"key_as_string":"Value is -4.0","key":-4.0,"doc_count":1},{"key_as_string":"Value is -2.0","key":-2.0,"doc_count":0},{"key_as_string":"Value is 0.0","key":0.0,"doc_count":2},{"key_as_string":"Value is 2.0","key":2.0,"doc_count":1}]}`},
		{`{"range":{"field":"n","ranges":[{"from":51},{"to":51},{"key":"mid","from":50,"to":150}]}}`, `{"buckets":[{"key":"*-51.0","to":51.0,"doc_count":1},{"key":"mid","from":50.0,"to":150.0,"doc_count":2},{"key":"51.0-*","from":51.0,"doc_count":3}]}`},
		{`{"date_range":{"field":"t","format":"yyyy-MM-dd","ranges":[{"to":"2026-03-30"},{"from":"now-2d/d"}]}}`, `{"buckets":[{"key":"*-2026-03-30","to":1.7748288E12,"to_as_string":"2026-03-30","doc_count":3},{"key":"2026-04-01-*","from":1.7750016E12,"from_as_string":"2026-04-01","doc_count":1}]}`},
		{`{"ip_range":{"field":"ip","ranges":[{"mask":"10.0.0.0/16"},{"from":"10.0.1.0"}]}}`, `{"buckets":[{"key":"10.0.0.0/16","from":"10.0.0.0","to":"10.1.0.0","doc_count":2},{"key":"10.0.1.0-*","from":"10.0.1.0","doc_count":2}]}`},
		{`{"filter":{"term":{"k":"a"}},"aggs":{"s":{"sum":{"field":"x"}}}}`, `{"doc_count":3,"s":{"value":-1.0}}`},
		{`{"filters":{"filters":{"two":{"range":{"n":{"gte":100}}},"one":{"term":{"k":"a"}}},"other_bucket":true}}`, `{"buckets":{"one":{"doc_count":3},"two":{"doc_count":2},"_other_":{"doc_count":1}}}`},
		{`{"filters":{"filters":[{"match_none":{}},{"match_all":{}}]}}`, `{"buckets":[{"doc_count":0},{"doc_count":5}]}`},
		{`{"missing":{"field":"n"}}`, `{"doc_count":1}`},
		{`{"min":{"field":"t"}}`, `{"value":1.7747406E12,"value_as_string":"2026-03-28T23:30:00.000Z"}`},
		{`{"max":{"field":"nope"}}`, `{"value":null}`}, {`{"sum":{"field":"nope"}}`, `{"value":0.0}`}, {`{"avg":{"field":"n"}}`, `{"value":76.0}`},
		{`{"avg":{"field":"n","missing":24}}`, `{"value":65.6}`},
		{`{"value_count":{"field":"tags"}}`, `{"value":5}`}, {`{"cardinality":{"field":"tags"}}`, `{"value":2}`}, {`{"cardinality":{"field":"n"}}`, `{"value":4}`},
		{`{"stats":{"field":"n"}}`, `{"count":4,"min":1.0,"max":151.0,"avg":76.0,"sum":304.0}`},
		{`{"stats":{"field":"nope"}}`, `{"count":0,"min":null,"max":null,"avg":null,"sum":0.0}`},
		{`{"extended_stats":{"field":"n"}}`, `{"count":4,"min":1.0,"max":151.0,"avg":76.0,"sum":304.0,"sum_of_squares":35604.0,"variance":3125.0,"variance_population":3125.0,"variance_sampling":4166.666666666667,"std_deviation":55.90169943749474,"std_deviation_population":55.90169943749474,"std_deviation_sampling":64.54972243679029,"std_deviation_bounds":{"upper":187.80339887498948,"lower":-35.80339887498948,"upper_population":187.80339887498948,"lower_population":-35.80339887498948,"upper_sampling":205.09944487358058,"lower_sampling":-53.09944487358058}}`},
		{`{"percentiles":{"field":"n","percents":[25,50,75]}}`, `{"values":{"25.0":26.0,"50.0":76.0,"75.0":126.0}}`},
		{`{"percentiles":{"field":"n","percents":[50],"keyed":false}}`, `{"values":[{"key":50.0,"value":76.0}]}`},
		{`{"percentiles":{"field":"n","percents":[50],"hdr":{}}}`, `{"values":{"50.0":51.0302734375}}`},
		{`{"percentiles":{"field":"nope","percents":[50]}}`, `{"values":{"50.0":null}}`},
		{`{"percentile_ranks":{"field":"n","values":[0,51,151]}}`, `{"values":{"0.0":0.0,"51.0":37.5,"151.0":100.0}}`},
		{`{"composite":{"size":2,"sources":[{"k":{"terms":{"field":"k"}}},{"d":{"date_histogram":{"field":"t","calendar_interval":"month","format":"yyyy-MM"}}}]}}`, `{"after_key":{"k":"a","d":"2026-04"},"buckets":[{"key":{"k":"a","d":"2026-03"},"doc_count":2},{"key":{"k":"a","d":"2026-04"},"doc_count":1}]}`},
		{`{"composite":{"size":2,"after":{"k":"a","d":"2026-04"},"sources":[{"k":{"terms":{"field":"k"}}},{"d":{"date_histogram":{"field":"t","calendar_interval":"month","format":"yyyy-MM"}}}]}}`, `{"after_key":{"k":"c","d":"2026-03"},"buckets":[{"key":{"k":"b","d":"2026-03"},"doc_count":1},{"key":{"k":"c","d":"2026-03"},"doc_count":1}]}`},
		{`{"composite":{"sources":[{"g":{"terms":{"field":"tags","missing_bucket":true,"order":"desc"}}}]}}`, `{"after_key":{"g":null},"buckets":[{"key":{"g":"q"},"doc_count":2},{"key":{"g":"p"},"doc_count":2},{"key":{"g":null},"doc_count":2}]}`},
		{`{"top_hits":{"size":1,"sort":[{"n":"desc"}],"_source":["n"]}}`, `{"hits":{"total":{"value":5,"relation":"eq"},"max_score":null,"hits":[{"_index":"i","_id":"3","_score":null,"_source":{"n":151},"sort":[151]}]}}`},
		{`{"top_metrics":{"metrics":{"field":"k"},"sort":{"n":"desc"}}}`, `{"top":[{"sort":[151],"metrics":{"k":"c"}}]}`},
		{`{"global":{},"aggs":{"c":{"value_count":{"field":"k"}}}}`, `{"doc_count":5,"c":{"value":5}}`},
		{`{"terms":{"field":"text"}}`, `error illegal_argument_exception: Fielddata is disabled on [text] in [i]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [text] in order to load field data by uninverting the inverted index. Note that this can use significant memory.`},
		{`{"trems":{"field":"k"}}`, `error parsing_exception: Unknown aggregation type [trems] did you mean [terms]? [1:24]`},
		{`{"terms":{"field":"n","include":"1.*"}}`, `error illegal_argument_exception: Aggregation [a] cannot support regular expression style include/exclude settings as they can only be applied to string fields. Use an array of values for include/exclude clauses`},
	} {
		for _, n := range []int{1, 2, 5} {
			if got := run(t, `{"size":0,"aggs":{"a":`+c.agg+`}}`, n); got != c.want {
				t.Errorf("%s over %d sources\n got %s\nwant %s", c.agg, n, got, c.want)
			}
		}
	}
}

func TestPipelines(t *testing.T) {
	t.Parallel()
	const hist = `{"date_histogram":{"field":"t","fixed_interval":"1d","format":"dd"},"aggs":{"s":{"sum":{"field":"n"}},"p":`
	for _, c := range []struct{ agg, want string }{
		{hist + `{"derivative":{"buckets_path":"_count"}}}}`, `28 1 | 29 2 p=1.0 | 30 0 p=-2.0 | 31 1 p=1.0 | 01 0 p=-1.0 | 02 1 p=1.0`},
		{hist + `{"cumulative_sum":{"buckets_path":"s"}}}}`, `28 1 p=1.0 | 29 2 p=153.0 | 30 0 p=153.0 | 31 1 p=304.0 | 01 0 p=304.0 | 02 1 p=304.0`},
		{hist + `{"serial_diff":{"buckets_path":"s","lag":1}}}}`, `28 1 | 29 2 p=151.0 | 30 0 | 31 1 | 01 0 | 02 1`},
		{hist + `{"moving_fn":{"buckets_path":"_count","window":2,"script":"MovingFunctions.sum(values)"}}}}`, `28 1 p=0.0 | 29 2 p=1.0 | 30 0 p=3.0 | 31 1 p=2.0 | 01 0 p=1.0 | 02 1 p=1.0`},
		{hist + `{"moving_fn":{"buckets_path":"_count","window":2,"script":"MovingFunctions.max(values)"}}}}`, `28 1 p=null | 29 2 p=1.0 | 30 0 p=2.0 | 31 1 p=2.0 | 01 0 p=1.0 | 02 1 p=1.0`},
		{hist + `{"moving_avg":{"buckets_path":"_count","window":2}}}}`, `28 1 p=1.0 | 29 2 p=1.5 | 30 0 p=1.0 | 31 1 p=0.5 | 01 0 p=0.5 | 02 1 p=0.5`},
		{hist + `{"bucket_script":{"buckets_path":{"c":"_count","s":"s"},"script":{"source":"params.s / params.c * params.k","params":{"k":2}}}}}}`, `28 1 p=2.0 | 29 2 p=152.0 | 30 0 | 31 1 p=302.0 | 01 0 | 02 1 p=0.0`},
		{hist + `{"bucket_script":{"buckets_path":{"count":"_count"},"script":{"source":"count * 1","lang":"expression"},"gap_policy":"skip"}}}}`, `28 1 p=1.0 | 29 2 p=2.0 | 30 0 p=0.0 | 31 1 p=1.0 | 01 0 p=0.0 | 02 1 p=1.0`},
		{hist + `{"bucket_selector":{"buckets_path":{"c":"_count"},"script":"params.c > 0"}}}}`, `28 1 | 29 2 | 31 1 | 02 1`},
		{hist + `{"bucket_sort":{"sort":[{"_count":"desc"}],"size":2}}}}`, `29 2 | 28 1`},
	} {
		for _, n := range []int{1, 5} {
			got := run(t, `{"size":0,"aggs":{"a":`+c.agg+`}}`, n)
			if s := short(t, got); s != c.want {
				t.Errorf("%s over %d sources\n got %s\nwant %s", c.agg, n, s, c.want)
			}
		}
	}
	const two = `{"size":0,"aggs":{"h":{"date_histogram":{"field":"t","fixed_interval":"1d","format":"dd"},"aggs":{"s":{"sum":{"field":"n"}}}},"a":`
	for _, c := range []struct{ agg, want string }{
		{`{"max_bucket":{"buckets_path":"h>s"}}}}`, `{"value":152.0,"keys":["29"]}`},
		{`{"min_bucket":{"buckets_path":"h>_count"}}}}`, `{"value":0.0,"keys":["30","01"]}`},
		{`{"avg_bucket":{"buckets_path":"h>s"}}}}`, `{"value":76.0}`},
		{`{"sum_bucket":{"buckets_path":"h>s","format":"0.00"}}}}`, `{"value":304.0,"value_as_string":"304.00"}`},
		{`{"stats_bucket":{"buckets_path":"h>_count"}}}}`, `{"count":6,"min":0.0,"max":2.0,"avg":0.8333333333333334,"sum":5.0}`},
		{`{"percentiles_bucket":{"buckets_path":"h>_count","percents":[50,100]}}}}`, `{"values":{"50.0":1.0,"100.0":2.0}}`},
	} {
		got := run(t, two+c.agg, 2)
		if i := strings.LastIndex(got, `"a":`); i >= 0 {
			got = got[i+4:]
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.agg, got, c.want)
		}
	}
}

// short is the keys, counts and "p" of a histogram's buckets.
func short(t *testing.T, answer string) string {
	var h struct {
		Buckets []struct {
			Key   string `json:"key_as_string"`
			Count int    `json:"doc_count"`
			P     *struct {
				Value json.RawMessage `json:"value"`
			}
		}
	}
	if err := json.Unmarshal([]byte(answer), &h); err != nil {
		return answer
	}
	var out []string
	for _, b := range h.Buckets {
		s := fmt.Sprintf("%s %d", b.Key, b.Count)
		if b.P != nil {
			s += " p=" + string(b.P.Value)
		}
		out = append(out, s)
	}
	return strings.Join(out, " | ")
}
