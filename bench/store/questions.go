package main

import "fmt"

// question is one query in both languages.
type question struct {
	name, ours, theirs string
}

const index = "logs-bench-default"

func count(query string) string {
	return fmt.Sprintf(`{"size":0,"track_total_hits":true,"query":%s}`, query)
}

func iso(ms int64) string { return fmt.Sprintf("%d", ms) }

// questions are those of the goal: what people ask of logs. LogsQL's times are Unix ms here.
var questions = []question{
	{"trace.id of nobody", count(`{"term":{"trace.id":"00000000000000000000000000000000"}}`), `trace.id:="00000000000000000000000000000000" | count() n`},
	{"a word that is nowhere", count(`{"match":{"message":"xyzzy"}}`), `xyzzy | count() n`},
	{"common word, GET", count(`{"match":{"message":"GET"}}`), `GET | count() n`},
	{"error in any case", count(`{"match":{"message":"error"}}`), `i(error) | count() n`},
	{"phrase Received block", count(`{"match_phrase":{"message":"Received block"}}`), `"Received block" | count() n`},
	{"phrase of arguments too", count(`{"match_phrase":{"message":"answered 503 after"}}`), `"answered 503 after" | count() n`},
	{"prefix auth*", count(`{"prefix":{"message":"auth"}}`), `i(auth*) | count() n`},
	{"regexp .*fail.*, any case", count(`{"regexp":{"message":".*fail.*"}}`), `~"(?i)fail" | count() n`},
	{"log.level is ERROR", count(`{"term":{"log.level":"ERROR"}}`), `log.level:=ERROR | count() n`},
	{"status >= 400", count(`{"range":{"http.response.status_code":{"gte":400}}}`), `http.response.status_code:>=400 | count() n`},
	{"date histogram 1 h of all", `{"size":0,"aggs":{"a":{"date_histogram":{"field":"@timestamp","fixed_interval":"1h"}}}}`, `* | stats by (_time:1h) count() n`},
	{"date histogram 5 m of ERROR", `{"size":0,"query":{"term":{"log.level":"ERROR"}},"aggs":{"a":{"date_histogram":{"field":"@timestamp","fixed_interval":"5m"}}}}`,
		`log.level:=ERROR | stats by (_time:5m) count() n`},
	{"date histogram 30 m by service", `{"size":0,"aggs":{"a":{"date_histogram":{"field":"@timestamp","fixed_interval":"30m"},"aggs":{"s":{"terms":{"field":"service.name","size":20}}}}}}`,
		`* | stats by (_time:30m, service.name) count() n`},
	{"top 10 url.path", `{"size":0,"aggs":{"a":{"terms":{"field":"url.path"}}}}`, `* | top 10 by (url.path)`},
	{"top 10 source.ip", `{"size":0,"aggs":{"a":{"terms":{"field":"source.ip"}}}}`, `* | top 10 by (source.ip)`},
	{"top 10 trace.id", `{"size":0,"aggs":{"a":{"terms":{"field":"trace.id"}}}}`, `* | top 10 by (trace.id)`},
	{"cardinality of source.ip", `{"size":0,"aggs":{"a":{"cardinality":{"field":"source.ip"}}}}`, `* | count_uniq(source.ip) n`},
	{"avg and p99 by service", `{"size":0,"aggs":{"a":{"terms":{"field":"service.name","size":20},"aggs":{"v":{"avg":{"field":"event.duration"}},"p":{"percentiles":{"field":"event.duration","percents":[99]}}}}}}`,
		`* | stats by (service.name) avg(event.duration) v, quantile(0.99, event.duration) p`},
	{"newest 50", `{"size":50,"sort":[{"@timestamp":"desc"}]}`, `* | sort by (_time desc) limit 50`},
	{"newest 500 with a word", `{"size":500,"sort":[{"@timestamp":"desc"}],"query":{"match":{"message":"block"}}}`, `block | sort by (_time desc) limit 500`},
	{"newest 50 in 15 m", fmt.Sprintf(`{"size":50,"sort":[{"@timestamp":"desc"}],"query":{"range":{"@timestamp":{"gte":%s,"lt":%s}}}}`, iso(day+36_000_000), iso(day+36_900_000)),
		`_time:[2027-03-01T10:00:00Z, 2027-03-01T10:15:00Z) | sort by (_time desc) limit 50`},
	{"_id lookup", "", ""},
}
