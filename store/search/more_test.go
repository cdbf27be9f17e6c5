package search

import (
	"regexp"
	"strings"
	"testing"
)

const placesMapping = `{"properties":{"g":{"type":"geo_point"},"m":{"type":"text"},"k":{"type":"keyword"},"n":{"type":"long"},"t":{"type":"date"},"need":{"type":"integer"}}}`

var places = []string{
	`{"g":{"lat":37.5665,"lon":126.978},"m":"the quick brown fox jumps","k":["a","b","c"],"n":1,"t":"2026-11-22T13:00:00Z","need":2}`,
	`{"g":"35.1796,129.0756","m":"brown quick fox","k":["a"],"n":10,"t":"2026-11-21T14:00:00Z","need":2}`,
	`{"g":[[-73.98,40.75],[126.9,37.5]],"m":"a lazy dog sleeps","k":["b","c"],"n":100,"t":"2026-11-20T14:00:00Z"}`,
	`{"m":"quick and very brown","k":["c"],"t":"2026-11-22T14:00:00Z","need":1}`,
	`{"g":{"lat":-17.7,"lon":178.1},"n":4}`,
}

func TestMoreQueries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, want string }{
		{`{"geo_bounding_box":{"g":{"top_left":{"lat":38,"lon":126},"bottom_right":{"lat":37,"lon":128}}}}`, "2: 1 3"},
		{`{"geo_bounding_box":{"g":{"top":38,"left":126,"bottom":34,"right":130}}}`, "3: 1 2 3"},
		{`{"geo_bounding_box":{"g":{"wkt":"BBOX (170, -170, 0, -30)"}}}`, "1: 5"},
		{`{"geo_bounding_box":{"nope":{"top":38,"left":126,"bottom":34,"right":130},"ignore_unmapped":true}}`, "0:"},
		{`{"geo_distance":{"distance":"20km","g":"37.5,127"}}`, "2: 1 3"},
		{`{"geo_distance":{"distance":"330km","g":[126.978,37.5665]}}`, "3: 1 2 3"},
		{`{"geo_distance":{"distance":300000,"g":{"lat":-17,"lon":-179.5}}}`, "1: 5"},
		{`{"distance_feature":{"field":"t","origin":"2026-11-22T14:00:00Z","pivot":"1d"}}`, "4: 4 1 2 3"},
		{`{"distance_feature":{"field":"g","origin":"35,129","pivot":"10km"}}`, "4: 2 3 1 5"},
		{`{"script":{"script":{"source":"doc['n'].size() > 0 && doc['n'].value > params.min","params":{"min":1}},"boost":2}}`, "3: 2 3 5"},
		{`{"script":{"script":{"source":"doc.containsKey('zz') || doc['k'].length == 3"}}}`, "1: 1"},
		{`{"script":{"script":"doc['t'].empty ? false : doc['t'].value.toInstant().toEpochMilli() > 1795266000000L"}}`, "3: 1 2 4"},
		{`{"script_score":{"query":{"exists":{"field":"n"}},"script":{"source":"saturation(doc['n'].value, 10) * params.f","params":{"f":2}}}}`, "4: 3 2 5 1"},
		{`{"script_score":{"query":{"exists":{"field":"n"}},"min_score":1,"script":"saturation(doc['n'].value, 10) * 2"}}`, "2: 3 2"},
		{`{"function_score":{"query":{"exists":{"field":"n"}},"field_value_factor":{"field":"n","modifier":"log1p","missing":0}}}`, "4: 3 2 5 1"},
		{`{"function_score":{"functions":[{"filter":{"term":{"k":"c"}},"weight":5},{"filter":{"term":{"k":"a"}},"weight":3}],"score_mode":"sum","boost_mode":"replace"}}`, "5: 1 3 4 2 5"},
		{`{"function_score":{"functions":[{"filter":{"term":{"k":"c"}},"weight":5},{"filter":{"term":{"k":"a"}},"weight":3}],"score_mode":"first","min_score":4}}`, "3: 1 3 4"},
		{`{"function_score":{"query":{"exists":{"field":"t"}},"gauss":{"t":{"origin":"2026-11-21T14:00:00Z","scale":"1d","offset":"1h"}}}}`, "4: 2 1 3 4"},
		{`{"function_score":{"query":{"exists":{"field":"n"}},"linear":{"n":{"origin":10,"scale":5}}}}`, "4: 2 5 1 3"},
		{`{"function_score":{"query":{"ids":{"values":["2"]}},"random_score":{"seed":7,"field":"_seq_no"}}}`, "1: 2"},
		{`{"terms_set":{"k":{"terms":["a","b"],"minimum_should_match_field":"need"}}}`, "1: 1"},
		{`{"terms_set":{"k":{"terms":["a","c"],"minimum_should_match_field":"need"}}}`, "2: 1 4"},
		{`{"terms_set":{"k":{"terms":["b","c","zz"],"minimum_should_match_script":{"source":"Math.min(params.num_terms, 2)"}}}}`, "2: 1 3"},
		{`{"span_term":{"m":"brown"}}`, "3: 1 2 4"},
		{`{"span_near":{"clauses":[{"span_term":{"m":"quick"}},{"span_term":{"m":"brown"}}],"slop":0}}`, "1: 1"},
		{`{"span_near":{"clauses":[{"span_term":{"m":"quick"}},{"span_term":{"m":"brown"}}],"slop":2}}`, "2: 1 4"},
		{`{"span_near":{"clauses":[{"span_term":{"m":"quick"}},{"span_term":{"m":"brown"}}],"slop":0,"in_order":false}}`, "2: 1 2"},
		{`{"span_first":{"match":{"span_term":{"m":"quick"}},"end":1}}`, "1: 4"},
		{`{"span_not":{"include":{"span_term":{"m":"quick"}},"exclude":{"span_near":{"clauses":[{"span_term":{"m":"quick"}},{"span_term":{"m":"brown"}}],"slop":0}}}}`, "2: 2 4"},
		{`{"span_or":{"clauses":[{"span_term":{"m":"dog"}},{"span_multi":{"match":{"prefix":{"m":"jum"}}}}]}}`, "2: 1 3"},
		{`{"span_within":{"little":{"span_term":{"m":"brown"}},"big":{"span_near":{"clauses":[{"span_term":{"m":"quick"}},{"span_term":{"m":"fox"}}],"slop":5}}}}`, "1: 1"},
		{`{"span_near":{"clauses":[{"span_term":{"m":"a"}},{"span_term":{"k":"b"}}],"slop":1}}`, "clauses must have same field"},
		{`{"script":{"script":"doc['nope'].value > 1"}}`, "No field found for [nope] in mapping"},
		{`{"script":{"script":"doc['n'].value > 1"}}`, "A document doesn't have a value for a field!"},
		{`{"script_score":{"query":{"match_all":{}},"script":"0 - 1"}}`, "Must be a non-negative score"},
		{`{"geo_distance":{"g":"37.5,127"}}`, "requires 'distance'"},
	} {
		for _, n := range []int{1, 3} {
			got := ids(ask(t, `{"query":`+c.query+`}`, index(t, "places", placesMapping, places, n)))
			if exact := c.want[0] >= '0' && c.want[0] <= '9'; exact && got != c.want || !strings.Contains(got, c.want) {
				t.Errorf("%s from %d sources:\n got %s\nwant %s", c.query, n, got, c.want)
			}
		}
	}
}

