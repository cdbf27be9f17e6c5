package search

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// now is the clock of the tests.
var now = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

const logsMapping = `{"properties":{"@timestamp":{"type":"date"},"message":{"type":"text"},"level":{"type":"keyword"},
"status":{"type":"long"},"took":{"type":"double"},"ip":{"type":"ip"},"ok":{"type":"boolean"},"tags":{"type":"keyword"},
"host":{"properties":{"name":{"type":"keyword"}}},"at":{"type":"date_nanos"},"version":{"type":"version"},"labels":{"type":"flattened"}}}`

var logs = []string{
	`{"@timestamp":"2026-11-22T13:00:00.000Z","message":"Connection refused by peer","level":"ERROR","status":500,"took":1.5,"ip":"10.0.0.1","ok":false,"tags":["a","b"],"host":{"name":"h1"}}`,
	`{"@timestamp":"2026-11-22T13:10:00.000Z","message":"GET /api/orders 200","level":"INFO","status":200,"took":0.5,"ip":"10.0.0.2","ok":true,"tags":["b"],"host":{"name":"h1"}}`,
	`{"@timestamp":"2026-11-22T13:20:00.000Z","message":"connection opened","level":"INFO","status":200,"took":2.25,"ip":"192.168.1.9","ok":true,"host":{"name":"h2"}}`,
	`{"@timestamp":"2026-11-22T13:59:59.999Z","message":"결제 실패: 잔액 부족","level":"WARN","status":402,"ip":"::1","tags":["c","a"],"host":{"name":"h2"}}`,
	`{"@timestamp":"2026-11-22T14:00:00.000Z","message":"Connection reset, refused later","level":"ERROR","status":503,"took":10,"host":{"name":"h3"},"labels":{"env":"prod"}}`,
}

// index makes an index of the documents, spread over n sources.
func index(t testing.TB, name, mappingJSON string, docs []string, n int) Index {
	t.Helper()
	m, err := mapping.Parse([]byte(mappingJSON))
	if err != nil {
		t.Fatal(err)
	}
	ix := Index{Name: name}
	for i := range n {
		src := query.NewMemory(m, mapping.DefaultLimits())
		for j := i * len(docs) / n; j < (i+1)*len(docs)/n; j++ {
			if err := src.Add([]byte(docs[j]), fmt.Sprint(j+1)); err != nil {
				t.Fatal(err)
			}
		}
		m = src.Mapping()
		ix.Sources = append(ix.Sources, src)
	}
	ix.Mapping = m
	return ix
}

// ask runs a request and gives the answer without its time.
func ask(t testing.TB, body string, indices ...Index) string {
	t.Helper()
	req, err := query.ParseRequest(body)
	if err != nil {
		return "error " + err.Error()
	}
	res, err := Run(context.Background(), indices, req, Options{Now: now, Workers: 2})
	if err != nil {
		return "error " + err.Error()
	}
	out := string(res.AppendJSON(nil, Encoding{}))
	return regexp.MustCompile(`"took":\d+`).ReplaceAllString(out, `"took":0`)
}

// ids is the answer's ids in order, after its total.
func ids(answer string) string {
	total := regexp.MustCompile(`"total":\{"value":(\d+),"relation":"(\w+)"`).FindStringSubmatch(answer)
	if total == nil {
		return answer
	}
	out := total[1]
	if total[2] == "gte" {
		out += "+"
	}
	out += ":"
	for _, m := range regexp.MustCompile(`"_id":"([^"]*)"`).FindAllStringSubmatch(answer, -1) {
		out += " " + m[1]
	}
	return out
}

