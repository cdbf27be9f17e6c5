package ingest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/store/painless"
)

func service(defs map[string]string) *Service {
	return New(func(id string) (json.RawMessage, bool) {
		b, ok := defs[id]
		return json.RawMessage(b), ok
	}, Filters{})
}

// through runs one processor, or a list of them, over a document and gives its source.
func through(t *testing.T, s *Service, processors, doc string) (string, *Document, error) {
	t.Helper()
	p, err := s.Compile("p", []byte(`{"processors":[`+processors+`]}`))
	if err != nil {
		return "", nil, err
	}
	d, err := NewDocument("logs-app-default", "1", "", []byte(doc), time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	err = s.RunPipeline(p, d, nil)
	return string(painless.AppendJSON(nil, d.Source)), d, err
}

func TestProcessors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ processor, doc, want string }{
		{`{"set":{"field":"a.b","value":[1,"{{x}}"]}}`, `{"x":"y"}`, `{"x":"y","a":{"b":[1,"y"]}}`},
		{`{"set":{"field":"a","value":2,"override":false}}`, `{"a":1}`, `{"a":1}`},
		{`{"set":{"field":"b","copy_from":"a"}}`, `{"a":{"c":1}}`, `{"a":{"c":1},"b":{"c":1}}`},
		{`{"set":{"field":"a","value":"{{none}}","ignore_empty_value":true}}`, `{}`, `{}`},
		{`{"append":{"field":"t","value":["b","a"],"allow_duplicates":false}}`, `{"t":"a"}`, `{"t":["a","b"]}`},
		{`{"remove":{"field":["a","none"],"ignore_missing":true}}`, `{"a":1,"b":2}`, `{"b":2}`},
		{`{"remove":{"keep":["a.b","d"]}}`, `{"a":{"b":1,"c":2},"d":{"e":3},"f":4}`, `{"a":{"b":1},"d":{"e":3}}`},
		{`{"rename":{"field":"a","target_field":"b.c"}}`, `{"a":1}`, `{"b":{"c":1}}`},
		{`{"convert":{"field":"a","type":"integer"}}`, `{"a":["1","0x10"]}`, `{"a":[1,16]}`},
		{`{"convert":{"field":"a","type":"auto","target_field":"b"}}`, `{"a":"1.5"}`, `{"a":"1.5","b":1.5}`},
		{`{"convert":{"field":"a","type":"boolean"}}`, `{"a":"TRUE"}`, `{"a":true}`},
		{`{"convert":{"field":"a","type":"string"}}`, `{"a":1.0}`, `{"a":"1.0"}`},
		{`{"date":{"field":"a","formats":["ISO8601"]}}`, `{"a":"2026-01-02T03:04:05+09:00"}`, `{"a":"2026-01-02T03:04:05+09:00","@timestamp":"2026-01-01T18:04:05.000Z"}`},
		{`{"date":{"field":"a","formats":["dd/MMM/yyyy:HH:mm:ss Z"],"timezone":"Asia/Seoul","target_field":"t"}}`, `{"a":"02/Jan/2026:03:04:05 +0000"}`, `{"a":"02/Jan/2026:03:04:05 +0000","t":"2026-01-02T12:04:05.000+09:00"}`},
		{`{"date":{"field":"a","formats":["UNIX"],"target_field":"a"}}`, `{"a":1.5}`, `{"a":"1970-01-01T00:00:01.500Z"}`},
		{`{"date":{"field":"a","formats":["UNIX_MS"],"target_field":"a","output_format":"yyyy"}}`, `{"a":"1767225600000"}`, `{"a":"2026"}`},
		{`{"dissect":{"field":"m","pattern":"%{a} %{+b/2} %{+b/1} %{?k}=%{&k}","append_separator":"-"}}`, `{"m":"1 2 3 x=y"}`, `{"m":"1 2 3 x=y","a":"1","x":"y","b":"3-2"}`},
		{`{"json":{"field":"m","target_field":"j"}}`, `{"m":"{\"a\":[1]}"}`, `{"m":"{\"a\":[1]}","j":{"a":[1]}}`},
		{`{"json":{"field":"m","add_to_root":true}}`, `{"m":"{\"a\":1}"}`, `{"m":"{\"a\":1}","a":1}`},
		{`{"kv":{"field":"m","field_split":" ","value_split":"=","prefix":"p_","strip_brackets":true}}`, `{"m":"a=1 b=(x=y) a=2"}`, `{"m":"a=1 b=(x=y) a=2","p_a":["1","2"],"p_b":"x=y"}`},
		{`{"split":{"field":"a","separator":",\\s*"}}`, `{"a":"x, y,z,,"}`, `{"a":["x","y","z"]}`},
		{`{"join":{"field":"a","separator":"-"}}`, `{"a":["x",1]}`, `{"a":"x-1"}`},
		{`{"gsub":{"field":"a","pattern":"(\\d)x","replacement":"<$1>"}}`, `{"a":"1x 2x"}`, `{"a":"<1> <2>"}`},
		{`{"uppercase":{"field":"a"}},{"trim":{"field":"a"}},{"lowercase":{"field":"a","target_field":"b"}}`, `{"a":" x "}`, `{"a":"X","b":"x"}`},
		{`{"urldecode":{"field":"a"}}`, `{"a":"a%20b+c"}`, `{"a":"a b c"}`},
		{`{"bytes":{"field":"a"}}`, `{"a":"1.5kb"}`, `{"a":1536}`},
		{`{"html_strip":{"field":"a"}}`, `{"a":"<p>Hi <b>you</b> &amp; me</p>"}`, `{"a":"\nHi you & me\n"}`},
		{`{"csv":{"field":"a","target_fields":["x","y","z"],"empty_value":"-"}}`, `{"a":"1,\"b,c\","}`, `{"a":"1,\"b,c\",","x":"1","y":"b,c","z":"-"}`},
		{`{"dot_expander":{"field":"*"}}`, `{"a.b":1,"c":2}`, `{"c":2,"a":{"b":1}}`},
		{`{"sort":{"field":"a","order":"desc"}}`, `{"a":[1,3,2]}`, `{"a":[3,2,1]}`},
		{`{"foreach":{"field":"a","processor":{"uppercase":{"field":"_ingest._value.n"}}}}`, `{"a":[{"n":"x"},{"n":"y"}]}`, `{"a":[{"n":"X"},{"n":"Y"}]}`},
		{`{"script":{"source":"ctx.b = ctx.a * params.by; ctx._id = 'new'","params":{"by":3}}}`, `{"a":2}`, `{"a":2,"b":6}`},
		{`{"registered_domain":{"field":"f","target_field":"d"}}`, `{"f":"www.example.co.uk"}`, `{"f":"www.example.co.uk","d":{"domain":"www.example.co.uk","registered_domain":"example.co.uk","top_level_domain":"co.uk","subdomain":"www"}}`},
		{`{"uri_parts":{"field":"u","target_field":"p","keep_original":false}}`, `{"u":"http://u:pw@h:80/a.gif?q=1#f"}`, `{"u":"http://u:pw@h:80/a.gif?q=1#f","p":{"scheme":"http","domain":"h","port":80,"path":"/a.gif","extension":"gif","query":"q=1","fragment":"f","user_info":"u:pw","username":"u","password":"pw"}}`},
		{`{"set":{"if":"ctx.a?.b == 'x' && ctx._index.startsWith('logs')","field":"ok","value":true}}`, `{"a":{"b":"x"}}`, `{"a":{"b":"x"},"ok":true}`},
		{`{"rename":{"field":"none","target_field":"x","on_failure":[{"set":{"field":"why","value":"{{_ingest.on_failure_processor_type}}: {{{_ingest.on_failure_message}}}"}}]}}`, `{}`, `{"why":"rename: field [none] doesn't exist"}`},
		{`{"terminate":{"if":"ctx.a == 1"}},{"set":{"field":"b","value":1}}`, `{"a":1}`, `{"a":1}`},
		{`{"fail":{"message":"x","ignore_failure":true}}`, `{}`, `{}`},
	} {
		got, _, err := through(t, service(nil), c.processor, c.doc)
		if err != nil || got != c.want {
			t.Errorf("%s\n of %s\ngives %s %v\n want %s", c.processor, c.doc, got, err, c.want)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ processor, doc, want string }{
		{`{"lowercase":{"field":"a.b"}}`, `{"a":{}}`, "field [b] not present as part of path [a.b]"},
		{`{"lowercase":{"field":"a"}}`, `{"a":1}`, "field [a] of type [java.lang.Integer] cannot be cast to [java.lang.String]"},
		{`{"convert":{"field":"a","type":"integer"}}`, `{"a":"x"}`, "unable to convert [x] to integer"},
		{`{"rename":{"field":"a","target_field":"b"}}`, `{"a":1,"b":2}`, "field [b] already exists"},
		{`{"date":{"field":"a","formats":["UNIX"]}}`, `{"a":"x"}`, "unable to parse date [x]"},
		{`{"dissect":{"field":"a","pattern":"%{x}-%{y}"}}`, `{"a":"nothing"}`, "Unable to find match for dissect pattern: %{x}-%{y} against source: nothing"},
		{`{"set":{"field":"a.b","value":1}}`, `{"a":"text"}`, "cannot set [b] with parent object of type [java.lang.String] as part of path [a.b]"},
		{`{"script":{"source":"ctx.a.b.c = 1"}}`, `{}`, "null"},
		{`{"convert":{"field":"a","type":"nonsense"}}`, `{}`, "type [nonsense] not supported"},
		{`{"foreach":{"field":"a","processor":{"nonsense":{}}}}`, `{}`, "No processor type exists with name [nonsense]"},
	} {
		_, _, err := through(t, service(nil), c.processor, c.doc)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.processor, err, c.want)
		}
	}
}