// TestScoresOfFunctions: the numbers themselves.
func TestScoresOfFunctions(t *testing.T) {
	t.Parallel()
	scores := regexp.MustCompile(`"_score":([^,]*)`)
	for _, c := range []struct{ query, want string }{
		{`{"distance_feature":{"field":"t","origin":"2026-11-22T14:00:00Z","pivot":"1d"}}`, "1.0 0.96 0.5 0.33333334"},
		{`{"function_score":{"query":{"term":{"k":"a"}},"weight":4,"boost_mode":"sum"}}`, "5.0 5.0"},
		{`{"function_score":{"query":{"terms":{"n":[10]}},"exp":{"n":{"origin":0,"scale":10,"decay":0.25}}}}`, "0.25"},
		{`{"function_score":{"query":{"ids":{"values":["2"]}},"functions":[{"weight":2},{"weight":4}],"score_mode":"avg","max_boost":0.5,"boost":3}}`, "1.5"},
	} {
		var got []string
		for _, m := range scores.FindAllStringSubmatch(ask(t, `{"query":`+c.query+`}`, index(t, "places", placesMapping, places, 2)), -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.query, got, c.want)
		}
	}
}

// TestRelevance: BM25 worked out by hand. Three texts of 2, 4 and 1 words; "a" is in two of them, idf ln(1.6), "b" too.
func TestRelevance(t *testing.T) {
	t.Parallel()
	const m = `{"properties":{"m":{"type":"text"},"k":{"type":"keyword"},"s":{"type":"text","similarity":"boolean"},"only":{"type":"match_only_text"},"plain":{"type":"text","norms":false}}}`
	docs := []string{`{"m":"a b","s":"a","only":"a a","plain":"a b c","k":"a"}`, `{"m":"a a c d","s":"a a","only":"a","plain":"a"}`, `{"m":"b"}`}
	scored := regexp.MustCompile(`"_id":"(\d)","_score":([^,}]*)`)
	for _, c := range []struct{ query, want string }{
		{`{"match":{"m":"a"}}`, "2 0.24461156 1 0.2268983"},
		{`{"match":{"m":{"query":"a","boost":2}}}`, "2 0.48922312 1 0.4537966"},
		{`{"match":{"m":"a b"}}`, "1 0.4537966 3 0.27881572 2 0.24461156"},
		{`{"match_phrase":{"m":"a b"}}`, "1 0.4537966"},
		{`{"match":{"s":"a"}}`, "1 1.0 2 1.0"},
		{`{"match":{"only":"a"}}`, "1 1.0 2 1.0"},
		{`{"term":{"k":"a"}}`, "1 1.0"},
		{`{"prefix":{"m":"a"}}`, "1 1.0 2 1.0"},
		{`{"match":{"plain":"a"}}`, "1 0.082873434 2 0.082873434"},
		{`{"bool":{"filter":{"match":{"m":"a"}},"should":{"match":{"m":"b"}}}}`, "1 0.2268983 2 0.0"},
		{`{"constant_score":{"filter":{"match":{"m":"a"}},"boost":3}}`, "1 3.0 2 3.0"},
	} {
		for _, n := range []int{1, 3} {
			var got []string
			for _, h := range scored.FindAllStringSubmatch(ask(t, `{"query":`+c.query+`}`, index(t, "i", m, docs, n)), -1) {
				got = append(got, h[1], h[2])
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s from %d sources: %v, want %s", c.query, n, got, c.want)
			}
		}
	}
}