func TestQueries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, want string }{
		{`{"match_all":{}}`, "5: 1 2 3 4 5"},
		{`{"match_none":{}}`, "0:"},
		{`{"term":{"level":"INFO"}}`, "2: 2 3"},
		{`{"term":{"level":{"value":"info","case_insensitive":true}}}`, "2: 2 3"},
		{`{"term":{"status":"200"}}`, "2: 2 3"},
		{`{"term":{"status":200.5}}`, "0:"},
		{`{"term":{"took":1.5}}`, "1: 1"},
		{`{"term":{"ok":true}}`, "2: 2 3"},
		{`{"term":{"ip":"10.0.0.0/8"}}`, "2: 1 2"},
		{`{"term":{"ip":"::1"}}`, "1: 4"},
		{`{"term":{"nope":1}}`, "0:"},
		{`{"term":{"message":"connection"}}`, "3: 3 1 5"},
		{`{"term":{"message":"Connection"}}`, "0:"},
		{`{"term":{"_id":"3"}}`, "1: 3"},
		{`{"term":{"_index":"logs"}}`, "5: 1 2 3 4 5"},
		{`{"term":{"@timestamp":"2026-11-22T13"}}`, "4: 1 2 3 4"},
		{`{"term":{"labels.env":"prod"}}`, "1: 5"},
		{`{"term":{"labels":"prod"}}`, "1: 5"},
		{`{"terms":{"level":["INFO","WARN"]}}`, "3: 2 3 4"},
		{`{"terms":{"status":[200,503,1]}}`, "3: 2 3 5"},
		{`{"ids":{"values":["2","9","5"]}}`, "2: 2 5"},
		{`{"exists":{"field":"tags"}}`, "3: 1 2 4"},
		{`{"exists":{"field":"host"}}`, "5: 1 2 3 4 5"},
		{`{"exists":{"field":"labels.env"}}`, "1: 5"},
		{`{"range":{"status":{"gte":400,"lt":503}}}`, "2: 1 4"},
		{`{"range":{"status":{"gt":200.5}}}`, "3: 1 4 5"},
		{`{"range":{"took":{"gt":0.5,"lte":2.25}}}`, "2: 1 3"},
		{`{"range":{"@timestamp":{"gte":"now-1h","lt":"now"}}}`, "4: 1 2 3 4"},
		{`{"range":{"@timestamp":{"gt":"now-1h/h"}}}`, "1: 5"},
		{`{"range":{"@timestamp":{"lte":"2026-11-22T13"}}}`, "4: 1 2 3 4"},
		{`{"range":{"@timestamp":{"gte":"2026-11-22T22:15","time_zone":"+09:00"}}}`, "3: 3 4 5"},
		{`{"range":{"@timestamp":{"gte":1795356000000,"format":"epoch_millis"}}}`, "1: 5"},
		{`{"range":{"@timestamp":{"gte":1,"lte":9999999999999,"format":"epoch_millis"}}}`, "5: 1 2 3 4 5"},
		{`{"range":{"@timestamp":{"gt":"0001-01-01","lt":"9999-12-31T23:59:59Z"}}}`, "5: 1 2 3 4 5"},
		{`{"range":{"@timestamp":{"gte":"9999-99-99"}}}`, "error query_shard_exception: failed to create query: failed to parse date field [9999-99-99] with format [strict_date_optional_time||epoch_millis]"},
		{`{"range":{"level":{"gte":"F","lt":"W"}}}`, "2: 2 3"},
		{`{"range":{"ip":{"gte":"10.0.0.2","lte":"200.0.0.0"}}}`, "2: 2 3"},
		{`{"match":{"message":"connection refused"}}`, "3: 1 5 3"},
		{`{"match":{"message":{"query":"connection refused","operator":"and"}}}`, "2: 1 5"},
		{`{"match":{"message":{"query":"conection","fuzziness":"AUTO"}}}`, "3: 1 3 5"},
		{`{"match":{"message":{"query":"connection opened orders","minimum_should_match":2}}}`, "1: 3"},
		{`{"match":{"status":"200"}}`, "2: 2 3"},
		{`{"match":{"level":"ERROR"}}`, "2: 1 5"},
		{`{"match":{"message":"실패"}}`, "1: 4"},
		{`{"match_phrase":{"message":"connection refused"}}`, "1: 1"},
		{`{"match_phrase":{"message":{"query":"connection refused","slop":1}}}`, "2: 1 5"},
		{`{"match_phrase":{"level":"ERROR"}}`, "2: 1 5"},
		{`{"match_phrase_prefix":{"message":"connection re"}}`, "2: 1 5"},
		{`{"match_bool_prefix":{"message":"refused conn"}}`, "3: 1 5 3"},
		{`{"multi_match":{"query":"ERROR","fields":["level","message"]}}`, "2: 1 5"},
		{`{"multi_match":{"query":"200","lenient":true}}`, "2: 2 3"},
		{`{"multi_match":{"query":"connection refused","type":"phrase"}}`, "1: 1"},
		{`{"multi_match":{"query":"INFO connection","type":"cross_fields","operator":"and","fields":["message","message"]}}`, "0:"},
		{`{"prefix":{"level":"E"}}`, "2: 1 5"},
		{`{"prefix":{"message":"conn"}}`, "3: 1 3 5"},
		{`{"wildcard":{"level":"?R*R"}}`, "2: 1 5"},
		{`{"wildcard":{"message":"re*d"}}`, "2: 1 5"},
		{`{"wildcard":{"level":{"value":"err*","case_insensitive":true}}}`, "2: 1 5"},
		{`{"regexp":{"level":"(ERR|WAR).*"}}`, "3: 1 4 5"},
		{`{"regexp":{"host.name":"h<2-3>"}}`, "3: 3 4 5"},
		{`{"fuzzy":{"level":"ERORR"}}`, "2: 1 5"},
		{`{"bool":{"must":[{"term":{"level":"ERROR"}}],"filter":[{"range":{"status":{"gte":503}}}]}}`, "1: 5"},
		{`{"bool":{"must_not":{"term":{"level":"ERROR"}}}}`, "3: 2 3 4"},
		{`{"bool":{"should":[{"term":{"level":"WARN"}},{"term":{"tags":"a"}},{"term":{"ok":false}}],"minimum_should_match":2}}`, "2: 1 4"},
		{`{"bool":{}}`, "5: 1 2 3 4 5"},
		{`{"bool":{"should":[{"match_none":{}}]}}`, "0:"},
		{`{"bool":{"filter":[{"match_all":{}}],"should":[]}}`, "5: 1 2 3 4 5"},
		{`{"constant_score":{"filter":{"term":{"level":"WARN"}},"boost":2}}`, "1: 4"},
		{`{"dis_max":{"queries":[{"term":{"level":"WARN"}},{"term":{"level":{"value":"INFO","boost":2}}}]}}`, "3: 2 3 4"},
		{`{"boosting":{"positive":{"match_all":{}},"negative":{"term":{"level":"INFO"}},"negative_boost":0.5}}`, "5: 1 4 5 2 3"},
		{`{"query_string":{"query":"level:ERROR AND status:[500 TO 502]"}}`, "1: 1"},
		{`{"query_string":{"query":"level:ERROR status:200"}}`, "4: 1 2 3 5"},
		{`{"query_string":{"query":"level:(ERROR OR WARN) AND NOT message:later"}}`, "2: 1 4"},
		{`{"query_string":{"query":"message:\"connection refused\"~1"}}`, "2: 1 5"},
		{`{"query_string":{"query":"+message:connection -level:INFO"}}`, "2: 1 5"},
		{`{"query_string":{"query":"status:>=500 || tags:c"}}`, "3: 1 4 5"},
		{`{"query_string":{"query":"message:conn* AND message:/re.*d/"}}`, "2: 1 5"},
		{`{"query_string":{"query":"_exists_:labels.env"}}`, "1: 5"},
		{`{"query_string":{"query":"took:*"}}`, "4: 1 2 3 5"},
		{`{"query_string":{"query":"*"}}`, "5: 1 2 3 4 5"},
		{`{"query_string":{"query":"conecton~2 refused","default_field":"message","default_operator":"and"}}`, "2: 1 5"},
		{`{"query_string":{"query":"refused"}}`, "2: 1 5"},
		{`{"query_string":{"query":"host.\\*:h3"}}`, "1: 5"},
		{`{"query_string":{"query":"a AND (b"}}`, "error query_shard_exception: Failed to parse query [a AND (b]"},
		{`{"simple_query_string":{"query":"connection + refused","fields":["message"]}}`, "2: 1 5"},
		{`{"simple_query_string":{"query":"\"connection refused\" | orders","fields":["message"]}}`, "2: 1 2"},
		{`{"simple_query_string":{"query":"conn* -opened ((","fields":["message"],"default_operator":"and"}}`, "2: 1 5"},
		{`{"nopenope":{}}`, "error parsing_exception: unknown query [nopenope] [1:11]"},
		{`{"trm":{}}`, "error parsing_exception: unknown query [trm] did you mean any of [term, terms]? [1:11]"},
		{`{"term":{"status":"x"}}`, `error query_shard_exception: failed to create query: For input string: "x"`},
	} {
		for _, n := range []int{1, 2, 5} {
			if got := ids(ask(t, `{"query":`+c.query+`}`, index(t, "logs", logsMapping, logs, n))); got != c.want {
				t.Errorf("%s over %d sources\n got %s\nwant %s", c.query, n, got, c.want)
			}
		}
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{`{"size":2,"sort":[{"@timestamp":"desc"}]}`, "5: 5 4"},
		{`{"size":2,"from":1,"sort":{"@timestamp":{"order":"desc"}}}`, "5: 4 3"},
		{`{"sort":["status",{"@timestamp":"desc"}]}`, "5: 3 2 4 1 5"},
		{`{"sort":[{"took":"desc"}]}`, "5: 5 3 1 2 4"},
		{`{"sort":[{"took":{"order":"asc","missing":"_first"}}]}`, "5: 4 2 1 3 5"},
		{`{"sort":[{"took":{"order":"asc","missing":2}}]}`, "5: 2 1 4 3 5"},
		{`{"sort":[{"level":"asc"},"_doc"]}`, "5: 1 5 2 3 4"},
		{`{"sort":[{"tags":{"order":"desc"}}]}`, "5: 4 1 2 3 5"},
		{`{"sort":[{"nope":{"order":"asc","unmapped_type":"long"}}]}`, "5: 1 2 3 4 5"},
		{`{"sort":["nope"]}`, "error query_shard_exception: No mapping found for [nope] in order to sort on"},
		{`{"sort":[{"@timestamp":"desc"}],"search_after":[1795355999999]}`, "5: 3 2 1"},
		{`{"sort":[{"@timestamp":"asc"},{"_id":"asc"}],"search_after":["2026-11-22T13:20:00Z","3"]}`, "5: 4 5"},
		{`{"track_total_hits":2}`, "2+: 1 2 3 4 5"},
		{`{"track_total_hits":true,"size":1,"query":{"term":{"level":"ERROR"}}}`, "2: 1"},
		{`{"size":0}`, "5:"},
		{`{"post_filter":{"term":{"level":"WARN"}}}`, "1: 4"},
		{`{"query":{"match":{"message":"connection refused"}},"min_score":0.5}`, "2: 1 5"},
		{`{"collapse":{"field":"level"},"sort":[{"@timestamp":"desc"}]}`, "5: 5 4 3"},
		{`{"collapse":{"field":"status"},"sort":["status"],"size":2,"from":1}`, "5: 4 1"},
		{`{"collapse":{"field":"message"}}`, "error illegal_argument_exception: unknown type for collapse field `message`, only keywords and numbers are accepted"},
		{`{"explain":true}`, "error parsing_exception: [explain] is not supported [1:12]"},
		{`{"stored_fields":["*"],"_source":{"excludes":[]},"runtime_mappings":{},"script_fields":{},"query":{"bool":{"must":[],"filter":[{"bool":{"should":[{"match_phrase":{"level":"WARN"}}],"minimum_should_match":1}}],"should":[],"must_not":[]}}}`, "1: 4"},
		{`{"from":-1}`, "error illegal_argument_exception: [from] parameter cannot be negative"},
		{`{"nope":{}}`, "error parsing_exception: Unknown key for a START_OBJECT in [nope]. [1:2]"},
	} {
		for _, n := range []int{1, 2, 5} {
			if got := ids(ask(t, c.body, index(t, "logs", logsMapping, logs, n))); got != c.want {
				t.Errorf("%s over %d sources\n got %s\nwant %s", c.body, n, got, c.want)
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const head = `{"took":0,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":`
	for _, c := range []struct{ body, want string }{
		{`{"size":1,"_source":["host.*","status"],"sort":[{"@timestamp":"desc"}]}`,
			head + `{"total":{"value":5,"relation":"eq"},"max_score":null,"hits":[{"_index":"logs","_id":"5","_score":null,"_source":{"status":503,"host":{"name":"h3"}},"sort":[1795356000000]}]}}`},
		{`{"size":1,"_source":false,"fields":["tags","host.*",{"field":"@timestamp","format":"epoch_millis"}],"version":true,"seq_no_primary_term":true}`,
			head + `{"total":{"value":5,"relation":"eq"},"max_score":1.0,"hits":[{"_index":"logs","_id":"1","_version":1,"_seq_no":0,"_primary_term":1,"_score":1.0,"fields":{"@timestamp":["1795352400000"],"host.name":["h1"],"tags":["a","b"]}}]}}`},
		{`{"size":1,"_source":false,"stored_fields":"_none_","docvalue_fields":[{"field":"took","format":"#.00"},{"field":"status","format":"0000.0"},"@timestamp"],"query":{"term":{"_id":"1"}}}`,
			head + `{"total":{"value":1,"relation":"eq"},"max_score":1.0,"hits":[{"_index":"logs","_score":1.0,"fields":{"@timestamp":["2026-11-22T13:00:00.000Z"],"status":["0500.0"],"took":["1.50"]}}]}}`},
		{`{"size":0,"track_total_hits":false}`, head + `{"max_score":null,"hits":[]}}`},
		{`{"size":0,"aggs":{"l":{"terms":{"field":"level"},"aggs":{"t":{"avg":{"field":"took"}}}},"m":{"missing":{"field":"took"}},"c":{"cardinality":{"field":"host.name"}}}}`,
			head + `{"total":{"value":5,"relation":"eq"},"max_score":null,"hits":[]},"aggregations":{"l":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[` +
				`{"key":"ERROR","doc_count":2,"t":{"value":5.75}},{"key":"INFO","doc_count":2,"t":{"value":1.375}},{"key":"WARN","doc_count":1,"t":{"value":null}}]},"m":{"doc_count":1},"c":{"value":3}}}`},
		{`{"size":0,"aggs":{"h":{"date_histogram":{"field":"@timestamp","fixed_interval":"30m"},"aggs":{"s":{"sum":{"field":"status"}}}}}}`,
			head + `{"total":{"value":5,"relation":"eq"},"max_score":null,"hits":[]},"aggregations":{"h":{"buckets":[` +
				`{"key_as_string":"2026-11-22T13:00:00.000Z","key":1795352400000,"doc_count":3,"s":{"value":900.0}},` +
				`{"key_as_string":"2026-11-22T13:30:00.000Z","key":1795354200000,"doc_count":1,"s":{"value":402.0}},` +
				`{"key_as_string":"2026-11-22T14:00:00.000Z","key":1795356000000,"doc_count":1,"s":{"value":503.0}}]}}}`},
	} {
		for _, n := range []int{1, 2, 5} {
			if got := ask(t, c.body, index(t, "logs", logsMapping, logs, n)); got != c.want {
				t.Errorf("%s over %d sources\n got %s\nwant %s", c.body, n, got, c.want)
			}
		}
	}
}

func TestManyZones(t *testing.T) {
	t.Parallel()
	var docs []string
	for i := range 10_000 {
		docs = append(docs, fmt.Sprintf(`{"@timestamp":%d,"level":"%s","status":%d,"message":"line %d of many"}`,
			now.UnixMilli()+int64(i)*1000, []string{"INFO", "ERROR", "WARN"}[i%3], 200+i%7, i))
	}
	ix := index(t, "logs", logsMapping, docs, 2)
	for body, want := range map[string]string{
		`{"size":3,"sort":[{"@timestamp":"desc"}],"track_total_hits":true}`:                                                    "10000: 10000 9999 9998",
		`{"size":3,"sort":[{"@timestamp":"desc"}],"query":{"term":{"level":"WARN"}},"track_total_hits":true}`:                  "3333: 9999 9996 9993",
		`{"size":2,"sort":[{"@timestamp":"desc"}],"query":{"range":{"status":{"gte":203,"lte":204}}},"track_total_hits":true}`: "2857: 10000 9994",
		`{"size":2,"sort":[{"status":"asc"},{"@timestamp":"desc"}],"query":{"match":{"message":"many"}}}`:                      "10000: 9997 9990",
		`{"size":1,"query":{"match_phrase":{"message":"line 4321 of"}}}`:                                                       "1: 4322",
		`{"size":2,"track_total_hits":100}`:                                                                                    "100+: 1 2",
	} {
		if got := ids(ask(t, body, ix)); got != want {
			t.Errorf("%s\n got %s\nwant %s", body, got, want)
		}
	}
	if got := ask(t, `{"size":0,"aggs":{"a":{"terms":{"field":"level"}}}}`, ix); !strings.Contains(got,
		`[{"key":"INFO","doc_count":3334},{"key":"ERROR","doc_count":3333},{"key":"WARN","doc_count":3333}]`) {
		t.Error(got)
	}
}

func TestHighlight(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Nothing of note happened here today. ", 5) + "Then the connection was refused. " + strings.Repeat("And then silence again for a while. ", 5)
	docs := append([]string{fmt.Sprintf(`{"message":%q,"level":"ERROR","@timestamp":1}`, long)}, logs...)
	ix := index(t, "logs", logsMapping, docs, 2)
	for _, c := range []struct{ body, want string }{
		{`{"query":{"match":{"message":"refused"}},"size":1,"sort":["_doc"],"_source":false,"highlight":{"fields":{"message":{}}}}`,
			`"highlight":{"message":["Nothing of note happened here today. Then the connection was <em>refused</em>. "]}`},
		{`{"query":{"match_phrase":{"message":"connection refused"}},"_source":false,"highlight":{"pre_tags":["["],"post_tags":["]"],"fields":{"*":{}},"fragment_size":2147483647}}`,
			`"highlight":{"message":["[Connection] [refused] by peer"]}`},
		{`{"query":{"query_string":{"query":"level:WARN AND 실패"}},"_source":false,"highlight":{"number_of_fragments":0,"fields":{"*":{}}}}`,
			`"highlight":{"level":["<em>WARN</em>"],"message":["결제 <em>실패</em>: 잔액 부족"]}`},
		{`{"query":{"prefix":{"message":"ord"}},"_source":false,"highlight":{"encoder":"html","fields":[{"message":{}},{"level":{"no_match_size":3}}]}}`,
			`"highlight":{"level":["INFO"],"message":["GET /api/<em>orders</em> 200"]}`},
		{`{"query":{"term":{"level":"WARN"}},"_source":false,"highlight":{"fields":{"message":{}}}}`, `"_score":1.0}`},
	} {
		if got := ask(t, c.body, ix); !strings.Contains(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.body, got, c.want)
		}
	}
}
