package query

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/weirlog/weir/store/mapping"
)

// sexpr prints a tree: fields and values as they were read, phrases in quotes.
func sexpr(n *kqlNode) string {
	lit := func(l kqlLiteral) string {
		if l.quoted {
			return fmt.Sprintf("%q", l.text)
		}
		return l.pattern(func(s string) string { return strings.ReplaceAll(s, "*", `\*`) })
	}
	var kids []string
	for _, k := range n.kids {
		kids = append(kids, sexpr(k))
	}
	all := strings.Join(kids, ", ")
	switch n.op {
	case kqlAnd:
		return "and(" + all + ")"
	case kqlOr:
		return "or(" + all + ")"
	case kqlNot:
		return "not(" + all + ")"
	case kqlIs:
		return lit(n.field) + "=" + lit(n.value)
	case kqlRange:
		return lit(n.field) + " " + n.cmp + " " + lit(n.value)
	case kqlNested:
		return "nested(" + lit(n.field) + ", " + all + ")"
	case kqlText:
		return "text " + lit(n.value)
	}
	return "all"
}

func TestKQLReadings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", "all"}, {"  ", "all"},
		{"connection refused", "text connection refused"},
		{`"connection refused"`, `text "connection refused"`},
		{"a b or c", "or(text a b, text c)"},
		{"a:b or c", "or(a=b, text c)"},
		{"level:(ERROR or WARN)", "or(level=ERROR, level=WARN)"},
		{"a:(b and not c)", "and(a=b, not(a=c))"},
		{"a:b c", "a=b c"},
		{"a:(b c)", "a=b c"},
		{"not level:(a and b)", "not(and(level=a, level=b))"},
		{"not (not a)", "not(not(text a))"},
		{"level:A or level:B and not s:c", "or(level=A, and(level=B, not(s=c)))"},
		{"status:404 or 500", "or(status=404, text 500)"},
		{"user:{name:kim and age>3}", "nested(user, and(name=kim, age gt 3))"},
		{"user:{names:{first:x}}", "nested(user, nested(names, first=x))"},
		{"message:*Exception*", "message=*Exception*"},
		{"*:x", "*=x"}, {"trace*:abc", "trace*=abc"},
		{`message:"*Exception*"`, `message="*Exception*"`},
		{"foo AND", "text foo AND"}, {"AND foo", "text AND foo"}, {"not", "text not"}, {"a:or", "a=or"},
		{"knot", "text knot"}, {"orx", "text orx"},
		{"android and or", "and(text android, text or)"},
		{"-foo", "text -foo"}, {"+foo", "text +foo"}, {"foo?ar", "text foo?ar"}, {"[ERROR]", "text [ERROR]"}, {"k=v", "text k=v"}, {"a^2", "text a^2"},
		{"message:결제 실패", "message=결제 실패"},
		{"level : ERROR", "level=ERROR"},
		{"a<5 and b>=6", "and(a lt 5, b gte 6)"},
		{`path:C\:\\tmp`, `path=C:\tmp`},
		{"a:null", "a=null"},
		{`a\:b:c`, "a:b=c"}, {`"a b":c`, `"a b"=c`}, {`"message":x`, `"message"=x`},
		{`a:\or b`, "a=or b"}, {`x:\u0041`, "x=A"},
		{"@timestamp > now-1h", "@timestamp gt now-1h"}, {"@timestamp<=now/d", "@timestamp lte now/d"},
		{`ts > "2026-01-01T00:00:00Z"`, `ts gt "2026-01-01T00:00:00Z"`},
		{"a:b  OR  c:d", "or(a=b, c=d)"},
		{"(a or b) and c", "and(or(text a, text b), text c)"},
		{"a:(b or (c and d))", "or(a=b, and(a=c, a=d))"},
		{`a:b\*`, `a=b\*`},
		// What Kibana refuses.
		{"cannot open file", "text cannot open file"},
		{"level:ERROR service:mvc", "and(level=ERROR, service=mvc)"},
		{"level:ERROR timeout service:mvc", "and(level=ERROR timeout, service=mvc)"},
		{`level:"ERROR" service:"mvc"`, `and(level="ERROR", service="mvc")`},
		{"url:http://x/y", "url=http://x/y"}, {"a: b:c", "a=b:c"},
		{"url:http://x/y level:E", "and(url=http://x/y, level=E)"},
		{"level:ERROR AND(service:a)", "and(level=ERROR, service=a)"}, {"not(a)", "not(text a)"},
		{"not not a", "not(not(text a))"}, {"a:<5", "a lt 5"}, {`a:b\ c`, "a=b c"},
		{"a:1 status>=500 or c", "or(and(a=1, status gte 500), text c)"},
		{"(a) (b)", "and(text a, text b)"}, {`"a" "b"`, `and(text "a", text "b")`},
		{"a:b not c:d", "and(a=b, not(c=d))"},
	} {
		p := &kqlParser{text: c.in}
		n, err := p.parse()
		if err != nil {
			t.Errorf("%q: %v, want %s", c.in, err, c.want)
			continue
		}
		if got := sexpr(n); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.in, got, c.want)
		}
	}
}

func TestKQLErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in  string
		at  int
		fix string
	}{
		{"level:", 6, "level:*"}, {"not ", 4, `"not"`}, {"a:(x", 4, "a:(x)"}, {`a:"x`, 2, `a:"x"`}, {"{a:1}", 0, `"{a:1}"`},
		{"a)", 1, "a"}, {"()", 1, ""}, {"a:()", 3, ""}, {"a >", 3, "a :*"}, {"a:{b:c", 6, "a:{b:c}"}, {"결제:", 3, "결제:*"},
	} {
		k := ParseKQL(c.in, KQLOptions{Cursor: -1})
		if k.Error == nil || k.Error.At != c.at || k.Error.Fix != c.fix || k.Error.Expected == "" {
			t.Errorf("%q: %+v, want error at %d with fix %q", c.in, k.Error, c.at, c.fix)
		}
		if c.fix != "" {
			if k := ParseKQL(c.fix, KQLOptions{Cursor: -1}); k.Error != nil {
				t.Errorf("fix %q: %v", c.fix, k.Error)
			}
		}
	}
}

func TestKQLTokensAndHints(t *testing.T) {
	t.Parallel()
	k := ParseKQL(`결제:ERROR service:"a b" and not (x > 1 or y)`, KQLOptions{Cursor: -1})
	want := []KQLToken{{0, 2, "field"}, {2, 3, "operator"}, {3, 8, "value"}, {9, 16, "field"}, {16, 17, "operator"}, {17, 22, "value"},
		{23, 26, "keyword"}, {27, 30, "keyword"}, {31, 32, "paren"}, {32, 33, "field"}, {34, 35, "operator"}, {36, 37, "value"},
		{38, 40, "keyword"}, {41, 42, "text"}, {42, 43, "paren"}}
	if !reflect.DeepEqual(k.Tokens, want) {
		t.Errorf("tokens %v\nwant %v", k.Tokens, want)
	}
	if len(k.Hints) != 1 || k.Hints[0].Code != "kql-implicit-and" || !strings.HasPrefix(k.Hints[0].Text, "결제:ERROR and service:") {
		t.Errorf("hints %+v", k.Hints)
	}
	for in, code := range map[string]string{"foo AND": "kql-trailing-keyword", "-foo": "kql-minus", "u:http://x": "kql-colon-in-value",
		"a:<5": "kql-colon-comparison", `p:c\dir`: "kql-backslash"} {
		if k := ParseKQL(in, KQLOptions{Cursor: -1}); len(k.Hints) != 1 || k.Hints[0].Code != code {
			t.Errorf("%q: hints %+v, want %s", in, k.Hints, code)
		}
	}
}

