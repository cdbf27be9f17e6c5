package codec

import (
	"log/slog"
	"testing"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

// built makes a codec as a configuration names it.
func built(t testing.TB, text string, use Use) Codec {
	t.Helper()
	f, errs := conf.Parse("t.conf", "input { x { codec => "+text+" } }")
	a := plugin.Read(f.Sections[0].Body[0].(*conf.Plugin), []plugin.Option{{Name: "codec", Kind: plugin.Codec}}, &errs)
	c := New(a, &plugin.Env{ECS: true, Log: slog.New(slog.DiscardHandler)}, "plain", use)
	if len(errs.Faults()) > 0 {
		t.Fatal(errs)
	}
	return c
}

// FuzzFormats: whatever comes in, every message becomes events that can be written as JSON.
func FuzzFormats(f *testing.F) {
	f.Add("CEF:0|a|b|c|d|e|5|src=1 msg=a \\= b x[0]=y =")
	f.Add("\"a\"\"b\",c,\"")
	f.Add(`{"index":{"_index":"x"}}` + "\n" + `{"a":1}`)
	var codecs []Codec
	for _, text := range []string{"cef", "cef { ecs_compatibility => disabled }", `csv { columns => ["a", "[a][b]"] convert => { "a" => date } }`, "es_bulk", "json"} {
		codecs = append(codecs, built(f, text, In))
	}
	f.Fuzz(func(t *testing.T, data string) {
		for _, c := range codecs {
			b := event.NewBatch(true)
			c.Decode(b, 0, data)
			for _, e := range b.Events {
				if _, err := event.NewBatch(false).ParseJSON(string(e.AppendJSON(nil))); err != nil {
					t.Fatalf("%T of %q gives %s: %v", c, data, e.AppendJSON(nil), err)
				}
			}
		}
	})
}
