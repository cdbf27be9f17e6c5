package agent

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/lines"
	"github.com/weirlog/weir/queue"
)

func TestRotationNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, base string
		want       bool
	}{
		{"app.log.1", "app.log", true},
		{"app.log.12.gz", "app.log", true},
		{"app.log.gz", "app.log", true},
		{"app.log.2026-11-22", "app.log", true},
		{"app.log.2026-11-22.0.gz", "app.log", true},
		{"app.log-20261122", "app.log", true},
		{"app.log-20261122-093000", "app.log", true},
		{"0.log.20261122-093000", "0.log", true},
		{"app-2026-11-22.1.log", "app.log", true},
		{"app-2026-11-22.1.log.zst", "app.log", true},
		{"app.log.old", "app.log", true},
		{"app.log", "app.log", false},
		{"app.log.bak", "app.log", false},
		{"app2.log", "app.log", false},
		{"app-web.log", "app.log", false},
		{"app.log1", "app.log", false},
		{"other.log.1", "app.log", false},
	} {
		if got := isRotationOf(tc.name, tc.base); got != tc.want {
			t.Errorf("isRotationOf(%q, %q) = %t", tc.name, tc.base, got)
		}
		if got := strings.Contains(fmt.Sprintf("%q", rotationBases(tc.name)), fmt.Sprintf("%q", tc.base)); got != tc.want {
			t.Errorf("rotationBases(%q) = %q, want %q among them: %t", tc.name, rotationBases(tc.name), tc.base, tc.want)
		}
	}
}

func FuzzJSONString(f *testing.F) {
	f.Add("plain", []byte("a\"b\\c\x00\x1f\xff\u2028로그 and a longer run of plain text"))
	f.Fuzz(func(t *testing.T, before string, text []byte) {
		b, bad := appendString([]byte(`"`), text)
		b = append(b, '"')
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q became %q: %v", text, b, err)
		}
		if want := strings.ToValidUTF8(string(text), "\uFFFD"); bad != !utf8.Valid(text) || !bad && got != want {
			t.Fatalf("%q became %q, bad %t", text, got, bad)
		}
	})
}

func TestEntriesExample(t *testing.T) {
	t.Parallel()
	b := appendAt(nil, &saved{ref: 3, pos: 41603, tail: 0x0102030405060708, size: 41603, at: 1_700_000_000_000})
	if got := fmt.Sprintf("%X", b); !strings.HasPrefix(got, "020383C502010203040506070883C502") || len(b) != 22 {
		t.Fatalf("%s, %d bytes", got, len(b))
	}
}

func FuzzEntries(f *testing.F) {
	s := &saved{ref: 1, id: ledger.Source{1}, chain: ledger.Source{2}, path: "/var/log/a.log", headLen: 7, pos: 9, size: 10}
	b := appendHead(appendName(appendAt(appendOpen(nil, s), s), s), s)
	f.Add(append(appendEnd(b, 2, endRemoved, 5), entryLive))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := places{}
		if p.apply(b) != nil {
			return
		}
		again := places{}
		var out []byte
		for _, s := range p {
			out = appendAt(appendOpen(out, s), s)
		}
		if err := again.apply(out); err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%v: %v, %v", err, p, again)
		}
	})
}

