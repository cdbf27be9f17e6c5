package query

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/store/mapping"
)

// fuzzSource is a few documents for plans to run over.
func fuzzSource(t testing.TB) *Memory {
	t.Helper()
	m, err := mapping.Parse([]byte(`{"properties":{"@timestamp":{"type":"date"},"m":{"type":"text"},"k":{"type":"keyword"},"n":{"type":"long"},
		"f":{"type":"double"},"ip":{"type":"ip"},"b":{"type":"boolean"},"v":{"type":"version"},"lab":{"type":"flattened"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	src := NewMemory(m, mapping.DefaultLimits())
	for _, d := range []string{`{"@timestamp":"2026-01-01","m":"GET /a refused","k":"A","n":1,"f":1.5,"ip":"10.0.0.1","b":true,"v":"1.2.3","lab":{"x":"y"}}`,
		`{"m":["b c","d"],"k":["A","b"],"n":[-1,7]}`} {
		if err := src.Add([]byte(d), ""); err != nil {
			t.Fatal(err)
		}
	}
	return src
}

// runQuery plans and runs a query; errors are answers, panics are not.
func runQuery(t *testing.T, src *Memory, q Query) {
	t.Helper()
	for _, scores := range []bool{false, true} {
		p, err := NewPlan(q, Context{Index: "i", Mapping: src.Mapping(), Now: time.Unix(1767225600, 0), Scores: scores})
		if err != nil {
			continue
		}
		s := p.NewScan(src)
		var sel Selection
		n := 0
		if next, ok := s.Next(0); ok && next == 0 && s.Select(0, &sel) {
			n = sel.Count()
		}
		if c, ok := s.Count(); ok && c != n {
			t.Fatalf("counted %d rows, selected %d", c, n)
		}
		var out [ZoneRows]float32
		s.Score(0, &sel, &out)
		sel.Each(func(row int) {
			if out[row] > s.MaxScore() {
				t.Fatalf("score %g over the bound %g", out[row], s.MaxScore())
			}
		})
		p.Marks()
	}
}

func FuzzDSL(f *testing.F) {
	for _, s := range []string{`{"bool":{"must":[{"match":{"m":"refused"}}],"should":{"term":{"n":"1"}},"minimum_should_match":"2<75%"}}`,
		`{"range":{"@timestamp":{"gte":"now-1d/d","lt":"2026||+1M/M","time_zone":"+09:00"}}}`, `{"multi_match":{"query":"a b","type":"cross_fields","fields":["m","k^2"]}}`,
		`{"regexp":{"k":"a<1-20>|\"x\"&~(b)"}}`, `{"fuzzy":{"m":{"value":"refusd","fuzziness":"AUTO:1,2"}}}`, `{"dis_max":{"queries":[{"prefix":{"m":"g"}},{"exists":{"field":"lab"}}]}}`,
		`{"boosting":{"positive":{"match_all":{}},"negative":{"wildcard":{"k":"*?\\*"}},"negative_boost":0.5}}`, `{"kql":{"query":"m:(a or \"b c\") and n>=1"}}`,
		`{"query_string":{"query":"m:[a TO b} -k:A~1 \"x y\"~2^3 _exists_:ip /r.*/"}}`, `{"simple_query_string":{"query":"(a | b) + -\"c d\"~1 e*"}}`,
		`{"geo_bounding_box":{"g":{"top_left":"40,-74","bottom_right":"w3"}}}`, `{"geo_distance":{"distance":"12km","g":[126.9,37.5]}}`,
		`{"function_score":{"query":{"match":{"m":"a"}},"functions":[{"filter":{"term":{"k":"a"}},"weight":2},{"gauss":{"n":{"origin":1,"scale":2,"offset":1,"decay":0.3}}}],"score_mode":"avg","boost_mode":"sum","min_score":0.1}}`,
		`{"script_score":{"query":{"match_all":{}},"script":{"source":"doc['n'].empty ? 1 : saturation(doc['n'].value, params.k)","params":{"k":3}}}}`, `{"script":{"script":"doc['k'].length > 0 && doc['k'][0] == 'a'"}}`,
		`{"terms_set":{"k":{"terms":["a","b"],"minimum_should_match":2}}}`, `{"distance_feature":{"field":"@timestamp","origin":"now","pivot":"7d"}}`,
		`{"span_near":{"clauses":[{"span_term":{"m":"a"}},{"span_not":{"include":{"span_multi":{"match":{"prefix":{"m":"b"}}}},"exclude":{"span_term":{"m":"c"}},"dist":1}}],"slop":3,"in_order":false}}`,
		`{"span_first":{"match":{"span_or":{"clauses":[{"span_term":{"m":"a"}},{"field_masking_span":{"query":{"span_term":{"m":"b"}},"field":"m"}}]}},"end":2}}`,
		`{"term":{"ip":"10.0.0.0/8"}}`, `{"match_phrase_prefix":{"m":"get a re"}}`, `{"terms":{"lab.x":["y",1,true]}}`} {
		f.Add(s)
	}
	src := fuzzSource(f)
	f.Fuzz(func(t *testing.T, s string) {
		q, err := ParseText(s)
		if err != nil {
			return
		}
		runQuery(t, src, q)
	})
}

func FuzzLucene(f *testing.F) {
	for _, s := range []string{`a AND (b OR NOT c) k:x*`, `m:"a b"~2 OR f:>=1.5 && !b:true`, `k:[* TO "z"} \\ \: a\ b`, `+/re\/x/ -n:{1 TO 5]^2 _exists_:m~`} {
		f.Add(s, true)
	}
	src := fuzzSource(f)
	f.Fuzz(func(t *testing.T, s string, and bool) {
		op := "or"
		if and {
			op = "and"
		}
		q, err := ParseURLQuery(s, URLQuery{Operator: op})
		if err == nil {
			runQuery(t, src, q)
		}
		simple, err := parseSimpleQueryString(nil, "simple_query_string", &Node{Kind: Object, Keys: []Key{{Name: "query"}}, Vals: []*Node{{Kind: String, Str: s}}})
		if err != nil {
			t.Fatal(err)
		}
		runQuery(t, src, simple)
	})
}

func FuzzRequest(f *testing.F) {
	f.Add(`{"size":1,"from":2,"sort":["a",{"b":{"order":"desc","missing":"_first"}}],"_source":{"includes":["a"]},"highlight":{"fields":{"*":{}}},"slice":{"id":0,"max":2}}`)
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := ParseRequest(s); err != nil {
			_ = err.Error()
		}
	})
}

// FuzzJSON compares the request parser with encoding/json.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,true,null,"\u00e9\ud83d\ude00\n"],"b":{}}`, `[]`, ` "x" `, `01`, `1.`, `{"a":1,"a":2}`, `-`, `"\ud800"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseJSON(s)
		valid := json.Valid([]byte(s))
		if err == nil && !valid {
			t.Fatalf("%q is no JSON", s)
		}
		if err != nil {
			if valid && !strings.Contains(err.Error(), "Duplicate") && !strings.Contains(err.Error(), "nesting") {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if n.Kind == String && !json.Valid(AppendString(nil, n.Str)) {
			t.Fatalf("%q prints as %s", s, AppendString(nil, n.Str))
		}
		if n.Raw() != strings.Trim(s, " \t\r\n") {
			t.Fatalf("%q has raw %q", s, n.Raw())
		}
	})
}

// FuzzRegexp checks that translation gives an expression that behaves as Go's where the syntaxes agree.
func FuzzRegexp(f *testing.F) {
	for _, s := range []string{"a|b.c*", "[a-z]{2,3}(x|y)?", `"q.*"`, "<1-120>", "a&b", "~(abc)", `\.\d+`, "#@", "[^]x]"} {
		f.Add(s, "abc")
	}
	plain := regexp.MustCompile(`^[a-z|.()]*$`)
	f.Fuzz(func(t *testing.T, expr, s string) {
		if len(expr) > 200 {
			return
		}
		match, err := CompileRegexp(expr, "ALL", false)
		if err != nil {
			return
		}
		got := match([]byte(s))
		if p := literalPrefix(expr, false); got && !strings.HasPrefix(s, p) {
			t.Fatalf("%q matches %q, which does not start with %q", expr, s, p)
		}
		if plain.MatchString(expr) {
			if re, err := regexp.Compile(`(?s)\A(?:` + expr + `)\z`); err == nil && re.MatchString(s) != got {
				t.Fatalf("%q on %q: %v", expr, s, got)
			}
		}
	})
}

func TestRegexps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expr, yes, no string
	}{
		{"a.c", "abc a\nc", "ac abcd"}, {"(ab)+|x", "ab abab x", "aba"}, {"^a$", "^a$", "a"}, {`"a.c"`, "a.c", "abc"}, {"a@", "ax a", "b"},
		{"<9-120>", "9 10 99 100 120 0100", "8 121 1200"}, {"v<01-10>", "v01 v09 v10", "v1 v11"}, {"a.*&.*b", "ab axb", "a b"}, {"~(ab)", "a abc", "ab"},
		{`\d{2}`, "12", "1 123"}, {"[^a-c]x", "dx", "ax"}, {"[a\\]]+", "a]", "b"}, {"a{2,}", "aa aaa", "a"}, {`a\.b`, "a.b", "axb"}, {"x#|y", "y", "x#"},
	} {
		m, err := CompileRegexp(c.expr, "ALL", false)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		for _, s := range strings.Split(c.yes, " ") {
			if !m([]byte(s)) {
				t.Errorf("%s does not match %q", c.expr, s)
			}
		}
		for _, s := range strings.Split(c.no, " ") {
			if m([]byte(s)) {
				t.Errorf("%s matches %q", c.expr, s)
			}
		}
	}
	for _, expr := range []string{"(a", "a)", "*a", "[a", "a{x}", `"a`, "<1-", "(a&b)", "a~b", `a\`} {
		if _, err := CompileRegexp(expr, "ALL", false); err == nil {
			t.Errorf("%s compiles", expr)
		}
	}
}

func TestMinimumShouldMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spec    string
		n, want int
	}{{"2", 3, 2}, {"-1", 3, 2}, {"75%", 4, 3}, {"-25%", 4, 3}, {"2<75%", 2, 2}, {"2<75%", 4, 3}, {"2<-25% 9<-3", 10, 7}, {"5", 3, 5}, {"-5", 3, 0}, {"3<90%", 3, 3}} {
		if got, err := minimumShouldMatch(c.spec, c.n); err != nil || got != c.want {
			t.Errorf("%s of %d = %d, %v, want %d", c.spec, c.n, got, err, c.want)
		}
	}
}

func TestGlobAndWildcard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{{"a*c", "abc", true}, {"a*c", "ab", false}, {"*", "", true}, {"a**b*", "axxbx", true}, {"?b", "ab", true}, {"?", "é", true}, {`\*`, "*", true},
		{`\*`, "x", false}, {"*ab*ab", "abxab", true}, {"*aab", "aaab", true}, {"a?*c", "ac", false}, {"*?", "", false}} {
		if got := compileWildcard(c.pattern, false).match([]byte(c.s)); got != c.want {
			t.Errorf("wildcard %s on %q: %v", c.pattern, c.s, got)
		}
	}
	if !compileWildcard("eR*é", true).match([]byte("ERRÉ")) {
		t.Error("fold")
	}
	if !Glob("a.*.c", "a.b.c") || Glob("a", "ab") || !Glob("*", "x") {
		t.Error("glob")
	}
}