// TestNames: index, id and reroute.
func TestNames(t *testing.T) {
	t.Parallel()
	_, d, err := through(t, service(nil), `{"date_index_name":{"field":"d","date_rounding":"M","index_name_prefix":"app-","date_formats":["yyyy-MM-dd"],"index_name_format":"yyyy-MM"}},{"set":{"field":"_id","value":"{{d}}"}}`, `{"d":"2026-03-04"}`)
	if err != nil || d.Index != "app-2026-03" || d.ID != "2026-03-04" {
		t.Errorf("%+v %v", d, err)
	}
	_, d, err = through(t, service(nil), `{"reroute":{"dataset":["{{svc}}","generic"]}}`, `{"svc":"Web-App"}`)
	if err != nil || d.Index != "logs-web_app-default" || !d.Rerouted {
		t.Errorf("%+v %v", d, err)
	}
}

// TestRecompiles: a pipeline that was put anew is what runs.
func TestRecompiles(t *testing.T) {
	t.Parallel()
	defs := map[string]string{"p": `{"processors":[{"set":{"field":"a","value":1}}]}`}
	s := service(defs)
	for _, want := range []string{`{"a":1}`, `{"a":2}`} {
		d, _ := NewDocument("i", "", "", []byte(`{}`), time.Now())
		if err := s.Run("p", d); err != nil {
			t.Fatal(err)
		}
		if got := string(painless.AppendJSON(nil, d.Source)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		defs["p"] = `{"processors":[{"set":{"field":"a","value":2}}]}`
	}
}

// FuzzPipeline: any JSON is a pipeline or is refused, and runs over a document without a panic.
func FuzzPipeline(f *testing.F) {
	for _, s := range []string{
		`{"processors":[{"kv":{"field":"m","field_split":" ","value_split":"="}},{"date":{"field":"d","formats":["ISO8601","UNIX"]}}]}`,
		`{"processors":[{"dissect":{"field":"m","pattern":"%{a} %{+b} %{+b}"}},{"foreach":{"field":"l","processor":{"append":{"field":"x","value":"{{_ingest._value}}"}}}}],"on_failure":[{"set":{"field":"e","value":"{{_ingest.on_failure_message}}"}}]}`,
		`{"processors":[{"csv":{"field":"m","target_fields":["a","b"],"separator":";"}},{"html_strip":{"field":"m"}},{"uri_parts":{"field":"m","ignore_failure":true}},{"bytes":{"field":"m"}}]}`,
	} {
		f.Add(s, `{"m":"a=1 b=(2) c","d":"2026-01-02","l":[1,{"x":[]}]}`)
	}
	f.Fuzz(func(t *testing.T, body, doc string) {
		s := service(nil)
		p, err := s.Compile("p", []byte(body))
		if err != nil {
			return
		}
		d, err := NewDocument("logs-a-b", "", "", []byte(doc), time.Now())
		if err != nil {
			return
		}
		s.RunPipeline(p, d, nil)
	})
}

func BenchmarkPipeline(b *testing.B) {
	s := service(map[string]string{"p": `{"processors":[{"set":{"field":"event.kind","value":"event"}},{"rename":{"field":"level","target_field":"log.level"}},{"date":{"field":"ts","formats":["ISO8601"]}},{"lowercase":{"field":"log.level"}},{"remove":{"field":"ts","if":"ctx.ts != null"}}]}`})
	src := []byte(`{"ts":"2026-01-02T03:04:05Z","level":"INFO","message":"a message of some length as logs have it","host":{"name":"h1"}}`)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		d, _ := NewDocument("i", "", "", src, time.Now())
		if err := s.Run("p", d); err != nil {
			b.Fatal(err)
		}
		painless.AppendJSON(nil, d.Source)
	}
}
