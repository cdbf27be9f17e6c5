package filter

import (
	"encoding/json"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

// build makes the filter a configuration describes.
func build(t testing.TB, text string) Filter {
	t.Helper()
	f, errs := conf.Parse("t.conf", "filter { "+text+" }")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := f.Sections[0].Body[0].(*conf.Plugin)
	spec := Find(p.Name)
	env := &plugin.Env{ECS: true, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	a := plugin.Read(p, append(spec.Options, plugin.FilterOptions...), &errs)
	fl := spec.New(a, env)
	if len(errs.Faults()) > 0 {
		t.Fatal(errs)
	}
	return fl
}

// fuzzMessage feeds any text to filters and checks that what comes out is JSON.
func fuzzMessage(f *testing.F, confs []string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range confs {
			fl := build(t, c)
			b := event.NewBatch(true)
			e := b.New(0)
			e.AddField("message", event.String(text))
			fl.Filter(e)
			for _, e := range b.Events {
				if out := e.AppendJSON(nil); !json.Valid(out) {
					t.Fatalf("%q through %s gives %q", text, c, out)
				}
			}
		}
	})
}

func FuzzKV(f *testing.F) {
	fuzzMessage(f, []string{`kv { }`, `kv { field_split => "&;" value_split => ":" whitespace => strict recursive => true allow_empty_values => true target => "kv" }`,
		`kv { field_split_pattern => "\s+" value_split_pattern => "=+" trim_value => "<>" }`}, `a=1 b="x y" c=[z] d= e =f`, `a:b&c:(d=e)`, `a\ b=c`)
}

func FuzzCSV(f *testing.F) {
	fuzzMessage(f, []string{`csv { }`, `csv { separator => ";" quote_char => "'" columns => ["a", "[b][c]"] convert => { "a" => "integer" "column3" => "date" } skip_empty_columns => true }`},
		`a,"b ""c""",d`, `'x;y';z`, "1;2;2020-01-01\r\n")
}

func FuzzJSONFilter(f *testing.F) {
	fuzzMessage(f, []string{`json { source => "message" }`, `json { source => "message" target => "[a][b]" }`}, `{"a":{"b":[1]},"@timestamp":"x","tags":[1]}`, `[1]`, `{"@metadata":{"x":1}}`)
}

func FuzzDissect(f *testing.F) {
	fuzzMessage(f, []string{`dissect { mapping => { "message" => "%{a} %{+a} [%{?k}=%{&k}] %{b->}: %{c}" } }`}, `1 2 [x=y] z: w`, `1 2 [[=y] z: w`)
}
