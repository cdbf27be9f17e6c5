package plugin

import (
	"strings"
	"testing"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
)

func newEvent(t *testing.T, s string) *event.Event {
	t.Helper()
	b := event.NewBatch(true)
	e := b.New(0)
	if err := b.DecodeObject(e, s); err != nil {
		t.Fatal(err)
	}
	ns, _ := event.ParseISO("2026-11-22T23:50:01.250Z")
	e.SetTimestamp(ns)
	return e
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"plain", "plain"}, {"%{a}-%{[b][c]}", "1-x"}, {"%{l}", "1,two,{\"z\":1}"}, {"%{b}", `{"c":"x","d":1.50}`}, {"%{f}", "1.0E10"},
		{"%{gone}", "%{gone}"}, {"%{nil}", "%{nil}"}, {"%{+yyyy.MM.dd}", "2026.11.22"}, {"%{+%s}", "1795391401"}, {"%{}", "1795391401"},
		{"%{{uuuu-'w'ww}}", "2026-w47"}, {"%%{a}", "%1"}, {"%{a", "%{a"}, {"100%", "100%"}, {"%{@timestamp}", "2026-11-22T23:50:01.250Z"},
		{"%{esc}", "a\nb"}, {"x%{esc}y%{l}", "xa\nby1,two,{\"z\":1}"},
	} {
		tpl, err := ParseTemplate(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		e := newEvent(t, `{"a":1,"b":{"c":"x","d":1.50},"l":[1,"t\u0077o",{"z":1}],"f":1e10,"nil":null,"esc":"a\nb"}`)
		if got := tpl.Render(e); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.text, got, tt.want)
		}
	}
	for _, s := range []string{"%{+ISO8601}", "%{foo]}", "%{+bb}", "%{[a}", "%{{QQ'}}"} {
		if _, err := ParseTemplate(s); err == nil {
			t.Errorf("%s was taken", s)
		}
	}
}

func read(t *testing.T, src string) (*Args, conf.Errors) {
	t.Helper()
	f, errs := conf.Parse("t.conf", "filter { "+src+" }")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	opts := append([]Option{
		{Name: "match", Kind: Hash}, {Name: "n", Kind: Number, Default: "3"}, {Name: "mode", Enum: []string{"fast", "slow"}, Default: "fast"},
		{Name: "b", Kind: Boolean}, {Name: "size", Kind: Bytes}, {Name: "old", Obsolete: "use new"}, {Name: "need", Required: true}, {Name: "list", Kind: Array},
	}, FilterOptions...)
	a := Read(f.Sections[0].Body[0].(*conf.Plugin), opts, &errs)
	return a, errs
}

func TestOptionFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ src, want string }{
		{`x { need => 1 mtach => { } }`, `x has no option "mtach" (did you mean match?)`},
		{`x { }`, `x needs the option need`},
		{`x { need => 1 n => "a" }`, `option n: "a" is not a number`},
		{`x { need => 1 mode => "fats" }`, `option mode: "fats" is not known (did you mean fast?)`},
		{`x { need => 1 b => "yes" }`, `"yes" is neither true nor false`},
		{`x { need => 1 size => "ten" }`, `not a number of bytes`},
		{`x { need => 1 old => 1 }`, `option old of x is gone (use new)`},
		{`x { need => 1 match => "a" }`, `option match takes a hash`},
		{`x { need => { "a" => "b" } }`, `option need takes a string`},
	} {
		if _, errs := read(t, tt.src); len(errs) != 1 || !strings.Contains(errs.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.src, errs, tt.want)
		}
	}
}

func TestOptionValues(t *testing.T) {
	t.Parallel()
	a, errs := read(t, `x { need => word match => { "a" => "b" } list => "one" list => ["two"] size => "10 MiB" b => true match => { "c" => ["d", 5] } }`)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := strings.Join(a.Strings("list"), " "); got != "one two" {
		t.Errorf("list = %s", got)
	}
	if a.Bytes("size") != 10<<20 || !a.Bool("b") || a.Int("n") != 3 || a.String("mode") != "fast" || a.String("need") != "word" {
		t.Error("scalars differ")
	}
	if p := a.Pairs("match"); len(p) != 2 || !p[1].List {
		t.Error("match has no pairs")
	}
}

func TestCommon(t *testing.T) {
	t.Parallel()
	f, _ := conf.Parse("t.conf", `filter { x { add_field => { "n_%{a}" => "%{a}" "l" => ["x", "y"] "[deep][er]" => 5 } remove_field => ["a"] add_tag => ["t%{l}"] remove_tag => ["old"] } }`)
	var errs conf.Errors
	c := NewCommon(Read(f.Sections[0].Body[0].(*conf.Plugin), FilterOptions, &errs))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	e := newEvent(t, `{"a":"1","l":"w","tags":["old"]}`)
	c.Apply(e)
	want := `{"@timestamp":"2026-11-22T23:50:01.250Z","l":["w","x","y"],"tags":["tw,x,y"],"n_1":"1","deep":{"er":"5"}}`
	if got := string(e.AppendJSON(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