func TestKQLDSL(t *testing.T) {
	t.Parallel()
	m, err := mapping.Parse([]byte(`{"properties":{"message":{"type":"text"},"level":{"type":"keyword"},"@timestamp":{"type":"date"},
		"trace":{"properties":{"id":{"type":"keyword"},"name":{"type":"keyword"}}},"n":{"type":"long"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, want string }{
		{"", `{"match_all":{}}`}, {"*", `{"match_all":{}}`}, {"*:*", `{"match_all":{}}`},
		{"level:ERROR", `{"term":{"level":{"value":"ERROR"}}}`},
		{"level:E*R", `{"wildcard":{"level":{"value":"E*R"}}}`},
		{"message:a*b?", `{"query_string":{"fields":["message"],"query":"a*b\\?"}}`},
		{"message:x y", `{"match":{"message":"x y"}}`}, {`message:"x y"`, `{"match_phrase":{"message":"x y"}}`},
		{"n>=5", `{"range":{"n":{"gte":"5"}}}`},
		{"@timestamp:2026-11-22", `{"range":{"@timestamp":{"gte":"2026-11-22","lte":"2026-11-22","time_zone":"Asia/Seoul"}}}`},
		{"@timestamp > 1795356000000", `{"range":{"@timestamp":{"gt":"1795356000000"}}}`},
		{"level:*", `{"exists":{"field":"level"}}`},
		{"level:null", `{"bool":{"must_not":[{"exists":{"field":"level"}}]}}`},
		{"ok:true", `{"match":{"ok":true}}`},
		{"timeout", `{"multi_match":{"type":"best_fields","query":"timeout","lenient":true}}`},
		{`"a b"`, `{"multi_match":{"type":"phrase","query":"a b","lenient":true}}`},
		{"time*out (x)", `{"bool":{"filter":[{"query_string":{"query":"time*out"}},{"multi_match":{"type":"best_fields","query":"x","lenient":true}}]}}`},
		{"a:b and not c:d or e:f", `{"bool":{"should":[{"bool":{"filter":[{"match":{"a":"b"}},{"bool":{"must_not":[{"match":{"c":"d"}}]}}]}},{"match":{"e":"f"}}],"minimum_should_match":1}}`},
		{"trace.*:x", `{"bool":{"should":[{"term":{"trace.id":{"value":"x"}}},{"term":{"trace.name":{"value":"x"}}}],"minimum_should_match":1}}`},
		{"u:{n:1}", `{"nested":{"path":"u","query":{"match":{"u.n":"1"}},"score_mode":"none"}}`},
	} {
		k := ParseKQL(c.in, KQLOptions{Mapping: m, TimeZone: "Asia/Seoul", Cursor: -1})
		if k.Error != nil || string(k.DSL) != c.want {
			t.Errorf("%q\n got %s %v\nwant %s", c.in, k.DSL, k.Error, c.want)
		}
		if _, err := ParseText(string(k.DSL)); err != nil {
			t.Errorf("%q: %v", c.in, err)
		}
	}
}

func TestKQLComplete(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, kinds, word, field, path string }{ // | is the cursor
		{"|", "field operator conjunction", "", "", ""},
		{"lev|", "field operator conjunction", "lev", "", ""},
		{"lev|el:x", "field operator conjunction", "level", "", ""},
		{"level:|", "value conjunction", "", "level", ""},
		{"level : ER|", "value conjunction", "ER", "level", ""},
		{"level:ERROR and ser|", "field operator conjunction", "ser", "", ""},
		{"level:(ERROR or W|", "value", "W", "level", ""},
		{"level:(ERROR or WARN) |", "conjunction", "", "", ""},
		{`level:"ERROR" a|`, "conjunction", "a", "", ""},
		{"user:{na|", "field operator conjunction", "na", "", "user."},
		{"user:{name:k|", "value conjunction", "k", "user.name", "user."},
		{"n>=1|", "value conjunction", "1", "n", ""},
		{`level:"ER|`, "value conjunction", `"ER`, "level", ""},
	} {
		at := strings.IndexByte(c.in, '|')
		text := c.in[:at] + c.in[at+1:]
		k := ParseKQL(text, KQLOptions{Cursor: at})
		got := k.Complete
		if strings.Join(got.Kinds, " ") != c.kinds || text[got.From:got.To] != c.word || got.Field != c.field || got.Path != c.path {
			t.Errorf("%q: %+v, want %+v", c.in, got, c)
		}
	}
	names := []string{"destination.geo.name", "geo.city", "source.geo.name", "geo.dest", "host"}
	if got := CompleteFields(names, "geo dest", 10); !reflect.DeepEqual(got, []string{"destination.geo.name", "geo.dest"}) {
		t.Errorf("fields %v", got)
	}
	for in, want := range map[string]string{"a": "a", "a b": `"a b"`, "or": `"or"`, `x"y\`: `"x\"y\\"`, "": `""`} {
		if got := QuoteKQL(in); got != want {
			t.Errorf("quote %q = %s", in, got)
		}
	}
}

func FuzzKQL(f *testing.F) {
	for _, s := range []string{"level:ERROR service:mvc", "not not (a:b or c)", `a:"x\u0041`, "u:{a:(b c)}", "url:http://x/y", `\or \* \\ \q`, "a:<5 x:é\u00a0or b"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, cursor int) {
		k := ParseKQL(s, KQLOptions{Cursor: max(0, cursor)})
		n := utf16Offsets(s)(len(s))
		end := 0
		for _, tok := range k.Tokens {
			if tok.From < end || tok.To <= tok.From || tok.To > n {
				t.Fatalf("%q: token %+v of %v", s, tok, k.Tokens)
			}
			end = tok.To
		}
		if c := k.Complete; c.From > c.To || c.To > n || c.From < 0 {
			t.Fatalf("%q: %+v", s, c)
		}
		if k.Error != nil {
			if k.Error.At < 0 || k.Error.At > n {
				t.Fatalf("%q: %+v", s, k.Error)
			}
			return
		}
		if _, err := ParseJSON(string(k.DSL)); err != nil {
			t.Fatalf("%q: %s: %v", s, k.DSL, err)
		}
	})
}