func TestFormat(t *testing.T) {
	t.Parallel()
	tree := map[string]any{"fields": map[string]any{"app": "mvc"}}
	for _, tc := range []struct {
		in, want string
		missing  bool
	}{
		{"logs", "logs", false},
		{"logs-%{[fields.app]}", "logs-mvc", false},
		{"%{[fields.env]:dev}-x", "dev-x", false},
		{"logs-%{[fields.env]}", "logs-", true},
	} {
		f, err := parseFormat(tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if got, missing := f.text(tree); got != tc.want || missing != tc.missing {
			t.Errorf("%s: %q, %t", tc.in, got, missing)
		}
	}
	for _, bad := range []string{"%{+yyyy}", "%{[a]", "%{a}", "%{[a]x}"} {
		if _, err := parseFormat(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	ev := &event{fields: map[string]any{
		"log": map[string]any{"level": "error"}, "code": json.Number("404"), "tags": []any{"a", "b"}, "ok": true, "message": "GET /x",
	}}
	for _, tc := range []struct {
		cond string
		want bool
	}{
		{`{"equals":{"log.level":"error"}}`, true},
		{`{"equals":{"log":{"level":"info"}}}`, false},
		{`{"equals":{"code":404,"ok":true}}`, true},
		{`{"equals":{"code":"404"}}`, false},
		{`{"contains":{"message":"/x"}}`, true},
		{`{"contains":{"tags":"b"}}`, true},
		{`{"contains":{"tags":"c"}}`, false},
		{`{"regexp":{"message":"^GET"}}`, true},
		{`{"range":{"code":{"gte":400,"lt":500}}}`, true},
		{`{"range":{"code.gt":404}}`, false},
		{`{"has_fields":["log.level","code"]}`, true},
		{`{"has_fields":["nope"]}`, false},
		{`{"not":{"equals":{"ok":true}}}`, false},
		{`{"or":[{"equals":{"ok":false}},{"contains":{"tags":"a"}}]}`, true},
		{`{"and":[{"equals":{"ok":true}},{"contains":{"tags":"z"}}]}`, false},
	} {
		var m map[string]any
		if err := json.Unmarshal([]byte(tc.cond), &m); err != nil {
			t.Fatal(err)
		}
		c, err := compileCondition(m)
		if err != nil {
			t.Errorf("%s: %v", tc.cond, err)
			continue
		}
		if got := c(ev); got != tc.want {
			t.Errorf("%s: %t", tc.cond, got)
		}
	}
	for _, bad := range []string{`{}`, `{"nope":{"a":1}}`, `{"regexp":{"a":"("}}`, `{"range":{"a":{"xx":1}}}`, `{"or":{"a":1}}`} {
		var m map[string]any
		if err := json.Unmarshal([]byte(bad), &m); err != nil {
			t.Fatal(err)
		}
		if _, err := compileCondition(m); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// TestProcessors runs one step over an event and looks at what became of it.
func TestProcessors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, args, in, want string }{
		{"decode_json_fields", `{"fields":["message"]}`, `{"message":"{\"a\":1,\"b\":\"{}\"}"}`, `{"message":{"a":1,"b":"{}"}}`},
		{"decode_json_fields", `{"fields":["message"],"max_depth":2}`, `{"message":"{\"b\":\"{\\\"c\\\":2}\"}"}`, `{"message":{"b":{"c":2}}}`},
		{"decode_json_fields", `{"fields":["message"],"target":"j"}`, `{"message":"{\"a\":1}"}`, `{"j":{"a":1},"message":"{\"a\":1}"}`},
		{"decode_json_fields", `{"fields":["message"],"target":""}`, `{"message":"{\"a\":1,\"message\":\"x\"}"}`, `{"a":1,"message":"{\"a\":1,\"message\":\"x\"}"}`},
		{"decode_json_fields", `{"fields":["message"],"target":"","overwrite_keys":true}`, `{"message":"{\"message\":\"x\"}"}`, `{"message":"x"}`},
		{"decode_json_fields", `{"fields":["message"],"add_error_key":true}`, `{"message":"no"}`, `{"error":{"message":"Error decoding JSON: text is no JSON object","type":"json"},"message":"no"}`},
		{"decode_json_fields", `{"fields":["message"],"process_array":true}`, `{"message":"[1,{\"a\":2}]"}`, `{"message":[1,{"a":2}]}`},
		{"timestamp", `{"field":"t","layouts":["2006-01-02 15:04:05"],"timezone":"Asia/Seoul","target_field":"u"}`, `{"t":"2026-11-22 09:00:00"}`, `{"t":"2026-11-22 09:00:00","u":"2026-11-22T00:00:00.000Z"}`},
		{"timestamp", `{"field":"t","layouts":["UNIX_MS","UNIX"],"target_field":"u"}`, `{"t":1500}`, `{"t":1500,"u":"1970-01-01T00:00:01.500Z"}`},
		{"replace", `{"fields":[{"field":"m","pattern":"\\d+","replacement":"N"}]}`, `{"m":"a1b22"}`, `{"m":"aNbN"}`},
		{"truncate_fields", `{"fields":["m"],"max_characters":2}`, `{"m":"로그다"}`, `{"log":{"flags":["truncated"]},"m":"로그"}`},
		{"truncate_fields", `{"fields":["m"],"max_bytes":4}`, `{"m":"로그다"}`, `{"log":{"flags":["truncated"]},"m":"로"}`},
		{"convert", `{"fields":[{"from":"a","type":"integer"},{"from":"b","to":"c","type":"boolean"}]}`, `{"a":"12","b":"true"}`, `{"a":12,"b":"true","c":true}`},
		{"convert", `{"fields":[{"from":"a","type":"integer"},{"from":"b","type":"ip"}]}`, `{"a":"12","b":"no"}`, `{"a":"12","b":"no","error":{"message":"field b: ParseAddr(\"no\"): unable to parse IP"}}`},
		{"convert", `{"mode":"rename","fields":[{"from":"a","to":"b.c","type":"double"}]}`, `{"a":"1.50"}`, `{"b":{"c":1.50}}`},
		{"copy_fields", `{"fields":[{"from":"a","to":"b"}]}`, `{"a":{"x":1}}`, `{"a":{"x":1},"b":{"x":1}}`},
		{"copy_fields", `{"fields":[{"from":"n","to":"b"}],"ignore_missing":true}`, `{"a":1}`, `{"a":1}`},
		{"include_fields", `{"fields":["a.b"]}`, `{"a":{"b":1,"c":2},"d":3}`, `{"a":{"b":1}}`},
		{"add_labels", `{"labels":{"a":{"b":1}}}`, `{}`, `{"labels":{"a.b":1}}`},
		{"add_kubernetes_metadata", `{}`, `{"log":{"file":{"path":"/var/log/containers/web-1_prod_nginx-` + strings.Repeat("0a", 32) + `.log"}}}`,
			`{"container":{"id":"` + strings.Repeat("0a", 32) + `"},"kubernetes":{"container":{"name":"nginx"},"namespace":"prod","pod":{"name":"web-1"}},"log":{"file":{"path":"/var/log/containers/web-1_prod_nginx-` + strings.Repeat("0a", 32) + `.log"}}}`},
	} {
		var scratch lines.Scratch
		args, err := lines.DecodeJSON(&scratch, []byte(tc.args))
		if err != nil {
			t.Fatal(tc.args, err)
		}
		p, err := compileProcessor(&Processor{Name: tc.name, Args: args.(map[string]any)})
		if err != nil {
			t.Errorf("%s %s: %v", tc.name, tc.args, err)
			continue
		}
		in, err := lines.DecodeJSON(&scratch, []byte(tc.in))
		if err != nil {
			t.Fatal(tc.in, err)
		}
		ev := &event{fields: in.(map[string]any), metadata: map[string]any{}}
		p.run(ev)
		if got := string(appendObject(nil, ev.fields)); got != tc.want {
			t.Errorf("%s %s of %s: %s, want %s", tc.name, tc.args, tc.in, got, tc.want)
		}
	}
	for _, bad := range []Processor{
		{Name: "script"}, {Name: "add_fields"}, {Name: "drop_fields", Args: map[string]any{"fields": []any{"a"}, "nope": 1}},
		{Name: "convert", Args: map[string]any{"fields": []any{map[string]any{"from": "a", "type": "date"}}}},
		{Name: "timestamp", Args: map[string]any{"field": "a", "layouts": []any{"2006"}, "test": []any{"x"}}},
		{Name: "drop_event", When: map[string]any{"nope": 1}},
	} {
		if _, err := compileProcessor(&bad); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

// TestConstantSteps: steps that are constant for a file run once, and the plain form is kept.
func TestConstantSteps(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Processors = []Processor{
		{Name: "add_host_metadata", When: map[string]any{"not": map[string]any{"contains": map[string]any{"tags": "forwarded"}}}},
		{Name: "add_fields", Args: map[string]any{"fields": map[string]any{"a": "b"}}},
		{Name: "add_fields", Args: map[string]any{"fields": map[string]any{"no": 1}}, When: map[string]any{"contains": map[string]any{"tags": "x"}}},
	}
	h.start()
	if in := h.a.inputs[0]; len(in.chain) != 0 || len(in.once) != 3 {
		t.Fatalf("%d steps once, %d for each line", len(in.once), len(in.chain))
	}
	h.write("app.log", "x\n")
	h.expect("x")
	v := h.q.records()[0].Value
	if field(t, v, "host.os.type") == "" || field(t, v, "fields.a") != "b" || field(t, v, "fields.no") != "" {
		t.Errorf("%s", v)
	}
}

// TestSplitRecord: the parts fit, hold the message in order, and their ranges touch.
func TestSplitRecord(t *testing.T) {
	t.Parallel()
	message := strings.Repeat("로그 \"x\" ", 3000)
	value, _ := json.Marshal(map[string]any{"@timestamp": "t", "@metadata": map[string]any{"beat": "filebeat"}, "message": message,
		"log": map[string]any{"offset": 5}, "host": map[string]any{"name": "h"}})
	r := queue.Record{Value: value, Origin: ledger.Range{Source: ledger.Source{1}, From: 100, To: 100 + int64(len(message))}}
	parts := splitRecord(&r, 8<<10)
	if len(parts) < 4 {
		t.Fatalf("%d parts", len(parts))
	}
	var all strings.Builder
	pos := r.Origin.From
	for i, p := range parts {
		var v struct {
			Message string
			Log     struct {
				Flags []string
				Part  struct{ Index, Count int }
			}
		}
		if err := json.Unmarshal(p.Value, &v); err != nil {
			t.Fatal(err)
		}
		if len(p.Value) > 8<<10 || v.Log.Part.Index != i || v.Log.Part.Count != len(parts) || fmt.Sprint(v.Log.Flags) != "[split]" {
			t.Fatalf("part %d: %d bytes, %+v", i, len(p.Value), v.Log)
		}
		if p.Origin.From != pos {
			t.Fatalf("part %d begins at %d, want %d", i, p.Origin.From, pos)
		}
		pos = p.Origin.To
		all.WriteString(v.Message)
	}
	if all.String() != message || pos != r.Origin.To {
		t.Fatal("the parts are not the whole")
	}
}
