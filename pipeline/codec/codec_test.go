package codec

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

// build makes the codec a configuration names.
func build(t *testing.T, text string, use Use) (Codec, conf.Errors) {
	t.Helper()
	f, errs := conf.Parse("t.conf", "input { x { codec => "+text+" } }")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	a := plugin.Read(f.Sections[0].Body[0].(*conf.Plugin), plugin.InputOptions, &errs)
	env := &plugin.Env{ECS: true, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	return New(a, env, "plain", use), errs.Faults()
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ codec, data, want string }{
		{`plain`, "text", `{"message":"text"}`},
		{`plain { charset => "EUC-KR" }`, "\xb7\xce\xb1\xd7", `{"message":"로그"}`},
		{`line { charset => "ISO-8859-1" }`, "caf\xe9", `{"message":"café"}`},
		{`json { charset => "UTF-16LE" }`, "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00", `{"a":1}`},
		{`json { target => "[d][e]" }`, `{"a":1}`, `{"d":{"e":{"a":1}}}`},
		{`json`, `[{"a":1},2]`, `{"a":1} {"message":"[{\"a\":1},2]","tags":["_jsonparsefailure"]}`},
		{`json`, `{"a":` + strings.Repeat("[", 100) + `}`, `{"message":"{\"a\":` + strings.Repeat("[", 100) + `}","tags":["_jsonparsefailure"]}`},
		{`json_lines`, ` {"a":1} `, `{"a":1}`},
		{`es_bulk`, "{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"2\"}}\n{\"create\":{}}\n{\"b\":2}\n",
			`{"a":1}@{"action":"index","_index":"i","_id":"1"} {}@{"action":"delete","_id":"2"} {"b":2}@{"action":"create"}`},
	} {
		c, errs := build(t, tt.codec, In)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		b := event.NewBatch(true)
		c.Decode(b, 0, tt.data)
		var got []string
		for _, e := range b.Events {
			s := string(e.AppendJSON(nil))
			if m := string(e.AppendMetaJSON(nil)); m != "{}" {
				s += "@" + m
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s of %q = %s, want %s", tt.codec, tt.data, s, tt.want)
		}
	}
}

func TestCodecFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`plain { charset => "KLINGON" }`: `unknown charset "KLINGON"`,
		`rubydebug`:                      "codec rubydebug only writes",
		`multiline { pattern => "(" what => "previous" }`: "is not closed",
		`multiline { what => "previous" }`:                "multiline needs the option pattern",
		`multiline { pattern => "x" what => "before" }`:   `"before" is not known`,
		`netflow`: `unknown codec "netflow"`,
	} {
		if _, errs := build(t, text, In); len(errs) != 1 || !strings.Contains(errs.Error(), want) {
			t.Errorf("%s: %v, want %s", text, errs, want)
		}
	}
}
