package processor

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/lines"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	fields := map[string]any{"fields": map[string]any{"app": "mvc"}}
	for _, tc := range []struct {
		in, want string
		missing  bool
	}{
		{"logs", "logs", false},
		{"logs-%{[fields.app]}", "logs-mvc", false},
		{"%{[fields.env]:dev}-x", "dev-x", false},
		{"logs-%{[fields.env]}", "logs-", true},
	} {
		f, err := ParseFormat(tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if got, missing := f.Text(fields); got != tc.want || missing != tc.missing {
			t.Errorf("%s: %q, %t", tc.in, got, missing)
		}
	}
	for _, bad := range []string{"%{+yyyy}", "%{[a]", "%{a}", "%{[a]x}"} {
		if _, err := ParseFormat(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	ev := &tree.Event{Fields: map[string]any{
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
		p, err := Compile(&Config{Name: tc.name, Args: args.(map[string]any)})
		if err != nil {
			t.Errorf("%s %s: %v", tc.name, tc.args, err)
			continue
		}
		in, err := lines.DecodeJSON(&scratch, []byte(tc.in))
		if err != nil {
			t.Fatal(tc.in, err)
		}
		ev := &tree.Event{Fields: in.(map[string]any), Metadata: map[string]any{}}
		p.run(ev)
		if got := string(tree.AppendObject(nil, ev.Fields)); got != tc.want {
			t.Errorf("%s %s of %s: %s, want %s", tc.name, tc.args, tc.in, got, tc.want)
		}
	}
	for _, bad := range []Config{
		{Name: "script"}, {Name: "add_fields"}, {Name: "drop_fields", Args: map[string]any{"fields": []any{"a"}, "nope": 1}},
		{Name: "convert", Args: map[string]any{"fields": []any{map[string]any{"from": "a", "type": "date"}}}},
		{Name: "timestamp", Args: map[string]any{"field": "a", "layouts": []any{"2006"}, "test": []any{"x"}}},
		{Name: "drop_event", When: map[string]any{"nope": 1}},
	} {
		if _, err := Compile(&bad); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}
